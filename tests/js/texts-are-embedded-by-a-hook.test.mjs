// `embed` makes vectors of texts for open and build: the hits are those of the vectors, whatever form these have, and what is wrong
// with them is a typed error.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { build, open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 500, dim: 16 });
const named = structuredClone(f.manifest);
named.segments[0].model = "letters-16";
const server = await serve({ ...f.folder, "/named/index.json": { body: JSON.stringify(named), type: "application/json" }, [`/named/${f.file}`]: { body: f.bytes } });
after(() => server.close());

/** "row 7" is embedded as the vector of row 7. */
const rowOf = (text) => f.row(Number(/\d+/.exec(text)[0]));
const calls = [];
const embed = async (texts) => {
  calls.push(texts);
  return texts.map(rowOf);
};
const searching = async (give) => open(f.bytes, { embed: give });

test("search, explain and searchBatch give the hits of the vectors", async () => {
  const index = await searching(embed);
  const wanted = await index.search(f.row(7));
  assert.deepEqual(await index.search({ text: "row 7" }), wanted);
  assert.deepEqual((await index.explain({ text: "row 7" })).hits, wanted);
  assert.equal(wanted[0].id, "word-7");
  const texts = Array.from({ length: 150 }, (_, i) => `row ${i}`);
  calls.length = 0;
  assert.deepEqual(await index.searchBatch(texts, { k: 3 }), await index.searchBatch(texts.map(rowOf), { k: 3 }));
  assert.deepEqual(calls.map(({ length }) => length), [64, 64, 22]);
  assert.deepEqual(calls.flat(), texts);
  calls.length = 0;
  await index.search({ text: "row 7" });
  await index.search({ text: "row 7" });
  assert.deepEqual(calls, [["row 7"], ["row 7"]], "nothing is cached");
  await index.close();
});

const flat = (texts) => Float32Array.from(texts.flatMap((text) => [...rowOf(text)]));
for (const [form, give] of Object.entries({
  "Float32Arrays": (texts) => texts.map(rowOf),
  "arrays of numbers": async (texts) => texts.map((text) => [...rowOf(text)]),
  "one flat Float32Array": flat,
  "one flat array of numbers": (texts) => [...flat(texts)],
  "a Float64Array each": (texts) => texts.map((text) => Float64Array.from(rowOf(text))),
  "a tensor": (texts) => ({ data: flat(texts), dims: [texts.length, 16], type: "float32" }),
})) {
  test(`vectors as ${form}`, async () => {
    const index = await searching(give);
    assert.deepEqual(await index.search({ text: "row 9" }), await index.search(f.row(9)));
    const [eight, nine] = await index.searchBatch(["row 8", "row 9"], { k: 1 });
    assert.deepEqual([eight[0].id, nine[0].id], ["word-8", "word-9"]);
    await index.close();
  });
}

const cause = new TypeError("the model is not there");
for (const [what, code, words, give] of [
  ["a rejected promise", "embed", /the model is not there/, async () => Promise.reject(cause)],
  ["an exception", "embed", /the model is not there/, () => { throw cause; }],
  ["nothing", "embed", /undefined for 1 text/, () => undefined],
  ["a text", "embed", /a string for 1 text/, (texts) => texts[0]],
  ["too many vectors", "embed", /2 vectors for 1 text/, () => [f.row(1), f.row(2)]],
  ["no vector", "embed", /0 vectors for 1 text/, () => []],
  ["an array of nothing", "embed", /undefined/, () => [undefined]],
  ["a tensor that must be read", "embed", /tensor/, () => ({ data: async () => f.row(1), dims: [1, 16] })],
  ["a short vector", "dimension", /15 numbers.*16/, () => [f.row(1).slice(1)]],
  ["a long flat one", "dimension", /32 numbers.*16/, () => new Float32Array(32)],
  ["NaN", "not-finite", /text 0 has NaN at 3/, () => [f.row(1).map((x, i) => (i === 3 ? NaN : x))]],
  ["infinity", "not-finite", /Infinity/, () => [[...f.row(1).slice(1), 1e300]]],
  ["zeros", "zero-vector", /./, () => [new Float32Array(16)]],
]) {
  test(`${what} of embed is the error ${code}`, async () => {
    const index = await searching(give);
    const error = await rejected(index.search({ text: "row 1" }), code);
    assert.match(error.message, words);
    if (code === "embed" && /not there/.test(words)) assert.equal(error.cause, cause);
    assert.equal((await index.search(f.row(1)))[0].id, "word-1", "the index goes on");
    await index.close();
  });
}

test("a batch with too few vectors is refused, also after its first call", async () => {
  const index = await searching((texts) => texts.slice(0, 63).map(rowOf));
  const texts = Array.from({ length: 64 }, (_, i) => `row ${i}`);
  assert.match((await rejected(index.searchBatch(texts), "embed")).message, /63 vectors for 64 texts/);
  assert.equal((await index.searchBatch(texts.slice(0, 63))).length, 63);
  await index.close();
});

test("the signal ends an embedding under way, and embed is given it", async () => {
  let given;
  const index = await searching((_, { signal }) => ((given = signal), new Promise(() => {})));
  const controller = new AbortController();
  const search = rejected(index.search({ text: "row 1" }, { signal: controller.signal }), "aborted");
  await new Promise(setImmediate);
  controller.abort("enough");
  assert.equal((await search).cause, "enough");
  assert.equal(given, controller.signal);
  await index.close();
});

test("closed while it embeds: closed", async () => {
  let give;
  const index = await searching(() => new Promise((resolve) => (give = resolve)));
  const search = rejected(index.search({ text: "row 1" }), "closed");
  await new Promise(setImmediate);
  await index.close();
  give([f.row(1)]);
  await search;
});

test("a search by text without embed, and wrong options, say what to do", async () => {
  const index = await open(f.bytes);
  assert.match((await rejected(index.search({ text: "king" }), "argument")).message, /needs `embed`/);
  assert.match((await rejected(index.searchBatch(["king"]), "argument")).message, /needs `embed`/);
  assert.match((await rejected(index.search({ text: 5 }), "argument")).message, /must be a string/);
  assert.match((await rejected(index.search("king"), "argument")).message, /\{ text \}/);
  await index.close();
  const other = await searching(embed);
  await rejected(other.searchBatch(["row 1", f.row(1)]), "argument");
  await other.close();
  await rejected(open(f.bytes, { embed: "all-MiniLM-L6-v2" }), "argument");
  await rejected(open(f.bytes, { embed, model: "" }), "argument");
  await rejected(open(f.bytes, { embed: Object.assign(() => [], { model: "one" }), model: "other" }), "argument");
});

test("another model than index.json names is refused", async () => {
  const url = `${server.url}/named/`;
  const mine = Object.assign((texts) => texts.map(rowOf), { model: "letters-16" });
  for (const options of [{ embed: mine }, { embed, model: "letters-16" }, { model: "letters-16" }, { embed }]) {
    const index = await open(url, options);
    assert.equal(index.info.model, "letters-16");
    await index.close();
  }
  const other = Object.assign((texts) => texts.map(rowOf), { model: "letters-17" });
  for (const options of [{ embed: other }, { embed, model: "letters-17" }, { model: "letters-17" }]) {
    const { message } = await rejected(open(url, options), "model");
    assert.match(message, /"letters-16".*"letters-17"/);
  }
  const unnamed = await open(`${server.url}/words/`, { embed: other });
  assert.equal(unnamed.info.model, undefined);
  await unnamed.close();
});

test("a name in index.json that is none is refused", async () => {
  for (const model of [5, "", "a\nb", "x".repeat(201), null]) {
    const text = JSON.stringify({ ...named, segments: [{ ...named.segments[0], model }] });
    const host = await serve({ "/index.json": { body: text, type: "application/json" } });
    assert.match((await rejected(open(`${host.url}/`), "manifest")).message, /`model`/);
    await host.close();
  }
});

test("build makes the file of the vectors, and tells how far it is", async () => {
  const texts = Array.from({ length: 200 }, (_, i) => `row ${i}`);
  const phases = [];
  const options = { ids: texts, graph: false };
  const bytes = await build(texts, { ...options, embed, onProgress: ({ phase, done, total }) => phase === "embed" && phases.push([done, total]) });
  assert.deepEqual(bytes, await build(texts.map(rowOf), options));
  assert.deepEqual(phases, [[64, 200], [128, 200], [192, 200], [200, 200]]);
});

test("build ends where embed does", async () => {
  const texts = Array.from({ length: 100 }, (_, i) => `row ${i}`);
  const once = (then) => {
    let called = 0;
    return (some) => (called++ === 0 ? some.map(rowOf) : then(some));
  };
  await rejected(build(texts), "argument");
  await rejected(build(texts.map(rowOf), { embed }), "argument");
  await rejected(build(texts, { embed, dim: 15 }), "dimension");
  await rejected(build(texts, { embed: once(() => Promise.reject(cause)) }), "embed");
  await rejected(build(texts, { embed: once((some) => some.map(() => [1, 2])) }), "dimension");
  await rejected(build(texts, { embed, onProgress: () => { throw cause; } }), "aborted");
  const controller = new AbortController();
  await rejected(build(texts, { embed: once(() => controller.abort()), signal: controller.signal }), "aborted");
});
