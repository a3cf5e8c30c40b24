// 20,000 rows of wordnet: the same file from wasm and from the command line with one thread and with two, and the same
// hits from both for every kind of index.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { build, open } from "pagevec";

const { PAGEVEC_CLI: cli, PAGEVEC_DATA: data } = process.env;
const skip = (!cli && "PAGEVEC_CLI is not set") || (!data && "PAGEVEC_DATA is not set");
const ROWS = 20_000;
const DIM = 384;
const folder = mkdtempSync(join(tmpdir(), "pagevec-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** @param {string} file @param {number} rows */
function halves(file, rows) {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  return Float32Array.from({ length: rows * DIM }, (_, i) => {
    const half = bytes.readUInt16LE(start + 2 * i);
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024);
    return half & 0x8000 ? -size : size;
  });
}

/** @param {number} threads */
function native(threads) {
  const out = join(folder, `threads-${threads}`);
  const base = join(data, "wordnet/base.f16.npy");
  execFileSync(cli, ["build", base, "--limit", `${ROWS}`, "--threads", `${threads}`, "-o", out]);
  return join(out, readdirSync(out).find((name) => name.endsWith(".bin")) ?? "");
}

const one = skip ? "" : native(1);

test("20,000 rows: the file is the same from one thread and two", { skip }, () => {
  assert.ok(readFileSync(one).equals(readFileSync(native(2))));
});

test("and from wasm", { skip }, async () => {
  const built = await build(halves(join(data, "wordnet/base.f16.npy"), ROWS), { dim: DIM });
  assert.ok(readFileSync(one).equals(built));
});

test("the hits are the same in wasm and natively", { skip }, async () => {
  const queries = halves(join(data, "wordnet/queries.f16.npy"), 25);
  const index = await open(one, { memoryBudget: 128 * 2 ** 20 });
  for (let i = 0; i < 25; i++) {
    const query = queries.subarray(i * DIM, (i + 1) * DIM);
    const vector = join(folder, "query.npy");
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (1, ${DIM}), }`.padEnd(117) + "\n";
    const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
    writeFileSync(vector, Buffer.concat([magic, Buffer.from(header), Buffer.from(query.slice().buffer)]));
    for (const kind of /** @type {const} */ (["clusters", "hnsw", "flat"])) {
      const args = ["search", one, "--vector-file", vector, "--index", kind, "--json"];
      const answer = JSON.parse(execFileSync(cli, args, { encoding: "utf8" }));
      const hits = await index.search(query, { index: kind });
      assert.deepEqual(hits.map((h) => h.id), answer.hits.map((/** @type {{ id: number }} */ h) => h.id), kind);
      const scores = answer.hits.map((/** @type {{ score: number }} */ h) => Math.fround(h.score));
      assert.deepEqual(hits.map((h) => Math.fround(h.score)), scores, `${kind} scores, bit for bit`);
    }
  }
  await index.close();
});
