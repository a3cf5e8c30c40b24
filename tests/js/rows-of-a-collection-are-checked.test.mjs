// A batch that has one bad row is refused whole, with an error that names the row; so are ids and options that are none.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openCollection, PagevecError } from "pagevec/collection";

const notes = await openCollection("checked", { dim: 3, memory: true });
const numbered = await openCollection("numbered", { dim: 3, memory: true, metric: "dot", ids: "number" });
after(() => Promise.all([notes.close(), numbered.close()]));
await notes.upsert([{ id: "first", vector: [1, 2, 3] }]);
await numbered.upsert([1], [[1, 2, 3]]);

const good = { id: "b", vector: [1, 0, 0] };
const circle = {};
circle.self = circle;
const big = { text: "x".repeat(65_536) };
const wide = { text: "ä".repeat(32_770) };
const throwing = { get id() { throw new Error("no"); } };

/** [items or arguments, code, what the message says] */
const BAD = {
  "a vector that is too long": [[good, { id: "c", vector: [1, 2, 3, 4] }], "dimension", /row 1 has 4 numbers/],
  "a vector that is too short": [[{ id: "c", vector: [1] }], "dimension", /row 0/],
  "no vector": [[good, { id: "c" }], "argument", /row 1 is undefined/],
  "a promise of a vector": [[{ id: "c", vector: Promise.resolve([1, 2, 3]) }], "argument", /await/],
  "NaN": [[good, good, { id: "c", vector: [1, NaN, 3] }], "not-finite", /row 2 has NaN at 1/],
  "infinity": [[{ id: "c", vector: Float32Array.of(1, 2, Infinity) }], "not-finite", /row 0 has Infinity at 2/],
  "more than a float holds": [[{ id: "c", vector: [1, 2, 1e39] }], "not-finite", /row 0/],
  "zeros": [[good, { id: "c", vector: [0, 0, 0] }], "zero-vector", /row 1/],
  "a text where a number is": [[{ id: "c", vector: ["1", 2, 3] }], "argument", /row 0\[0\]/],
  "no id": [[good, { vector: [1, 2, 3] }], "argument", /row 1 has no id/],
  "ids of two kinds": [[good, { id: 7, vector: [1, 2, 3] }], "argument", /ids\[1\]/],
  "ids of the other kind": [[{ id: 7, vector: [1, 2, 3] }], "argument", /ids of this collection are strings/],
  "an id that is no number": [[{ id: NaN, vector: [1, 2, 3] }], "argument", /ids\[0\]/],
  "an id beyond 2^53": [[{ id: 2 ** 53, vector: [1, 2, 3] }], "argument", /2\^53/],
  "a negative id": [[{ id: -1, vector: [1, 2, 3] }], "argument", /ids\[0\]/],
  "a BigInt as id": [[{ id: 7n, vector: [1, 2, 3] }], "argument", /ids\[0\]/],
  "half a character in an id": [[{ id: "\ud800", vector: [1, 2, 3] }], "argument", /Unicode/],
  "fields that are an array": [[good, { ...good, fields: [1] }], "argument", /fields of row 1 must be an object, not an array/],
  "fields that are a text": [[{ ...good, fields: "x" }], "argument", /fields of row 0/],
  "fields that are a function": [[{ ...good, fields: () => 1 }], "argument", /fields of row 0/],
  "fields that have themselves inside": [[{ ...good, fields: circle }], "argument", /fields of row 0 cannot be JSON/],
  "fields with a BigInt": [[{ ...good, fields: { n: 1n } }], "argument", /fields of row 0 cannot be JSON/],
  "fields that are too long": [[{ ...good, fields: big }], "argument", /row 0 take more than 65535 bytes/],
  "fields that are too long in bytes": [[{ ...good, fields: wide }], "argument", /65535/],
  "a field outside of `fields`": [[{ ...good, title: "x" }], "argument", /row 0.*no option `title`/],
  "a vector and a text": [[{ ...good, text: "x" }], "argument", /row 0 has a vector and a text/],
  "a row that is a text": [[good, "x"], "argument", /row 1 is a string/],
  "a getter that throws": [[throwing], "argument", /could not be read/],
};
const BAD_CALLS = {
  "fewer vectors than ids": [["a", "b"], [[1, 2, 3]], undefined, "argument", /2 ids for 1 vectors/],
  "a flat matrix of a part of a row": [["a"], new Float32Array(4), undefined, "dimension", /4 numbers/],
  "fields for fewer rows": [["a", "b"], [[1, 2, 3], [1, 2, 3]], { fields: [{}] }, "argument", /fields/],
  "an unknown option": [["a"], [[1, 2, 3]], { field: [] }, "argument", /`field`/],
  "one row that is no array": [{ id: "a", vector: [1, 2, 3] }, undefined, undefined, "argument", /array of \{ id/],
  "items and vectors": [[good], [[1, 2, 3]], undefined, "argument", /ids\[0\]/],
  "options in the wrong place": [[good], undefined, { fields: [] }, "argument", /two arguments/],
  "nothing": [undefined, undefined, undefined, "argument", /undefined/],
};

const failure = (promise) => promise.then(() => assert.fail("it was taken"), (error) => error);

for (const [name, [items, code, message]] of Object.entries(BAD)) {
  test(`refused: ${name}`, async () => {
    const error = await failure(notes.upsert(items));
    assert.ok(error instanceof PagevecError);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.equal(notes.count, 1, "nothing of the batch was stored");
  });
}

for (const [name, [first, second, third, code, message]] of Object.entries(BAD_CALLS)) {
  test(`refused: ${name}`, async () => {
    const error = await failure(notes.upsert(first, second, third));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.equal(notes.count, 1);
  });
}

test("numbers: text is refused, and zeros have a length under dot", async () => {
  assert.equal((await failure(numbered.upsert(["a"], [[1, 2, 3]]))).code, "argument");
  assert.equal((await failure(numbered.delete(["a"]))).code, "argument");
  assert.deepEqual(await numbered.upsert([2 ** 53 - 1], [[0, 0, 0]]), { upserted: 1 });
  assert.equal(await numbered.has(2 ** 53 - 1), true);
});

test("a vector that changes after the call changes nothing", async () => {
  const vector = Float32Array.of(3, 2, 1);
  const fields = { now: 1 };
  const stored = notes.upsert([{ id: "kept", vector, fields }]);
  vector.fill(9);
  fields.now = 2;
  await stored;
  const [row] = await notes.get(["kept"], { vectors: true });
  assert.deepEqual(row.fields, { now: 1 });
  assert.ok(row.vector[0] > row.vector[2]);
  await notes.delete(["kept"]);
});

test("ids, queries and options of the other calls", async () => {
  for (const ids of [undefined, null, 5, "first", [1], [{}], {}, [undefined]]) {
    assert.equal((await failure(notes.delete(ids))).code, "argument", String(ids));
    assert.equal((await failure(notes.get(ids))).code, "argument", String(ids));
  }
  for (const call of [() => notes.get(["a"], { vectors: 1 }), () => notes.get(["a"], { vector: true }), () => notes.has({}), () => notes.has(1), () => notes.flush({ now: 1 }), () => notes.sync(1), () => notes.compact({ onProgress: 1 }), () => notes.clear({ all: 1 }), () => notes.search([1, 2, 3], { signal: {} })]) {
    assert.equal((await failure(call())).code, "argument", String(call));
  }
  assert.equal((await failure(notes.search([1, 2]))).code, "dimension");
  assert.equal((await failure(notes.search({ id: "nobody" }))).code, "unknown-id");
  assert.throws(() => notes.on("changes", () => {}), { code: "argument" });
  assert.throws(() => notes.on("change"), { code: "argument" });
});

test("options of openCollection", async () => {
  const memory = { dim: 3, memory: true };
  for (const [name, options] of [["", memory], [5, memory], [undefined, memory], ["\ud800", memory], ["x".repeat(2000), memory]]) assert.equal((await failure(openCollection(name, options))).code, "argument");
  for (const more of [{ dim: 0 }, { dim: 1.5 }, { dim: 70_000 }, { metric: "euclid" }, { codec: "pq" }, { refine: "x" }, { ids: "uuid" }, { durability: "none" }, { flush: 5 }, { flush: { row: 1 } }, { flush: { rows: 0 } }, { flush: { age: -1 } }, { flush: { bytes: "many" } }, { memoryBudget: "x" }, { create: 1 }, { readOnly: "no" }, { memory: 1 }, { embed: 5 }, { worker: true }, { signal: 1 }, { size: 3 }]) {
    assert.equal((await failure(openCollection("x", { ...memory, ...more }))).code, "argument", JSON.stringify(more));
  }
  assert.equal((await failure(openCollection("x", 5))).code, "argument");
  assert.equal((await failure(openCollection("x", { ...memory, signal: AbortSignal.abort() }))).code, "aborted");
  const error = await failure(openCollection("x", { ...memory, flush: { row: 1 } }));
  assert.match(error.message, /`rows`/);
});
