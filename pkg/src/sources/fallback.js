// A segment that lies on its host both as one file and in parts: ranges of the file, until the host
// turns out not to give them; parts from then on.
import { PagevecError } from "../errors.js";

/**
 * What says that this host does not give ranges of this file: it ignores or compresses them, refuses
 * them with a status of its own (`stale` is 416), or does not have a file so large.
 */
const NO_RANGES = new Set(["range-unsupported", "stale", "status", "not-found"]);

/**
 * @implements {Source}
 */
export class FallbackSource {
  #ranges;
  #parts;
  /** @type {Source} */
  #current;
  /** @type {PagevecError | undefined} why ranges were given up */
  #reason;

  /**
   * @param {Source} ranges
   * @param {Source} parts with the same traffic
   */
  constructor(ranges, parts) {
    this.#ranges = ranges;
    this.#parts = parts;
    this.#current = ranges;
    this.name = ranges.name;
    this.traffic = ranges.traffic;
  }

  get length() {
    return this.#current.length;
  }

  get limits() {
    return this.#current.limits;
  }

  get link() {
    return this.#current.link;
  }

  get here() {
    return this.#current.here;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("./source.js").ReadOptions} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, options) {
    if (this.#current === this.#parts) return this.#readParts(offset, length, options);
    try {
      const got = await this.#ranges.read(offset, length, options);
      return got instanceof Uint8Array ? got : this.#watch(got, offset, length, options);
    } catch (error) {
      this.#giveUpRanges(error);
      return this.#readParts(offset, length, options);
    }
  }

  /**
   * A stream that goes on from parts where it broke off.
   * @param {AsyncIterable<Uint8Array>} chunks
   * @param {number} offset
   * @param {number} length
   * @param {import("./source.js").ReadOptions} options
   */
  async *#watch(chunks, offset, length, options) {
    let done = 0;
    try {
      for await (const chunk of chunks) {
        done += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      this.#giveUpRanges(error);
    }
    const rest = await this.#readParts(offset + done, length - done, options);
    if (rest instanceof Uint8Array) yield rest;
    else yield* rest;
  }

  /**
   * @param {{ offset: number, length: number }} extent
   * @returns {boolean}
   */
  forget(extent) {
    return this.#current.forget?.(extent) ?? false;
  }

  /** @returns {boolean} */
  changed() {
    return this.#current.changed?.() ?? false;
  }

  /** @param {unknown} error */
  #giveUpRanges(error) {
    if (!(error instanceof PagevecError) || !NO_RANGES.has(error.code)) throw error;
    this.#reason ??= error;
    this.#current = this.#parts;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("./source.js").ReadOptions} options
   */
  async #readParts(offset, length, options) {
    try {
      return await this.#parts.read(offset, length, options);
    } catch (error) {
      if (error instanceof PagevecError) error.cause ??= this.#reason;
      throw error;
    }
  }

  async close() {
    await this.#ranges.close();
    await this.#parts.close();
  }
}

/** @typedef {import("./source.js").Source} Source */
