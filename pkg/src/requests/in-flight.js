// The requests of an index that are under way. Searches that want the same bytes share one request. It goes on as long as
// one of them waits for it, and its failure is told only to the search that started it: the others step again, find the
// bytes missing, and request them themselves.
import { isBytes } from "../describe.js";
import { aborted, PagevecError } from "../errors.js";
import { LOCAL_LIMITS } from "../sources/source.js";
import { Claim } from "../sources/turns.js";
import { coalesce } from "./coalesce.js";
import { overlap, subtract } from "./extents.js";
import { ChunkSplitter } from "./splitter.js";

/** Extents up to this size are delivered whole. */
const WHOLE_EXTENT = 64 * 1024;

/**
 * @typedef {import("../sources/source.js").Extent} Extent
 * @typedef {import("./coalesce.js").Run} Run
 *
 * @typedef {object} Sink where bytes go
 * @property {(offset: number) => number} blockSize
 * @property {(offset: number, bytes: Uint8Array) => void} deliver throws what the core refuses
 *
 * @typedef {object} PendingRequest
 * @property {Run} run
 * @property {boolean} stored the source holds these bytes on this machine, so that reading them is no request
 * @property {Promise<void>} done
 * @property {number} waiters
 * @property {Claim} claim whose turns it takes
 * @property {AbortController} controller
 */

export class InFlight {
  #source;
  #sink;
  /** @type {Set<PendingRequest>} */
  #pending = new Set();

  /**
   * @param {import("../sources/source.js").Source} source
   * @param {Sink} sink
   */
  constructor(source, sink) {
    this.#source = source;
    this.#sink = sink;
  }

  /**
   * Starts requests for what is missing and joins those that are under way.
   * @param {object} owner which takes turns with others
   * @param {Extent[]} extents by offset
   * @param {(bytes: number) => void} onBytes called as own bytes arrive
   * @param {{ waves: number, requests: number }} before what the search has requested already
   * @param {"low"} [priority]
   * @returns {{ own: PendingRequest[], arrived: Promise<void>, release: () => void }} `arrived` rejects when one of its own
   *   requests fails; `release` must be called at the end, whatever the outcome
   */
  want(owner, extents, onBytes, before, priority) {
    const joined = [...this.#pending].filter(({ run }) => run.extents.some((taken) => extents.some((extent) => overlap(taken, extent))));
    const missing = subtract(extents, joined.flatMap(({ run }) => run.extents));
    const stored = missing.filter((extent) => this.#source.has?.(extent));
    const remote = missing.filter((extent) => !stored.includes(extent));
    const own = [
      ...coalesce(stored, LOCAL_LIMITS, 0, before).map((run) => this.#start(owner, run, onBytes, priority, true)),
      ...coalesce(remote, this.#source.limits, this.#source.link?.bandwidthDelay ?? 0, before).map((run) => this.#start(owner, run, onBytes, priority, false)),
    ];
    for (const request of joined) {
      request.waiters += 1;
      request.claim.join(owner);
    }
    if (!priority) this.#measure(own.filter((request) => !request.stored));
    const all = [...own, ...joined];
    return {
      own,
      arrived: Promise.all([...own.map(({ done }) => done), ...joined.map(({ done }) => done.catch(() => {}))]).then(() => {}),
      release: () => all.forEach((request) => this.#release(request)),
    };
  }

  /** @param {PendingRequest[]} wave */
  #measure(wave) {
    const { link, limits } = this.#source;
    if (!link || wave.length === 0) return;
    const from = performance.now();
    const bytes = wave.reduce((sum, { run }) => sum + run.length, 0);
    const rounds = Math.max(1, Math.ceil(wave.length / (limits.maxConcurrent ?? Infinity)));
    Promise.all(wave.map(({ done }) => done)).then(() => link.observeThroughput(bytes, performance.now() - from, rounds), () => {});
  }

  /**
   * @param {object} owner
   * @param {Run} run
   * @param {(bytes: number) => void} onBytes
   * @param {"low" | undefined} priority
   * @param {boolean} stored
   * @returns {PendingRequest}
   */
  #start(owner, run, onBytes, priority, stored) {
    const controller = new AbortController();
    const claim = new Claim(owner);
    /** @type {PendingRequest} */
    const request = { run, stored, waiters: 1, claim, controller, done: Promise.resolve() };
    request.done = this.#attempt(run, { signal: controller.signal, priority, claim }, onBytes).finally(() => this.#pending.delete(request));
    // Marks a failure as handled: all waiters may have aborted.
    request.done.catch(() => {});
    this.#pending.add(request);
    return request;
  }

  /**
   * @param {Run} run
   * @param {{ signal: AbortSignal, priority?: "low", claim: Claim }} options
   * @param {(bytes: number) => void} onBytes
   */
  async #attempt(run, options, onBytes) {
    let done = 0;
    /** The piece that was delivered last, and may be damaged. */
    const last = { offset: run.offset };
    const count = (/** @type {number} */ bytes) => onBytes(((done += bytes), bytes));
    try {
      await this.#receive(run, options, count, last);
    } catch (error) {
      // The page store, the source or an HTTP cache may hold damaged bytes, from this piece on: they are read anew, once.
      const rest = { offset: last.offset, length: run.offset + run.length - last.offset };
      if (!(error instanceof PagevecError) || error.code !== "checksum" || !this.#source.forget?.(rest)) throw this.#removed(error, run);
      onBytes(-done);
      await this.#receive(run, options, onBytes, last);
    }
  }

  /**
   * A file that was there when the index was opened, and is not any more.
   * @param {unknown} error
   * @param {Run} run
   * @returns {unknown}
   */
  #removed(error, { offset }) {
    if (!(error instanceof PagevecError) || error.code !== "not-found") return error;
    const { name } = this.#source.at?.(offset) ?? this.#source;
    return new PagevecError("stale", `${name} is not there any more: the index was published again and pruned, or it moved. Open the index again`, { cause: error });
  }

  /**
   * @param {Run} run
   * @param {{ signal: AbortSignal, priority?: "low", claim: Claim }} options
   * @param {(bytes: number) => void} onBytes
   * @param {{ offset: number }} last
   */
  async #receive(run, options, onBytes, last) {
    const splitter = new ChunkSplitter(
      run,
      (offset, length) => (length <= WHOLE_EXTENT ? length : this.#sink.blockSize(offset)),
      (offset, bytes) => {
        last.offset = offset;
        this.#deliver(offset, bytes);
      },
    );
    const got = await this.#source.read(run.offset, run.length, options);
    for await (const chunk of isBytes(got) ? [got] : got) {
      // Without waiters the core reserves no memory for these bytes any more.
      if (options.signal.aborted) throw aborted(options.signal.reason);
      splitter.push(chunk);
      onBytes(chunk.length);
    }
  }

  /**
   * @param {number} offset
   * @param {Uint8Array} bytes
   */
  #deliver(offset, bytes) {
    try {
      this.#sink.deliver(offset, bytes);
    } catch (error) {
      const source = this.#source.at?.(offset) ?? this.#source;
      if (!(error instanceof PagevecError) || error.code !== "checksum" || !source.changed?.()) throw error;
      throw new PagevecError("stale", `${source.name} was replaced while it was open (another ETag, other bytes): open the index again`, { cause: error });
    }
  }

  /** @param {PendingRequest} request */
  #release(request) {
    request.waiters -= 1;
    if (request.waiters > 0 || !this.#pending.has(request)) return;
    // Deleted at once, so that no newcomer joins a request that is being aborted.
    this.#pending.delete(request);
    request.controller.abort();
  }
}
