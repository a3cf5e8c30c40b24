// Filters over a collection: rows that are in memory, in segments, replaced, deleted and merged match by the same definition.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openCollection } from "pagevec/collection";
import { rejected } from "./support/fixture.mjs";
import { filterOf, matches, randomOf, rowsOf } from "./support/payload.mjs";

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
