import { isA } from "../../describe.js";
import { PagevecError } from "../../errors.js";
import { chunksOf } from "../chunks.js";
import { LOCAL_LIMITS, newTraffic, shortRead, STREAM_FROM } from "../source.js";

/**
 * A Blob, or a File that a person picked.
 * @implements {Source}
 */
export class BlobSource {
  #blob;
  limits = LOCAL_LIMITS;
  traffic = newTraffic();

  /** @param {Blob} blob */
  constructor(blob) {
    this.#blob = blob;
    const name = /** @type {{ name?: unknown }} */ (blob).name;
    this.name = typeof name === "string" && name ? name : "the blob";
    /** @type {number} */
    this.length = blob.size;
    // A File is on a disk.
    this.inMemory = !isA(blob, "File");
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {{ signal?: AbortSignal }} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, { signal } = {}) {
    const part = this.#blob.slice(offset, offset + length);
    if (part.size !== length) throw shortRead(this.name, length, part.size);
    this.traffic.requests += 1;
    if (length > STREAM_FROM) return this.#stream(part, length, signal);
    const bytes = new Uint8Array(await part.arrayBuffer().catch((cause) => this.#fail(cause)));
    this.traffic.bytes += bytes.length;
    return bytes;
  }

  /**
   * @param {Blob} part
   * @param {number} length
   * @param {AbortSignal} [signal]
   */
  async *#stream(part, length, signal) {
    let done = 0;
    try {
      for await (const chunk of chunksOf(part.stream(), signal)) {
        done += chunk.length;
        this.traffic.bytes += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      if (cause instanceof PagevecError) throw cause;
      this.#fail(cause);
    }
    if (done !== length) throw shortRead(this.name, length, done);
  }

  /**
   * @param {unknown} cause
   * @returns {never}
   */
  #fail(cause) {
    throw new PagevecError("io", `${this.name} cannot be read any more: it changed or was removed; choose it again`, { cause });
  }

  close() {}
}

/** @typedef {import("../source.js").Source} Source */
