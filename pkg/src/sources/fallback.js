import { isBytes } from "../describe.js";
import { PagevecError } from "../errors.js";
import { ForwardingSource } from "./forwarding.js";

/**
 * The codes of errors that say that this host serves no ranges of this file: it ignores or compresses them, refuses them
 * with a status of its own (`stale` is 416), or does not have a file so large.
 */
const NO_RANGES = new Set(["range-unsupported", "stale", "status", "not-found"]);

/**
 * A segment that its host has both as one file and in parts. Ranges of the file are read until the host turns out not to
 * serve them; parts are read from then on.
 */
export class FallbackSource extends ForwardingSource {
  #parts;
  #close;
  /** @type {PagevecError | undefined} why ranges were given up */
  #reason;

  /**
   * @param {Source} ranges
   * @param {Source} parts with the same traffic
   */
  constructor(ranges, parts) {
    super(ranges);
    this.#parts = parts;
    this.#close = async () => {
      await ranges.close();
      await parts.close();
    };
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("./source.js").ReadOptions} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, options) {
    if (this.inner === this.#parts) return this.#readParts(offset, length, options);
    try {
      const got = await this.inner.read(offset, length, options);
      return isBytes(got) ? got : this.#watch(got, offset, length, options);
    } catch (error) {
      this.#giveUpRanges(error);
      return this.#readParts(offset, length, options);
    }
  }

  /**
   * A stream of a range. If it breaks off, parts give the rest.
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
    if (isBytes(rest)) yield rest;
    else yield* rest;
  }

  /** @param {unknown} error */
  #giveUpRanges(error) {
    if (!(error instanceof PagevecError) || !NO_RANGES.has(error.code)) throw error;
    this.#reason ??= error;
    this.inner = this.#parts;
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

  close() {
    return this.#close();
  }
}

/** @typedef {import("./source.js").Source} Source */
