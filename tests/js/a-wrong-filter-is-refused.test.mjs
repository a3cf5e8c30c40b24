// A filter that says less than its author meant would give rows that must not be seen: whatever is wrong in one is an error that names
// the place, at every call that takes one, and nothing is searched.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";

const COLOURS = ["red", "green", "blue"];
const fields = Array.from({ length: 300 }, (_, row) => ({
  colour: COLOURS[row % 3], price: row / 2, size: row % 10, sold: row % 2 === 0, at: new Date(Date.UTC(2026, 0, 1 + row)), place: { lat: row / 10, lon: row / 5 }, title: `Title ${row} ${"x".repeat(70)}`, ["__proto__"]: row % 5,
}));
const f = await fixture({ count: 300, dim: 8, fields });
const index = await open(f.bytes);
const worker = await open(f.bytes, { worker: true });
after(() => Promise.all([index.close(), worker.close()]));
const vector = f.row(0);

const CALLS = [
  ["search", (index, filter) => index.search(vector, { filter })],
  ["search by id", (index, filter) => index.search({ id: "word-1" }, { filter })],
  ["searchBatch", (index, filter) => index.searchBatch([vector], { filter })],
  ["searchBatch of many rows", (index, filter) => index.searchBatch(f.matrix, { filter, arrays: true })],
  ["explain", (index, filter) => index.explain(vector, { filter })],
  ["count", (index, filter) => index.count(filter)],
  ["facets", (index, filter) => index.facets("colour", { filter })],
];

/** Is refused with a message that begins with the path and has these words. */
async function refused(filter, path, words, calls = CALLS) {
  for (const [name, call] of calls) {
    const { message } = await rejected(call(index, filter), "filter");
    const start = `filter${path && `, at ${path}`}: `;
    assert.ok(message.startsWith(start) && words.test(message.slice(start.length)), `${name}: ${message}`);
  }
}

class Price {
  $lt = 3;
}
const cycle = { $and: [{ price: 3 }] };
cycle.$and.push({ $not: cycle });
const nested = (depth, around = (inner) => ({ $not: inner })) => {
  let filter = { price: 3 };
  for (let i = 0; i < depth; i++) filter = around(filter);
  return filter;
};
const sparse = ["red", "green", "blue"];
delete sparse[1];
const half = "half \ud83d";

/** What JavaScript can hold and a filter cannot: a name, the filter, the path, words of the message. */
const VALUES = [
  ["undefined", undefined, "", /undefined.*\{\} for all rows.*leave the option out/i],
  ["null", null, "", /null.*\{\} for all rows/],
  ["a text", '{"price":3}', "", /a string/],
  ["a number", 3, "", /a number/],
  ["an array", [{ price: 3 }], "", /an array/],
  ["a function", () => true, "", /a function/],
  ["a Promise", Promise.resolve({ price: 3 }), "", /a Promise/],
  ["a Map", new Map([["price", 3]]), "", /a Map/],
  ["an object of a class", new Price(), "", /a Price/],
  ["a Date", new Date(), "", /object/],
  ["an undefined value", { price: undefined }, "price", /undefined.*\$exists/],
  ["an undefined operand", { price: { $lt: undefined } }, "price.$lt", /undefined/],
  ["an undefined element", { colour: { $in: ["red", undefined] } }, "colour.$in[1]", /undefined/],
  ["an undefined filter of several", { $and: [{ price: 3 }, undefined] }, "$and[1]", /undefined/],
  ["one that is undefined beside another", { price: 3, colour: undefined }, "colour", /undefined/],
  ["a function as a value", { price: () => 3 }, "price", /a function/],
  ["a symbol", { colour: Symbol("red") }, "colour", /a symbol/],
  ["a BigInt", { size: 3n }, "size", /a bigint/],
  ["NaN", { price: { $lt: NaN } }, "price.$lt", /NaN/],
  ["Infinity", { price: { $gte: -Infinity } }, "price.$gte", /Infinity.*leave the bound out/],
  ["a number that was rounded", { size: { $lt: 2 ** 53 } }, "size.$lt", /2\^53 - 1/],
  ["half of a character", { colour: { $in: ["red", half] } }, "colour.$in[1]", /surrogate/],
  ["half of a character in a name", { [half]: 3 }, JSON.stringify([half]), /surrogate/],
  ["what stands in a field of an odd name", { "a b": { $in: [1, NaN] } }, '["a b"].$in[1]', /NaN/],
  ["what stands in a field of a long name", { ["n".repeat(100)]: NaN }, `${"n".repeat(80)}…`, /NaN/],
  ["an invalid Date", { at: { $lt: new Date("yesterday") } }, "at.$lt", /invalid Date/],
  ["a Date beyond all calendars", { at: new Date(8.64e15) }, "at", /years 1 to 9999/],
  ["a Set", { colour: { $in: new Set(["red"]) } }, "colour.$in", /a Set.*\[\.\.\.values\]/],
  ["a typed array", { size: { $in: Uint8Array.of(1, 2) } }, "size.$in", /Uint8Array.*\[\.\.\.values\]/],
  ["a regular expression", { colour: /red/ }, "colour", /a RegExp/],
  ["a boxed text", { colour: new String("red") }, "colour", /a String/],
  ["an object of a class as a value", { price: new Price() }, "price", /a Price/],
  ["a filter within itself", cycle, "$and[1].$not", /holds itself/],
  ["a missing element", { colour: { $in: sparse } }, "colour.$in", /missing/],
  ["an array that is empty at its end", { colour: { $in: new Array(2 ** 32 - 1) } }, "colour.$in", /missing/],
  ["an array with a property", { colour: { $in: Object.assign(["red"], { more: 3 }) } }, "colour.$in", /other properties/],
  ["a symbol as a name", { price: 3, [Symbol("colour")]: "red" }, "", /symbol/],
  ["a getter that throws", { get price() { throw new Error("no price"); } }, "price", /could not be read \(no price\)/],
  ["a Proxy that throws", { price: new Proxy({}, { ownKeys() { throw new Error("no keys"); } }) }, "price", /no keys/],
  ["a revoked Proxy", { price: revoked() }, "price", /could not be read/],
];

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

for (const [name, filter, path, words] of VALUES) test(`${name} is no filter`, () => refused(filter, path, words));

test("a filter of 10,000 within each other is refused at the limit", async () => {
  for (const around of [(inner) => ({ $not: inner }), (inner) => ({ $and: [inner] })]) {
    for (const depth of [100, 10_000]) {
      for (const [, call] of CALLS) assert.match((await rejected(call(index, nested(depth, around)), "filter")).message, /within each other/);
    }
  }
  assert.equal(await index.count(nested(31)), 299);
  assert.equal(await index.count(nested(32)), 1);
  assert.equal(await index.count(nested(32, (inner) => ({ $and: [inner] }))), 1);
  await refused(nested(33), Array(33).fill("$not").join("."), /32 levels/);
});

/** What the core refuses, as it knows the fields and the operators. */
const MEANINGS = [
  ["an unknown field", { prise: 3 }, "prise", /price/],
  ["an unknown field among others", { $or: [{ price: 3 }, { colour: "red", siez: 3 }] }, "siez", /size/],
  ["a field that is only stored", { title: "Title 3" }, "title", /64 bytes/],
  ["an unknown operator", { price: { $less: 3 } }, "price.$less", /\$lte?/],
  ["an operator in the place of a field", { $gt: 3 }, "$gt", /within a field/],
  ["a group in the place of an operator", { price: { $and: [3] } }, "price.$and", /beside fields/],
  ["a text for a number", { price: "3" }, "price", /number/],
  ["a number for a keyword", { colour: 3 }, "colour", /text/],
  ["a text for a boolean", { sold: "yes" }, "sold", /boolean|true/],
  ["a word for a date", { at: { $lt: "yesterday" } }, "at.$lt", /RFC 3339|date/],
  ["a value for a place", { place: 3 }, "place", /\$geo/],
  ["an order of keywords", { colour: { $gt: "a" } }, "colour", /order/],
  ["null", { price: null }, "price", /\$exists/],
  ["null as an operand", { price: { $eq: null } }, "price.$eq", /\$exists/],
  ["null as an element", { colour: { $in: ["red", null] } }, "colour.$in[1]", /\$exists/],
  ["no list", { colour: { $in: "red" } }, "colour.$in", /array/],
  ["a list for a value", { colour: ["red", "green"] }, "colour", /\$in/],
  ["no operator", { price: {} }, "price", /no operator/],
  ["an empty group", { $and: [] }, "$and", /no filters/],
  ["two bounds on one side", { price: { $gt: 3, $gte: 4 } }, "price.$gte", /leave the other out/],
  ["a place beyond the pole", { place: { $geo: { lat: 91, lon: 0, radius: 1 } } }, "place.$geo", /-90 and 90/],
  ["an area without a radius", { place: { $geo: { lat: 1, lon: 0 } } }, "place.$geo", /radius is missing/],
  ["a box upside down", { place: { $geo: { north: 1, south: 2, east: 1, west: 0 } } }, "place.$geo", /north is not below south/],
  ["existence of no kind", { price: { $exists: 1 } }, "price.$exists", /true or false/],
  ["fields within fields", { place: { lat: 3 } }, "place.lat", /\$geo/],
  ["10,001 values", { size: { $in: Array.from({ length: 10_001 }, (_, i) => i) } }, "size.$in", /10000 values/],
  ["1,025 conditions", { $or: Array.from({ length: 1025 }, (_, i) => ({ size: i })) }, "$or", /1024 conditions/],
];

for (const [name, filter, path, words] of MEANINGS) test(`${name} is refused by the core`, () => refused(filter, path, words));

test("a field of facets is one that is indexed, and no place", async () => {
  assert.match((await rejected(index.facets("prise"), "filter")).message, /price/);
  for (const field of ["title", "place", ""]) await rejected(index.facets(field), "filter");
  for (const field of [undefined, null, 3, ["colour"]]) await rejected(index.facets(field), "argument");
  for (const limit of [0, -1, 1.5, NaN, "3"]) await rejected(index.facets("colour", { limit }), "argument");
});

test("10,000 values are taken, and what is odd and right", async () => {
  assert.equal(await index.count({ size: { $in: Array.from({ length: 10_000 }, (_, i) => i) } }), 300);
  assert.equal(await index.count({ price: { $gt: 5, $lt: 3 } }), 0);
  assert.equal(await index.count({ price: -0 }), 1);
  assert.equal(await index.count({ size: { $lt: 2.5 } }), 90);
  assert.equal(await index.count({ colour: "" }), 0);
  assert.equal(await index.count({ place: { $geo: { lat: 90, lon: 0, radius: 1 } } }), 0);
});

test("a filter that is not enumerable, or inherited, is not lost", async () => {
  const filter = { colour: "red" };
  const wanted = await index.search(vector, { filter, k: 300 });
  assert.equal(wanted.length, 100);
  const hidden = Object.defineProperty({ k: 300 }, "filter", { value: filter });
  const hiddenPart = Object.defineProperty({}, "colour", { value: "red" });
  for (const options of [hidden, Object.create({ filter, k: 300 }), { filter: hiddenPart, k: 300 }]) {
    assert.deepEqual(await index.search(vector, options), wanted);
    assert.deepEqual(await index.searchBatch([vector], options), [wanted]);
  }
  await rejected(index.search(vector, Object.defineProperty({}, "filter", { value: undefined })), "filter");
});

test("a filter is copied before anything awaits, and each of its values is read once", async () => {
  let reads = 0;
  const filter = { get colour() { return COLOURS[reads++]; } };
  const query = index.search(vector, { filter, k: 300 });
  assert.equal(reads, 1);
  assert.equal((await query).length, 100);
  const list = ["red"];
  const count = index.count({ colour: { $in: list } });
  list.push("green");
  assert.equal(await count, 100);
});

test("objects without a prototype and of other realms are plain", async () => {
  const { runInNewContext } = await import("node:vm");
  const filters = [Object.assign(Object.create(null), { colour: "red" }), runInNewContext('({ colour: { $in: ["red"] } })'), runInNewContext("({ at: { $lt: new Date(Date.UTC(2026, 3, 11)) } })")];
  for (const filter of filters) assert.equal(await index.count(filter), 100);
});

test("__proto__ is a name as others are", async () => {
  assert.equal(await index.count(JSON.parse('{"__proto__":3}')), 60);
  assert.equal(await index.count({ ["__proto__"]: { $in: [3, 4] } }), 120);
  assert.deepEqual((await index.facets("__proto__")).map(({ value, count }) => [value, count]), [0, 1, 2, 3, 4].map((value) => [value, 60]));
});

test("a worker's errors are the same", async () => {
  for (const [, filter, path] of VALUES.slice(0, 20)) {
    for (const [, call] of CALLS) assert.ok((await rejected(call(worker, filter), "filter")).message.startsWith(`filter${path && `, at ${path}`}: `));
  }
});
