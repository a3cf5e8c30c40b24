// How the extents of a wave become requests. A wave is one batch of parallel requests; these are pure decisions about it.

/**
 * @typedef {import("../sources/source.js").Extent} Extent
 * @typedef {import("../sources/source.js").RequestLimits} RequestLimits
 * @typedef {Extent & { extents: Extent[] }} Run one request, and the extents it brings, in order
 */

/** Extents with such a gap between them lie in different segments, as the core spaces these, and are never merged. */
const APART = 2 ** 32;
/** The shares of `maxPerSearch` that a search has used after its first, second and third wave: cells, lists, rows. */
const SHARES = [3 / 12, 7 / 12, 1];

/**
 * Merges extents into requests. The smallest gaps are read along first: as many as make the wave faster on this link, and
 * more where there are too many requests and the gaps are small enough.
 * @param {Extent[]} extents by offset, not overlapping
 * @param {RequestLimits} limits
 * @param {number} [bandwidthDelay] bytes that the link delivers in one round trip
 * @param {{ waves: number, requests: number }} [before] what the search has requested already
 * @returns {Run[]}
 */
export function coalesce(extents, limits, bandwidthDelay = 0, before = { waves: 0, requests: 0 }) {
  const gaps = extents.slice(1).map((extent, i) => ({ at: i, size: extent.offset - (extents[i].offset + extents[i].length) })).filter(({ size }) => size < APART);
  gaps.sort((a, b) => a.size - b.size || a.at - b.at);
  const merged = countMerged(extents.length, gaps.map(({ size }) => size), limits, bandwidthDelay, before);
  const joined = new Set(gaps.slice(0, merged).map(({ at }) => at));
  /** @type {Run[]} */
  const runs = [];
  extents.forEach((extent, i) => {
    const last = runs[runs.length - 1];
    if (last && joined.has(i - 1)) {
      last.extents.push(extent);
      last.length = extent.offset + extent.length - last.offset;
    } else {
      runs.push({ offset: extent.offset, length: extent.length, extents: [extent] });
    }
  });
  return runs;
}

/**
 * How many of the smallest gaps are read along. Costs are in bytes: what the link delivers in the same time.
 * @param {number} extents
 * @param {number[]} gaps rising
 * @param {RequestLimits} limits
 * @param {number} bandwidthDelay
 * @param {{ waves: number, requests: number }} before
 */
function countMerged(extents, gaps, { maxConcurrent = Infinity, maxPerWave, maxGapBytes, requestCostBytes, maxPerSearch }, bandwidthDelay, before) {
  let [count, least, wasted, read] = [0, Infinity, 0, 0];
  for (let merged = 0; merged <= gaps.length; merged++) {
    if (merged > 0) read += gaps[merged - 1];
    const requests = extents - merged;
    const cost = read + requests * requestCostBytes + (maxConcurrent < Infinity ? Math.ceil(requests / maxConcurrent) * bandwidthDelay : 0);
    if (cost <= least) [count, least, wasted] = [merged, cost, read];
  }
  while (extents - count > maxPerWave && count < gaps.length && wasted + gaps[count] <= maxGapBytes) wasted += gaps[count++];
  if (maxPerSearch === undefined) return count;
  const share = Math.ceil(maxPerSearch * SHARES[Math.min(before.waves, SHARES.length - 1)]) - before.requests;
  return Math.max(count, Math.min(gaps.length, extents - share));
}
