// A folder whose manifest lists several segments, with dead rows: one index, whose hits are those of all rows that live.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { oracle, recall, rejected, sectionOf } from "./support/fixture.mjs";
import { segmented } from "./support/segments.mjs";
import { serve } from "./support/server.mjs";

const f = await segmented({ segments: 5, rows: 400, codec: "f32" });
const server = await serve(f.folder);
after(() => server.close());
const url = `${server.url}/words/`;
const queries = [3, 250, 700, 1333, f.count - 1].map((row) => f.row(row));
const ids = (hits) => hits.map(({ id }) => id);

test("hits are exact over all rows that live", async () => {
  const index = await open(url);
  assert.equal(index.info.count, f.count);
  for (const query of queries) {
    assert.deepEqual(ids(await index.search(query, { k: 20, index: "flat" })), oracle(f, query, 20));
    const all = ids(await index.search(query, { k: f.count + 100, index: "flat" }));
    assert.deepEqual(all.sort(), [...f.ids].sort(), "each row that lives, once");
  }
  const batch = await index.searchBatch(queries, { k: 20, index: "flat" });
  assert.deepEqual(batch.map(ids), queries.map((query) => oracle(f, query, 20)));
  await index.close();
});

test("hits by each index are those of the segments opened alone, without dead rows; by clusters nearly", async () => {
  const index = await open(url);
  const alone = await Promise.all(f.segments.map(({ bytes }) => open(bytes)));
  for (const route of ["flat", "hnsw", "clusters"]) {
    for (const query of queries) {
      const options = { k: 10, index: route };
      const all = await Promise.all(alone.map((one, i) => one.search(query, { ...options, ...(f.segments[i].dead.length && { exclude: f.segments[i].dead }) })));
      const wanted = all.flat().sort((a, b) => b.score - a.score).slice(0, 10);
      const found = await index.search(query, options);
      if (route !== "clusters") assert.deepEqual(found, wanted, route);
      // Clusters choose together what is read of all segments, so a candidate that is read of a segment alone may not be.
      else assert.ok(recall(found, ids(wanted)) >= 0.9, JSON.stringify({ found, wanted }));
    }
  }
  await Promise.all([index, ...alone].map((one) => one.close()));
});

test("a dead row is no hit; an id that was written again has its last vector; one that was deleted is unknown", async () => {
  const index = await open(url);
  const gone = f.segments.flatMap(({ dead }) => dead).filter((id) => !f.ids.includes(id));
  assert.equal(gone.length, 15);
  for (const id of gone) {
    assert.equal(await index.has(id), false);
    await rejected(index.vector(id), "unknown-id");
    await rejected(index.search({ id }), "unknown-id");
  }
  const again = f.segments[2].dead.find((id) => f.ids.includes(id));
  const now = f.row(f.ids.indexOf(again));
  assert.equal(await index.has(again), true);
  const norm = Math.hypot(...now);
  assert.ok((await index.vector(again)).every((x, i) => Math.abs(x - now[i] / norm) < 1e-6));
  const [first] = await index.search(now, { k: 1, index: "flat" });
  assert.equal(first.id, again);
  const old = f.segments[2].ids.indexOf(again);
  const before = f.segments[2].matrix.slice(old * f.dim, (old + 1) * f.dim);
  const hits = await index.search(before, { k: f.count, index: "flat" });
  assert.equal(hits.filter(({ id }) => id === again).length, 1, "it is a hit once");
  const others = await index.search({ id: again }, { k: 5, index: "flat" });
  assert.deepEqual(ids(others), oracle(f, now, 6).slice(1));
  await index.close();
});

test("rows that may be hits are found in all segments", async () => {
  const index = await open(url);
  const among = [5, 410, 411, 1200, f.count - 1].map((row) => f.ids[row]);
  const hits = await index.search(queries[1], { k: 10, among });
  assert.deepEqual(ids(hits), oracle(f, queries[1], f.count).filter((id) => among.includes(id)));
  const nearest = oracle(f, queries[2], 12);
  const exclude = nearest.slice(0, 2);
  assert.deepEqual(ids(await index.search(queries[2], { k: 10, exclude, index: "flat" })), nearest.slice(2));
  await index.close();
});

test("info is of all, and of each", async () => {
  const index = await open(url);
  const { info } = index;
  assert.equal(info.generation, f.generation);
  assert.deepEqual([info.fileId, info.contentId, info.missing], [undefined, undefined, undefined]);
  assert.deepEqual(info.segments.map(({ contentId, count, dead }) => ({ contentId, count, dead })), f.segments.map(({ entry, dead }) => ({ contentId: entry.contentId, count: entry.count, dead: dead.length })));
  assert.equal(info.fileLength, f.segments.reduce((sum, { bytes }) => sum + bytes.length, 0));
  assert.equal(info.memoryToOpen, f.segments.reduce((sum, { entry }) => sum + entry.front, 0));
  assert.deepEqual([info.dim, info.metric, info.ids, info.graph, info.clusters], [32, "cosine", "text", true, true]);
  await index.close();
});

test("onFetch tells offsets that info places in a segment and a section", async () => {
  const pieces = [];
  const index = await open(url, { onFetch: (piece) => pieces.push(piece) });
  const { segments, sections } = index.info;
  assert.deepEqual(pieces, segments.map(({ base, memoryToOpen }) => ({ offset: base, length: memoryToOpen })));
  pieces.length = 0;
  await index.search(queries[0], { index: "clusters" });
  const found = new Set(pieces.map(({ offset, length }) => sectionOf({ sections }, offset, length)));
  assert.deepEqual([...found].sort(), ["codes", "leaves", "lists"]);
  for (const { base, fileLength } of segments) assert.ok(pieces.some(({ offset }) => offset >= base && offset < base + fileLength), "each segment was read");
  await index.close();
});

test("explain says what each segment took", async () => {
  const index = await open(url);
  const { segments, distances, rescored, hits, waves, bytes } = await index.explain(queries[0], { index: "clusters", k: 10 });
  assert.equal(segments.length, 5);
  assert.deepEqual([...new Set(segments.map((one) => one.index))], ["clusters"]);
  assert.equal(segments.reduce((sum, one) => sum + one.distances, 0), distances);
  assert.equal(segments.reduce((sum, one) => sum + one.rescored, 0), rescored);
  assert.ok(segments.every((one) => one.bytes > 0), "each was read");
  assert.equal(segments.reduce((sum, one) => sum + one.bytes, 0), bytes);
  assert.equal(hits.length, 10);
  assert.equal(waves, 3, "all segments are read in the waves of one");
  const again = await index.explain(queries[0], { index: "clusters", k: 10 });
  assert.deepEqual([again.hits, again.bytes, again.requests, again.waves], [hits, 0, 0, 0]);
  assert.deepEqual(again.segments.map((one) => one.bytes), [0, 0, 0, 0, 0]);
  await index.close();
});

test("expect: a generation, as ids are of one segment", async () => {
  const index = await open(url, { expect: { generation: f.generation } });
  await index.close();
  const { message } = await rejected(open(url, { expect: { generation: f.generation + 1 } }), "stale");
  assert.match(message, /generation 7, not yet 8/);
  for (const expect of [{ fileId: f.segments[0].entry.fileId }, { contentId: f.segments[0].entry.contentId }]) {
    const error = await rejected(open(url, { expect }), "argument");
    assert.match(error.message, /5 segments.*expect a generation/);
  }
  for (const generation of [-1, 1.5, "7", null]) await rejected(open(url, { expect: { generation } }), "argument");
  const error = await rejected(open(f.segments[0].bytes, { expect: { generation: 1 } }), "argument");
  assert.match(error.message, /no index\.json/);
});

test("load brings all of them, and searches read nothing then", async () => {
  const index = await open(url);
  await index.load();
  server.reset();
  const hits = await index.search(queries[3], { k: 10, index: "hnsw" });
  assert.equal(server.requests, 0);
  assert.equal(hits[0].id, f.ids[1333]);
  await index.close();
});
