// Arithmetic of byte ranges.

/** @typedef {import("../sources/source.js").Extent} Extent */

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
 * @param {Extent} a
 * @param {Extent} b
 * @returns {boolean} whether they share a byte
 */
export function overlap(a, b) {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}
