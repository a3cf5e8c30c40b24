// Pure decisions about one wave of extents: what is still to be asked for, and as which requests.

/**
 * @typedef {{ offset: number, length: number }} Extent
 * @typedef {Extent & { extents: Extent[] }} Run one request: the extents it brings, in order
 *
 * @typedef {object} RequestLimits how a wave's extents may be merged into requests
 * @property {number} [maxConcurrent] requests that the way there takes at once: each round of them takes a round trip
 * @property {number} maxPerWave at most so many for a wave, as long as that wastes no more than `maxGapBytes`
 * @property {number} maxGapBytes bytes of gaps that are read to save requests
 * @property {number} requestCostBytes gaps of so many bytes cost less than a request does
 * @property {number} [maxPerSearch] at most so many for a search, whatever bytes that takes
 *
 * @typedef {"h2" | "h1" | "edge" | "unknown"} Connection
 */

/**
 * Requests against wasted bytes, measured on cold searches by clusters, wordnet (117,791 rows, means of 20): a first
 * query needs 358 kB in 108 ranges. With 60 requests a wave and 32 KiB of gaps it is 372 kB in 90 requests, with 40
 * and 256 KiB 422 kB in 79; of a million rows a later query is 757 kB in 171 with 32 KiB, 743 kB in 175 with 24. With 12 requests in all it is 10.8 MB, of a million rows 41 MB, as the lists and rows that
 * are read lie all over the file; so twelve is for who asks for it (`maxRequests`).
 *
 * `maxPerHost` is for all indexes and searches: so many requests to a host are under way, more wait for their turn.
 * @type {Record<Connection, RequestLimits & { maxPerHost: number }>}
 */
export const LIMITS = {
  // All of a wave at once, each for some hundred bytes of headers: little is worth wasting. Servers take about a
  // hundred streams of a connection.
  h2: { maxPerHost: 100, maxPerWave: 60, maxGapBytes: 24 * 1024, requestCostBytes: 1024 },
  // What is not known to be HTTP/2 may queue behind six connections: fewer, but not for megabytes.
  unknown: { maxPerHost: 40, maxPerWave: 40, maxGapBytes: 64 * 1024, requestCostBytes: 1024 },
  // Six connections, one request each at a time: the link decides how many rounds are worth their round trips.
  h1: { maxConcurrent: 6, maxPerHost: 6, maxPerWave: Infinity, maxGapBytes: 0, requestCostBytes: 1024 },
  // The same six, and a limit of requests (50, say) for all that a worker does. They wait in the runtime: what another
  // call's request lets go is no call's own.
  edge: { maxConcurrent: 6, maxPerHost: Infinity, maxPerWave: Infinity, maxGapBytes: 0, requestCostBytes: 1024, maxPerSearch: 48 },
};

/** Of the requests of a search, those of its first, its first two, its first three waves: cells, lists, rows. */
const SHARES = [3 / 12, 7 / 12, 1];

/**
 * The core's flat list of pairs.
 * @param {ArrayLike<number>} pairs
 * @returns {Extent[]} by offset
 */
export function toExtents(pairs) {
  /** @type {Extent[]} */
  const extents = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) extents.push({ offset: pairs[i], length: pairs[i + 1] });
  return extents.sort((a, b) => a.offset - b.offset);
}

/**
 * The parts of `extents` that no extent in `taken` covers.
 * @param {Extent[]} extents
 * @param {Extent[]} taken
 * @returns {Extent[]}
 */
export function subtract(extents, taken) {
  let rest = extents;
  for (const { offset, length } of taken) {
    const end = offset + length;
    rest = rest.flatMap((extent) => {
      const extentEnd = extent.offset + extent.length;
      if (extentEnd <= offset || extent.offset >= end) return [extent];
      const parts = [];
      if (extent.offset < offset) parts.push({ offset: extent.offset, length: offset - extent.offset });
      if (extentEnd > end) parts.push({ offset: end, length: extentEnd - end });
      return parts;
    });
  }
  return rest;
}

/**
 * Merges extents into requests, smallest gaps first, as far as the link says that it is faster, and further where there
 * are more requests than a wave may have and the gaps are small enough.
 * @param {Extent[]} extents by offset, not overlapping
 * @param {RequestLimits} limits
 * @param {number} [bandwidthDelay] bytes that the link brings in the time of a round trip
 * @param {{ waves: number, requests: number }} [before] what the search asked for already
 * @returns {Run[]}
 */
export function coalesce(extents, limits, bandwidthDelay = 0, before = { waves: 0, requests: 0 }) {
  const gaps = extents.slice(1).map((extent, i) => ({ at: i, size: extent.offset - (extents[i].offset + extents[i].length) }));
  gaps.sort((a, b) => a.size - b.size || a.at - b.at);
  const joined = new Set(gaps.slice(0, countMerged(gaps.map(({ size }) => size), limits, bandwidthDelay, before)).map(({ at }) => at));
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
 * How many of the smallest gaps are read. Costs are in bytes: what the link brings in the same time.
 * @param {number[]} gaps rising
 * @param {RequestLimits} limits
 * @param {number} bandwidthDelay
 * @param {{ waves: number, requests: number }} before
 */
function countMerged(gaps, { maxConcurrent = Infinity, maxPerWave, maxGapBytes, requestCostBytes, maxPerSearch }, bandwidthDelay, before) {
  let [count, least, wasted, read] = [0, Infinity, 0, 0];
  for (let merged = 0; merged <= gaps.length; merged++) {
    if (merged > 0) read += gaps[merged - 1];
    const asked = gaps.length + 1 - merged;
    const cost = read + asked * requestCostBytes + (maxConcurrent < Infinity ? Math.ceil(asked / maxConcurrent) * bandwidthDelay : 0);
    if (cost <= least) [count, least, wasted] = [merged, cost, read];
  }
  while (gaps.length + 1 - count > maxPerWave && count < gaps.length && wasted + gaps[count] <= maxGapBytes) wasted += gaps[count++];
  if (maxPerSearch === undefined) return count;
  const share = Math.ceil(maxPerSearch * SHARES[Math.min(before.waves, SHARES.length - 1)]) - before.requests;
  return Math.max(count, Math.min(gaps.length, gaps.length + 1 - share));
}
