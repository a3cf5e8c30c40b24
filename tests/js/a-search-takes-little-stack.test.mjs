// How deep the stack of a search goes in WebAssembly, by painting: the stack lies below all else in linear memory and grows down,
// so what was painted while nothing ran, and is still there, was not reached.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build, open } from "pagevec";
import { vectors } from "./support/fixture.mjs";

/** Where the stack begins in our modules: data begin where it ends. */
const TOP = 1 << 20;
/** Far deeper than any of our calls, and less than the whole stack. */
const PAINTED = 512 << 10;
const PAINT = 0xa5;
const LIMIT = 16 << 10;

const [count, dim] = [4000, 384];
const matrix = vectors(count, dim);
const row = (i) => matrix.subarray(i * dim, (i + 1) * dim);
const ids = Array.from({ length: count }, (_, i) => `row ${i}`);
const fields = Array.from({ length: count }, (_, i) => ({ place: i, kind: `kind ${i % 7}` }));
// Before memories are collected: the module that builds has one of its own.
const segments = await Promise.all(["sq8", "binary"].map(async (codec) => [codec, await build(matrix, { dim, ids, fields, codec })]));

// The module is instantiated once, by the first index that is opened; its memory is taken on the way.
const memories = [];
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate.apply(WebAssembly, given);
  memories.push((made.instance ?? made).exports.memory);
  return made;
};

/** How many bytes of stack `run` takes. */
async function depth(memory, run) {
  const painted = () => new Uint8Array(memory.buffer, TOP - PAINTED, PAINTED);
  painted().fill(PAINT);
  await run();
  const reached = painted().findIndex((byte) => byte !== PAINT);
  assert.notEqual(reached, -1, "the stack begins elsewhere");
  return PAINTED - reached;
}

for (const [codec, file] of segments) {
  test(`${codec}: a search takes at most 16 KiB of stack`, async () => {
    const index = await open(file, { filters: true });
    const memory = memories[0];
    const calls = {
      clusters: () => index.search(row(5), { index: "clusters" }),
      "clusters, k 1000": () => index.search(row(5), { index: "clusters", k: 1000 }),
      flat: () => index.search(row(5), { index: "flat" }),
      fields: () => index.search(row(5), { fields: true }),
      filter: () => index.search(row(5), { filter: { place: { $lt: 300 }, kind: { $in: ["kind 1", "kind 2"] } } }),
      batch: () => index.searchBatch(matrix.subarray(0, 32 * dim)),
      load: () => index.load(),
      graph: () => index.search(row(5), { index: "hnsw", ef: 2048, k: 100 }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const bytes = await depth(memory, call);
      console.log(`${codec}, ${name}: ${bytes} bytes of stack`);
      assert.ok(bytes > 64 && bytes <= LIMIT, `${name}: ${bytes}`);
    }
    await index.close();
  });
}
