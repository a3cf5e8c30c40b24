// The pieces of a wave are requested at the same time and lie close together, so they are read with few calls.
import { coalesce } from "../requests/coalesce.js";

/** Pieces of a pack are read with one call if they are nearer to each other than this. */
const MERGE_PIECES = { maxPerWave: Infinity, maxGapBytes: Infinity, requestCostBytes: 64 * 1024 };

/**
 * @typedef {import("../sources/source.js").Extent & { pack: import("./extents.js").Pack, resolve: (bytes: Uint8Array | undefined) => void }} Waiting
 *   its offset is that in the pack
 */

export class BatchedReads {
  #folder;
  /** @type {Waiting[]} to be read together */
  #waiting = [];

  /** @param {Promise<import("./opfs.js").Folder | undefined>} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  /**
   * @param {import("./extents.js").Piece} piece
   * @returns {Promise<Uint8Array | undefined>}
   */
  read({ pack, at, length }) {
    return new Promise((resolve) => {
      const first = this.#waiting.push({ pack, offset: at, length, resolve }) === 1;
      if (first) queueMicrotask(() => this.#readAll(this.#waiting.splice(0)));
    });
  }

  /** @param {Waiting[]} waiting */
  async #readAll(waiting) {
    const folder = await this.#folder;
    for (const name of new Set(waiting.map(({ pack }) => pack.name))) {
      const inPack = waiting.filter(({ pack }) => pack.name === name).sort((a, b) => a.offset - b.offset);
      for (const { offset, extents } of coalesce(inPack, MERGE_PIECES)) {
        const end = Math.max(...extents.map((extent) => extent.offset + extent.length));
        const read = folder?.read(/** @type {string} */ (name), offset, end).catch(() => undefined);
        for (const one of /** @type {Waiting[]} */ (extents)) {
          void Promise.resolve(read).then((bytes) => one.resolve(bytes?.subarray(one.offset - offset, one.offset - offset + one.length)));
        }
      }
    }
  }
}
