// `open(…, { worker: true })`: the same calls, hits and errors, while the work is done in a worker. One that stops is started again.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { Index, open, PagevecError } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture({ count: 2000, dim: 24 });
const server = await serve(f.folder);
const folder = await mkdtemp(join(tmpdir(), "pagevec-worker-"));
await mkdir(join(folder, "words"));
for (const name of ["index.json", f.file]) await writeFile(join(folder, "words", name), f.folder[`/words/${name}`].body);
after(() => Promise.all([server.close(), rm(folder, { recursive: true })]));
const url = `${server.url}/words/`;
const script = pathToFileURL(createRequire(import.meta.url).resolve("pagevec/worker"));

/** Opens in a worker that the test can stop. */
async function stoppable(source, options) {
  const workers = [];
  const worker = () => (workers.push(new Worker(script)), workers.at(-1));
  return { index: await open(source, { ...options, worker }), workers };
}

for (const [what, source] of Object.entries({ bytes: f.bytes, "a Blob": new Blob([f.bytes]), "a URL": url, "a URL object": new URL(url), "a path": join(folder, "words"), "a segment": join(folder, "words", f.file) })) {
  test(`from ${what}, all calls give what they give without a worker`, async () => {
    const here = await open(source);
    const there = await open(source, { worker: true });
    assert.ok(there instanceof Index);
    assert.deepEqual(there.info, here.info);
    const options = { k: 5, index: "clusters", exclude: ["word-3"], among: f.ids.slice(0, 900) };
    const rows = Array.from({ length: 130 }, (_, i) => f.row(i));
    for (const call of [
      (index) => index.search(f.row(7)),
      (index) => index.search(f.row(3), options),
      (index) => index.search({ id: "word-9" }, options),
      (index) => index.searchBatch(rows, options),
      (index) => index.searchBatch([]),
      (index) => index.vector("word-11"),
      (index) => index.has("word-11"),
      (index) => index.has("none"),
      (index) => index.load(),
      (index) => index.search(f.row(7), { index: "hnsw" }),
    ]) assert.deepEqual(await call(there), await call(here));
    const { milliseconds: a, ...one } = await there.explain(f.row(5), { index: "flat" });
    const { milliseconds: b, ...two } = await here.explain(f.row(5), { index: "flat" });
    assert.ok(a >= 0 && b >= 0);
    assert.deepEqual(one, { ...two, link: one.link, plan: one.plan });
    assert.equal(there.stats().queries, here.stats().queries);
    assert.deepEqual(Object.keys(there.stats()), Object.keys(here.stats()));
    await Promise.all([here.close(), there.close()]);
  });
}

test("require() has workers too; pagevec/inline, which is one file, says that it has none", async () => {
  const { open: required } = createRequire(import.meta.url)("pagevec");
  const index = await required(f.bytes, { worker: true });
  assert.equal((await index.search(f.row(7)))[0].id, "word-7");
  await index.close();
  const inline = await import("pagevec/inline");
  await assert.rejects(inline.open(f.bytes, { worker: true }), { name: "PagevecError", code: "unsupported", message: /leave out `worker`/ });
  const one = await inline.open(f.bytes);
  assert.equal((await one.explain(f.row(7))).hits[0].id, "word-7");
  assert.deepEqual([...(await one.searchBatch([f.row(7)], { k: 1, arrays: true })).offsets], [0, 1]);
  assert.equal((await one.save()).size, f.bytes.length);
  await one.close();
});

test("a vector that the caller passed stays theirs", async () => {
  const index = await open(f.bytes, { worker: true });
  const query = Float32Array.from(f.row(7));
  const matrix = Float32Array.from([...f.row(7), ...f.row(8)]);
  await index.search(query);
  await index.searchBatch(matrix);
  assert.deepEqual(query, Float32Array.from(f.row(7)));
  assert.equal(matrix.length, 48);
  await index.close();
});

test("the hook for texts stays on this side", async () => {
  const embed = (texts) => texts.map((text) => f.row(Number(text)));
  const index = await open(url, { worker: true, embed });
  assert.equal((await index.search({ text: "12" }))[0].id, "word-12");
  assert.deepEqual((await index.searchBatch(["1", "2"], { k: 1 })).flat().map(({ id }) => id), ["word-1", "word-2"]);
  await index.close();
});

test("progress and pieces are told, before the answer", async () => {
  const told = { onProgress: [], onFetch: [] };
  const index = await open(url, { worker: true, onProgress: (event) => told.onProgress.push(event), onFetch: (piece) => told.onFetch.push(piece) });
  assert.ok(told.onProgress.some(({ phase, done, total }) => phase === "open" && done === total));
  assert.equal(told.onFetch[0].offset, 0);
  const before = told.onFetch.length;
  await index.search(f.row(1), { index: "clusters" });
  assert.ok(told.onFetch.length > before);
  await index.close();
});

test("headers, the budget and the wasm module cross", async () => {
  server.reset();
  const { readFile } = await import("node:fs/promises");
  const wasm = await readFile(createRequire(import.meta.url).resolve("pagevec/pagevec.wasm"));
  const index = await open(url, { worker: true, wasm, memoryBudget: "2MB", headers: new Headers({ "x-key": "secret" }) });
  assert.equal(index.stats().memoryBudget, 2_000_000);
  assert.ok(server.log.length > 0 && server.log.every(({ headers }) => headers["x-key"] === "secret"));
  await index.close();
});

test("errors arrive as they are thrown there", async () => {
  const index = await open(url, { worker: true });
  await rejected(index.search(f.row(1).slice(1)), "dimension");
  await rejected(index.search(f.row(1), { top: 3 }), "argument");
  await rejected(index.search(new Float32Array(24)), "zero-vector");
  await rejected(index.search({ id: "none" }), "unknown-id");
  await rejected(index.vector("none"), "unknown-id");
  await index.close();
  await rejected(index.search(f.row(1)), "closed");
  assert.throws(() => index.stats(), { code: "closed" });
  await rejected(open(`${server.url}/nowhere/`, { worker: true }), "not-found");
  await rejected(open(Uint8Array.of(1, 2, 3), { worker: true }), "not-a-segment");
  await rejected(open(url, { worker: true, memoryBudget: 1000 }), "budget");
  await rejected(open(url, { worker: true, expect: { fileId: "0".repeat(32) } }), "stale");
  await rejected(open(url, { worker: true, wasm: new Uint8Array(8) }), "wasm");
  for (const options of [{ worker: "yes" }, { worker: 1 }, { worker: true, fetch }]) await rejected(open(url, options), "argument");
  server.fault = "retry-after 1000000000";
  const error = await rejected(open(url, { worker: true, retries: 0 }), "network");
  server.fault = undefined;
  assert.ok(error.retryAfterMs > 0, "data of the error crosses");
});

test("segments that are left out are told with their errors", async () => {
  const [segment] = f.manifest.segments;
  const lost = { ...segment, file: "seg-lost.bin", contentId: "a".repeat(64) };
  const text = JSON.stringify({ pagevec: 2, generation: 3, segments: [segment, lost] });
  const host = await serve({ "/index.json": { body: text, type: "application/json" }, [`/${f.file}`]: { body: f.bytes } });
  const index = await open(`${host.url}/`, { worker: true, degraded: true });
  const [{ file, error }] = index.info.missing;
  assert.equal(file, "seg-lost.bin");
  assert.ok(error instanceof PagevecError && error.code === "not-found");
  await index.close();
  await host.close();
});

test("a signal ends a call there too, with its reason, and the index goes on", async () => {
  const index = await open(url, { worker: true, memoryBudget: "2MB" });
  server.delay = 2000;
  server.reset();
  const controller = new AbortController();
  const search = rejected(index.search(f.row(1), { index: "clusters", signal: controller.signal }), "aborted");
  await until(() => server.now > 0);
  const reason = { mine: true };
  controller.abort(reason);
  assert.equal((await search).cause, reason, "the reason itself, not a copy");
  await until(() => server.now === 0);
  server.delay = 0;
  assert.equal((await index.search(f.row(1)))[0].id, "word-1");
  await rejected(index.search(f.row(1), { signal: AbortSignal.abort() }), "aborted");
  await index.close();
  server.delay = 2000;
  const opening = new AbortController();
  const open_ = rejected(open(url, { worker: true, signal: opening.signal }), "aborted");
  setTimeout(() => opening.abort(), 300);
  await open_;
  server.delay = 0;
});

test("a worker that stops fails what is under way; the next call starts another", async () => {
  const { index, workers } = await stoppable(url);
  assert.equal((await index.search(f.row(1)))[0].id, "word-1");
  for (let round = 1; round <= 2; round++) {
    server.delay = 2000;
    server.reset();
    const under = Promise.all([rejected(index.search(f.row(2), { index: "clusters", probes: 8 + round }), "worker"), rejected(index.load(), "worker")]);
    await until(() => server.now > 0);
    await workers.at(-1).terminate();
    assert.match((await under)[0].message, /exit code 1.*next call starts another/);
    server.delay = 0;
    const [one, two, batch] = await Promise.all([index.search(f.row(4)), index.search(f.row(5)), index.searchBatch([f.row(6)])]);
    assert.deepEqual([one[0].id, two[0].id, batch[0][0].id], ["word-4", "word-5", "word-6"]);
    assert.equal(workers.length, 1 + round, "one for all");
  }
  await workers.at(-1).terminate();
  await index.close();
});

test("one that was replaced while its worker started again is stale", async () => {
  const other = await fixture({ count: 500, dim: 24, seed: 9 });
  const host = await serve((path) => ({ ...f.folder, ...(replaced && other.folder) })[path]);
  let replaced = false;
  const { index, workers } = await stoppable(`${host.url}/words/`);
  replaced = true;
  await workers[0].terminate();
  await rejected(index.search(f.row(1)), "stale");
  await rejected(index.search(f.row(1)), "stale");
  assert.equal(workers.length, 3);
  await index.close();
  await host.close();
});

test("a worker that does not start is an error that says how to start one", async () => {
  const missing = () => new Worker(new URL("./nowhere.js", script));
  const error = await rejected(open(f.bytes, { worker: missing }), "worker");
  assert.match(error.message, /pagevec\/worker/);
  assert.equal(error.cause?.code, "ERR_MODULE_NOT_FOUND");
  const cause = new TypeError("no workers today");
  assert.equal((await rejected(open(f.bytes, { worker: () => { throw cause; } }), "worker")).cause, cause);
});

test("close ends what is under way, and the worker; a program is not kept alive by an open index", async () => {
  const { index, workers } = await stoppable(url);
  server.delay = 2000;
  server.reset();
  const search = rejected(index.search(f.row(2), { index: "clusters" }), "closed");
  await until(() => server.now > 0);
  const ended = new Promise((resolve) => workers[0].once("exit", resolve));
  await Promise.all([index.close(), index.close()]);
  await search;
  await ended;
  server.delay = 0;
  const { execFile } = await import("node:child_process");
  const program = `import { open } from "pagevec"; const index = await open(${JSON.stringify(join(folder, "words"))}, { worker: true }); console.log((await index.search({ id: "word-1" })).length);`;
  const out = await new Promise((resolve, reject) => execFile(process.execPath, ["--input-type=module", "--eval", program], { timeout: 20_000 }, (error, stdout) => (error ? reject(error) : resolve(stdout))));
  assert.equal(out.trim(), "10");
});
