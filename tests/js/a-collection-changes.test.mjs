// A collection in a folder, as Node programs have it: rows come, change and go, are found at once, and are there after it is opened again.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Collection, openCollection, PagevecError } from "pagevec/collection";
import { rejected } from "./support/fixture.mjs";
import { until } from "./support/until.mjs";

const root = mkdtempSync(join(tmpdir(), "pagevec-collection-"));
after(() => rmSync(root, { recursive: true }));
let last = 0;
const folder = () => join(root, `c${++last}`);

/** Vectors that point each in its own direction, so that the nearest of one is itself. */
const vector = (seed, dim = 8) => Array.from({ length: dim }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
const item = (n, more) => ({ id: `a${n}`, vector: vector(n), fields: { title: `note ${n}`, n }, ...more });
const items = (from, to) => Array.from({ length: to - from }, (_, i) => item(from + i));
const near = (a, b) => a.every((one, i) => Math.abs(one - b[i]) < 0.05);
const unit = (v) => v.map((one) => one / Math.hypot(...v));

async function opened(t, path = folder(), options = {}) {
  const notes = await openCollection(path, { dim: 8, ...options });
  t.after(() => notes.close());
  return notes;
}

test("rows are stored, found, replaced and deleted", async (t) => {
  const notes = await opened(t);
  assert.ok(notes instanceof Collection);
  assert.equal(notes.count, 0);
  assert.deepEqual(await notes.search(vector(1)), []);
  assert.deepEqual(await notes.upsert(items(0, 50)), { upserted: 50 });
  assert.equal(notes.count, 50);
  const [hit] = await notes.search(vector(7), { k: 3, fields: true });
  assert.equal(hit.id, "a7");
  assert.ok(hit.score > 0.99);
  assert.deepEqual(hit.fields, { title: "note 7", n: 7 });
  await notes.upsert([item(7, { vector: vector(1000), fields: { title: "moved" } })]);
  assert.equal(notes.count, 50);
  assert.notEqual((await notes.search(vector(7), { k: 1 }))[0].id, "a7");
  assert.deepEqual((await notes.search(vector(1000), { k: 1, fields: ["title", "none"] })).map(({ id, fields }) => [id, fields]), [["a7", { title: "moved" }]]);
  assert.deepEqual(await notes.delete(["a7", "nobody"]), { deleted: 1 });
  assert.equal(notes.count, 49);
  assert.ok((await notes.search(vector(1000), { k: 49 })).every(({ id }) => id !== "a7"));
  assert.deepEqual([await notes.has("a7"), await notes.has("a8")], [false, true]);
  assert.deepEqual(await notes.clear(), { deleted: 49 });
  assert.deepEqual([notes.count, await notes.search(vector(8))], [0, []]);
});

test("all is there after it was closed, and after it was not", async (t) => {
  const path = folder();
  const notes = await opened(t, path, { refine: "f32" });
  await notes.upsert(items(0, 20));
  await notes.flush();
  await notes.delete(["a3"]);
  await notes.upsert([item(4, { vector: vector(99) })]);
  await notes.close();
  await notes.close();
  const again = await openCollection(path);
  t.after(() => again.close());
  assert.deepEqual([again.count, again.dim, again.metric, again.stats().refine], [19, 8, "cosine", "f32"]);
  assert.equal((await again.search(vector(99), { k: 1 }))[0].id, "a4");
  assert.equal(await again.has("a3"), false);
});

test("rows come in both forms, with ids of either kind", async (t) => {
  const notes = await opened(t, undefined, { metric: "l2" });
  assert.deepEqual(await notes.upsert([5, 6], [vector(5), vector(6)], { fields: [{ five: true }, null] }), { upserted: 2 });
  assert.deepEqual(await notes.upsert(Uint32Array.of(7, 8), Float32Array.from([...vector(7), ...vector(8)])), { upserted: 2 });
  assert.deepEqual(await notes.upsert([{ id: 9, vector: Float32Array.from(vector(9)) }]), { upserted: 1 });
  for (const nothing of [[[]], [[], []], [new Float64Array(0), new Float32Array(0)]]) assert.deepEqual(await notes.upsert(...nothing), { upserted: 0 });
  const rows = await notes.get([9, 4, 5], { vectors: true });
  assert.deepEqual([rows[0].id, rows[0].fields, rows[1], rows[2].fields], [9, undefined, undefined, { five: true }]);
  assert.ok(near([...rows[2].vector], vector(5)));
  assert.deepEqual(await notes.get([5, 6], { fields: false }), [{ id: 5 }, { id: 6 }]);
  assert.deepEqual(await notes.get([5], { fields: ["six"] }), [{ id: 5, fields: {} }]);
  assert.equal((await notes.search({ id: 7 }, { k: 5 })).length, 4);
  assert.equal(notes.stats().ids, "number");
});

test("of rows with one id the last counts", async (t) => {
  const notes = await opened(t);
  assert.deepEqual(await notes.upsert([item(1), item(2), item(1, { fields: { second: true } }), item(3)]), { upserted: 3 });
  assert.deepEqual((await notes.get(["a1"]))[0].fields, { second: true });
  assert.deepEqual(await notes.upsert(["x", "x"], [vector(1), vector(50)], { fields: [{ first: 1 }, { last: 1 }] }), { upserted: 1 });
  const [row] = await notes.get(["x"], { vectors: true });
  assert.ok(near([...row.vector], unit(vector(50))), "under cosine vectors have unit length");
  assert.deepEqual(row.fields, { last: 1 });
});

test("rows() gives each row once, by id, though rows change meanwhile", async (t) => {
  const notes = await opened(t);
  await notes.upsert(Array.from({ length: 1203 }, (_, i) => i), Array.from({ length: 1203 }, (_, i) => vector(i)));
  const seen = [];
  for await (const row of notes.rows({ fields: false, vectors: true })) {
    if (row.id === 10) await notes.delete([11, 900]);
    if (row.id === 600) await notes.upsert([5, 5000], [vector(1), vector(2)]);
    assert.equal(row.vector.length, 8);
    seen.push(row.id);
  }
  // 11 had been read with its page by then.
  assert.deepEqual(seen, [...Array.from({ length: 1203 }, (_, i) => i).filter((i) => i !== 900), 5000]);
  await assert.rejects(async () => { for await (const row of notes.rows({ pages: 1 })) void row; }, { code: "argument" });
});

test("searches take the options of an index", async (t) => {
  const notes = await opened(t);
  await notes.upsert(items(0, 40));
  const all = await notes.search(vector(3), { k: 40 });
  assert.equal(all.length, 40);
  assert.deepEqual(await notes.search(vector(3), { k: 5, offset: 10 }), all.slice(10, 15));
  assert.deepEqual(await notes.search(vector(3), { k: 1000, minScore: 0.5 }), all.filter(({ score }) => score >= 0.5));
  assert.deepEqual((await notes.search(vector(3), { k: 2, exclude: ["a3"] })).map(({ id }) => id), all.slice(1, 3).map(({ id }) => id));
  assert.deepEqual((await notes.search(vector(3), { among: ["a9", "a8"], index: "flat" })).map(({ id }) => id).sort(), ["a8", "a9"]);
  assert.deepEqual(await notes.searchBatch([vector(3), vector(9)], { k: 4 }), [await notes.search(vector(3), { k: 4 }), await notes.search(vector(9), { k: 4 })]);
  assert.deepEqual(await notes.searchBatch([]), []);
  for (const options of [{ k: 0 }, { index: "ivf" }, { kk: 3 }, { fields: 1 }, null]) await rejected(notes.search(vector(3), options), "argument");
});

test("texts are embedded by the hook", async (t) => {
  const embed = Object.assign(async (texts) => texts.map((text) => vector(text.length)), { model: "length" });
  const notes = await opened(t, undefined, { embed });
  assert.deepEqual(await notes.upsert([{ id: "short", text: "ab" }, { id: "given", vector: vector(30) }, { id: "long", text: "abcdefgh" }]), { upserted: 3 });
  assert.deepEqual(await notes.upsert(["t"], ["abcd"]), { upserted: 1 });
  for (const [text, id] of [["xy", "short"], ["12345678", "long"], ["1234", "t"]]) assert.equal((await notes.search({ text }))[0].id, id);
  assert.equal((await notes.searchBatch(["xy", "1234"], { k: 1 }))[1][0].id, "t");
  const bare = await opened(t);
  await rejected(bare.upsert([{ id: "a", text: "x" }]), "argument");
  await rejected(bare.search({ text: "x" }), "argument");
});

test("changes are told once they are durable, by whoever made them", async (t) => {
  const notes = await opened(t);
  const events = [];
  const end = notes.on("change", ({ sequence, ...event }) => events.push(event));
  notes.on("change", () => { end; });
  await notes.upsert([item(1), item(2)]);
  await notes.delete(["a1"]);
  await notes.delete(["nobody"]);
  await notes.clear();
  const none = { upserted: [], deleted: [], cleared: false, origin: "this" };
  assert.deepEqual(events, [{ ...none, upserted: ["a1", "a2"] }, { ...none, deleted: ["a1"] }, { ...none, cleared: true }]);
  end();
  await notes.upsert([item(3)]);
  assert.equal(events.length, 3);
});

test("segments are merged into one, in a thread of their own, while writes go on", async (t) => {
  const path = folder();
  const notes = await opened(t, path);
  for (let i = 0; i < 3; i++) {
    await notes.upsert(items(i * 10, i * 10 + 12));
    await notes.flush();
  }
  // Two of them may be one by now.
  assert.ok(notes.stats().segments > 1);
  const events = [];
  const compacted = notes.compact({ onProgress: (event) => events.push(event) });
  await notes.upsert([item(500)]);
  await notes.delete(["a1"]);
  await compacted;
  const { segments, unindexed, merging } = notes.stats();
  assert.deepEqual([segments, unindexed, merging, notes.count], [1, 0, false, 32]);
  assert.ok(events.length > 0 && events.every(({ phase, done, total }) => typeof phase === "string" && done <= total));
  assert.deepEqual([await notes.has("a1"), await notes.has("a500"), await notes.has("a31")], [false, true, true]);
  assert.ok(readdirSync(path).filter((name) => name.startsWith("seg-")).length <= 2, "the inputs were removed");
  await notes.close();
  const again = await opened(t, path);
  assert.deepEqual([again.count, await again.has("a1"), (await again.search(vector(500), { k: 1 }))[0].id], [32, false, "a500"]);
});

test("rows go from one collection to another", async (t) => {
  const notes = await opened(t);
  await notes.upsert(items(0, 2500));
  await notes.delete(["a7"]);
  const other = await opened(t);
  assert.deepEqual(await other.import(notes.rows({ vectors: true })), { upserted: 2499 });
  assert.deepEqual(await other.import([item(1), item(7)]), { upserted: 2 });
  assert.deepEqual(await other.import([]), { upserted: 0 });
  assert.equal(other.count, 2500);
  assert.deepEqual((await other.get(["a9"]))[0], { id: "a9", fields: { title: "note 9", n: 9 } });
  for (const rows of [undefined, 5, {}]) await rejected(other.import(rows), "argument");
  await rejected(other.import([item(1), { id: "b" }]), "argument");
});

test("rows that wait for an index get one when nothing is written for a while", async (t) => {
  const notes = await opened(t);
  await notes.upsert(items(0, 1500));
  assert.deepEqual([notes.stats().unindexed, notes.stats().segments], [1500, 0]);
  await until(() => notes.stats().unindexed === 0);
  assert.deepEqual([notes.stats().segments, notes.stats().failed, notes.count], [1, undefined, 1500]);
  assert.equal((await notes.search(vector(1234), { k: 1 }))[0].id, "a1234");
});

test("compact() is ended by its signal, and the collection goes on", async (t) => {
  const notes = await opened(t);
  for (let i = 0; i < 2; i++) {
    await notes.upsert(items(i * 10, i * 10 + 10));
    await notes.flush();
  }
  await rejected(notes.compact({ signal: AbortSignal.abort() }), "aborted");
  const controller = new AbortController();
  const compacted = notes.compact({ signal: controller.signal, onProgress: () => controller.abort() });
  await rejected(compacted, "aborted");
  await notes.compact();
  assert.equal(notes.stats().segments, 1);
  assert.equal(notes.count, 20);
});

test("many writes at once are all kept, in their order", async (t) => {
  const path = folder();
  const notes = await opened(t, path);
  const writes = Array.from({ length: 300 }, (_, i) => notes.upsert([{ id: i % 100, vector: vector(i), fields: { i } }]));
  assert.equal((await Promise.all(writes)).length, 300);
  assert.equal(notes.count, 100);
  await notes.close();
  const again = await opened(t, path);
  const rows = await again.get(Array.from({ length: 100 }, (_, i) => i));
  assert.deepEqual(rows.map(({ fields }) => fields.i), Array.from({ length: 100 }, (_, i) => 200 + i));
});

test("a program that writes without a pause lets its timers run", async (t) => {
  const notes = await opened(t);
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 10);
  t.after(() => clearInterval(timer));
  const from = performance.now();
  for (let i = 0; ticks < 3; i++) {
    await notes.upsert([item(i)]);
    assert.ok(performance.now() - from < 10_000, `${ticks} ticks in ten seconds`);
  }
});

test("relaxed: acknowledged at once, durable after sync(), and told then", async (t) => {
  const notes = await opened(t, undefined, { durability: "relaxed" });
  const events = [];
  notes.on("change", ({ upserted }) => events.push(...upserted));
  await notes.upsert([item(1)]);
  assert.deepEqual(events, []);
  assert.equal((await notes.search(vector(1)))[0].id, "a1");
  await notes.sync();
  assert.deepEqual(events, ["a1"]);
  await notes.upsert([item(2)]);
  while (events.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("in memory nothing is kept, and stats() says so", async (t) => {
  const notes = await opened(t, "notes", { memory: true });
  await notes.upsert(items(0, 3));
  const { persistent, why } = notes.stats();
  assert.deepEqual([persistent, await notes.persist()], [false, false]);
  assert.match(why, /memory/);
  await notes.compact();
  assert.equal((await notes.search(vector(2)))[0].id, "a2");
  const other = await opened(t, "notes", { memory: true });
  assert.equal(other.count, 0);
  const kept = await opened(t);
  assert.deepEqual([kept.stats().persistent, kept.stats().why, await kept.persist()], [true, undefined, true]);
});

test("opened to be read, it takes no writes", async (t) => {
  const path = folder();
  const notes = await opened(t, path);
  await notes.upsert(items(0, 3));
  for (const options of [{ readOnly: true }, { degraded: true }]) {
    // Beside one that writes.
    const reader = await openCollection(path, options);
    assert.deepEqual([reader.count, (await reader.search(vector(2), { k: 1 }))[0].id], [3, "a2"]);
    for (const write of [() => reader.upsert(items(5, 6)), () => reader.delete(["a1"]), () => reader.clear()]) await rejected(write(), "read-only");
    await reader.close();
  }
  await notes.upsert(items(3, 4));
  assert.equal(notes.count, 4);
  await rejected(openCollection(folder(), { readOnly: true }), "not-found");
});

test("a second writer is refused, also by the same program; after close() it is free", async (t) => {
  const path = folder();
  const notes = await opened(t, path);
  await rejected(openCollection(path), "locked");
  await notes.close();
  await (await openCollection(path)).close();
  assert.ok(!readdirSync(path).includes("lock"));
});

test("what is no collection, or another one, is refused", async (t) => {
  const path = folder();
  await rejected(openCollection(path, { create: false }), "not-found");
  await rejected(openCollection(path), "argument");
  const file = join(root, "file");
  writeFileSync(file, "x");
  await rejected(openCollection(file, { dim: 8 }), "io");
  const notes = await opened(t, path);
  await notes.close();
  await rejected(openCollection(path, { dim: 9 }), "dimension");
  await rejected(openCollection(path, { metric: "l2" }), "argument");
  await (await openCollection(path, { dim: 8, metric: "cosine" })).close();
});

test("after close() every call says so", async () => {
  const notes = await openCollection(folder(), { dim: 8 });
  await notes.close();
  for (const call of [() => notes.upsert(items(0, 1)), () => notes.delete(["a"]), () => notes.clear(), () => notes.search(vector(1)), () => notes.get(["a"]), () => notes.has("a"), () => notes.sync(), () => notes.flush(), () => notes.compact(), () => notes.persist()]) await rejected(call(), "closed");
  await assert.rejects(async () => { for await (const row of notes.rows()) void row; }, { code: "closed" });
  assert.throws(() => notes.stats(), PagevecError);
});
