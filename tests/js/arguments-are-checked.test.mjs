import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";

const f = await fixture({ count: 300, dim: 8 });
const index = await open(f.bytes);
after(() => index.close());
const good = [...f.row(0)];

test("k is a whole number from 1, cut to what there is", async () => {
  for (const k of [0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, "10", null, {}, [], true, 10n]) {
    await rejected(index.search(good, { k }), "argument");
    await rejected(index.searchBatch([good], { k }), "argument");
  }
  assert.equal((await index.search(good)).length, 10);
  for (const k of [301, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
    assert.equal((await index.search(good, { k })).length, 300);
  }
});

test("ef is raised to k, and a huge one is cut", async () => {
  for (const ef of [1, 10, 1e9]) assert.equal((await index.search(good, { k: 20, ef, index: "hnsw" })).length, 20);
  for (const ef of [0, -1, "64", NaN]) await rejected(index.search(good, { ef }), "argument");
});

test("recall is a number above 0, at most 1", async () => {
  for (const recall of [0, -1, 1.01, NaN, "0.9", null]) await rejected(index.search(good, { recall }), "argument");
  assert.equal((await index.search(good, { index: "clusters", recall: 1 })).length, 10);
});

test("probes is a whole number from 1, cut to what there is", async () => {
  for (const probes of [0, -1, 1.5, NaN, "4", null]) await rejected(index.search(good, { probes }), "argument");
  const all = await index.search(good, { index: "clusters", probes: 2 ** 53 - 1 });
  assert.deepEqual(all[0], (await index.search(good, { index: "flat" }))[0]);
  assert.deepEqual(await index.search(good, { index: "clusters", probes: 2 ** 32 }), all);
  assert.deepEqual(await index.searchBatch([good], { index: "clusters", probes: 2 ** 31 }), [all]);
  for (const options of [null, 5, { signal: 1 }]) await rejected(index.load(options), "argument");
});

test("index and options", async () => {
  for (const options of [{ index: "ivf" }, { index: 1 }, null, 5, { signal: {} }]) await rejected(index.search(good, options), "argument");
  assert.equal((await index.explain(good, { index: "flat" })).index, "flat");
  for (const name of ["hnsw", "clusters"]) assert.equal((await index.explain(good, { index: name })).index, name);
});

test("every kind of numbers is taken by value", async () => {
  const expected = await index.search(Float32Array.from(good));
  for (const vector of [good, Float64Array.from(good), new Float32Array(new SharedArrayBuffer(32)).map((_, i) => good[i])]) {
    assert.deepEqual(await index.search(vector), expected);
  }
  const shared = new Float32Array(new SharedArrayBuffer(32));
  shared.set(good);
  assert.deepEqual(await index.search(shared), expected);
  const odd = new DataView(new ArrayBuffer(40));
  const offset = new Float32Array(odd.buffer, 4, 8);
  offset.set(good);
  assert.deepEqual(await index.search(offset), expected);
  assert.equal((await index.search(Int8Array.from([1, 2, 3, 4, 5, 6, 7, 8]))).length, 10);
});

test("changing the vector after the call changes nothing", async () => {
  const cold = await open(f.bytes);
  const vector = Float32Array.from(good);
  const search = cold.search(vector);
  vector.fill(NaN);
  assert.deepEqual(await search, await index.search(good));
  await cold.close();
});

test("vectors that are none", async () => {
  const detached = Float32Array.from(good);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const holes = good.slice();
  delete holes[3];
  const bad = [null, undefined, 5, "12345678", {}, { length: 8 }, holes, good.map(String), good.map(() => 1n), [...good.slice(1), null],
    new BigInt64Array(8), new DataView(new ArrayBuffer(32)), new Array(8), detached, good.map((x) => [x])];
  for (const vector of bad) await rejected(index.search(vector), "argument");
  for (const vector of [[], good.slice(1), [...good, 1], new Float32Array(8000)]) await rejected(index.search(vector), "dimension");
  for (const bad of [NaN, Infinity, -Infinity, 1e300]) {
    for (const at of [0, 7]) {
      const vector = good.slice();
      vector[at] = bad;
      await rejected(index.search(vector), "not-finite");
    }
  }
  await rejected(index.search(new Float32Array(8)), "zero-vector");
});

test("a getter that throws or calls back in", async () => {
  const thrower = good.slice();
  Object.defineProperty(thrower, 3, { get: () => { throw new RangeError("mine"); } });
  assert.equal((await rejected(index.search(thrower), "argument")).cause.message, "mine");
  const reentrant = good.slice();
  let inner;
  Object.defineProperty(reentrant, 3, { get: () => ((inner ??= index.search(good)), good[3]) });
  assert.deepEqual(await index.search(reentrant), await inner);
});

test("batches", async () => {
  const rows = [0, 1, 2].map((i) => f.row(i));
  const expected = await Promise.all(rows.map((row) => index.search(row)));
  assert.deepEqual(await index.searchBatch(rows), expected);
  assert.deepEqual(await index.searchBatch(f.matrix.slice(0, 24)), expected);
  assert.deepEqual(await index.searchBatch([]), []);
  assert.deepEqual(await index.searchBatch(new Float32Array(0)).catch((e) => e.code), "argument");
  assert.equal((await index.searchBatch(f.matrix, { k: 1 })).length, 300);
  await rejected(index.searchBatch([good, good.slice(1)]), "dimension");
  await rejected(index.searchBatch(new Float32Array(9)), "dimension");
  await rejected(index.searchBatch("rows"), "argument");
});

test("ids", async () => {
  assert.equal(await index.has("word-299"), true);
  for (const id of ["word-300", "", "__proto__", "constructor", 0, 7, "\0"]) assert.equal(await index.has(id), false, String(id));
  await rejected(index.vector("nobody"), "unknown-id");
  for (const id of [undefined, null, {}, NaN, 5n, ["word-1"]]) {
    await rejected(index.has(id), "argument");
    await rejected(index.vector(id), "argument");
  }
});

test("open", async () => {
  for (const source of [undefined, null, 5, {}, [], new Float32Array(5)]) await rejected(open(source), "argument");
  for (const url of ["ftp://example.org/", "data:text/plain,x", "http://user:pw@example.org/", "http://"]) {
    const error = await rejected(open(url), "argument");
    assert.doesNotMatch(error.message, /pw/);
  }
  for (const options of [null, 5, { memoryBudget: 0 }, { memoryBudget: "64 bytes" }, { memoryBudget: NaN }, { onProgress: 1 }, { onFetch: {} }, { fetch: "x" }, { signal: 1 },
    { headers: { range: "bytes=0-1" } }, { headers: { "if-match": "*" } }, { headers: { "bad name": "x" } },
    { timeoutMs: 0 }, { timeoutMs: Infinity }, { retries: -1 }, { retries: 1.5 }, { hedge: 0 }, { hedge: "5" }, { connection: "h9" }, { connection: "constructor" },
    { maxRequests: 2 }, { maxRequests: "12" }, { link: null }, { link: {} }, { link: { rttMs: 0, mbits: 1 } }, { link: { rttMs: 50 } }, { link: { rttMs: 5, mbits: NaN } }]) {
    await rejected(open(f.bytes, options), "argument");
  }
  await rejected(open(f.bytes, { memoryBudget: 1 }), "budget");
  await rejected(open("/no/such/file.bin"), "not-found");
  await rejected(open("/no/such/folder/"), "not-found");
  await rejected(open("/dev/null"), "not-a-segment");
});

test("bytes that are no segment", async () => {
  for (const bytes of [new Uint8Array(), new Uint8Array(1), new Uint8Array(100), new Uint8Array(70000).fill(255), new TextEncoder().encode("<!doctype html>".repeat(99))]) {
    await rejected(open(bytes), "not-a-segment");
    await rejected(open(new Blob([bytes])), "not-a-segment");
  }
});

test("listeners that throw end nothing", async () => {
  // They are reported as uncaught; here, into a list.
  const { queueMicrotask } = globalThis;
  const reported = [];
  globalThis.queueMicrotask = (report) => reported.push(report);
  const mine = () => {
    throw new RangeError("mine");
  };
  const other = await open(f.bytes, { onFetch: mine, onProgress: mine });
  assert.equal((await other.search(good)).length, 10);
  globalThis.queueMicrotask = queueMicrotask;
  assert.ok(reported.length > 1);
  for (const report of reported) assert.throws(report, RangeError);
  await other.close();
});
