import { throwIfAborted } from "../errors.js";
import { join, readAll, STREAM_FROM } from "../sources/source.js";
import { coalesce, subtract } from "../requests/coalesce.js";

/** Holes in what is stored that are nearer than this are fetched as one. */
const NEAR = { maxPerWave: Infinity, maxGapBytes: Infinity, requestCostBytes: 64 * 1024 };

/**
 * A remote source with a store before it: what the store covers is read there. What came from the network is kept once
 * the core has checked it.
 * @implements {Source}
 */
export class StoredSource {
  #inner;
  #store;
  #url;
  /** @type {Promise<void> | undefined} undefined: the content is not known yet */
  #ready;
  /** @type {Extent[]} too long to be kept */
  #passing = [];

  /**
   * @param {Source} inner
   * @param {Store} store
   * @param {string} url what the user opened, without a query string
   * @param {string} [key] of the content, where a manifest names it
   */
  constructor(inner, store, url, key) {
    this.#inner = inner;
    this.#store = store;
    this.#url = url;
    this.stats = store.stats;
    if (key) this.#ready = store.use(key);
  }

  get name() {
    return this.#inner.name;
  }

  get length() {
    return this.#inner.length;
  }

  get traffic() {
    return this.#inner.traffic;
  }

  get limits() {
    return this.#inner.limits;
  }

  get link() {
    return this.#inner.link;
  }

  get here() {
    return this.#inner.here;
  }

  /**
   * The front was read and is good: what is at the URL is remembered. Without a manifest its file id says which pages
   * belong to it, so the front itself is always fetched while the host can be reached.
   * @param {Uint8Array} front
   * @param {string} fileId
   * @param {Uint8Array | undefined} manifest
   */
  async opened(front, fileId, manifest) {
    this.#ready ??= this.#store.use(fileId);
    await this.#ready;
    this.keep(0, front);
    this.#store.remember(this.#url, manifest ?? new TextEncoder().encode(JSON.stringify({ length: this.length })));
  }

  /**
   * @param {Extent} extent
   * @returns {boolean}
   */
  has(extent) {
    return this.#store.covers(extent);
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("../sources/source.js").ReadOptions} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, options) {
    if (!this.#ready) return this.#first(offset, length, options);
    await this.#ready;
    throwIfAborted(options.signal);
    const extent = { offset, length };
    const holes = coalesce(subtract([extent], this.#store.within(extent)), NEAR);
    if (holes.length === 0) this.stats.hits += 1;
    else this.stats.misses += 1;
    if (holes[0]?.length === length) {
      if (length > this.#store.longest) this.#passing.push(extent);
      return this.#inner.read(offset, length, options);
    }
    const chunks = this.#mixed(extent, holes, options);
    if (length > STREAM_FROM) return chunks;
    /** @type {Uint8Array[]} */
    const all = [];
    for await (const chunk of chunks) all.push(chunk);
    return join(all, length);
  }

  /**
   * @param {Extent} extent
   * @param {Extent[]} holes
   * @param {import("../sources/source.js").ReadOptions} options
   */
  async *#mixed(extent, holes, options) {
    /** @type {(Piece | Extent & { pack?: undefined })[]} */
    const parts = [...holes, ...subtract([extent], holes).flatMap((rest) => this.#store.within(rest))];
    for (const part of parts.sort((a, b) => a.offset - b.offset)) {
      throwIfAborted(options.signal);
      const { offset, length } = part;
      const bytes = part.pack && (await this.#store.read(part));
      if (bytes) {
        this.stats.bytes += length;
        yield bytes;
        continue;
      }
      const got = await this.#inner.read(offset, length, options);
      if (got instanceof Uint8Array) yield got;
      else yield* got;
    }
  }

  /**
   * The front of a file without a manifest; where the host is out of reach, as it was at the last visit.
   * @param {number} offset
   * @param {number} length
   * @param {import("../sources/source.js").ReadOptions} options
   */
  async #first(offset, length, options) {
    try {
      return await readAll(this.#inner, offset, length, options.signal);
    } catch (error) {
      const known = await this.#store.recallFor(error, this.#url);
      if (!known) throw error;
      const total = JSON.parse(new TextDecoder().decode(known.bytes)).length;
      const ready = this.#store.use(known.key);
      await ready;
      const [piece] = this.#store.within({ offset, length });
      const bytes = piece?.offset === offset ? await this.#store.read(piece) : undefined;
      if (!bytes) throw error;
      this.#ready = ready;
      this.#inner.length = total;
      this.stats.bytes += bytes.length;
      return bytes;
    }
  }

  /**
   * @param {number} offset
   * @param {Uint8Array} bytes that the core has checked
   */
  keep(offset, bytes) {
    if (!this.#passing.some((extent) => offset >= extent.offset && offset < extent.offset + extent.length)) this.#store.keep(offset, bytes);
  }

  /**
   * What was read at `extent` is damaged.
   * @param {Extent} extent
   * @returns {boolean} whether it came from the store (or what the source keeps), so that it may be read again
   */
  forget(extent) {
    return this.#store.forget(extent) || (this.#inner.forget?.(extent) ?? false);
  }

  /** @returns {boolean} */
  changed() {
    return this.#inner.changed?.() ?? false;
  }

  async close() {
    await this.#store.close();
    await this.#inner.close();
  }
}

/** @typedef {import("../sources/source.js").Source} Source */
/** @typedef {import("./extents.js").Extent} Extent */
/** @typedef {import("./extents.js").Piece} Piece */
/** @typedef {import("./store.js").Store} Store */
