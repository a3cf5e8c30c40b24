// What the explorer makes of a line of text, how it answers it from any index, and how it accounts for what an index requests.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const load = (name) => import(pathToFileURL(join(root, "www/explorer", name)).href);

test("a line is an id, a sum of ids, or a vector", { skip }, async () => {
  const { parse } = await load("query.js");
  const words = { ids: "text", dim: 3 };
  const numbers = { ids: "number", dim: 3 };
  assert.equal(parse("  ", words), undefined);
  assert.deepEqual(parse(" king ", words), { kind: "rows", plus: ["king"], minus: [], title: "king" });
  assert.deepEqual(parse("king - man + woman", words), { kind: "rows", plus: ["king", "woman"], minus: ["man"], title: "king − man + woman" });
  // A sign within an id is a part of it.
  assert.deepEqual(parse("well-known", words), { kind: "rows", plus: ["well-known"], minus: [], title: "well-known" });
  assert.deepEqual(parse("12 − 7", numbers), { kind: "rows", plus: [12], minus: [7], title: "12 − 7" });
  assert.deepEqual(parse("12", numbers), { kind: "rows", plus: [12], minus: [], title: "12" });
  for (const text of ["[1, -2.5, 3e-2]", "1 -2.5 0.03", "1;-2.5;0.03", "1,-2.5,.03"]) {
    assert.deepEqual(parse(text, numbers), { kind: "vector", vector: Float32Array.of(1, -2.5, 0.03), title: "a pasted vector" }, text);
  }
  assert.deepEqual(parse("1, 2", words), { wrong: "This vector has 2 components, those of the index have 3." });
  for (const id of ["king", "-1", "1.5", "0x10"]) assert.match(parse(id, numbers).wrong, /is no id of this index/, id);
});

test("a sum is searched without its rows; fields come after the hits", { skip }, async () => {
  const { addFields, answer, hasFields } = await load("query.js");
  const rows = { a: [1, 0], b: [0, 1], c: [1, 1] };
  const asked = [];
  const index = (sections) => ({
    info: { dim: 2, sections: sections.map((name) => ({ name })) },
    vector: async (id) => (rows[id] ? Float32Array.from(rows[id]) : Promise.reject(Object.assign(new Error("no"), { code: "unknown-id" }))),
    explain: async (vector, options) => (asked.push({ vector: [...vector], ...options }), { hits: ["a", "x", "b"].map((id) => ({ id, score: 1 })), plan: "flat" }),
    search: async (vector, options) => (asked.push({ vector: [...vector], ...options }), ["a", "x", "b"].map((id) => ({ id, score: 1, fields: { name: `${id}!` } }))),
  });
  const traffic = { take: () => ({ waves: [{}], bytes: 5, requests: 2 }) };
  const query = { kind: "rows", plus: ["a", "a"], minus: ["b"], title: "a + a − b" };
  const found = await answer(index(["codes"]), traffic, query);
  assert.deepEqual(found.hits.map(({ id }) => id), ["x"]);
  assert.deepEqual([found.read.bytes, found.read.requests, found.read.waves.length, found.lookedUp], [10, 4, 2, 5]);
  const stored = index(["codes", "fields"]);
  const filter = { name: "x" };
  const narrowed = await answer(stored, traffic, { kind: "vector", vector: [3, 4], except: ["b"], title: "" }, { filter });
  assert.deepEqual([hasFields(stored.info), hasFields(index(["codes"]).info)], [true, false]);
  await addFields(stored, traffic, narrowed);
  assert.deepEqual(narrowed.hits.map(({ id, fields }) => [id, fields.name]), [["a", "a!"], ["x", "x!"]]);
  assert.equal(narrowed.read.requests, 6);
  assert.deepEqual(asked, [{ vector: [2, -1], k: 13 }, { vector: [3, 4], k: 11, filter }, { vector: [3, 4], k: 11, fields: true, filter }]);
  assert.deepEqual(await answer(index([]), traffic, { kind: "rows", plus: ["a", "zz"], minus: [], title: "" }), { missing: "zz" });
});

test("the address keeps a text and a filter", { skip }, async () => {
  const { asked, hashOf } = await load("filter/address.js");
  for (const text of ["", "king", "a & b #?", "50 %&filter={}", "größe"]) {
    for (const filter of [undefined, {}, { kind: { $in: ["&filter=", "日本"] } }]) assert.deepEqual(asked(hashOf({ text, filter })), { text, filter });
  }
  assert.equal(hashOf({ text: "", filter: undefined }), "");
  assert.equal(hashOf({ text: "king", filter: undefined }), "#king");
  for (const broken of ["#%", "#a&filter={", "#a&filter=%zz"]) assert.deepEqual(asked(broken), { text: "", filter: undefined });
});

test("requests that are under way together are one wave; bytes count as they arrive", { skip }, async () => {
  const { Traffic, hostOf, sum } = await load("reading/traffic.js");
  const file = new File([Uint8Array.from({ length: 100 }, (_, i) => i)], "x.bin");
  const traffic = new Traffic(hostOf(file));
  const url = (path) => new URL(path, "https://dropped.invalid/");
  const read = async (path, range) => new Uint8Array(await new Response((await traffic.fetch(url(path), { headers: new Headers({ range }) })).body).arrayBuffer());
  const [a] = await Promise.all([read("x.bin", "bytes=10-19"), read("seg-00/40-99.bin", "bytes=5-9")]);
  assert.deepEqual([...a], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  assert.equal((await read("x.bin", "bytes=90-200")).length, 10);
  const account = traffic.take();
  assert.deepEqual({ ...account, waves: account.waves.map(({ reads }) => reads) }, {
    bytes: 25, requests: 3,
    waves: [[{ file: "x.bin", offset: 10, length: 10 }, { file: "seg-00.bin", offset: 45, length: 5 }], [{ file: "x.bin", offset: 90, length: 10 }]],
  });
  assert.deepEqual(traffic.take(), { waves: [], bytes: 0, requests: 0 });
  assert.equal((await traffic.fetch(url("x.bin"), { headers: { range: "bytes=100-110" } })).status, 416);
  assert.deepEqual(sum(account, traffic.take()).requests, 4);
});

test("sets of bytes are counted once", { skip }, async () => {
  const { size, sizeWithin, union } = await load("reading/extents.js");
  const set = union([[5, 9], [0, 2], [8, 12], [2, 3], [20, 20]]);
  assert.deepEqual(set, [[0, 3], [5, 12]]);
  assert.deepEqual([size(set), sizeWithin(set, 2, 6), sizeWithin(set, 12, 99)], [10, 2, 0]);
});
