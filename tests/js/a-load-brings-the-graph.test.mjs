import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture({ count: 7000, dim: 128, make: smooth, efConstruction: 60 });
const server = await serve(f.folder);
after(() => server.close());
const length = (name) => f.info.sections.find((section) => section.name === name).length;
const CODES_AND_GRAPH = length("codes") + length("graph");

test("then searches read nothing and walk the graph", async () => {
  const progress = [];
  const index = await open(`${server.url}/words/`, { onProgress: (event) => event.phase === "load" && progress.push(event) });
  assert.equal((await index.explain(near(f, 7))).index, "clusters");
  progress.length = 0;
  await index.load();
  assert.equal(progress.at(-1).done, progress.at(-1).total);
  assert.ok(progress.at(-1).total > CODES_AND_GRAPH / 2);
  progress.forEach(({ done }, i) => assert.ok(done > (progress[i - 1]?.done ?? 0)));
  server.reset();
  for (const row of [7, 500, 5999]) {
    const { hits, index: by, bytes, requests, waves } = await index.explain(near(f, row));
    assert.deepEqual({ by, bytes, requests, waves }, { by: "hnsw", bytes: 0, requests: 0, waves: 0 });
    assert.equal(hits[0].id, `word-${row}`);
  }
  assert.equal((await index.search(near(f, 9), { index: "clusters" }))[0].id, "word-9");
  await index.load();
  await index.close();
});

test("a second load, and one at the same time, reads nothing of its own", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  server.delay = 10;
  await Promise.all([index.load(), index.load(), index.search(near(f, 3))]);
  server.delay = 0;
  assert.ok(server.bytes < CODES_AND_GRAPH + f.bytes.length / 4, `${server.bytes} of ${f.bytes.length}`);
  server.reset();
  await index.load();
  assert.equal(server.requests, 0);
  assert.equal((await index.explain(near(f, 3))).index, "hnsw");
  await index.close();
});

test("aborted, it leaves the index as it was", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  server.pieces = 4000;
  const abort = new AbortController();
  const load = rejected(index.load({ signal: abort.signal }), "aborted");
  await until(() => server.bytes > 8000); // in the middle of its bytes
  abort.abort();
  await load;
  await until(() => server.aborted === server.requests); // its requests end too
  server.pieces = 0;
  await rejected(index.load({ signal: AbortSignal.abort() }), "aborted");
  const { hits, index: by } = await index.explain(near(f, 7));
  assert.deepEqual([hits[0].id, by], ["word-7", "clusters"]);
  await index.load();
  assert.equal((await index.explain(near(f, 7))).index, "hnsw");
  await index.close();
});

test("a fault is told, and the next load goes on", async () => {
  const index = await open(`${server.url}/words/`);
  Object.assign(server, { fault: "forbidden", only: /bin$/, times: Infinity });
  await rejected(index.load(), "forbidden");
  server.fault = undefined;
  await index.load();
  assert.equal((await index.explain(near(f, 7))).index, "hnsw");
  await index.close();
});

test("what the memory budget does not hold is refused before anything is read", async () => {
  const index = await open(`${server.url}/words/`, { memoryBudget: length("codes") });
  server.reset();
  const error = await rejected(index.load(), "argument");
  assert.match(error.message, /memory budget/);
  await rejected(index.search(near(f, 7), { index: "hnsw" }), "argument");
  assert.equal(server.requests, 0);
  assert.equal((await index.explain(near(f, 7))).index, "clusters");
  await index.close();
});

test("without a graph there is nothing to load", async () => {
  const plain = await fixture({ count: 1600, dim: 16, graph: false });
  const index = await open(plain.bytes);
  assert.match((await rejected(index.load(), "argument")).message, /no graph/);
  assert.equal((await index.explain(plain.row(3))).index, "clusters");
  const { curve } = index.info;
  assert.deepEqual([...new Set(curve.map(({ k }) => k))], [1, 10, 100, 1000]);
  assert.ok(curve.every(({ wanted, reached, probes }) => wanted > 0 && wanted < 1 && reached > 0 && reached <= 1 && probes >= 1), JSON.stringify(curve));
  await index.close();
});
