import { isBytes } from "../describe.js";
import { throwIfAborted } from "../errors.js";
import { coalesce } from "../requests/coalesce.js";
import { subtract } from "../requests/extents.js";
import { ForwardingSource } from "../sources/forwarding.js";
import { join, readAll, STREAM_FROM } from "../sources/source.js";

/** Holes in what is stored are fetched with one request if they are nearer to each other than this. */
const MERGE_HOLES = { maxPerWave: Infinity, maxGapBytes: Infinity, requestCostBytes: 64 * 1024 };

/**
 * A remote source behind a page store. What the store covers is read from it; what comes from the network is kept once the
 * core has checked it.
 */
export class StoredSource extends ForwardingSource {
  #store;
  #url;
  /** @type {Promise<void> | undefined} undefined: the content is not known yet */
  #ready;
  /** @type {Extent[]} that are too long to be kept */
  #notKept = [];

  /**
   * @param {Source} inner
   * @param {Store} store
   * @param {string} url what the user opened, without a query string
   * @param {string} [key] of the content, where a manifest names it
   */
  constructor(inner, store, url, key) {
    super(inner);
    this.#store = store;
    this.#url = url;
    this.stats = store.stats;
    if (key) this.#ready = store.use(key);
  }

  /**
   * The front was read and is valid: remembers what the URL has. Without a manifest, the file id in the front says which
   * stored bytes belong to it, so the front itself is always fetched while the host can be reached.
   * @param {Uint8Array} front
   * @param {string} fileId
   * @param {Uint8Array | undefined} manifest
   * @param {string[]} others the keys of the index's other files
   */
  async opened(front, fileId, manifest, others) {
    this.#ready ??= this.#store.use(fileId);
    await this.#ready;
    this.keep(0, front);
    this.#store.remember(this.#url, manifest ?? new TextEncoder().encode(JSON.stringify({ length: this.length })), others);
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
    const holes = coalesce(subtract([extent], this.#store.within(extent)), MERGE_HOLES);
    if (holes.length === 0) this.stats.hits += 1;
    else this.stats.misses += 1;
    if (holes[0]?.length === length) {
      if (length > this.#store.longest) this.#notKept.push(extent);
      return this.inner.read(offset, length, options);
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
      const got = await this.inner.read(offset, length, options);
      if (isBytes(got)) yield got;
      else yield* got;
    }
  }

  /**
   * The front of a file without a manifest. If the host cannot be reached, it is read as it was at the last visit.
   * @param {number} offset
   * @param {number} length
   * @param {import("../sources/source.js").ReadOptions} options
   */
  async #first(offset, length, options) {
    try {
      return await readAll(this.inner, offset, length, options.signal);
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
      this.inner.length = total;
      this.stats.bytes += bytes.length;
      return bytes;
    }
  }

  /**
   * @param {number} offset
   * @param {Uint8Array} bytes that the core has checked
   */
  keep(offset, bytes) {
    if (!this.#notKept.some((extent) => offset >= extent.offset && offset < extent.offset + extent.length)) this.#store.keep(offset, bytes);
  }

  /**
   * @param {Extent} extent
   * @returns {boolean}
   */
  forget(extent) {
    return this.#store.forget(extent) || super.forget(extent);
  }

  async close() {
    await this.#store.close();
    await super.close();
  }
}

/** @typedef {import("../sources/source.js").Source} Source */
/** @typedef {import("../sources/source.js").Extent} Extent */
/** @typedef {import("./extents.js").Piece} Piece */
/** @typedef {import("./store.js").Store} Store */
