// One reader in a wasm instance over one source, and the loop that drives every search:
//
//   step -> extents to fetch -> fetch and deliver -> step … -> take the result
//
// The reader is touched only through `#call`, which notices a trap, and never after the end. No
// view of wasm memory is held across an await: what the reader returns are copies.
import { notify, PagevecError, throwIfAborted } from "../errors.js";
import { InFlight } from "../requests/in-flight.js";
import { Operation } from "./operation.js";
import { toExtents } from "../requests/coalesce.js";

/** Waves smaller than this are over before a progress bar helps. */
const PROGRESS_FROM = 256 * 1024;
/** Operations that begin before others end: enough to keep a link busy; each holds memory and, in the core, room. */
const AT_ONCE = 100;
/** Of those that wait for room, so many try again when something moved: the oldest. */
const AWAKE = 8;
/** Errors that are about the file rather than about the call. */
const ABOUT_FILE = new Set(["not-a-segment", "version", "length", "checksum", "corrupt"]);

/**
 * @typedef {InstanceType<import("./instances.js").Glue["Reader"]>} Reader
 * @typedef {{ waves: number, requests: number, bytes: number, stored: number }} Tally what one operation read: `bytes` from
 *   the network (or file), `stored` from the page store
 *
 * @typedef {object} Listeners
 * @property {(event: Progress) => void} [onProgress]
 * @property {(extent: { offset: number, length: number }) => void} [onFetch]
 *
 * @typedef {object} Progress
 * @property {"open" | "load"} phase `open`: the front of the file; `load`: a large part of it, for a search
 * @property {number} done bytes
 * @property {number} total bytes
 */

export class Session {
  /** @type {Reader | undefined} */
  #reader;
  #lease;
  #source;
  #listeners;
  #inFlight;
  /** @type {Set<Operation>} those that began */
  #operations = new Set();
  /** @type {Operation[]} those that did not yet */
  #queue = [];
  /** @type {Set<Operation>} those that wait for room */
  #waiting = new Set();
  #stalls = 0;
  /** @type {Error | undefined} */
  #ended;

  /**
   * @param {Reader} reader
   * @param {import("./instances.js").Lease} lease of the reader's instance
   * @param {import("../sources/source.js").Source} source
   * @param {Listeners} listeners
   */
  constructor(reader, lease, source, listeners) {
    this.#reader = reader;
    this.#lease = lease;
    lease.onLost = (error) => this.end(error);
    this.#source = source;
    this.#listeners = listeners;
    this.#inFlight = new InFlight(source, {
      grain: (offset) => this.#call((reader) => reader.grain(offset)),
      deliver: (offset, bytes) => {
        const checked = this.#call((reader) => reader.deliver(offset, bytes));
        // What nobody waits for any more was not compared with its checksum.
        if (checked) source.keep?.(offset, bytes);
        notify(listeners.onFetch, { offset, length: bytes.length });
      },
    });
  }

  /** Why no call works any more, if so. */
  get ended() {
    return this.#ended;
  }

  /**
   * @template T
   * @param {(reader: Reader) => number} begin gives the ticket
   * @param {(reader: Reader, ticket: number) => T} take
   * @param {AbortSignal | undefined} signal
   * @param {Tally} tally
   * @returns {Promise<T>}
   */
  async run(begin, take, signal, tally) {
    throwIfAborted(signal);
    if (this.#ended) throw this.#ended;
    const operation = new Operation(signal);
    try {
      await this.#waitForTurn(operation);
      const spare = this.#source.here ? Infinity : this.#source.link?.bandwidthDelay ?? 0;
      this.#call((reader) => reader.spare(spare));
      const ticket = (operation.ticket = this.#call(begin));
      for (;;) {
        const pairs = this.#call((reader) => reader.step(ticket));
        if (pairs === undefined) {
          await this.#waitForRoom(operation);
          continue;
        }
        this.#wakeWaiters();
        if (pairs === null) return this.#call((reader) => take(reader, ticket));
        await this.#fetch(operation, toExtents(pairs), tally);
      }
    } finally {
      this.#finish(operation);
    }
  }

  /**
   * The next piece of what an operation needs first, behind everything else. It holds no room.
   * @param {(reader: Reader) => number} begin gives the ticket
   * @param {(extent: import("../requests/coalesce.js").Extent) => boolean} wanted
   * @param {number} most bytes, about
   * @param {AbortSignal} signal
   * @returns {Promise<number>} bytes that came; 0: there are no more
   */
  async piece(begin, wanted, most, signal) {
    throwIfAborted(signal);
    const operation = new Operation(signal);
    this.#operations.add(operation);
    try {
      const ticket = (operation.ticket = this.#call(begin));
      const pairs = this.#call((reader) => reader.step(ticket));
      const next = toExtents(pairs ?? []).find(wanted);
      if (!next) return 0;
      const grain = this.#call((reader) => reader.grain(next.offset));
      const length = Math.min(next.length, Math.max(grain, most - (most % grain)));
      await this.#fetch(operation, [{ offset: next.offset, length }], { waves: 0, requests: 0, bytes: 0, stored: 0 }, "low");
      return length;
    } finally {
      this.#finish(operation);
    }
  }

  /**
   * @param {Operation} operation
   * @param {import("../requests/coalesce.js").Extent[]} extents
   * @param {Tally} tally
   * @param {"low"} [priority]
   */
  async #fetch(operation, extents, tally, priority) {
    let done = 0;
    let total = 0;
    const wanted = this.#inFlight.want(operation, extents, (bytes) => {
      done += bytes;
      if (total >= PROGRESS_FROM && !priority) notify(this.#listeners.onProgress, { phase: "load", done, total });
    }, tally, priority);
    for (const { run, stored } of wanted.own) {
      total += run.length;
      tally.requests += stored ? 0 : 1;
      tally[stored ? "stored" : "bytes"] += run.length;
    }
    if (wanted.own.length === 0 || wanted.own.some(({ stored }) => !stored)) tally.waves += 1;
    try {
      await operation.wait(wanted.arrived);
    } finally {
      wanted.release();
    }
  }

  /**
   * Waits until few enough are under way; then it is one of them.
   * @param {Operation} operation
   * @returns {Promise<void> | undefined}
   */
  #waitForTurn(operation) {
    if (this.#operations.size >= AT_ONCE) {
      this.#queue.push(operation);
      return operation.sleep();
    }
    this.#operations.add(operation);
    return undefined;
  }

  /**
   * Waits until another operation stepped or left. Where all of them wait, one more round is
   * given, as steps may have unpinned something; then the youngest gives way.
   * @param {Operation} operation
   */
  #waitForRoom(operation) {
    const waited = operation.sleep().finally(() => this.#waiting.delete(operation));
    this.#waiting.add(operation);
    if (this.#waiting.size === this.#operations.size) {
      this.#stalls += 1;
      if (this.#stalls === 1) this.#wake(Infinity);
      else this.#byAge().at(-1)?.stop(new PagevecError("budget", "the memory budget is too small for this many searches at once: raise memoryBudget"));
    }
    return waited;
  }

  /** Something moved: who waits longest may have room now. */
  #wakeWaiters() {
    this.#stalls = 0;
    if (this.#waiting.size > 0) this.#wake(AWAKE);
  }

  /** @param {number} most */
  #wake(most) {
    for (const operation of this.#byAge().slice(0, most)) {
      this.#waiting.delete(operation);
      operation.wake?.();
    }
  }

  #byAge() {
    return [...this.#waiting].sort((a, b) => Number(a.ticket) - Number(b.ticket));
  }

  /** @param {Operation} operation */
  #finish(operation) {
    operation.end();
    this.#waiting.delete(operation);
    const { ticket } = operation;
    if (!this.#operations.delete(operation)) this.#queue = this.#queue.filter((other) => other !== operation);
    if (this.#ended) return;
    try {
      if (ticket !== undefined) this.#call((reader) => reader.cancel(ticket));
    } catch {
      // A trap: #call told everyone, and this operation has its own outcome already.
    }
    const next = this.#operations.size < AT_ONCE ? this.#queue.shift() : undefined;
    if (next) {
      this.#operations.add(next);
      next.wake?.();
    }
    this.#wakeWaiters();
  }

  /** @returns {{ resident: number, evictions: number, linearMemory: number } | undefined} undefined after the end */
  memory() {
    if (this.#ended) return undefined;
    return { ...this.#call((reader) => reader.stats()), linearMemory: this.#lease.bytes };
  }

  /**
   * Ends every operation with `error` and lets go of the memory.
   * @param {Error} error
   */
  end(error) {
    if (this.#ended) return;
    this.#ended = error;
    for (const operation of [...this.#operations, ...this.#queue]) operation.stop(error);
    const reader = this.#reader;
    this.#reader = undefined;
    try {
      this.#lease.call(() => reader?.free());
    } catch {
      // After a trap the instance is left as it is: the collector must not free the reader in it either.
      /** @type {any} */ (reader).__destroy_into_raw();
    }
    this.#lease.end();
  }

  /**
   * @template T
   * @param {(reader: Reader) => T} action
   * @returns {T}
   */
  #call(action) {
    if (!this.#reader) throw this.#ended;
    const reader = this.#reader;
    try {
      return this.#lease.call(() => action(reader));
    } catch (thrown) {
      const error = /** @type {PagevecError} */ (thrown);
      if (error.code === "trapped") this.end(error);
      else if (ABOUT_FILE.has(error.code)) error.message = `${this.#source.name}: ${error.message}`;
      throw error;
    }
  }
}
