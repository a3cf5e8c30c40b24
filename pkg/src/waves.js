// Pure decisions about one wave of extents: what is still to be asked for, and as which requests.

/**
 * @typedef {{ offset: number, length: number }} Extent
 * @typedef {Extent & { extents: Extent[] }} Run one request: the extents it brings, in order
 * @typedef {import("./sources/source.js").WaveLimits} WaveLimits
 */

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
 * @returns {Run[]}
 */
export function plan(extents, limits) {
  const gaps = extents.slice(1).map((extent, i) => ({ at: i, size: extent.offset - (extents[i].offset + extents[i].length) }));
  gaps.sort((a, b) => a.size - b.size || a.at - b.at);
  const joined = new Set();
  let waste = 0;
  for (const { at, size } of gaps) {
    if (size > limits.near && (extents.length - joined.size <= limits.requests || waste + size > limits.waste)) break;
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
