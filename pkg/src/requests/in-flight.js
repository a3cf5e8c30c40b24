// Requests under way. Two searches that want the same bytes share one request; it goes on as long
// as somebody waits for it, and its failure is told only to the search that started it. The others
// step again, find the bytes missing, and ask for themselves.
import { ChunkSplitter } from "./splitter.js";
import { aborted, PagevecError } from "../errors.js";
import { LOCAL_LIMITS } from "../sources/source.js";
import { Claim } from "../sources/turns.js";
import { coalesce, subtract } from "./coalesce.js";

/** Extents up to this size are delivered whole. */
const WHOLE_EXTENT = 64 * 1024;

/**
 * @typedef {object} Sink what the session does with bytes
 * @property {(offset: number) => number} grain
 * @property {(offset: number, bytes: Uint8Array) => void} deliver throws what the core refuses
 *
 * @typedef {object} PendingRequest
 * @property {import("./coalesce.js").Run} run
 * @property {boolean} stored no request: the source has its bytes here
 * @property {Promise<void>} done
 * @property {number} waiters
 * @property {Claim} claim whose turns it takes
 * @property {AbortController} controller
 */

export class InFlight {
  #source;
  #sink;
  /** @type {Set<PendingRequest>} */
  #open = new Set();

  /**
   * @param {import("../sources/source.js").Source} source
   * @param {Sink} sink
   */
  constructor(source, sink) {
    this.#source = source;
    this.#sink = sink;
  }

  /**
   * Starts what is missing and joins what is under way.
   * @param {object} owner which takes turns with others
   * @param {import("./coalesce.js").Extent[]} extents by offset
   * @param {(bytes: number) => void} onBytes called as own bytes arrive
   * @param {{ waves: number, requests: number }} before what the search asked for already
   * @param {"low"} [priority]
   * @returns {{ own: PendingRequest[], arrived: Promise<void>, release: () => void }} `arrived` rejects when
   *   an own request fails; `release` must be called at the end, whatever it is
   */
  want(owner, extents, onBytes, before, priority) {
    const joined = [...this.#open].filter(({ run }) => run.extents.some((taken) => extents.some((extent) => overlap(taken, extent))));
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
   * @param {import("./coalesce.js").Run} run
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
    request.done = this.#attempt(run, { signal: controller.signal, priority, claim }, onBytes).finally(() => this.#open.delete(request));
    // Nobody may be left to hear of it.
    request.done.catch(() => {});
    this.#open.add(request);
    return request;
  }

  /**
   * @param {import("./coalesce.js").Run} run
   * @param {{ signal: AbortSignal, priority?: "low", claim: Claim }} options
   * @param {(bytes: number) => void} onBytes
   */
  async #attempt(run, options, onBytes) {
    let done = 0;
    /** What was delivered last, and may be damaged. */
    const last = { offset: run.offset };
    const count = (/** @type {number} */ bytes) => onBytes(((done += bytes), bytes));
    try {
      await this.#receive(run, options, count, last);
    } catch (error) {
      // What a store, a source or a cache before it kept may be damaged, there and behind; it is read anew then, once.
      const rest = { offset: last.offset, length: run.offset + run.length - last.offset };
      if (!(error instanceof PagevecError) || error.code !== "checksum" || !this.#source.forget?.(rest)) throw error;
      onBytes(-done);
      await this.#receive(run, options, onBytes, last);
    }
  }

  /**
   * @param {import("./coalesce.js").Run} run
   * @param {{ signal: AbortSignal, priority?: "low", claim: Claim }} options
   * @param {(bytes: number) => void} onBytes
   * @param {{ offset: number }} last
   */
  async #receive(run, options, onBytes, last) {
    const splitter = new ChunkSplitter(
      run,
      (offset, length) => (length <= WHOLE_EXTENT ? length : this.#sink.grain(offset)),
      (offset, bytes) => {
        last.offset = offset;
        this.#deliver(offset, bytes);
      },
    );
    const got = await this.#source.read(run.offset, run.length, options);
    for await (const chunk of got instanceof Uint8Array ? [got] : got) {
      // Without waiters nothing is reserved for these bytes any more.
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
      const { name, changed } = this.#source;
      if (!(error instanceof PagevecError) || error.code !== "checksum" || !changed?.call(this.#source)) throw error;
      throw new PagevecError("stale", `${name} was replaced while it was open (another ETag, other bytes): open the index again`, { cause: error });
    }
  }

  /** @param {PendingRequest} request */
  #release(request) {
    request.waiters -= 1;
    if (request.waiters > 0 || !this.#open.has(request)) return;
    // At once: a newcomer must not join a request that is on its way out.
    this.#open.delete(request);
    request.controller.abort();
  }
}

/**
 * @param {import("./coalesce.js").Extent} a
 * @param {import("./coalesce.js").Extent} b
 */
function overlap(a, b) {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}
