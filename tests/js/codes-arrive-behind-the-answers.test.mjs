import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture({ count: 12_000, dim: 128, make: smooth, efConstruction: 40 });
const server = await serve(f.folder);
after(() => server.close());
const url = `${server.url}/words/`;
const section = (name) => f.info.sections.find((s) => s.name === name);
const [codes, graph] = [section("codes"), section("graph")];
assert.ok(codes.length > 1.2e6 && graph.length > 4e5);
/** First and last byte of each range that was asked for. */
const ranges = () => server.log.flatMap(({ range }) => (range ? [range.match(/\d+/g).map(Number)] : []));
const inside = ({ offset, length }) => ranges().filter(([from, to]) => from < offset + length && to >= offset);
const reaches = (index, state) => until(() => index.stats().prefetch.state === state);

/** As long as a prefetch takes: where there is another, it would have begun. */
async function elsewhere() {
  const host = await serve(f.folder);
  const index = await open(`${host.url}/words/`, { prefetch: "all" });
  await index.search(near(f, 7));
  await reaches(index, "done");
  await index.close();
  await host.close();
}

test("all: after the first answer codes and graph come in pieces, and later searches read nothing", async () => {
  server.reset();
  const index = await open(url, { prefetch: "all" });
  assert.deepEqual(index.stats().prefetch, { state: "waiting", bytes: 0 });
  await elsewhere();
  assert.deepEqual(inside(graph), [], "not before an answer");
  assert.equal((await index.explain(near(f, 7))).index, "clusters");
  await reaches(index, "done");
  const pieces = ranges().map(([from, to]) => to + 1 - from);
  assert.ok(Math.max(...pieces) <= 1 << 20, `${pieces}`);
  assert.ok(index.stats().prefetch.bytes > graph.length && index.stats().prefetch.bytes < f.bytes.length);
  const { index: by, bytes, stored } = await index.explain(near(f, 500));
  assert.deepEqual({ by, bytes, stored }, { by: "hnsw", bytes: 0, stored: 0 });
  await index.close();
});

test("codes: not the graph, and searches read no rows then", async () => {
  server.reset();
  const index = await open(url, { prefetch: "codes" });
  await index.search(near(f, 7));
  await reaches(index, "done");
  assert.deepEqual(inside(graph), []);
  server.reset();
  const { index: by, waves } = await index.explain(near(f, 5000));
  assert.deepEqual([by, inside(codes)], ["clusters", []]);
  assert.ok(waves <= 2);
  await index.close();
});

test("none, unless told", async () => {
  server.reset();
  const index = await open(url);
  await index.search(near(f, 7));
  await elsewhere();
  assert.deepEqual(inside(graph), []);
  assert.equal(index.stats().prefetch, undefined);
  await index.close();
  for (const prefetch of ["some", true, 1, null]) await rejected(open(url, { prefetch }), "argument");
});

test("a search has the line to itself, and gets the same hits", async () => {
  const plain = await open(url);
  const queries = [7, 900, 4000, 11_000].map((row) => near(f, row));
  const options = { index: "clusters" };
  const expected = await Promise.all(queries.map((query) => plain.search(query, options)));
  await plain.close();
  const index = await open(url, { prefetch: "all" });
  await index.search(queries[0], options);
  server.pieces = 8192; // a piece takes some 0.6 s
  server.reset();
  await reaches(index, "running");
  await until(() => server.requests === 1);
  const search = index.search(queries[1], options);
  assert.deepEqual(await search, expected[1]);
  assert.equal(server.aborted, 1, "what was under way ended at once");
  const own = server.log.slice(1).length;
  assert.deepEqual(await Promise.all(queries.map((query) => index.search(query, options))), expected);
  assert.ok(own > 0);
  server.pieces = 0;
  await reaches(index, "done");
  assert.deepEqual(await Promise.all(queries.map((query) => index.search(query, options))), expected);
  await index.close();
});

test("what the memory budget does not hold is not fetched, and why is told", async () => {
  const index = await open(url, { prefetch: "all", memoryBudget: codes.length });
  server.reset();
  await index.search(near(f, 7));
  await reaches(index, "off");
  assert.match(index.stats().prefetch.why, /memory budget/);
  assert.deepEqual(inside(graph), []);
  assert.match((await index.explain(near(f, 7))).why, /not in memory, and are not fetched: .*memory budget/);
  await index.close();
});

test("a visitor who saves data is spared", async () => {
  const had = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { connection: { saveData: true } }, configurable: true });
  const index = await open(url, { prefetch: "all" });
  await index.search(near(f, 7));
  await reaches(index, "off");
  assert.match(index.stats().prefetch.why, /saveData/);
  await index.close();
  if (had) Object.defineProperty(globalThis, "navigator", had);
  else delete globalThis.navigator;
});

test("a fault pauses it until the next answer; three in a row end it", async () => {
  const index = await open(url, { prefetch: "all" });
  await index.search(near(f, 7));
  const broken = { fault: "forbidden", only: /bin$/, times: Infinity };
  Object.assign(server, broken);
  await reaches(index, "paused");
  server.fault = undefined;
  await index.search(near(f, 7));
  await reaches(index, "done");
  await index.close();
  const other = await open(url, { prefetch: "all" });
  for (const state of ["paused", "paused", "off"]) {
    server.fault = undefined;
    await other.search(near(f, 7));
    Object.assign(server, broken);
    server.reset();
    await until(() => server.requests > 0);
    await reaches(other, state);
  }
  assert.match(other.stats().prefetch.why, /403/);
  server.fault = undefined;
  assert.equal((await other.search(near(f, 7)))[0].id, "word-7");
  await other.close();
});

test("closed in the middle: its request ends", async () => {
  const index = await open(url, { prefetch: "all" });
  await index.search(near(f, 7));
  server.reset();
  server.pieces = 8192;
  await until(() => server.requests > 0);
  await index.close();
  await until(() => server.aborted > 0);
  server.pieces = 0;
  assert.deepEqual([server.requests, server.aborted], [1, 1]);
});
