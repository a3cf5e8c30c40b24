// Filters over a collection: rows that are in memory, in segments, replaced, deleted and merged match by the same definition.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openCollection } from "pagevec/collection";
import { rejected } from "./support/fixture.mjs";
import { facetsOf, filterOf, matches, randomOf, rowsOf } from "./support/payload.mjs";

const root = mkdtempSync(join(tmpdir(), "pagevec-filtered-"));
after(() => rmSync(root, { recursive: true }));
const vector = (seed) => Array.from({ length: 8 }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));

test("what matches is found in memory and in segments, before and after they change", async () => {
  const notes = await openCollection(join(root, "notes"), { dim: 8, metric: "l2", refine: "f32" });
  const rows = rowsOf(1200, 9);
  const live = new Map();
  const upsert = async (from, to, of) => {
    await notes.upsert(rows.slice(from, to).map((fields, i) => ({ id: `a${of(from + i)}`, vector: vector(from + i), fields })));
    for (let i = from; i < to; i++) live.set(`a${of(i)}`, { fields: rows[i], vector: vector(i).map(Math.fround) });
  };
  const remove = async (ids) => {
    await notes.delete(ids);
    for (const id of ids) live.delete(id);
  };
  const check = async (seed, count) => {
    const random = randomOf(seed);
    for (let i = 0; i < count; i++) {
      const filter = filterOf(random);
      const query = vector(random(5000));
      const distance = (of) => of.reduce((sum, x, i) => sum + (x - query[i]) ** 2, 0);
      const wanted = [...live].filter(([, { fields }]) => matches(filter, fields)).sort((a, b) => distance(a[1].vector) - distance(b[1].vector)).map(([id]) => id);
      const all = await notes.search(query, { k: 5000, filter, index: "flat" });
      assert.deepEqual(all.map(({ id }) => id).sort(), [...wanted].sort(), JSON.stringify(filter));
      const hits = await notes.search(query, { filter, fields: ["size"] });
      assert.equal(hits.length, Math.min(10, wanted.length), JSON.stringify(filter));
      assert.ok(hits.filter(({ id }) => wanted.slice(0, 10).includes(id)).length >= 0.8 * hits.length);
      assert.ok(hits.every(({ id, fields }) => (fields.size ?? null) === (live.get(id).fields.size ?? null)));
    }
  };
  await upsert(0, 400, (i) => i);
  await check(1, 30);
  await notes.flush();
  await check(2, 30);
  await upsert(400, 700, (i) => i - 200); // half of them replace others
  await remove(Array.from({ length: 50 }, (_, i) => `a${i * 3}`));
  await check(3, 30);
  await notes.flush();
  await upsert(700, 1200, (i) => i);
  await check(4, 30);
  await notes.compact();
  await check(5, 30);
  const [batch] = await notes.searchBatch([vector(3)], { filter: { stock: true }, k: 7 });
  assert.ok(batch.length === 7 && batch.every(({ id }) => live.get(id).fields.stock === true));
  const similar = await notes.search({ id: batch[0].id }, { filter: { stock: true }, k: 7 });
  assert.ok(similar.length === 7 && similar.every(({ id }) => id !== batch[0].id && live.get(id).fields.stock === true));
  await notes.close();
});

test("a wrong filter is refused, whatever rows there are", async () => {
  const notes = await openCollection(join(root, "wrong"), { dim: 8 });
  const wrong = [undefined, null, { n: undefined }, { n: NaN }, { n: { $less: 3 } }, () => true];
  for (let flushed = 0; flushed < 2; flushed++) {
    await notes.upsert([{ id: "a", vector: vector(1), fields: { n: 1 } }, { id: "b", vector: vector(2) }]);
    for (const filter of [...wrong, { m: 3 }]) await rejected(notes.search(vector(1), { filter }), "filter");
    assert.deepEqual((await notes.search(vector(1), { filter: { n: 1 } })).map(({ id }) => id), ["a"]);
    assert.deepEqual((await notes.search(vector(1), { filter: { n: { $ne: 1 } } })).map(({ id }) => id), ["b"]);
    await notes.flush();
  }
  await notes.close();
});

const ids = (all) => all.map(({ id }) => id);
async function all(rows) {
  const found = [];
  for await (const row of rows) found.push(row);
  return found;
}

test("counts, facets and sorted pages are those of the rows, and an update changes fields alone", async () => {
  const notes = await openCollection(join(root, "updated"), { dim: 8, metric: "l2", refine: "f32" });
  const rows = rowsOf(900, 3);
  await notes.upsert(rows.slice(0, 500).map((fields, i) => ({ id: i, vector: vector(i), fields })));
  await notes.flush();
  await notes.upsert(rows.slice(500).map((fields, i) => ({ id: 500 + i, vector: vector(500 + i), fields })));
  const live = new Map(rows.map((fields, id) => [id, { ...fields }]));
  const before = await notes.get([3, 700], { vectors: true });
  const random = randomOf(11);
  const change = { size: 7, stock: undefined, tags: ["changed"] };
  assert.deepEqual(await notes.update([3, 4000, 700, 5000, 3], change), { updated: 2, missing: [4000, 5000] });
  assert.deepEqual(await notes.update(8, { colour: null, note: "of it" }), { updated: 1, missing: [] });
  assert.deepEqual(await notes.update([9, 10], [{ size: 1 }, { size: 2 }]), { updated: 2, missing: [] });
  assert.deepEqual(await notes.update([], { size: 1 }), { updated: 0, missing: [] });
  for (const id of [3, 700]) {
    Object.assign(live.get(id), { size: 7, tags: ["changed"] });
    delete live.get(id).stock;
  }
  delete live.get(8).colour;
  live.get(8).note = "of it";
  live.get(9).size = 1;
  live.get(10).size = 2;
  const written = (fields) => JSON.parse(JSON.stringify(fields));
  const check = async () => {
    const [one, other] = await notes.get([3, 700], { vectors: true });
    assert.deepEqual([one.vector, other.vector], before.map((row) => row.vector), "vectors stay as they are");
    for (const row of await notes.get([...live.keys()])) assert.deepEqual(row.fields ?? {}, written(live.get(row.id)));
    for (let i = 0; i < 25; i++) {
      const filter = filterOf(random);
      const wanted = [...live].filter(([, fields]) => matches(filter, fields));
      assert.equal(await notes.countMatching(filter), wanted.length, JSON.stringify(filter));
      const field = ["colour", "tags", "size", "price", "stock", "at"][i % 6];
      const counts = facetsOf(wanted.map(([, fields]) => fields), field);
      assert.deepEqual(await notes.facets(field, { filter, limit: 5000 }), counts, `${field} ${JSON.stringify(filter)}`);
      assert.deepEqual(await notes.facets(field, { filter, limit: 2 }), counts.slice(0, 2));
      const descending = i % 2 === 0;
      const sorted = await all(notes.rows({ filter, sortBy: "size", descending, fields: ["size"] }));
      assert.deepEqual(ids(sorted).sort((a, b) => a - b), wanted.map(([id]) => id));
      const sizes = sorted.map(({ fields }) => fields?.size ?? null);
      const order = (a, b) => (a === null || b === null ? (a === null) - (b === null) : descending ? b - a : a - b);
      assert.deepEqual(sizes, sizes.toSorted(order));
      // Texts, of which no row has several; those without one are last.
      const texts = await all(notes.rows({ filter, sortBy: "colour", descending, fields: ["colour"] }));
      assert.deepEqual(ids(texts).sort((a, b) => a - b), wanted.map(([id]) => id));
      const colours = texts.map(({ fields }) => fields?.colour);
      const having = colours.filter((colour) => typeof colour === "string").sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(colours.slice(0, having.length), descending ? having.reverse() : having);
      const page = await all(notes.rows({ filter, sortBy: "size", descending, offset: 5, limit: 9, vectors: true }));
      // Rows of equal values stand as they are stored, which a merge in the background changes.
      assert.deepEqual(page.map(({ id }) => live.get(id).size ?? null), sizes.slice(5, 14));
      assert.ok(ids(page).every((id) => matches(filter, live.get(id))) && new Set(ids(page)).size === page.length);
      for (const row of page) assert.deepEqual([row.vector.length, row.fields ?? {}], [8, written(live.get(row.id))]);
    }
    assert.equal(await notes.countMatching({}), live.size);
    assert.deepEqual(ids(await all(notes.rows())), [...live.keys()], "all rows, by id");
    assert.deepEqual(ids(await all(notes.rows({ limit: 0 }))), []);
    assert.equal((await all(notes.rows({ limit: 850 }))).length, 850, "more than are read at once");
  };
  await check();
  await notes.flush();
  await check();
  await notes.compact();
  await check();
  const events = [];
  notes.on("change", (event) => events.push(event));
  await notes.update([1, 9999], { size: 3 });
  await notes.update([9999], { size: 3 });
  assert.deepEqual(events.map(({ upserted, origin }) => ({ upserted, origin })), [{ upserted: [1], origin: "this" }]);
  await rejected(notes.update(["a"], {}), "argument");
  await rejected(notes.update([1, 2], [{}]), "argument");
  await rejected(notes.update(1, "size"), "argument");
  await rejected(notes.update(1, { long: "x".repeat(70_000) }), "argument");
  for (const filter of [undefined, null, { nope: 1 }]) await rejected(notes.countMatching(filter), "filter");
  await rejected(notes.facets("place"), "filter");
  await rejected(all(notes.rows({ sortBy: "place" })), "filter");
  await rejected(all(notes.rows({ filter: undefined })), "filter");
  await rejected(all(notes.rows({ sortBy: 1 })), "argument");
  await notes.close();
});

test("a declared schema is kept, checked and used", async () => {
  const folder = join(root, "declared");
  const schema = { price: "float", tags: "keyword", url: "stored" };
  const goods = await openCollection(folder, { dim: 8, schema });
  assert.deepEqual(goods.stats().schema, schema);
  assert.equal(await goods.countMatching({ price: { $lt: 3 } }), 0, "a declared field is known before any row has it");
  await goods.upsert([{ id: "a", vector: vector(1), fields: { price: 2, tags: ["x"], url: "u", other: 1 } }]);
  for (const fields of [{ price: "2" }, { tags: [1] }, { price: [1, true] }]) {
    const error = await rejected(goods.upsert([{ id: "b", vector: vector(2) }, { id: "c", vector: vector(3), fields }]), "field");
    assert.match(error.message, /row 1, id "c", field "(price|tags)"/);
    await rejected(goods.update("a", fields), "field");
  }
  assert.equal(goods.count, 1, "nothing of the batch is stored");
  await goods.flush();
  await goods.upsert([{ id: "d", vector: vector(4), fields: { price: 2.5 } }]);
  assert.deepEqual(await goods.facets("price"), [{ value: 2, count: 1 }, { value: 2.5, count: 1 }]);
  await rejected(goods.countMatching({ other: 1 }), "filter");
  await goods.close();
  await rejected(openCollection(folder, { schema: { price: "float" } }), "argument");
  await rejected(openCollection(folder, { schema: { price: "money" } }), "argument");
  const again = await openCollection(folder, { schema: { url: "stored", tags: "keyword", price: "float" } });
  assert.deepEqual(again.stats().schema, schema);
  await rejected(again.upsert([{ id: "e", vector: vector(5), fields: { price: "dear" } }]), "field");
  await again.close();
});
