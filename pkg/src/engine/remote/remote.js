// An open index in a worker. Arguments are checked and texts are embedded before they come here; what crosses is in messages.js.
// When the worker stops, the calls under way fail, and the next one starts another worker and opens the index again.
import { loadGiven } from "../../core/module.js";
import { closed, PagevecError, throwIfAborted } from "../../errors.js";
import { isName } from "../../sources/resolve.js";
import { decodeInfo } from "./messages.js";
import { Peer } from "./peer.js";

/**
 * @typedef {import("../engine.js").Engine} Engine
 * @typedef {import("../../core/info.js").Info} Info
 * @typedef {import("./messages.js").OpenCall} OpenCall
 * @typedef {{ peer: Peer, info: Info }} Opened
 * @typedef {(signal?: AbortSignal) => Promise<Opened>} OpenPeer starts a worker and opens the index in it
 */

/**
 * @typedef {object} Workers of a platform
 * @property {(input: string | URL) => string} locate what a worker, which may have another base, finds the same under
 * @property {(make: (() => unknown) | undefined) => (events: import("./peer.js").PortEvents) => import("./peer.js").Port} workerStarter of the
 *   package's own worker, or of the one that `make` gives
 */

/**
 * @param {Workers} workers
 * @param {import("../../sources/resolve.js").Input} input
 * @param {import("../settings.js").Checked} settings
 * @returns {Promise<Engine>}
 */
export async function openRemote({ locate, workerStarter }, input, settings) {
  const { memoryBudget, cache, expect, degraded, filters, prefetch, timeoutMs, retries, hedge, connection, maxRequests, link, onProgress, onFetch } = settings;
  const headers = settings.headers && Object.fromEntries(new Headers(settings.headers));
  const wasm = settings.wasm === undefined ? undefined : await loadGiven("search", settings.wasm);
  /** @type {OpenCall} */
  const call = {
    call: "open",
    input: isName(input) ? locate(input) : input,
    settings: { memoryBudget, cache, expect: expect && { ...expect }, degraded, filters, prefetch, timeoutMs, retries, hedge, connection, maxRequests, link, headers, wasm },
    listens: { onProgress: onProgress !== undefined, onFetch: onFetch !== undefined },
  };
  /** @type {import("./peer.js").RemoteListeners} */
  const listeners = { onProgress, onFetch };
  const start = workerStarter(typeof settings.worker === "function" ? settings.worker : undefined);
  /** @type {OpenPeer} */
  const openPeer = async (signal) => {
    throwIfAborted(signal);
    const peer = new Peer(start, listeners);
    try {
      const info = decodeInfo(await peer.call(call, signal));
      if (listeners.onMemory) await peer.call({ call: "watch", on: true });
      return { peer, info };
    } catch (error) {
      peer.fail(/** @type {PagevecError} */ (error));
      throw error;
    }
  };
  return new RemoteEngine(openPeer, await openPeer(settings.signal), call.settings, listeners);
}

/** @implements {Engine} */
export class RemoteEngine {
  #openPeer;
  #settings;
  #listeners;
  #info;
  #peer;
  /** @type {import("../engine.js").Stats} */
  #stats;
  /** @type {Promise<Peer> | undefined} */
  #reopening;
  /** @type {Promise<void> | undefined} */
  #closing;

  /**
   * @param {OpenPeer} openPeer
   * @param {Opened} first
   * @param {{ memoryBudget: number }} settings another worker is started with
   * @param {import("./peer.js").RemoteListeners} listeners
   */
  constructor(openPeer, { peer, info }, settings, listeners) {
    this.#openPeer = openPeer;
    this.#settings = settings;
    this.#listeners = listeners;
    this.#peer = peer;
    this.#info = info;
    this.#stats = /** @type {import("../engine.js").Stats} */ (peer.stats);
  }

  get info() {
    return this.#info;
  }

  get closed() {
    return this.#closing !== undefined;
  }

  /** @type {Engine["search"]} */
  search(query, request, signal) {
    return this.#call({ call: "search", query, request }, signal, "id" in query ? [] : [query.buffer]);
  }

  /** @type {Engine["searchArrays"]} */
  searchArrays(query, request, signal) {
    return this.#call({ call: "searchArrays", query, request }, signal, [query.buffer]);
  }

  /** @type {Engine["explain"]} */
  explain(query, request, signal) {
    return this.#call({ call: "explain", query, request }, signal, "id" in query ? [] : [query.buffer]);
  }

  /** @type {Engine["load"]} */
  load(signal) {
    return this.#call({ call: "load" }, signal);
  }

  /** @type {Engine["save"]} */
  save(signal) {
    return this.#call({ call: "save" }, signal);
  }

  /** @type {Engine["vector"]} */
  vector(id, signal) {
    return this.#call({ call: "vector", rowId: id }, signal);
  }

  /** @type {Engine["get"]} */
  get(ids, names, signal) {
    return this.#call({ call: "get", ids, names }, signal);
  }

  /** @type {Engine["has"]} */
  has(id, signal) {
    return this.#call({ call: "has", rowId: id }, signal);
  }

  /** @type {Engine["count"]} */
  count(filter, signal) {
    return this.#call({ call: "count", filter }, signal);
  }

  /** @type {Engine["facets"]} */
  facets(field, options, signal) {
    return this.#call({ call: "facets", field, options }, signal);
  }

  /** @type {Engine["rows"]} */
  rows(page, signal) {
    return this.#call({ call: "rows", page }, signal);
  }

  /** @type {Engine["evict"]} */
  evict(bytes) {
    return this.#call({ call: "evict", bytes }, undefined);
  }

  /** @type {Engine["setMemoryBudget"]} */
  async setMemoryBudget(bytes) {
    await this.#call({ call: "setMemoryBudget", bytes }, undefined);
    this.#settings.memoryBudget = bytes;
  }

  /** @type {Engine["memoryMap"]} */
  memoryMap() {
    return this.#call({ call: "memoryMap" }, undefined);
  }

  /** @type {Engine["watch"]} */
  watch(listener) {
    this.#listeners.onMemory = listener;
    return this.#call({ call: "watch", on: listener !== undefined }, undefined);
  }

  /** @type {Engine["stats"]} */
  stats() {
    if (this.closed) throw closed();
    this.#stats = this.#peer.stats ?? this.#stats;
    return structuredClone(this.#stats);
  }

  /** @type {Engine["close"]} */
  close() {
    this.#closing ??= (async () => {
      // The worker closes files and ends its own calls; if it stops meanwhile, that is done too.
      if (!this.#peer.failed) await this.#peer.call({ call: "close" }).catch(() => {});
      this.#peer.fail();
    })();
    return this.#closing;
  }

  /**
   * @param {import("./messages.js").Call} call
   * @param {AbortSignal | undefined} signal
   * @param {ArrayBuffer[]} [transfer]
   * @returns {Promise<any>}
   */
  async #call(call, signal, transfer) {
    if (this.closed) throw closed();
    throwIfAborted(signal);
    const peer = this.#peer.failed ? await this.#reopen() : this.#peer;
    return peer.call(call, signal, transfer);
  }

  /** @returns {Promise<Peer>} */
  #reopen() {
    this.#reopening ??= this.#openPeer()
      .then(({ peer, info }) => {
        const replaced = info.segments.length !== this.#info.segments.length || info.segments.some(({ fileId }, i) => fileId !== this.#info.segments[i].fileId);
        const why = this.#closing ? closed() : replaced ? new PagevecError("stale", "the index was replaced while its worker was started again: open it again") : undefined;
        if (why) {
          peer.fail(why);
          throw why;
        }
        return (this.#peer = peer);
      })
      .finally(() => {
        this.#reopening = undefined;
      });
    return this.#reopening;
  }
}
