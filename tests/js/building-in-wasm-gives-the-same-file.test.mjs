import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { build, open } from "pagevec";
import { rejected, vectors } from "./support/fixture.mjs";

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
const [count, dim] = [1500, 40];
const matrix = vectors(count, dim, 3);
const rows = Array.from({ length: count }, (_, i) => [...matrix.subarray(i * dim, (i + 1) * dim)]);
const ids = Array.from({ length: count }, (_, i) => `w${i}`);

test("rows and flat matrix, twice", async () => {
  const flat = hash(await build(matrix, { dim, ids }));
  assert.equal(hash(await build(rows, { ids })), flat);
  assert.equal(hash(await build(matrix, { dim, ids })), flat);
  assert.notEqual(hash(await build(matrix, { dim, ids, seed: 1 })), flat);
});

const cli = process.env.PAGEVEC_CLI;
for (const codec of ["sq8", "binary", "f32", "sq4", "pq13"]) {
  test(`${codec}: as the command line builds it`, { skip: !cli && "PAGEVEC_CLI is not set" }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
    await writeFile(join(folder, "vectors.npy"), npy(matrix, count, dim));
    await writeFile(join(folder, "ids.txt"), ids.join("\n") + "\n");
    const out = join(folder, "out");
    await promisify(execFile)(cli, ["build", join(folder, "vectors.npy"), "--ids", join(folder, "ids.txt"), "--metric", "cosine", "--codec", codec, "-o", out]);
    const [file] = (await readdir(out)).filter((name) => name.endsWith(".bin"));
    const bytes = await build(matrix, { dim, ids, codec, metric: "cosine" });
    assert.equal(hash(bytes), hash(await readFile(join(out, file))));

    // And the folder it wrote opens.
    const index = await open(out);
    assert.equal((await index.search(rows[3]))[0].id, "w3");
    await index.close();
    await rm(folder, { recursive: true });
  });
}

for (const metric of ["cosine", "dot", "l2"]) {
  for (const codec of ["sq8", "binary", "f32", "f16", "sq4", "pq13"]) {
    test(`${metric}, ${codec}: a built file opens and finds its rows`, async () => {
      const index = await open(await build(matrix, { dim, ids, metric, codec }));
      const { codec: stored, metric: used, count: n } = index.info;
      assert.deepEqual([stored, used, n], [codec, metric, count]);
      let found = 0;
      for (let i = 0; i < 50; i++) found += (await index.search(rows[i], { k: 10 })).some(({ id }) => id === ids[i]) ? 1 : 0;
      assert.ok(metric === "dot" || found >= 48, `${found} of 50`);
      await index.close();
    });
  }
}

test("number ids come back as numbers", async () => {
  const index = await open(await build(rows.slice(0, 100), { ids: Float64Array.from({ length: 100 }, (_, i) => 2 ** 53 - 1 - i) }));
  assert.equal((await index.search(rows[4]))[0].id, 2 ** 53 - 5);
  assert.equal(await index.has(2 ** 53 - 5), true);
  const without = await open(await build(rows.slice(0, 100)));
  assert.equal((await without.search(rows[4]))[0].id, 4);
  await Promise.all([index.close(), without.close()]);
});

test("progress, and cancelling from it", async () => {
  const phases = new Set();
  await build(matrix, { dim, onProgress: ({ phase, done, total }) => (assert.ok(done <= total), phases.add(phase)) });
  assert.ok(phases.size > 1);
  const abort = new AbortController();
  await rejected(build(matrix, { dim, signal: abort.signal, onProgress: () => abort.abort() }), "aborted");
  const thrown = new RangeError("mine");
  const error = await rejected(build(matrix, { dim, onProgress: () => { throw thrown; } }), "aborted");
  assert.equal(error.cause, thrown);
  await rejected(build(matrix, { dim, signal: AbortSignal.abort() }), "aborted");
});

test("bad input", async () => {
  const bad = rows.map((row) => row.slice());
  bad[7][3] = NaN;
  assert.match((await rejected(build(bad), "not-finite")).message, /row 7/);
  bad[7] = new Array(dim).fill(0);
  assert.match((await rejected(build(bad, { metric: "cosine" }), "zero-vector")).message, /row 7/);
  await rejected(build([[1, 2], [3]]), "dimension");
  await rejected(build(matrix, {}), "argument");
  await rejected(build(matrix, { dim: 7 }), "dimension");
  await rejected(build(rows, { ids: ["a"] }), "argument");
  await rejected(build(rows, { ids: ids.map(() => "same") }), "duplicate-id");
  await rejected(build(rows.slice(0, 2), { ids: ["a", 1] }), "argument");
  await rejected(build(rows.slice(0, 2), { ids: [1, "a"] }), "argument");
  await rejected(build(rows.slice(0, 1), { ids: [-1] }), "argument");
  await rejected(build(rows.slice(0, 1), { ids: ["\ud800"] }), "argument");
  for (const options of [{ metric: "hamming" }, { codec: "quantum" }, { codec: "pq41" }, { codec: "pq0" }, { codec: "sq8", refine: "sq4" }, { refine: "pq" }, { exact: "sq8" }, { exact: 1 }, { refine: "f32", exact: "f16" }, { codec: "f32", exact: "f32" }, { metric: 5 }, { m: 0 }, { m: 2 ** 31 }, { efConstruction: 0 }, { seed: -1 }, { graph: 1 }, { clusters: "no" }, { onProgress: 1 }, null]) {
    await rejected(build(rows, options), "argument");
  }
  for (const input of [null, undefined, 5, "x", [], [5], [[]]]) await rejected(build(input), "argument");
});

/** A .npy file of f32. */
function npy(data, count, dim) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, ${dim}), }`.padEnd(117) + "\n";
  const head = Buffer.alloc(10);
  head.write("\x93NUMPY\x01\x00", "latin1");
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(header, "latin1"), Buffer.from(data.buffer)]);
}
