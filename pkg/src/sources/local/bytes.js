import { LOCAL_LIMITS, newTraffic, shortRead } from "../source.js";

/**
 * Bytes that the caller holds. They are not copied: if the caller changes them while the index is open, searches fail with
 * `checksum`.
 * @implements {Source}
 */
export class BytesSource {
  #bytes;
  limits = LOCAL_LIMITS;
  inMemory = true;

  /**
   * @param {Uint8Array} bytes
   * @param {string} [name]
   * @param {Traffic} [traffic]
   */
  constructor(bytes, name = "the bytes", traffic = newTraffic()) {
    this.#bytes = bytes;
    this.name = name;
    this.traffic = traffic;
    /** @type {number} */
    this.length = bytes.length;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @returns {Promise<Uint8Array>}
   */
  async read(offset, length) {
    const part = this.#bytes.subarray(offset, offset + length);
    if (part.length !== length) throw shortRead(this.name, length, part.length);
    this.traffic.requests += 1;
    this.traffic.bytes += length;
    return part;
  }

  close() {
    this.#bytes = new Uint8Array();
  }
}

/** @typedef {import("../source.js").Source} Source */
/** @typedef {import("../source.js").Traffic} Traffic */
