import assert from "node:assert/strict";
import { test } from "node:test";
import { internal } from "./support/internal.mjs";

// Pure parts that the package does not export.
const { coalesce } = await internal("requests/coalesce.js");
const { subtract } = await internal("requests/extents.js");
const { toExtents } = await internal("core/protocol.js");
const { LIMITS } = await internal("sources/http/options.js");
const { ChunkSplitter } = await internal("requests/splitter.js");

const extents = (...pairs) => toExtents(pairs.flat());
const spans = (runs) => runs.map(({ offset, length }) => [offset, offset + length]);

test("smallest gaps first, until there are few enough requests", () => {
  const wanted = extents([0, 10], [12, 10], [100, 10], [130, 10]);
  const limits = { maxPerWave: 4, maxGapBytes: 1000, requestCostBytes: 0 };
  assert.deepEqual(spans(coalesce(wanted, limits)), [[0, 10], [12, 22], [100, 110], [130, 140]]);
  assert.deepEqual(spans(coalesce(wanted, { ...limits, maxPerWave: 3 })), [[0, 22], [100, 110], [130, 140]]);
  assert.deepEqual(spans(coalesce(wanted, { ...limits, maxPerWave: 2 })), [[0, 22], [100, 140]]);
  assert.deepEqual(spans(coalesce(wanted, { ...limits, maxPerWave: 1 })), [[0, 140]]);
});

test("no further than the waste allows", () => {
  const wanted = extents([0, 10], [12, 10], [100, 10]);
  assert.deepEqual(spans(coalesce(wanted, { maxPerWave: 1, maxGapBytes: 50, requestCostBytes: 0 })), [[0, 22], [100, 110]]);
});

test("what touches, or nearly, is one request in any case", () => {
  const limits = { maxPerWave: Infinity, maxGapBytes: 0, requestCostBytes: 0 };
  assert.deepEqual(spans(coalesce(extents([0, 10], [10, 5], [16, 4]), limits)), [[0, 15], [16, 20]]);
  assert.deepEqual(spans(coalesce(extents([0, 10], [10, 5], [16, 4]), { ...limits, requestCostBytes: 1 })), [[0, 20]]);
  assert.deepEqual(coalesce([], limits), []);
});

test("twelve requests for a search: what one wave leaves over the next may have", () => {
  const wanted = extents(...Array.from({ length: 50 }, (_, i) => [i * 100_000, 100]));
  for (const kind of ["h1", "edge", "h2"]) {
    const count = (waves, requests) => coalesce(wanted, { ...LIMITS[kind], maxPerSearch: 12 }, 0, { waves, requests }).length;
    assert.deepEqual([count(0, 0), count(1, 3), count(2, 7)], [3, 4, 5]);
    assert.deepEqual([count(1, 1), count(2, 4)], [6, 8]);
    assert.deepEqual([count(3, 12), count(9, 30)], [1, 1], "a search of many small waves goes on");
  }
});

test("few requests a wave over HTTP/2, but not for gaps without end", () => {
  const near = extents(...Array.from({ length: 200 }, (_, i) => [i * 6000, 1000]));
  const far = extents(...Array.from({ length: 200 }, (_, i) => [i * 1_000_000, 1000]));
  for (const [kind, count] of [["h2", 200 - Math.floor((24 * 1024) / 5000)], ["unknown", 200 - Math.floor((64 * 1024) / 5000)]]) {
    const runs = coalesce(near, LIMITS[kind], 125_000);
    assert.equal(runs.length, count);
    assert.ok(runs.reduce((sum, { length }) => sum + length, 0) - 200_000 <= LIMITS[kind].maxGapBytes);
    assert.equal(coalesce(far, LIMITS[kind], 125_000).length, 200);
  }
});

test("six at a time: another round of requests where its round trip costs less than the gaps", () => {
  // Thirteen extents are three rounds of six; closing one gap makes it two, closing seven makes it one.
  const wanted = extents(...Array.from({ length: 13 }, (_, i) => [i * 20_000, 1000]));
  const rounds = (bandwidthDelay) => Math.ceil(coalesce(wanted, LIMITS.h1, bandwidthDelay).length / 6);
  const [one, round] = [19_000 - 1024, 6 * (19_000 - 1024)];
  assert.deepEqual([0, one - 1, one, round - 1, round].map(rounds), [3, 3, 2, 2, 1]);
  assert.equal(coalesce(wanted, LIMITS.h1, 0).length, 13, "nothing is read along for nothing");
  assert.equal(coalesce(wanted, LIMITS.h1, round).length, 6);
});

test("a worker's search has 48 requests, whatever that takes", () => {
  const wanted = extents(...Array.from({ length: 100 }, (_, i) => [i * 1_000_000, 1000]));
  const count = (waves, requests) => coalesce(wanted, LIMITS.edge, 1, { waves, requests }).length;
  assert.deepEqual([count(0, 0), count(1, 12), count(2, 28), count(2, 5)], [12, 16, 20, 43]);
});

test("what is under way is not asked for again", () => {
  const rest = subtract(extents([0, 100], [200, 100]), extents([50, 10], [90, 150], [290, 50]));
  assert.deepEqual(rest, extents([0, 50], [60, 30], [240, 50]));
  assert.deepEqual(subtract(extents([0, 10]), extents([0, 10])), []);
});

test("chunks of any size are cut to the grain, and gaps dropped", () => {
  const [run] = coalesce(extents([100, 50], [160, 7], [170, 100]), { maxPerWave: 1, maxGapBytes: 100, requestCostBytes: 0 });
  const bytes = Uint8Array.from({ length: 170 }, (_, i) => i + 100);
  for (let size = 1; size <= 171; size++) {
    const got = new Map();
    const splitter = new ChunkSplitter(run, (offset) => (offset === 160 ? 7 : 20), (offset, piece) => {
      const extent = run.extents.find((e) => offset >= e.offset && offset < e.offset + e.length);
      const end = extent.offset + extent.length;
      const grain = extent.offset === 160 ? 7 : 20;
      assert.equal((offset - extent.offset) % grain, 0);
      assert.ok(piece.length % grain === 0 || offset + piece.length === end, `${offset} + ${piece.length}`);
      piece.forEach((byte, i) => {
        assert.ok(!got.has(offset + i), "twice");
        got.set(offset + i, byte);
      });
    });
    for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
    assert.equal(got.size, 157);
    for (const [offset, byte] of got) assert.equal(byte, offset & 255);
  }
});
