// A page that searches without filters loads a module without them. The first call that needs filters loads the module that has them,
// once, and the index goes on in it: no search is lost, hits stay the same, and where that module does not arrive all else goes on.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as node from "pagevec";
import { fixture } from "./support/fixture.mjs";
import { rowsOf } from "./support/payload.mjs";
import { serve } from "./support/server.mjs";

const root = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
const moduleOf = (which) => readFile(join(root, `wasm/${which}/pagevec_wasm_bg.wasm`));

// Node's fetch reads no files: the entries of pages get their modules here, one at a time as they ask.
let asked = [];
let gone = false;
let arrival = Promise.resolve();
const { fetch } = globalThis;
globalThis.fetch = async (input, init) => {
  const url = String(input);
  if (!url.startsWith("file:")) return fetch(input, init);
  const which = /wasm\/(\w+)\//.exec(url)[1];
  asked.push(which);
  if (which === "filter") await arrival;
  if (gone) return new Response("", { status: 404 });
  return new Response(await readFile(fileURLToPath(url)), { headers: { "content-type": "application/wasm" } });
};
beforeEach(() => {
  asked = [];
});

const COUNT = 1200;
const f = await fixture({ count: COUNT, fields: rowsOf(COUNT, 3) });
const plain = await fixture({ count: 300, dim: 8 });
const server = await serve(f.folder);
after(() => server.close());
const url = `${server.url}/words/`;
const filter = { colour: { $in: ["red", "green"] }, size: { $gte: -20 } };
const rows = [3, 500, 1100];
const ids = (hits) => hits.map(({ id, score }) => [id, score]);

// Node's entry has filters from the start: what it answers is expected of all.
const whole = await node.open(f.bytes);
const expected = {
  plain: await Promise.all(rows.map((row) => whole.search(f.row(row), { index: "clusters" }))),
  filtered: await Promise.all(rows.map((row) => whole.search(f.row(row), { index: "clusters", filter }))),
  count: await whole.count(filter),
  facets: await whole.facets("colour"),
  sorted: await all(whole.rows({ sortBy: "size", limit: 5 })),
};
await whole.close();

/** The error of a call, which has this code. Each copy of the package has an error class of its own. */
async function rejected(call, code) {
  const error = await call.then(() => assert.fail(`no error ${code}`), (error) => error);
  assert.equal(error.code, code, error.stack);
  return error;
}

async function all(generator) {
  const out = [];
  for await (const one of generator) out.push(one);
  return out;
}

/** A copy of an entry that has loaded no module yet: modules are kept for all indexes of a script. */
async function fresh(name) {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
  after(() => rm(folder, { recursive: true }));
  for (const dir of ["dist", "wasm"]) await cp(join(root, dir), join(folder, dir), { recursive: true });
  await cp(join(root, "package.json"), join(folder, "package.json"));
  return import(pathToFileURL(join(folder, "dist", name)));
}

for (const name of ["browser.js", "static.js"]) {
  test(`${name}: what needs no filter loads no module with filters; the first filters load it once, together`, async () => {
    const { open } = await fresh(name);
    const index = await open(url, { cache: false });
    const search = (options) => Promise.all(rows.map((row) => index.search(f.row(row), { index: "clusters", ...options })));
    assert.deepEqual(await search(), expected.plain);
    assert.equal(await index.count(), COUNT);
    assert.equal(await index.has("word-7"), true);
    assert.equal((await all(index.rows({ limit: 7 }))).length, 7);
    assert.equal((await all(index.ids())).length, COUNT);
    assert.equal(index.info.schema.colour.type, "keyword");
    await index.searchBatch([f.row(1), f.row(2)], { exclude: ["word-1"] });
    assert.deepEqual(asked, ["search"]);
    const [filtered, count, facets, sorted] = await Promise.all([search({ filter }), index.count(filter), index.facets("colour"), all(index.rows({ sortBy: "size", limit: 5 }))]);
    assert.deepEqual(filtered, expected.filtered);
    assert.equal(count, expected.count);
    assert.deepEqual(facets, expected.facets);
    assert.deepEqual(sorted, expected.sorted);
    assert.deepEqual(await search(), expected.plain, "hits without a filter are the same afterwards");
    assert.deepEqual(asked, ["search", "filter"]);
    const other = await open(f.bytes);
    assert.deepEqual(ids(await other.search(f.row(3), { index: "clusters", filter })), ids(expected.filtered[0]));
    assert.deepEqual(asked, ["search", "filter"], "the next index finds both modules");
    await Promise.all([index.close(), other.close()]);
  });
}

test("filters: true loads the module with filters, and no other", async () => {
  const { open } = await fresh("browser.js");
  const index = await open(url, { cache: false, filters: true });
  assert.deepEqual(await index.search(f.row(3), { index: "clusters" }), expected.plain[0]);
  assert.deepEqual(await index.search(f.row(3), { index: "clusters", filter }), expected.filtered[0]);
  assert.deepEqual(asked, ["filter"]);
  await index.close();
  await rejected(open(f.bytes, { filters: 1 }), "argument");
});

test("searches that are under way while the module changes are all answered", async () => {
  const { open } = await fresh("browser.js");
  const index = await open(url, { cache: false });
  server.delay = 15;
  const searches = Array.from({ length: 30 }, (_, i) => index.search(f.row(rows[i % 3]), { index: "clusters" }));
  const filtered = index.search(f.row(3), { index: "clusters", filter });
  const batch = index.searchBatch(rows.map((row) => f.row(row)), { index: "clusters" });
  for (const [i, hits] of (await Promise.all(searches)).entries()) assert.deepEqual(hits, expected.plain[i % 3]);
  assert.deepEqual(await filtered, expected.filtered[0]);
  assert.deepEqual(await batch, expected.plain);
  server.delay = 0;
  assert.equal(index.stats().queries, 34);
  await index.close();
});

test("searches go on while the module is on its way; whoever waits for it may abort, or close the index", async () => {
  const { open } = await fresh("browser.js");
  const index = await open(url, { cache: false });
  let arrive;
  arrival = new Promise((resolve) => (arrive = resolve));
  const controller = new AbortController();
  const [aborted, closed] = [index.count(filter, { signal: controller.signal }), index.count(filter)].map((call) => call.catch(({ code }) => code));
  assert.deepEqual(await index.search(f.row(3), { index: "clusters" }), expected.plain[0]);
  controller.abort();
  assert.equal(await aborted, "aborted");
  await index.close();
  assert.equal(await closed, "closed");
  arrive();
  const next = await open(url, { cache: false });
  assert.equal(await next.count(filter), expected.count);
  assert.deepEqual(asked, ["search", "filter"]);
  await next.close();
});

test("a module that does not arrive is a typed error of the calls that need it; the next call asks for it again", async () => {
  const { open } = await fresh("static.js");
  const index = await open(url, { cache: false });
  gone = true;
  const [first, second, hits] = await Promise.all([rejected(index.count(filter), "wasm"), rejected(index.facets("colour"), "wasm"), index.search(f.row(3), { index: "clusters" })]);
  assert.match(first.message, /to filter could not be loaded \(\S+wasm\/filter\/pagevec_wasm_bg\.wasm: status 404\)/);
  assert.equal(first.message, second.message);
  assert.deepEqual(hits, expected.plain[0]);
  gone = false;
  assert.equal(await index.count(filter), expected.count);
  assert.deepEqual(asked, ["search", "filter", "filter"]);
  await index.close();
});

test("where the module's URL has nothing, a script has it inside", async () => {
  const { open } = await fresh("browser.js");
  const index = await open(f.bytes);
  gone = true;
  assert.equal(await index.count(filter), expected.count);
  gone = false;
  await index.close();
  const unindexed = await open(plain.bytes);
  assert.equal(await unindexed.count({}), 300);
  await unindexed.close();
});

test("what load() brought is in memory afterwards", async () => {
  const { open } = await fresh("browser.js");
  const index = await open(url, { cache: false });
  await index.load();
  const before = await index.explain(f.row(3), { index: "hnsw" });
  assert.equal(before.requests, 0);
  assert.equal(await index.count(filter), expected.count);
  const afterwards = await index.explain(f.row(3), { index: "hnsw" });
  assert.deepEqual([afterwards.requests, afterwards.hits], [0, before.hits]);
  await index.close();
});

test("a wrong filter is the same error as where filters are there from the start", async () => {
  const { open } = await fresh("browser.js");
  for (const [bytes, wrong] of [[f.bytes, { colour: { $lt: "red" } }], [f.bytes, { nowhere: 1 }], [f.bytes, { size: { $near: 1 } }], [plain.bytes, { colour: "red" }]]) {
    const [here, there] = await Promise.all([open(bytes), node.open(bytes)]);
    const row = bytes === f.bytes ? f.row(3) : plain.row(3);
    for (const call of [(index) => index.search(row, { filter: wrong }), (index) => index.count(wrong), (index) => all(index.rows({ filter: wrong }))]) {
      const [error, same] = [await rejected(call(here), "filter"), await rejected(call(there), "filter")];
      assert.equal(error.message, same.message);
    }
    await Promise.all([here.close(), there.close()]);
  }
});

test("a module that is passed is taken as it is; the package's own has the filters that it lacks", async () => {
  const { open } = await fresh("browser.js");
  for (const [which, own] of [["filter", []], ["search", ["filter"]]]) {
    asked = [];
    const index = await open(f.bytes, { wasm: await moduleOf(which) });
    assert.deepEqual(ids(await index.search(f.row(3), { index: "clusters" })), ids(expected.plain[0]));
    assert.equal(await index.count(filter), expected.count);
    assert.deepEqual(asked, own);
    await index.close();
  }
  const inNode = await node.open(f.bytes, { wasm: await moduleOf("search") });
  assert.equal(await inNode.count(filter), expected.count);
  await inNode.close();
});
