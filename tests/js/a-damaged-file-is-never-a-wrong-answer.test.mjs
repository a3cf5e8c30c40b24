import assert from "node:assert/strict";
import { test } from "node:test";
import { open, PagevecError } from "pagevec";
import { fixture } from "./support/fixture.mjs";

const f = await fixture({ count: 200, dim: 12 });
const CODES = new Set(["not-a-segment", "version", "length", "checksum", "corrupt", "budget"]);

async function answer(bytes) {
  const index = await open(bytes);
  try {
    const hits = await index.search(f.row(5));
    const flat = await index.search(f.row(5), { index: "flat" });
    return { hits, flat, has: await index.has("word-7"), vector: [...(await index.vector("word-7"))] };
  } finally {
    await index.close();
  }
}
const expected = await answer(f.bytes);

async function check(bytes, what) {
  try {
    assert.deepEqual(await answer(bytes), expected, what);
    return 0;
  } catch (error) {
    assert.ok(error instanceof PagevecError && CODES.has(error.code), `${what}: ${error.stack}`);
    return 1;
  }
}

test("a flipped bit, anywhere", async () => {
  let refused = 0;
  const step = Math.max(1, Math.floor(f.bytes.length / 3000));
  for (let at = 0; at < f.bytes.length; at += at < f.front ? 1 : step) {
    const bytes = f.bytes.slice();
    bytes[at] ^= 1 << (at % 8);
    refused += await check(bytes, `byte ${at}`);
  }
  assert.ok(refused > 1000, `${refused} refused`);
});

test("a truncated or extended file, at any length", async () => {
  const step = Math.max(1, Math.floor(f.bytes.length / 1000));
  for (let length = 0; length < f.bytes.length; length += length < f.front ? 1 : step) {
    assert.equal(await check(f.bytes.slice(0, length), `length ${length}`), 1, `length ${length} was accepted`);
  }
  const extended = new Uint8Array(f.bytes.length + 1);
  extended.set(f.bytes);
  assert.equal(await check(extended, "one more"), 1);
});

test("another segment's bytes in the place of its own", async () => {
  const other = await fixture({ count: 200, dim: 12, seed: 2 });
  const bytes = f.bytes.slice();
  bytes.set(other.bytes.subarray(f.front, Math.min(other.bytes.length, bytes.length)), f.front);
  assert.equal(await check(bytes, "swapped"), 1);
});
