// Stored fields: built from objects, returned with hits and by id, one wave after the hits, from any source.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { build, open } from "pagevec";
import { fixture, near, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const COUNT = 3001;
const object = (row) => {
  if (row % 11 === 0) return row % 2 ? null : undefined;
  if (row % 11 === 1) return {};
  return { title: `Row ${row} of “some”`, url: `https://example.org/${row}`, list: [row, { ä: null, text: "🦀\n" }], ["__proto__"]: row };
};
const fields = Array.from({ length: COUNT }, (_, row) => object(row));
const wanted = (row) => JSON.parse(JSON.stringify(fields[row] ?? {}));
const plain = await fixture({ count: COUNT });
const stored = await fixture({ count: COUNT, fields });
const host = await serve(stored.folder);
after(() => host.close());
const rowOf = (id) => Number(id.slice("word-".length));

const url = `${host.url}/words/`;
for (const [source, from, options] of [["bytes", stored.bytes], ["a host with ranges", url], ["a host with ranges, in a worker", url, { worker: true }]]) {
  test(`hits and rows from ${source} have the fields that were given`, async () => {
    const index = await open(from, options);
    for (const which of ["clusters", "flat", "hnsw"]) {
      const query = near(stored, 77);
      const bare = await index.search(query, { index: which });
      const hits = await index.search(query, { index: which, fields: true });
      assert.deepEqual(hits, bare.map(({ id, score }) => ({ id, score, fields: wanted(rowOf(id)) })));
      assert.ok(bare.every((hit) => !("fields" in hit)));
      const named = await index.search(query, { index: which, fields: ["url", "nothing", "__proto__"] });
      for (const { id, fields } of named) {
        const all = wanted(rowOf(id));
        assert.deepEqual(Object.keys(fields), Object.keys(all).length ? ["url", "__proto__"] : []);
        if (all.url) assert.equal(fields.url, all.url);
        assert.equal(Object.getPrototypeOf(fields), Object.prototype);
      }
      assert.deepEqual((await index.search(query, { index: which, fields: [] })).map((hit) => hit.fields), bare.map(() => ({})));
    }
    const rows = [5, 700, 2999];
    const batch = await index.searchBatch(rows.map((row) => near(stored, row)), { k: 40, fields: ["title"] });
    assert.deepEqual(batch.flat().map((hit) => hit.fields.title), batch.flat().map(({ id }) => wanted(rowOf(id)).title));
    const { ids: found, fields: columns } = await index.searchBatch(rows.map((row) => near(stored, row)), { k: 40, fields: ["title"], arrays: true });
    assert.deepEqual(found, batch.flat().map(({ id }) => id));
    assert.deepEqual(columns, batch.flat().map((hit) => hit.fields));
    const like = await index.search({ id: "word-9" }, { k: 3, fields: true });
    assert.deepEqual(like.map((hit) => hit.fields), like.map(({ id }) => wanted(rowOf(id))));
    const { hits } = await index.explain(near(stored, 8), { fields: ["title"] });
    assert.equal(hits[0].fields.title, wanted(rowOf(hits[0].id)).title);

    const ids = ["word-3000", "word-0", "no such word", "word-12", "word-12"];
    const got = await index.get(ids);
    assert.deepEqual(got, ids.map((id, at) => (at === 2 ? undefined : { id, fields: wanted(rowOf(id)) })));
    assert.deepEqual(await index.get(["word-13"], { fields: ["url"] }), [{ id: "word-13", fields: { url: "https://example.org/13" } }]);
    assert.deepEqual(await index.get([]), []);
    await index.close();
  });
}

test("fields take one wave more, and none where they are in memory", async () => {
  const index = await open(`${host.url}/words/`);
  const query = near(stored, 1234);
  const waves = [];
  for (const options of [{}, { fields: true }, { fields: true }]) {
    const before = index.stats().waves;
    await index.search(query, { index: "clusters", ...options });
    waves.push(index.stats().waves - before);
  }
  // The second search has all of its own in memory: the dictionary comes alone, then directories, then blocks.
  assert.ok(waves[0] <= 3 && waves[1] <= 3 && waves[2] === 0, `${waves}`);
  await index.close();
  const cold = await open(`${host.url}/words/`);
  const { waves: all } = await cold.explain(query, { index: "clusters", fields: true });
  assert.ok(all <= waves[0] + 1, `${all} waves`);
  await cold.close();
});

test("an index without stored fields says so, and searches on", async () => {
  const index = await open(plain.bytes);
  const error = await rejected(index.search(near(plain, 3), { fields: true }), "argument");
  assert.match(error.message, /no stored fields.*`--payload`.*`fields`/);
  await rejected(index.get(["word-1"]), "argument");
  assert.equal((await index.search(near(plain, 3))).length, 10);
  await index.close();
});

test("wrong fields are named", async () => {
  const index = await open(stored.bytes);
  for (const fields of ["title", 1, null, [1], {}]) {
    const error = await rejected(index.search(near(stored, 3), { fields }), "argument");
    assert.match(error.message, /fields must be true .* \["title"\]/);
  }
  await rejected(index.get("word-1"), "argument");
  await rejected(index.get(["word-1"], { field: true }), "argument");
  await index.close();

  const rows = [[0, 1], [1, 0]];
  const cycle = {};
  cycle.self = cycle;
  for (const [fields, message] of [
    [[{}], /fields of 1 rows for 2 rows/],
    [{}, /must be an array/],
    [[{}, []], /fields\[1\] must be an object/],
    [[{}, "text"], /fields\[1\] must be an object/],
    [[{}, () => {}], /fields\[1\] must be an object/],
    [[cycle, {}], /fields\[0\] cannot be JSON/],
    [[{ big: 1n }, {}], /fields\[0\] cannot be JSON/],
    [[{}, { text: "x".repeat(65_536) }], /fields of row 1 have 65547 bytes/],
  ]) {
    const error = await rejected(build(rows, { fields }), "argument");
    assert.match(error.message, message);
  }
  const file = await build(rows, { fields: [null, { a: 1 }] });
  const small = await open(file);
  assert.deepEqual((await small.search([1, 0], { fields: true })).map((hit) => hit.fields), [{ a: 1 }, {}]);
  await small.close();
});
