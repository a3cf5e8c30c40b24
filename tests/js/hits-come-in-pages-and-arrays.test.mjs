// `offset` and `minScore` cut the list that a larger `k` gives, on every route; a batch gives the same hits as objects and as arrays.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 1500, dim: 24 });
const numbers = await fixture({ count: 300, dim: 8, ids: (row) => row * 3, metric: "l2" });
const server = await serve(f.folder);
after(() => server.close());

for (const worker of [false, true]) {
  const where = worker ? "in a worker" : "here";

  for (const index of ["flat", "hnsw", "clusters", "auto"]) {
    test(`${index}, ${where}: pages make the list, without gap or overlap`, async (t) => {
      const opened = await open(`${server.url}/words/`, { worker });
      t.after(() => opened.close());
      const query = f.row(77);
      const how = { index, ef: 200, probes: 40, rescore: 200 };
      const all = await opened.search(query, { ...how, k: 40 });
      const pages = [];
      for (let offset = 0; offset < 40; offset += 10) pages.push(...(await opened.search(query, { ...how, k: 10, offset })));
      assert.deepEqual(pages, all);
      assert.deepEqual((await opened.explain(query, { ...how, k: 7, offset: 3 })).hits, all.slice(3, 10));
      assert.deepEqual(await opened.search({ id: "word-77" }, { ...how, k: 5, offset: 0 }), (await opened.search({ id: "word-77" }, { ...how, k: 5 })));
      const { score } = all[12];
      const above = await opened.search(query, { ...how, k: 40, minScore: score });
      assert.deepEqual(above, all.filter((hit) => hit.score >= score));
      assert.ok(above.length >= 13 && above.length < 40);
      assert.deepEqual(await opened.search(query, { ...how, k: 40, offset: 5, minScore: score }), above.slice(5));
      assert.deepEqual(await opened.search(query, { ...how, minScore: 2 }), []);
    });
  }

  test(`${where}: past the end there is nothing, before it what is left`, async (t) => {
    const index = await open(numbers.bytes, { worker });
    t.after(() => index.close());
    const flat = { index: "flat" };
    const all = await index.search(numbers.row(1), { ...flat, k: 300 });
    assert.deepEqual(await index.search(numbers.row(1), { ...flat, k: 10, offset: 295 }), all.slice(295));
    assert.deepEqual(await index.search(numbers.row(1), { ...flat, offset: 300 }), []);
    assert.deepEqual(await index.search(numbers.row(1), { ...flat, offset: 2 ** 40 }), []);
  });

  test(`${where}: a batch as arrays has the hits of the batch as objects`, async (t) => {
    for (const [data, kind] of [[f, Array], [numbers, Float64Array]]) {
      const index = await open(data.bytes, { worker });
      t.after(() => index.close());
      const rows = Array.from({ length: 130 }, (_, i) => data.row(i));
      const options = { k: 6, offset: 1, index: "flat" };
      options.minScore = (await index.search(rows[0], { index: "flat" }))[3].score;
      const objects = await index.searchBatch(rows, options);
      const { ids, scores, offsets } = await index.searchBatch(rows, { ...options, arrays: true });
      assert.ok(ids instanceof kind && scores instanceof Float32Array && offsets instanceof Uint32Array);
      assert.equal(offsets.length, 131);
      const lists = rows.map((_, row) => Array.from({ length: offsets[row + 1] - offsets[row] }, (_, i) => ({ id: ids[offsets[row] + i], score: scores[offsets[row] + i] })));
      assert.deepEqual(lists, objects, "scores too, bit for bit");
      assert.ok(new Set(objects.map(({ length }) => length)).size > 1, "lists of different lengths");
      assert.deepEqual([...(await index.searchBatch([], { arrays: true })).offsets], [0]);
      assert.deepEqual(await index.searchBatch(rows, { ...options, arrays: false }), objects);
    }
  });

  test(`${where}: an index is saved as the file it is`, async () => {
    for (const source of [f.bytes, new Blob([f.bytes]), `${server.url}/words/`, `${server.url}/words/${f.file}`]) {
      const events = [];
      const index = await open(source, { worker, onProgress: (event) => event.phase === "save" && events.push(event) });
      const blob = await index.save();
      assert.ok(blob instanceof Blob);
      assert.deepEqual(new Uint8Array(await blob.arrayBuffer()), f.bytes);
      assert.deepEqual(events.at(-1), { phase: "save", done: f.bytes.length, total: f.bytes.length });
      const again = await open(blob, { worker });
      assert.deepEqual(await again.search(f.row(5)), await index.search(f.row(5), { index: "hnsw" }));
      await Promise.all([index.close(), again.close()]);
      await rejected(index.save(), "closed");
    }
  });
}

test("what a file cannot hold is not saved, and a signal ends it", async () => {
  const [segment] = f.manifest.segments;
  const other = await fixture({ count: 100, dim: 24, seed: 4, ids: (row) => `other-${row}` });
  const text = JSON.stringify({ pagevec: 2, generation: 3, segments: [segment, other.manifest.segments[0]] });
  const host = await serve({ "/index.json": { body: text, type: "application/json" }, [`/${f.file}`]: { body: f.bytes }, [`/${other.file}`]: { body: other.bytes } });
  const index = await open(`${host.url}/`);
  assert.match((await rejected(index.save(), "argument")).message, /2 segments.*merge/);
  await index.close();
  await host.close();
  const one = await open(`${server.url}/words/`);
  await rejected(one.save({ signal: AbortSignal.abort() }), "aborted");
  await rejected(one.save({ sig: 1 }), "argument");
  await one.close();
});

test("wrong values are named", async () => {
  const index = await open(f.bytes);
  for (const options of [{ offset: -1 }, { offset: 1.5 }, { offset: "1" }, { minScore: NaN }, { minScore: "0.5" }, { minScore: Infinity }]) {
    const [name] = Object.keys(options);
    assert.match((await rejected(index.search(f.row(1), options), "argument")).message, new RegExp(name));
  }
  for (const arrays of [1, "yes", null]) assert.match((await rejected(index.searchBatch([f.row(1)], { arrays }), "argument")).message, /arrays/);
  await rejected(index.search(f.row(1), { arrays: true }), "argument");
  for (const options of [5, null, "k"]) await rejected(index.searchBatch([f.row(1)], options), "argument");
  await index.close();
});
