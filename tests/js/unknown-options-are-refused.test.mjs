// A misspelled option or value is refused with the nearest name, at every call that takes options; sizes take units.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { build, open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { internal } from "./support/internal.mjs";

const { toBytes } = await internal("options.js");
const f = await fixture({ count: 300, dim: 8 });
const index = await open(f.bytes);
after(() => index.close());
const vector = f.row(0);
const rows = [[1, 0], [0, 1]];

const NAMES = [
  ["search()", "topK", "k", (o) => index.search(vector, o)],
  ["search()", "top_k", "k", (o) => index.search(vector, o)],
  ["search()", "K", "k", (o) => index.search(vector, o)],
  ["search()", "efSearch", "ef", (o) => index.search(vector, o)],
  ["search()", "amongst", "among", (o) => index.search({ id: "word-1" }, o)],
  ["search()", "filters", "filter", (o) => index.search(vector, o)],
  ["searchBatch()", "excludes", "exclude", (o) => index.searchBatch([vector], o)],
  ["searchBatch()", "array", "arrays", (o) => index.searchBatch([vector], o)],
  ["count()", "sginal", "signal", (o) => index.count({}, o)],
  ["facets()", "filters", "filter", (o) => index.facets("title", o)],
  ["facets()", "limits", "limit", (o) => index.facets("title", o)],
  ["search()", "re_score", "rescore", (o) => index.explain(vector, o)],
  ["load()", "sginal", "signal", (o) => index.load(o)],
  ["vector()", "Signal", "signal", (o) => index.vector("word-1", o)],
  ["has()", "abortSignal", "signal", (o) => index.has("word-1", o)],
  ["build()", "metrics", "metric", (o) => build(rows, o)],
  ["build()", "efconstruction", "efConstruction", (o) => build(rows, o)],
  ["build()", "refined", "refine", (o) => build(rows, o)],
  ["open()", "cahce", "cache", (o) => open(f.bytes, o)],
  ["open()", "memory_budget", "memoryBudget", (o) => open(f.bytes, o)],
  ["open()", "preFetch", "prefetch", (o) => open(f.bytes, o)],
  ["open()", "timeout", "timeoutMs", (o) => open("http://127.0.0.1:1/", o)],
  ["open()", "retry", "retries", (o) => open("http://127.0.0.1:1/", o)],
  ["open()", "header", "headers", (o) => open("http://127.0.0.1:1/", o)],
  ["open(): cache", "byte", "bytes", (cache) => open(f.bytes, { cache })],
  ["open(): cache", "folders", "folder", (cache) => open(f.bytes, { cache })],
  ["open(): expect", "contentID", "contentId", (expect) => open(f.bytes, { expect })],
  ["open(): expect", "generations", "generation", (expect) => open(f.bytes, { expect })],
  ["open()", "degrade", "degraded", (o) => open(f.bytes, o)],
  ["open(): link", "rtt", "rttMs", (link) => open("http://127.0.0.1:1/", { link })],
];

for (const [call, wrong, right, run] of NAMES) {
  test(`${call}: ${wrong} is not ${right}`, async () => {
    for (const value of [1, undefined]) {
      const { message } = await rejected(run({ [wrong]: value }), "argument");
      assert.ok(message.startsWith(`${call} has no option \`${wrong}\`: did you mean \`${right}\`?`), message);
    }
  });
}

test("what an object inherits is no option of it, and what a caller leaves undefined is not given", async () => {
  assert.equal((await index.search(vector, Object.create({ topK: 1 }))).length, 10);
  assert.equal((await index.search(vector, { k: undefined, index: undefined, signal: undefined })).length, 10);
  const given = { cache: undefined, expect: undefined, degraded: undefined, link: undefined, fetch: undefined, memoryBudget: undefined, prefetch: undefined };
  await (await open(f.bytes, given)).close();
});

test("a name of any length costs nothing", async () => {
  const { message } = await rejected(index.search(vector, { ["k".repeat(1e6)]: 1 }), "argument");
  assert.ok(message.length < 300, message);
});

const VALUES = [
  ["index", "hnws", "hnsw", (index_) => index.search(vector, { index: index_ })],
  ["index", "Flat", "flat", (index_) => index.search(vector, { index: index_ })],
  ["prefetch", "code", "codes", (prefetch) => open(f.bytes, { prefetch })],
  ["connection", "http2", "h2", (connection) => open("http://127.0.0.1:1/", { connection })],
  ["metric", "cosin", "cosine", (metric) => build(rows, { metric })],
  ["codec", "sq-8", "sq8", (codec) => build(rows, { codec })],
  ["refine", "fp16", "f16", (refine) => build(rows, { refine })],
  ["exact", "fp32", "f32", (exact) => build(rows, { exact })],
];

for (const [name, wrong, right, run] of VALUES) {
  test(`${name}: "${wrong}" is not "${right}"`, async () => {
    const { message } = await rejected(run(wrong), "argument");
    assert.match(message, new RegExp(`^${name} must be one of .*did you mean "${right}"\\?$`));
    assert.match((await rejected(run(5), "argument")).message, /must be one of .*not a number$/);
  });
}

test("a size is a number of bytes, or a text with a unit", async () => {
  const sizes = [[1, 1], [65_536, 65_536], ["65536", 65_536], ["512kB", 512_000], ["64MB", 64_000_000], ["64MiB", 64 << 20], ["64 MiB", 64 << 20], ["64mib", 64 << 20], ["2GB", 2e9], ["2GiB", 2 ** 31], ["1 KIB", 1024], ["512B", 512], [" 64 MB ", 64_000_000], ["1.5 GiB", 1.5 * 2 ** 30], ["0.5kb", 500], [".5kb", 500], ["0.0015 kB", 1]];
  for (const [given, bytes] of sizes) assert.equal(toBytes(given, "x"), bytes, String(given));
  for (const given of [0, -1, 1.5, NaN, Infinity, 2 ** 60, "", " ", "0", "0MB", "MB", "1.5", "1.5B", "-1", "+1", "1e6", "1,5GB", "1_000", "0x10", "..MB", "1.2.3MB", "64MBs", "64 bytes", "64 M", "64Mb/s", "9999999GiB", "inf GB", "NaNMB", "٣MB", null, true, {}, [64], 64n]) {
    assert.throws(() => toBytes(given, "x"), { code: "argument", message: /^x must be a whole number of bytes.*"64MB".*MiB/ }, String(given));
  }
  const small = await open(f.bytes, { memoryBudget: "3MB" });
  assert.equal(small.stats().memoryBudget, 3_000_000);
  await small.close();
  await rejected(open(f.bytes, { memoryBudget: "1kB" }), "budget");
  for (const options of [{ memoryBudget: "64 MiBs" }, { cache: { bytes: "much" } }]) {
    assert.match((await rejected(open(f.bytes, options), "argument")).message, /^(memoryBudget|cache\.bytes) must be a whole number of bytes/);
  }
});
