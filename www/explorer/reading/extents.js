// Sets of bytes of a file, as sorted pairs [from, to) that do not touch.

/** @typedef {[number, number][]} Extents */

/** @param {Extents} pairs in any order, overlapping or not @returns {Extents} */
export function union(pairs) {
  /** @type {Extents} */
  const merged = [];
  for (const [from, to] of [...pairs].sort((a, b) => a[0] - b[0])) {
    const last = merged[merged.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (to > from) merged.push([from, to]);
  }
  return merged;
}

/** @param {Extents} extents a union */
export const size = (extents) => extents.reduce((sum, [from, to]) => sum + to - from, 0);

/** Bytes of a union that lie in [from, to). @param {Extents} extents @param {number} from @param {number} to */
export const sizeWithin = (extents, from, to) =>
  extents.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0);
