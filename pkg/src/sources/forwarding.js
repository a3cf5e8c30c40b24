/**
 * A source in front of another one. It forwards everything that a subclass does not do itself.
 * @implements {Source}
 */
export class ForwardingSource {
  /** @type {Source} */
  inner;

  /** @param {Source} inner */
  constructor(inner) {
    this.inner = inner;
    this.name = inner.name;
    this.traffic = inner.traffic;
  }

  get length() {
    return this.inner.length;
  }

  get limits() {
    return this.inner.limits;
  }

  get link() {
    return this.inner.link;
  }

  get inMemory() {
    return this.inner.inMemory;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("./source.js").ReadOptions} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  read(offset, length, options) {
    return this.inner.read(offset, length, options);
  }

  /**
   * @param {import("./source.js").Extent} extent
   * @returns {boolean}
   */
  forget(extent) {
    return this.inner.forget?.(extent) ?? false;
  }

  /** @returns {boolean} */
  changed() {
    return this.inner.changed?.() ?? false;
  }

  /** @returns {void | Promise<void>} */
  close() {
    return this.inner.close();
  }
}

/** @typedef {import("./source.js").Source} Source */
