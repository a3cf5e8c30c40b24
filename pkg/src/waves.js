// Pure decisions about one wave of extents: what is still to be asked for, and as which requests.

/**
 * @typedef {{ offset: number, length: number }} Extent
 * @typedef {Extent & { extents: Extent[] }} Run one request: the extents it brings, in order
 *
 * @typedef {object} WaveLimits how a wave's extents may be merged into requests
 * @property {number} requests at most so many for a wave, as long as that wastes no more than `waste`
 * @property {number[]} [inAll] at most so many for a search after its first, second, … wave; what one wave leaves the
 *   next may have
 * @property {number} waste bytes of gaps that are read to save requests
 * @property {number} near gaps of so many bytes cost less than a request does
 *
 * @typedef {"h2" | "h1" | "edge" | "unknown"} Connection
 */

/**
 * Requests against wasted bytes, measured on cold searches by clusters, wordnet (117,791 rows, means of 20): a first
 * query needs 358 kB in 108 ranges. With 60 requests a wave and 32 KiB of waste it is 372 kB in 90 requests, with 40
 * and 256 KiB 422 kB in 79.
 * @type {Record<Connection, WaveLimits>}
 */
export const LIMITS = {
  // All of a wave at once, each for some hundred bytes of headers: little is worth wasting. Servers take about a
  // hundred streams of a connection.
  h2: { requests: 60, waste: 32 * 1024, near: 1024 },
  // What is not known to be HTTP/2 may queue behind six connections: fewer, but not for megabytes.
  unknown: { requests: 40, waste: 64 * 1024, near: 1024 },
  // Six connections, one request each at a time: 12 for three waves, whatever bytes that takes.
  h1: { requests: 12, inAll: [3, 7, 12], waste: Infinity, near: 4096 },
  // The same six, and a limit of requests (50, say) for all that a worker does.
  edge: { requests: 12, inAll: [3, 7, 12], waste: Infinity, near: 4096 },
};

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
 * Merges extents into requests, smallest gaps first, until there are few enough requests or the
 * next gap would waste too much. Extents that (nearly) touch are always one request.
 * @param {Extent[]} extents by offset, not overlapping
 * @param {WaveLimits} limits
 * @param {{ waves: number, requests: number }} [before] what the search asked for already
 * @returns {Run[]}
 */
export function plan(extents, limits, before = { waves: 0, requests: 0 }) {
  const most = mostRequests(limits, before);
  const gaps = extents.slice(1).map((extent, i) => ({ at: i, size: extent.offset - (extents[i].offset + extents[i].length) }));
  gaps.sort((a, b) => a.size - b.size || a.at - b.at);
  const joined = new Set();
  let waste = 0;
  for (const { at, size } of gaps) {
    if (size > limits.near && (extents.length - joined.size <= most || waste + size > limits.waste)) break;
    waste += size;
    joined.add(at);
  }
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
 * @param {WaveLimits} limits
 * @param {{ waves: number, requests: number }} before
 */
function mostRequests({ requests, inAll }, before) {
  if (!inAll) return requests;
  const last = inAll.length - 1;
  return Math.max(1, Math.min(requests, inAll[Math.min(before.waves, last)] - before.requests));
}
