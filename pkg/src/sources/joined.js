/**
 * The segments of an index as one source. Each has its own range of offsets; the core chooses where they begin, and they lie so far
 * apart that `coalesce` never makes one request of two segments.
 *
 * All are on one host, count in one Traffic and share one Link, so what holds for the first of them holds for all.
 * @implements {Source}
 */
export class JoinedSource {
  #sources;
  #bases;

  /**
   * @param {string} name of the index
   * @param {Source[]} sources of the segments, two or more
   * @param {ArrayLike<number>} bases where each begins, rising from 0
   */
  constructor(name, sources, bases) {
    this.name = name;
    this.#sources = sources;
    this.#bases = bases;
    this.traffic = sources[0].traffic;
    this.stats = sources[0].stats;
  }

  /** The end of the last one. */
  get length() {
    const last = this.#sources.length - 1;
    return this.#bases[last] + (this.#sources[last].length ?? 0);
  }

  get limits() {
    return this.#sources[0].limits;
  }

  get link() {
    return this.#sources[0].link;
  }

  get inMemory() {
    return this.#sources.every((source) => source.inMemory);
  }

  /**
   * @param {number} offset
   * @returns {Source} the one that holds the byte there
   */
  at(offset) {
    return this.#find(offset).source;
  }

  /**
   * @param {number} offset
   * @returns {number} of the last segment that begins at `offset` or before it
   */
  numberAt(offset) {
    let low = 0;
    for (let high = this.#sources.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (this.#bases[middle] <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("./source.js").ReadOptions} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, options) {
    const { source, base } = this.#find(offset);
    return source.read(offset - base, length, options);
  }

  /**
   * @param {import("./source.js").Extent} extent
   * @returns {boolean}
   */
  forget({ offset, length }) {
    const { source, base } = this.#find(offset);
    return source.forget?.({ offset: offset - base, length }) ?? false;
  }

  /**
   * @param {import("./source.js").Extent} extent
   * @returns {boolean}
   */
  has({ offset, length }) {
    const { source, base } = this.#find(offset);
    return source.has?.({ offset: offset - base, length }) ?? false;
  }

  /**
   * @param {number} offset
   * @param {Uint8Array} bytes that the core has checked
   */
  keep(offset, bytes) {
    const { source, base } = this.#find(offset);
    source.keep?.(offset - base, bytes);
  }

  async close() {
    for (const source of this.#sources) await source.close();
  }

  /** @param {number} offset */
  #find(offset) {
    const number = this.numberAt(offset);
    return { source: this.#sources[number], base: this.#bases[number] };
  }
}

/** @typedef {import("./source.js").Source} Source */
