import { subtract } from "../requests/extents.js";

/**
 * @typedef {import("../sources/source.js").Extent} Extent
 *
 * @typedef {object} Pack a file of the store, or one that will be
 * @property {string | undefined} name undefined: it is not written yet
 *
 * @typedef {Extent & { pack: Pack, at: number, bytes?: Uint8Array }} Piece bytes of the segment at `at` of a pack, or
 *   still in memory
 */

/** Which bytes of a segment are stored, and where. Pieces never overlap. */
export class Extents {
  /** @type {Piece[]} by offset */
  #pieces = [];

  /**
   * The pieces that touch `extent`, cut to it, in order.
   * @param {Extent} extent
   * @returns {Piece[]}
   */
  within({ offset, length }) {
    const end = offset + length;
    const found = [];
    for (let i = this.#after(offset); i < this.#pieces.length && this.#pieces[i].offset < end; i++) {
      const piece = this.#pieces[i];
      const from = Math.max(piece.offset, offset);
      found.push(cut(piece, from, Math.min(piece.offset + piece.length, end) - from));
    }
    return found;
  }

  /**
   * @param {Extent} extent
   * @returns {boolean}
   */
  covers(extent) {
    return subtract([extent], this.within(extent)).length === 0;
  }

  /**
   * Adds the parts of `piece` that are not stored yet.
   * @param {Piece} piece
   * @returns {Piece[]} the parts that were added
   */
  add(piece) {
    const added = subtract([piece], this.within(piece)).map(({ offset, length }) => cut(piece, offset, length));
    for (const part of added) this.#pieces.splice(this.#after(part.offset), 0, part);
    return added;
  }

  /**
   * @param {string} name
   * @returns {Piece[]} those in that pack
   */
  inPack(name) {
    return this.#pieces.filter(({ pack }) => pack.name === name);
  }

  /** How many packs they are in. */
  get packs() {
    return new Set(this.#pieces.map(({ pack }) => pack.name)).size;
  }

  /** @param {(piece: Piece) => boolean} unwanted */
  remove(unwanted) {
    this.#pieces = this.#pieces.filter((piece) => !unwanted(piece));
  }

  /**
   * The index of the first piece that ends after `offset`.
   * @param {number} offset
   */
  #after(offset) {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pieces[middle].offset + this.#pieces[middle].length > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * @param {Piece} piece
 * @param {number} offset
 * @param {number} length
 * @returns {Piece}
 */
function cut(piece, offset, length) {
  const skip = offset - piece.offset;
  if (skip === 0 && length === piece.length) return piece;
  const { pack, bytes } = piece;
  return { pack, offset, length, at: piece.at + skip, bytes: bytes?.subarray(skip, skip + length) };
}
