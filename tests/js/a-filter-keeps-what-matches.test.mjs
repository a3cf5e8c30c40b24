// A filter keeps the rows that match by its definition, and there are k hits wherever k rows match: counts, facets and hits of an index
// in memory, streamed over HTTP, in a worker, in the smallest memory, and of several segments, compared with an exact scan in JS.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { build, open } from "pagevec";
import { fixture, near, oracle, recall, rejected, smallestBudget } from "./support/fixture.mjs";
import { npyRows } from "./support/npy.mjs";
import { facetsOf, filterOf, matches, randomOf, rowsOf, valuesOf } from "./support/payload.mjs";
import { serve } from "./support/server.mjs";

const { PAGEVEC_ROOT: root } = process.env;
const COUNT = 1500;
const rows = rowsOf(COUNT, 5);
const f = await fixture({ count: COUNT, codec: "f32", fields: rows });
const host = await serve(f.folder);
after(() => host.close());
const url = `${host.url}/words/`;
const rowOf = (id) => Number(id.slice("word-".length));
const SOURCES = [["memory", f.bytes], ["HTTP", url], ["HTTP, in a worker", url, { worker: true }], ["HTTP, in the smallest memory", url, { memoryBudget: await smallestBudget(f) }]];

/** The ids of the rows that match. */
const matching = (filter) => new Set(f.ids.filter((_, row) => matches(filter, rows[row])));
const nearest = (query, k, ids) => oracle(f, query, COUNT).filter((id) => ids.has(id)).slice(0, k);

for (const [source, from, options] of SOURCES) {
  test(`from ${source}: counts are those of the definition`, async () => {
    const index = await open(from, options);
    const random = randomOf(1);
    for (let i = 0; i < 60; i++) {
      const filter = filterOf(random);
      assert.equal(await index.count(filter), matching(filter).size, JSON.stringify(filter));
    }
    assert.equal(await index.count(), COUNT);
    assert.equal(await index.count({}), COUNT);
    assert.equal(await index.count({ colour: { $in: [] } }), 0);
    await index.close();
  });

  test(`from ${source}: hits are the nearest of the rows that match, all of them where k match`, async () => {
    const index = await open(from, options);
    const random = randomOf(2);
    // Only lists fit the smallest memory. All of them, with all rows ranked again, are exact as a scan is.
    const exact = options?.memoryBudget ? { index: "clusters", probes: COUNT, rescore: COUNT } : { index: "flat" };
    for (let i = 0; i < 12; i++) {
      const filter = filterOf(random);
      const ids = matching(filter);
      const query = near(f, i * 120);
      const wanted = nearest(query, 10, ids);
      const hits = await index.search(query, { ...exact, filter });
      assert.deepEqual(hits.map(({ id }) => id), wanted, JSON.stringify(filter));
      assert.deepEqual((await index.search(query)).length, 10);
      const among = f.ids.filter((_, row) => row % 3 > 0);
      const both = await index.search(query, { ...exact, filter, among, exclude: [f.ids[1]] });
      assert.deepEqual(both.map(({ id }) => id), nearest(query, 10, new Set(among.filter((id) => ids.has(id) && id !== f.ids[1]))));
      const similar = await index.search({ id: f.ids[i] }, { ...exact, filter });
      assert.deepEqual(similar.map(({ id }) => id), nearest(f.row(i), 10, new Set([...ids].filter((id) => id !== f.ids[i]))));
    }
    await index.close();
  });

  test(`from ${source}: facets count the values of the rows that match`, async () => {
    const index = await open(from, options);
    const random = randomOf(3);
    for (let i = 0; i < 4; i++) {
      const filter = filterOf(random);
      const kept = rows.filter((row) => matches(filter, row));
      for (const name of ["colour", "tags", "size", "price", "stock", "scores", "at"]) {
        const wanted = facetsOf(kept, name);
        assert.deepEqual(await index.facets(name, { filter, limit: 5000 }), wanted, `${name} of ${JSON.stringify(filter)}`);
        assert.deepEqual(await index.facets(name, { filter, limit: 3 }), wanted.slice(0, 3));
        if (i === 0) assert.deepEqual(await index.facets(name), facetsOf(rows, name).slice(0, 100));
      }
    }
    await index.close();
  });
}

test("every index finds what matches: k of k", async () => {
  const index = await open(f.bytes);
  const found = { auto: 0, hnsw: 0, clusters: 0 };
  const random = randomOf(4);
  for (let i = 0; i < 30; i++) {
    const filter = filterOf(random);
    const ids = matching(filter);
    const query = near(f, i * 50);
    const wanted = nearest(query, 10, ids);
    for (const name of Object.keys(found)) {
      const hits = await index.search(query, { index: name, filter });
      assert.equal(hits.length, wanted.length, `${name}, ${JSON.stringify(filter)}`);
      assert.ok(hits.every(({ id }) => ids.has(id)), name);
      found[name] += (wanted.length === 0 ? 1 : recall(hits, wanted)) / 30;
    }
  }
  for (const [name, part] of Object.entries(found)) assert.ok(part > 0.95, `${name} found ${part}`);
  await index.close();
});

test("a batch evaluates its filter once, and has the hits of single searches", async () => {
  const index = await open(url);
  const filter = { size: { $gte: -20, $lt: 20 }, price: { $gt: 0 }, tags: { $exists: true } };
  const queries = Float32Array.from({ length: 200 * f.dim }, (_, i) => f.matrix[i]);
  const lists = await index.searchBatch(queries, { filter, k: 5 });
  const arrays = await index.searchBatch(queries, { filter, k: 5, arrays: true, fields: ["size"] });
  assert.deepEqual(arrays.ids, lists.flat().map(({ id }) => id));
  assert.ok(arrays.fields.every(({ size }) => size >= -20 && size < 20));
  const ids = matching(filter);
  assert.ok(lists.every((hits) => hits.length === 5 && hits.every(({ id }) => ids.has(id))));
  for (const row of [0, 63, 64, 150]) assert.deepEqual(lists[row], await index.search(f.row(row), { filter, k: 5 }));
  await index.close();
});

test("pages, fields and the account of a search keep to the filter", async () => {
  const index = await open(url);
  const filter = { colour: { $in: ["red", "blue"] } };
  const options = { filter, index: "flat", fields: ["colour", "at"] };
  const all = await index.search(f.row(9), { ...options, k: 30 });
  const pages = await Promise.all([0, 10, 20].map((offset) => index.search(f.row(9), { ...options, offset })));
  assert.deepEqual(pages.flat(), all);
  assert.ok(all.every(({ id, fields }) => fields.colour === rows[rowOf(id)].colour && fields.at === rows[rowOf(id)].at?.toISOString()));
  const { hits, why } = await index.explain(f.row(9), options);
  assert.deepEqual(hits, pages[0]);
  assert.ok(why.length > 0);
  await index.close();
});

test("rows come by filter, sorted, in parts", async () => {
  const index = await open(url);
  const read = async (options) => {
    const all = [];
    for await (const row of index.rows(options)) all.push(row);
    return all;
  };
  const filter = { colour: { $in: ["red", "blue"] } };
  const kept = f.ids.map((_, row) => row).filter((row) => matches(filter, rows[row]));
  assert.deepEqual((await read({ filter, fields: [] })).map(({ id }) => rowOf(id)).sort((a, b) => a - b), kept);
  for (const name of ["price", "at"]) {
    const order = (row) => (rows[row][name] instanceof Date ? rows[row][name].getTime() : rows[row][name]);
    const [having, without] = [kept.filter((row) => order(row) !== undefined), kept.filter((row) => order(row) === undefined)];
    for (const descending of [false, true]) {
      const all = await read({ filter, sortBy: name, descending, fields: [name] });
      assert.equal(all.length, kept.length);
      const values = all.slice(0, having.length).map(({ id }) => order(rowOf(id)));
      assert.deepEqual(values, having.map(order).sort((a, b) => (descending ? b - a : a - b)), name);
      assert.deepEqual(all.slice(having.length).map(({ id }) => rowOf(id)).sort((a, b) => a - b), without);
      const part = await read({ filter, sortBy: name, descending, offset: 5, limit: 7, vectors: true, fields: ["size", name] });
      assert.deepEqual(part.map(({ id }) => id), all.slice(5, 12).map(({ id }) => id));
      assert.ok(part.every(({ vector, fields }) => vector.length === f.dim && "size" in fields));
    }
  }
  for (const descending of [false, true]) {
    const texts = (await read({ filter, sortBy: "colour", descending, fields: ["colour"] })).map(({ id }) => rows[rowOf(id)].colour);
    const sorted = kept.map((row) => rows[row].colour).sort();
    assert.deepEqual(texts, descending ? sorted.reverse() : sorted);
  }
  assert.deepEqual(await read({ filter: { colour: "none" } }), []);
  assert.deepEqual(await read({ limit: 0 }), []);
  assert.equal((await read({ offset: COUNT - 3, fields: [] })).length, 3);
  for (const options of [{ filter: undefined }, { filter: { nothing: 3 } }, { sortBy: "place" }, { sortBy: "nothing" }]) await rejected(read(options), "filter");
  for (const options of [{ sortBy: 3 }, { descending: 1 }, { offset: -1 }, { limit: 1.5 }]) await rejected(read(options), "argument");
  await index.close();
});

test("where nothing matches, nothing is read", async () => {
  const index = await open(url);
  const { hits, bytes, requests } = await index.explain(f.row(0), { filter: { colour: "no such colour", size: { $gte: 0 } } });
  assert.deepEqual([hits, bytes, requests], [[], 0, 0]);
  await index.close();
});

test("an abort ends a count", async () => {
  const index = await open(url);
  const controller = new AbortController();
  const count = index.count({ price: { $lt: 3 } }, { signal: controller.signal });
  controller.abort();
  await rejected(count, "aborted");
  assert.ok((await index.count({ price: { $lt: 3 } })) > 0);
  await index.close();
  await rejected(index.count(), "closed");
  await rejected(index.facets("colour"), "closed");
});

test("info tells the fields, their types and what their indexes take", async () => {
  const index = await open(url);
  const { schema, segments } = index.info;
  assert.deepEqual(Object.fromEntries(Object.entries(schema).map(([name, { type }]) => [name, type])), { at: "timestamp", colour: "keyword", place: "geo", price: "float", rare: "keyword", scores: "integer", size: "integer", stock: "boolean", tags: "keyword" });
  for (const [name, { why, rows: having, values, bytes }] of Object.entries(schema)) {
    assert.equal(why, undefined);
    assert.equal(having, rows.filter((row) => valuesOf(row[name]).length > 0).length, name);
    assert.equal(values, rows.reduce((sum, row) => sum + new Set(valuesOf(row[name])).size, 0), name);
    assert.ok(bytes > 0 && bytes < 40 * COUNT, `${name}: ${bytes}`);
  }
  assert.deepEqual(segments[0].schema, schema);
  await index.close();
  const odd = await open(await build([[0, 1], [1, 0]], { fields: [{ a: 1, b: "x".repeat(65), c: { d: 1 } }, { a: "1", ["__proto__"]: true }] }));
  const whys = Object.entries(odd.info.schema).map(([name, { type, why }]) => [name, type, /types|64 bytes|objects/.exec(why ?? "")?.[0]]);
  assert.deepEqual(whys, [["__proto__", "boolean", undefined], ["a", undefined, "types"], ["b", undefined, "64 bytes"], ["c", undefined, "objects"]]);
  await odd.close();
  const plain = await open(await build([[0, 1], [1, 0]]));
  assert.deepEqual(plain.info.schema, {});
  await plain.close();
});

test("types are declared, or inferred", async () => {
  const vectors = [[0, 1], [1, 0], [0.6, 0.8]];
  const fields = [{ code: 1, at: 1000, name: "a" }, { code: 2, at: 2000, name: "b" }, { code: 3, at: 3000, name: "c" }];
  const inferred = await open(await build(vectors, { fields }));
  assert.equal(await inferred.count({ at: { $gt: 1000 } }), 2);
  await rejected(inferred.count({ at: { $gt: "1970-01-01T00:00:01Z" } }), "filter");
  const declared = await open(await build(vectors, { fields, schema: { at: "timestamp", name: "keyword" } }));
  assert.equal(await declared.count({ at: { $gt: "1970-01-01T00:00:01Z" } }), 2);
  assert.equal(await declared.count({ name: { $in: ["a", "c"] } }), 2);
  assert.deepEqual((await declared.facets("at")).map(({ value }) => value), ["1970-01-01T00:00:01.000Z", "1970-01-01T00:00:02.000Z", "1970-01-01T00:00:03.000Z"]);
  await rejected(declared.count({ code: 3 }), "filter");
  await inferred.close();
  await declared.close();
  for (const schema of ["at", null, ["at"], { at: "date" }, { at: undefined }]) await rejected(build(vectors, { fields, schema }), "argument");
});

test("the words of the demo, by their letters", { skip: !root && "PAGEVEC_ROOT is not set" }, async () => {
  const words = (await readFile(join(root, "www/data/words.txt"), "utf8")).trimEnd().split("\n").slice(0, 1500);
  const vectors = await npyRows(join(root, "www/data/words.f16.npy"), words.length);
  const fields = words.map((word) => ({ first: word[0], letters: [...new Set(word)], length: word.length, long: word.length > 8 }));
  const index = await open(await build(vectors, { fields, ids: words }));
  const filters = [{ first: "k" }, { letters: { $in: ["q", "z"] } }, { length: { $gte: 5, $lte: 7 }, long: false }, { $not: { letters: "e" } }];
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const lengths = vectors.map((vector) => Math.sqrt(dot(vector, vector)));
  for (const filter of filters) {
    const kept = words.map((_, row) => row).filter((row) => matches(filter, fields[row]));
    assert.equal(await index.count(filter), kept.length);
    let found = 0;
    for (let row = 0; row < 10; row++) {
      const query = vectors[row * 150];
      const wanted = kept.map((row) => [dot(query, vectors[row]) / lengths[row], words[row]]).sort((a, b) => b[0] - a[0]).slice(0, 10);
      const hits = await index.search(query, { filter });
      assert.equal(hits.length, Math.min(10, kept.length));
      assert.ok(hits.every(({ id }) => kept.includes(words.indexOf(id))));
      found += recall(hits, wanted.map(([, word]) => word)) / 10;
    }
    assert.ok(found >= 0.9, `${JSON.stringify(filter)}: ${found}`);
    assert.deepEqual(await index.facets("first", { filter, limit: 100 }), facetsOf(fields.filter((row) => matches(filter, row)), "first").slice(0, 100));
  }
  await index.close();
});
