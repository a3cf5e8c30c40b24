// The pieces of a wave are asked for at once and lie close together: they are read in few calls.
import { coalesce } from "../requests/coalesce.js";

/** Pieces of a pack that are nearer than this are read as one. */
const NEAR = { maxPerWave: Infinity, maxGapBytes: Infinity, requestCostBytes: 64 * 1024 };

/**
 * @typedef {import("./extents.js").Extent & { pack: import("./extents.js").Pack, resolve: (bytes: Uint8Array | undefined) => void }} Asked
 *   its offset is that in the pack
 */

export class BatchedReads {
  #folder;
  /** @type {Asked[]} to be read together */
  #asked = [];

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
      const first = this.#asked.push({ pack, offset: at, length, resolve }) === 1;
      if (first) queueMicrotask(() => this.#readAll(this.#asked.splice(0)));
    });
  }

  /** @param {Asked[]} asked */
  async #readAll(asked) {
    const folder = await this.#folder;
    for (const name of new Set(asked.map(({ pack }) => pack.name))) {
      const here = asked.filter(({ pack }) => pack.name === name).sort((a, b) => a.offset - b.offset);
      for (const { offset, extents } of coalesce(here, NEAR)) {
        const end = Math.max(...extents.map((extent) => extent.offset + extent.length));
        const read = folder?.read(/** @type {string} */ (name), offset, end).catch(() => undefined);
        for (const one of /** @type {Asked[]} */ (extents)) {
          void Promise.resolve(read).then((bytes) => one.resolve(bytes?.subarray(one.offset - offset, one.offset - offset + one.length)));
        }
      }
    }
  }
}
