// Whatever is passed in, and whatever the runtime lacks: calls reject with a PagevecError whose code the README lists, and
// throw nothing at once.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, dirname } from "node:path";
import { after, test } from "node:test";
import * as pagevec from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { internal } from "./support/internal.mjs";
import { serve } from "./support/server.mjs";

const { build, open, publication, publish, PagevecError } = pagevec;
const root = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
const readme = await readFile(join(root, "README.md"), "utf8");
const table = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## The host"));
const codes = new Set([...table.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));

const f = await fixture({ count: 300, dim: 8 });
const server = await serve(f.folder);
const index = await open(f.bytes);
const place = await mkdtemp(join(tmpdir(), "pagevec-codes-"));
after(() => (server.close(), index.close(), rm(place, { recursive: true })));
const good = [...f.row(0)];
const npy = new Uint8Array(128 + 32 * 300);
npy.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0]);

function detached(bytes) {
  const buffer = new ArrayBuffer(bytes);
  const view = new Float32Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return view;
}

const throwing = new Proxy({}, { get() { throw new TypeError("mine"); }, has() { throw new TypeError("mine"); }, ownKeys() { throw new TypeError("mine"); } });
const revoked = (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })();
const WRONG = {
  undefined: undefined, null: null, true: true, zero: 0, minus: -1, half: 0.5, NaN: NaN, infinity: Infinity, huge: 2 ** 53, "a bigint": 5n, "a symbol": Symbol("s"),
  "an empty text": "", "a text": "0.1 0.2", "a path": "/no/such/place", "a null byte": "\0", "a URL": new URL("ftp://x/"), "a file URL": "file://host/x", "an odd URL": "http://",
  "an object": {}, "an array": [], "an array of holes": new Array(8), "of texts": Array(8).fill("1"), "of arrays": [[good]], "of NaN": Array(8).fill(NaN), "too long": [...good, 1],
  "a promise": Promise.resolve(good), "a map": new Map([[0, 1]]), "a set": new Set(good), "a date": new Date(), "a regexp": /x/, "a function": () => good, "an error": new Error("x"),
  "a tensor": { data: Float32Array.from(good), dims: [1, 8], size: 8, type: "float32" }, "a tensor to read": { data: async () => good, shape: [1, 8], dtype: "float32" },
  "an Int8Array": new Int8Array(3), "a BigInt64Array": new BigInt64Array(8), "a Uint8ClampedArray": new Uint8ClampedArray(7), "a DataView": new DataView(new ArrayBuffer(32)),
  "an ArrayBuffer": new ArrayBuffer(32), "a shared buffer": new SharedArrayBuffer(32), "a view of one": new Float32Array(new SharedArrayBuffer(12)), detached: detached(32), "an .npy": npy, "an .npy's buffer": npy.buffer,
  "a blob": new Blob(["x"]), "a response": new Response("x"), "a signal": AbortSignal.abort(), "a signal that is none": { addEventListener() {} }, "throwing": throwing, revoked, "the index": index, "a prototype": Object.create(null),
  "a getter": { get 0() { throw new RangeError("mine"); }, length: 8, get signal() { throw new RangeError("mine"); }, get k() { throw new RangeError("mine"); } },
};

const CALLS = {
  open: (x) => open(x),
  "open's options": (x) => open(f.bytes, x),
  ...Object.fromEntries(["memoryBudget", "signal", "wasm", "cache", "expect", "prefetch", "embed", "model", "worker", "onProgress", "onFetch"].map((name) => [`open's ${name}`, (x) => open(f.bytes, { [name]: x })])),
  ...Object.fromEntries(["fetch", "headers", "timeoutMs", "retries", "hedge", "connection", "maxRequests", "link", "cache"].map((name) => [`open's ${name} for a URL`, (x) => open(`${server.url}/words/`, { [name]: x })])),
  build: (x) => build(x),
  "build's rows": (x) => build([good, x]),
  "build's options": (x) => build([good], x),
  ...Object.fromEntries(["ids", "dim", "metric", "codec", "refine", "exact", "graph", "clusters", "m", "efConstruction", "seed", "schema", "embed", "onProgress", "onWarning", "signal", "wasm"].map((name) => [`build's ${name}`, (x) => build([good, good], { [name]: x })])),
  publish: (x) => publish(typeof x === "string" && x ? place : x, f.bytes),
  "publish's segment": (x) => publish(place, x),
  "publish's options": (x) => publish(place, f.bytes, x),
  ...Object.fromEntries(["form", "generation", "model"].map((name) => [`publish's ${name}`, (x) => publish(place, f.bytes, { [name]: x })])),
  publication: (x) => publication(x),
  "publication's options": (x) => publication(f.bytes, x),
  search: (x) => index.search(x),
  "search's options": (x) => index.search(good, x),
  ...Object.fromEntries(["k", "offset", "minScore", "ef", "index", "recall", "probes", "rescore", "filter", "signal"].map((name) => [`search's ${name}`, (x) => index.search(good, { [name]: x })])),
  "search's text": (x) => index.search({ text: x }),
  "searchBatch's arrays": (x) => index.searchBatch([good], { arrays: x }),
  count: (x) => index.count(x),
  "count's options": (x) => index.count({}, x),
  ids: async (x) => void (await index.ids(x).next()),
  "rows'": async (x) => void (await index.rows(x).next()),
  facets: (x) => index.facets(x),
  "facets' options": (x) => index.facets("title", x),
  "facets' filter": (x) => index.facets("title", { filter: x }),
  save: (x) => index.save(x),
  "save's signal": (x) => index.save({ signal: x }),
  searchBatch: (x) => index.searchBatch(x),
  "searchBatch's rows": (x) => index.searchBatch([good, x]),
  "searchBatch's options": (x) => index.searchBatch([good], x),
  explain: (x) => index.explain(x),
  "explain's options": (x) => index.explain(good, x),
  load: (x) => index.load(x),
  "load's signal": (x) => index.load({ signal: x }),
  vector: (x) => index.vector(x),
  "vector's options": (x) => index.vector("word-1", x),
  get: (x) => index.get(x),
  "get's options": (x) => index.get(["word-1"], x),
  "get's fields": (x) => index.get(["word-1"], { fields: x }),
  "search's fields": (x) => index.search(good, { fields: x }),
  has: (x) => index.has(x),
  "has's options": (x) => index.has("word-1", x),
  evict: (x) => index.evict(x),
  setMemoryBudget: (x) => index.setMemoryBudget(x),
  "has's signal": (x) => index.has("word-1", { signal: x }),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(name, { timeout: 60_000 }, async () => {
    let refused = 0;
    for (const [what, value] of Object.entries(WRONG)) {
      let promise;
      assert.doesNotThrow(() => (promise = call(value)), `${name}(${what}) threw at once`);
      assert.ok(promise instanceof Promise, `${name}(${what})`);
      const outcome = await Promise.race([promise.then((value) => ({ value }), (error) => ({ error })), new Promise((resolve) => setTimeout(resolve, 20_000, "hangs").unref())]);
      assert.notEqual(outcome, "hangs", `${name}(${what}) hangs`);
      await outcome.value?.close?.();
      if (!outcome.error) continue;
      refused += 1;
      const { error } = outcome;
      assert.ok(error instanceof PagevecError, `${name}(${what}): ${error?.stack}`);
      assert.ok(codes.has(error.code) && error.code !== "internal" && error.code !== "trapped", `${name}(${what}): ${error.code}: ${error.stack}`);
      assert.ok(error.message.length > 10 && !/undefined:|\[object/.test(error.message), `${name}(${what}): ${error.message}`);
    }
    assert.ok(refused > 5, `only ${refused} of ${Object.keys(WRONG).length} are refused`);
  });
}

test("every function of the package is called above", () => {
  const called = new Set(Object.keys(CALLS).map((name) => name.split("'")[0]));
  const methods = Object.getOwnPropertyNames(pagevec.Index.prototype).filter((name) => typeof Object.getOwnPropertyDescriptor(pagevec.Index.prototype, name).value === "function");
  // These take nothing, or throw at once.
  const known = new Set([...called, "constructor", "stats", "close", "memoryMap", "on"]);
  for (const name of [...methods, ...Object.keys(pagevec).filter((name) => name !== "Index" && name !== "PagevecError")]) assert.ok(known.has(name), name);
});

test("errors about what people pass say what to do", async () => {
  const cases = [
    [() => index.search("king"), "argument", /a string.*embed/],
    [() => index.search(Promise.resolve(good)), "argument", /a Promise.*await it/],
    [() => index.search({ data: Float32Array.from(good), dims: [1, 8] }), "argument", /a tensor.*tensor\.data/],
    [() => index.search({ data: async () => good, shape: [1, 8] }), "argument", /await tensor\.data\(\)/],
    [() => index.search([good]), "argument", /array of vectors.*searchBatch/],
    [() => index.search([f.row(1), f.row(2)]), "argument", /array of vectors.*searchBatch/],
    [() => index.search(f.row(1).buffer.slice(0, 32)), "argument", /new Float32Array\(vector\)/],
    [() => index.search(new Uint8Array(f.row(1).buffer, 0, 32)), "dimension", /bytes of floats/],
    [() => index.search(good.slice(1)), "dimension", /the model that the index was built with/],
    [() => index.searchBatch(good), "argument", /an array of numbers.*\[vector\]/],
    [() => index.searchBatch("king"), "argument", /a string/],
    [() => index.has(Promise.resolve("word-1")), "argument", /await it/],
    [() => open(npy), "not-a-segment", /\.npy.*build/],
    [() => open(npy.buffer), "not-a-segment", /\.npy.*build/],
    [() => open(new Blob([npy])), "not-a-segment", /\.npy.*build/],
    [() => open(Promise.resolve("x")), "argument", /await it/],
    [() => open(new Response("x")), "argument", /its URL, or await its arrayBuffer/],
    [() => open(Float32Array.from(good)), "argument", /build\(\)/],
    [() => build(npy.buffer), "argument", /\.npy.*header/],
    [() => build(npy, { dim: 8 }), "argument", /\.npy.*header/],
    [() => build(good), "argument", /an array of numbers/],
    [() => build(["king"]), "argument", /texts need `embed`/],
  ];
  for (const [call, code, message] of cases) assert.match((await rejected(call(), code)).message, message);
});

test("load over budget says what it needs", async () => {
  const figure = (error) => Math.max(...error.message.match(/\d+/g).map(Number));
  const least = figure(await rejected(open(f.bytes, { memoryBudget: f.front }), "budget"));
  const tight = await open(f.bytes, { memoryBudget: least });
  const { message } = await rejected(tight.load(), "argument");
  const figures = message.match(/\d+/g).map(Number);
  assert.ok(figures.includes(least), message);
  const needed = Math.max(...figures);
  await tight.close();
  const enough = await open(f.bytes, { memoryBudget: needed });
  await enough.load();
  await enough.close();
  const short = await open(f.bytes, { memoryBudget: needed - 1 });
  await rejected(short.load(), "argument");
  await short.close();
});

test("a module that is not the right one", async () => {
  const [search, builder] = await Promise.all(["filter", "build"].map((which) => readFile(join(root, `wasm/${which}/pagevec_wasm_bg.wasm`))));
  const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
  const older = Buffer.from(search);
  older[older.length - 1] ^= 1; // the mark
  for (const wasm of [builder, empty, older, new Uint8Array(), new Uint8Array(100), "file:///no/such.wasm", new Response("no", { status: 404 }), async () => Promise.reject(new Error("mine"))]) {
    const { message } = await rejected(open(f.bytes, { wasm: typeof wasm === "function" ? wasm() : wasm }), "wasm");
    assert.match(message, /to search/);
    assert.doesNotMatch(message, /build\.wasm/);
  }
  for (const wasm of [search, empty, new Uint8Array(100)]) {
    const { message } = await rejected(build([good, good], { wasm }), "wasm");
    assert.match(message, /to build/);
    assert.match(message, /pagevec\/build\.wasm/);
    assert.doesNotMatch(message, /pagevec\/pagevec\.wasm|wasm\/search/);
  }
  const named = createRequire(import.meta.url).resolve("pagevec/build.wasm");
  assert.ok((await build([good, good], { wasm: await readFile(named) })).length > 0);
});

test("no room for an instance: out-of-memory, and none is left behind", async () => {
  const { instantiate } = WebAssembly;
  const fail = async () => { throw new RangeError("WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance"); };
  const wasm = await readFile(join(root, "wasm/filter/pagevec_wasm_bg.wasm"));
  const fresh = await WebAssembly.compile(wasm);
  WebAssembly.instantiate = fail;
  const all = await Promise.allSettled([open(f.bytes, { wasm: fresh }), open(f.bytes, { wasm: fresh }), build([good, good])]);
  WebAssembly.instantiate = instantiate;
  for (const { reason } of all) {
    assert.ok(reason instanceof PagevecError);
    assert.equal(reason.code, "out-of-memory");
    assert.match(reason.message, /close indexes/);
  }
  const later = await open(f.bytes, { wasm: fresh });
  assert.equal((await later.search(good, { k: 1 }))[0].id, "word-0");
  await later.close();
});

test("what the runtime lacks", async () => {
  for (const [name, call] of [["TextDecoder", () => open(f.bytes)], ["TextEncoder", () => build([good])], ["WebAssembly", () => open(f.bytes)], ["fetch", () => open(`${server.url}/words/`)], ["Headers", () => open(`${server.url}/words/`)]]) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    delete globalThis[name];
    const error = await call().catch((error) => error);
    Object.defineProperty(globalThis, name, descriptor);
    assert.equal(error.code, "unsupported", `${name}: ${error.stack}`);
    assert.match(error.message, new RegExp(`has no ${name}`));
  }
  const own = globalThis.fetch;
  delete globalThis.fetch;
  const index = await open(`${server.url}/words/`, { fetch: own });
  globalThis.fetch = own;
  await index.close();
});

test("a fetch that gives no Response", async () => {
  for (const fetch of [async () => undefined, async () => ({}), () => 5]) {
    const { message } = await rejected(open(`${server.url}/words/`, { fetch, retries: 0 }), "argument");
    assert.match(message, /must resolve to a Response/);
  }
  await rejected(open(`${server.url}/words/`, { fetch: () => { throw new Error("mine"); }, retries: 0 }), "network");
});

test("what pagevec does not understand of itself is internal, with its cause", async () => {
  const { toPagevec } = await internal("errors.js");
  const cause = new TypeError("x is undefined");
  const error = toPagevec(cause);
  assert.deepEqual([error.code, error.cause], ["internal", cause]);
  assert.match(error.message, /report it/);
  assert.equal(toPagevec(new RangeError("Array buffer allocation failed")).code, "out-of-memory");
  assert.ok(codes.has("internal") && codes.has("unsupported"));
});
