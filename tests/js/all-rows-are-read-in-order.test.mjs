// `ids()` and `rows()` of an index: every row that lives, once, in the order of the file, read page by page while somebody asks.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { build, open } from "pagevec";
import { openCollection } from "pagevec/collection";
import { fixture, rejected } from "./support/fixture.mjs";
import { segmented } from "./support/segments.mjs";
import { serve } from "./support/server.mjs";

const COUNT = 1700;
/** One in nine has no fields. */
const fields = Array.from({ length: COUNT }, (_, row) => (row % 9 === 4 ? null : { title: `Row ${row}`, of: [row, { ä: "🦀" }] }));
const stored = await fixture({ count: COUNT, fields });
const plain = await fixture({ count: 1300, ids: (row) => row * 7 });
const parts = await segmented({ segments: 5, rows: 400 });
const host = await serve({ ...stored.folder, ...Object.fromEntries(Object.entries(parts.folder).map(([path, file]) => [`/parts${path}`, file])) });
after(() => host.close());
const url = `${host.url}/words/`;
const rowOf = (id) => Number(id.slice("word-".length));

async function all(iterator) {
  const found = [];
  for await (const one of iterator) found.push(one);
  return found;
}

for (const [what, source, options] of [["bytes", stored.bytes], ["a host with ranges", url], ["a host, in a worker", url, { worker: true }], ["bytes, in a worker", stored.bytes, { worker: true }]]) {
  test(`all rows of ${what}`, async () => {
    const index = await open(source, options);
    const ids = await all(index.ids());
    assert.deepEqual([...ids].sort(), [...stored.ids].sort(), "each once");
    // Both are in the order of the file, in which neighbours lie together: not that of the rows that were given.
    assert.notDeepEqual(ids, stored.ids);
    const rows = await all(index.rows({ vectors: true }));
    assert.deepEqual(rows.map(({ id }) => id), ids);
    const got = await index.get(ids);
    for (const [at, { id, vector, ...rest }] of rows.entries()) {
      const own = fields[rowOf(id)];
      assert.deepEqual(rest, own ? { fields: own } : {});
      assert.deepEqual(got[at], { id, fields: own ?? {} });
      if (at % 100 === 0) assert.deepEqual(vector, await index.vector(id));
      assert.ok(vector instanceof Float32Array && vector.length === stored.dim && vector.buffer.byteLength === 4 * stored.dim, "a copy of its own");
    }
    const named = await all(index.rows({ fields: ["of", "nothing"] }));
    assert.deepEqual(named, ids.map((id) => ({ id, ...(fields[rowOf(id)] && { fields: { of: fields[rowOf(id)].of } }) })));
    assert.deepEqual(await all(index.rows({ fields: false })), ids.map((id) => ({ id })));
    assert.deepEqual(await all(index.rows({ fields: [] })), ids.map((id) => ({ id })));
    await index.close();
  });
}

test("an index without fields, whose ids are numbers", async () => {
  const index = await open(plain.bytes);
  const ids = await all(index.ids());
  assert.deepEqual([...ids].sort((a, b) => a - b), plain.ids);
  assert.deepEqual(await all(index.rows()), ids.map((id) => ({ id })));
  const bare = await rejected(all(index.rows({ fields: true })), "argument");
  assert.match(bare.message, /no stored fields/);
  await index.close();
  const none = await open(await build([], { dim: 3, metric: "l2" }));
  assert.deepEqual([await all(none.ids()), await all(none.rows({ vectors: true }))], [[], []]);
  await none.close();
});

for (const options of [{}, { worker: true }]) {
  test(`several segments give the rows that live, one segment after another${options.worker ? ", in a worker" : ""}`, async () => {
    const index = await open(`${host.url}/parts/words/`, options);
    const ids = await all(index.ids());
    assert.equal(ids.length, index.info.count);
    assert.deepEqual([...ids].sort(), [...parts.ids].sort());
    const own = await Promise.all(parts.segments.map(async ({ bytes, dead }) => (await all((await open(bytes)).ids())).filter((id) => !dead.includes(id))));
    assert.deepEqual(ids, own.flat());
    const rows = await all(index.rows({ vectors: true }));
    assert.deepEqual(rows.map(({ id }) => id), ids);
    for (const { id, vector } of rows.filter((_, at) => at % 211 === 0)) assert.deepEqual(vector, await index.vector(id));
    await index.close();
  });
}

test("pages are read as they are asked for, and no more once somebody stops", async () => {
  const index = await open(url, { memoryBudget: "1MB" });
  const before = index.stats().bytes;
  const rows = index.rows({ vectors: true });
  const first = await rows.next();
  const page = index.stats().bytes - before;
  const section = (name) => index.info.sections.find((one) => one.name === name).length;
  // 500 of 1,700 rows, and the ids, labels and fields around them.
  assert.ok(page > 0 && page < (section("codes") + section("lists") + section("fields") + section("ids")) / 2 + 40_000, `${page} bytes`);
  for (let row = 1; row < 500; row++) await rows.next();
  assert.equal(index.stats().bytes - before, page, "the rest of the page is in memory");
  assert.equal((await rows.next()).done, false);
  assert.ok(index.stats().bytes - before > page);
  const second = index.stats().bytes;
  assert.deepEqual(await rows.return(), { value: undefined, done: true });
  assert.deepEqual(await rows.next(), { value: undefined, done: true });
  for await (const { id } of index.rows()) {
    assert.equal(id, first.value.id);
    break;
  }
  assert.ok(index.stats().bytes - second < page);
  // The memory of both is given back.
  assert.equal(index.stats().memory.parts.operations.reserved, 0);
  await index.close();
});

test("a page takes few waves", async () => {
  const index = await open(url, { memoryBudget: "64MB" });
  const waves = async (iterator) => {
    const before = index.stats().waves;
    await iterator.next();
    await iterator.return();
    return index.stats().waves - before;
  };
  const counts = [await waves(index.ids()), await waves(index.rows({ vectors: true })), await waves(index.rows({ vectors: true }))];
  assert.ok(counts[0] <= 2 && counts[1] <= 4 && counts[2] === 0, `${counts}`);
  await index.close();
});

for (const options of [{}, { worker: true }]) {
  test(`abort and close end an iteration at the next row${options.worker ? ", in a worker" : ""}`, async () => {
    const index = await open(stored.bytes, options);
    const controller = new AbortController();
    const rows = index.rows({ signal: controller.signal });
    await rows.next();
    controller.abort();
    await rejected(rows.next(), "aborted");
    assert.deepEqual(await rows.next(), { value: undefined, done: true });
    await rejected(index.ids({ signal: AbortSignal.abort() }).next(), "aborted");
    const ids = index.ids();
    await ids.next();
    await index.close();
    await rejected(ids.next(), "closed");
    await rejected(index.ids().next(), "closed");
    await rejected(index.rows({ vectors: true }).next(), "closed");
  });
}

test("bad options are refused, and name what is wrong", async () => {
  const index = await open(stored.bytes);
  for (const [options, text] of [[{ vector: true }, /rows\(\) has no option `vector`: did you mean `vectors`/], [{ vectors: 1 }, /vectors must be true or false/], [{ fields: "title" }, /fields must be true/], [{ signal: 5 }, /AbortSignal/], [7, /must be an object/]]) {
    assert.match((await rejected(index.rows(options).next(), "argument")).message, text);
  }
  assert.match((await rejected(index.ids({ fields: true }).next(), "argument")).message, /ids\(\) has no option `fields`/);
  await index.close();
});

test("the rows of an index become those of a collection", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-rows-"));
  after(() => rm(folder, { recursive: true, force: true }));
  const index = await open(stored.bytes);
  const notes = await openCollection(join(folder, "notes"), { dim: stored.dim, metric: "cosine", codec: "f32" });
  assert.deepEqual(await notes.import(index.rows({ vectors: true })), { upserted: COUNT });
  const by = (rows) => new Map(rows.map((row) => [row.id, row]));
  const [ours, theirs] = [by(await all(index.rows())), by(await all(notes.rows()))];
  assert.equal(theirs.size, COUNT);
  for (const [id, row] of ours) assert.deepEqual(theirs.get(id), row);
  await Promise.all([index.close(), notes.close()]);
});
