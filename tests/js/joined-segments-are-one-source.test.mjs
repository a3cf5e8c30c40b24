// Segments joined to one range of offsets: every read finds its segment, and no request is of two.
import assert from "node:assert/strict";
import { test } from "node:test";
import { internal } from "./support/internal.mjs";

const { JoinedSource } = await internal("sources/joined.js");
const { BytesSource } = await internal("sources/local/bytes.js");
const { BlobSource } = await internal("sources/local/blob.js");
const { PartsSource } = await internal("sources/parts.js");
const { coalesce } = await internal("requests/coalesce.js");
const { LIMITS } = await internal("sources/http/options.js");
const { newTraffic } = await internal("sources/source.js");

const FAR = 2 ** 32;
const lengths = [1000, 3000, 500];
const bases = [0, 2 * FAR, 4 * FAR];
const contents = lengths.map((length, i) => Uint8Array.from({ length }, (_, at) => (at * 7 + i * 31) & 255));

async function bytesOf(got) {
  if (got instanceof Uint8Array) return [...got];
  const all = [];
  for await (const chunk of got) all.push(...chunk);
  return all;
}

test("a read gives the bytes of its segment, whatever kind of source that is", async () => {
  const traffic = newTraffic();
  const parts = { folder: "p", cuts: [[0, 700]] };
  const load = async (path) => {
    const [first, last] = path.match(/\d+/g).map(Number);
    return contents[1].slice(first, last + 1);
  };
  const joined = new JoinedSource("words", [new BytesSource(contents[0], "a", traffic), new PartsSource(parts, 3000, "b", load, { traffic }), new BlobSource(new Blob([contents[2]]))], bases);
  for (const i of [0, 1, 2]) {
    for (const [offset, length] of [[0, 1], [0, lengths[i]], [lengths[i] - 1, 1], [137, 300]]) {
      assert.deepEqual(await bytesOf(await joined.read(bases[i] + offset, length, {})), [...contents[i].subarray(offset, offset + length)]);
    }
  }
  assert.deepEqual(["a", "b", "the blob"], bases.map((base) => joined.at(base + 400).name));
  assert.equal(joined.length, bases[2] + 500);
  assert.equal(joined.inMemory, false);
  await joined.close();
});

test("what is kept, forgotten and asked for goes to the segment, at its own offsets", () => {
  const calls = [];
  const source = (name) => ({
    name,
    length: 1000,
    traffic: newTraffic(),
    inMemory: true,
    limits: LIMITS.h2,
    link: { name },
    stats: { hits: 0, misses: 0, bytes: 0 },
    forget: (extent) => (calls.push([name, "forget", extent]), true),
    has: (extent) => (calls.push([name, "has", extent]), extent.offset === 5),
    keep: (offset, bytes) => calls.push([name, "keep", offset, bytes.length]),
  });
  const sources = ["a", "b", "c"].map(source);
  const joined = new JoinedSource("words", sources, bases);
  assert.equal(joined.forget({ offset: bases[1] + 9, length: 2 }), true);
  assert.equal(joined.has({ offset: bases[2] + 5, length: 3 }), true);
  assert.equal(joined.has({ offset: bases[2] + 6, length: 3 }), false);
  joined.keep(bases[2] + 70, new Uint8Array(4));
  joined.keep(999, new Uint8Array(1));
  assert.deepEqual(calls, [
    ["b", "forget", { offset: 9, length: 2 }],
    ["c", "has", { offset: 5, length: 3 }],
    ["c", "has", { offset: 6, length: 3 }],
    ["c", "keep", 70, 4],
    ["a", "keep", 999, 1],
  ]);
  assert.deepEqual([joined.limits, joined.link, joined.traffic, joined.stats], [LIMITS.h2, sources[0].link, sources[0].traffic, sources[0].stats]);
  assert.equal(joined.inMemory, true);
  const bare = new JoinedSource("words", [new BytesSource(contents[0]), new BytesSource(contents[1])], bases);
  assert.deepEqual([bare.forget({ offset: 0, length: 1 }), bare.has({ offset: 0, length: 1 }), bare.keep(0, contents[0])], [false, false, undefined]);
});

test("1,024 segments: each offset finds its own", () => {
  const many = Array.from({ length: 1024 }, (_, i) => new BytesSource(new Uint8Array(10), `s${i}`));
  const joined = new JoinedSource("words", many, Float64Array.from(many, (_, i) => 2 * FAR * i));
  for (const i of [0, 1, 2, 511, 512, 1022, 1023]) {
    for (const at of [0, 9]) assert.equal(joined.at(2 * FAR * i + at).name, `s${i}`);
  }
});

test("no request is of two segments, whatever limit of requests is told", () => {
  const extents = bases.flatMap((base) => [0, 100, 300, 900].map((at) => ({ offset: base + at, length: 50 })));
  const before = { waves: 0, requests: 0 };
  for (const [limits, bandwidthDelay] of [
    [LIMITS.h2, 0],
    [LIMITS.h1, 1e15],
    [{ ...LIMITS.edge, maxPerSearch: 3 }, 1e15],
    [{ ...LIMITS.unknown, maxPerWave: 1, maxGapBytes: Infinity, requestCostBytes: Infinity }, 0],
  ]) {
    const runs = coalesce(extents, limits, bandwidthDelay, before);
    assert.deepEqual(runs.map(({ offset, length, extents }) => [offset, length, extents.length]), bases.map((base) => [base, 950, 4]));
    assert.equal(coalesce(extents.slice(0, 4), limits, bandwidthDelay, before).length, 1);
  }
  assert.equal(coalesce(extents, { maxPerWave: Infinity, maxGapBytes: 0, requestCostBytes: 0 }, 0, before).length, 12);
});
