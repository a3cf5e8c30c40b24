// One reader in a WebAssembly instance over one source, and the loop that drives every search:
//
//   step -> extents to fetch -> fetch and deliver -> step ... -> take the result
//
// The reader is touched only through `#call`, which notices a trap, and never after the session has ended.
import { notify, PagevecError, throwIfAborted } from "../errors.js";
import { InFlight } from "../requests/in-flight.js";
import { Operation, Turns } from "./operation.js";
import { memoryOf, step } from "./protocol.js";

/** Waves of fewer bytes are over before a progress bar helps. */
const PROGRESS_FROM = 256 * 1024;
/** How many of the operations that wait for memory try again when some may be free: the oldest. */
const MAX_WOKEN = 8;
/** Codes of errors that are about the file rather than about the call. */
export const ABOUT_FILE = new Set(["not-a-segment", "version", "length", "checksum", "corrupt"]);

/**
 * @typedef {import("./protocol.js").Reader} Reader
 * @typedef {import("../sources/source.js").Extent} Extent
 * @typedef {{ waves: number, requests: number, bytes: number, stored: number, segments: number[] }} Tally what one operation
 *   read: `bytes` from the network (or file), `stored` from the page store; `segments`: those `bytes` by the number of the segment
 *
 * @typedef {object} Listeners
 * @property {(event: Progress) => void} [onProgress] called as large parts of the file arrive
 * @property {(extent: Extent) => void} [onFetch] called for each piece of the file that arrived and was checked
 *
 * @typedef {object} Progress
 * @property {"open" | "load" | "save"} phase `open`: the front of the file; `load`: a large part of it, for a search; `save`: the file, for
 *   `save`
 * @property {number} done bytes
 * @property {number} total bytes
 */

/** @returns {Tally} */
export function newTally() {
  return { waves: 0, requests: 0, bytes: 0, stored: 0, segments: [] };
}

export class Session {
  /** Whether its module has filters. */
  filters;
  /** @type {Reader | undefined} */
  #reader;
  #lease;
  #source;
  #listeners;
  #inFlight;
  #turns = new Turns();
  /** @type {Set<Operation>} those under way that wait for memory */
  #waiting = new Set();
  #stalls = 0;
  /** @type {Error | undefined} */
  #ended;

  /**
   * @param {Reader} reader
   * @param {import("./instances.js").Lease} lease of the reader's instance
   * @param {import("../sources/source.js").Source} source
   * @param {Listeners} listeners
   * @param {boolean} filters whether its module has them
   */
  constructor(reader, lease, source, listeners, filters) {
    this.filters = filters;
    this.#reader = reader;
    this.#lease = lease;
    lease.onLost = (error) => this.end(error);
    this.#source = source;
    this.#listeners = listeners;
    this.#inFlight = new InFlight(source, {
      blockSize: (offset) => this.#call((reader) => reader.blockSize(offset)),
      deliver: (offset, bytes) => {
        const checked = this.#call((reader) => reader.deliver(offset, bytes), offset);
        // Bytes that no operation waits for any more were not compared with their checksums.
        if (checked) source.keep?.(offset, bytes);
        notify(listeners.onFetch, { offset, length: bytes.length });
      },
    });
  }

  /** Why no call works any more; undefined while calls do. */
  get ended() {
    return this.#ended;
  }

  /**
   * @template T
   * @param {import("./protocol.js").Task<T>} task
   * @param {AbortSignal | undefined} signal
   * @param {Tally} tally
   * @returns {Promise<T>}
   */
  async run({ begin, take }, signal, tally) {
    throwIfAborted(signal);
    if (this.#ended) throw this.#ended;
    const operation = new Operation(signal);
    try {
      await this.#turns.take(operation, this.#source.limits.maxOperations);
      const speculativeBytes = this.#source.inMemory ? Infinity : this.#source.link?.bandwidthDelay ?? 0;
      this.#call((reader) => reader.setSpeculativeBytes(speculativeBytes));
      const ticket = (operation.ticket = this.#call(begin));
      for (;;) {
        const next = this.#call((reader) => step(reader, ticket));
        if (next === "wait") {
          await this.#waitForRoom(operation);
          continue;
        }
        this.#wakeWaiters();
        if (next === "done") return this.#call((reader) => take(reader, ticket));
        await this.#fetch(operation, next, tally);
      }
    } finally {
      this.#finish(operation);
    }
  }

  /**
   * Fetches one piece of what a task needs first, at low priority. The core holds no memory for the task.
   * @param {import("./protocol.js").Task<unknown>} task
   * @param {(extent: Extent) => boolean} wanted
   * @param {number} most bytes, about
   * @param {AbortSignal} signal
   * @returns {Promise<number>} bytes that came; 0: there are no more
   */
  async fetchPiece({ begin }, wanted, most, signal) {
    throwIfAborted(signal);
    const operation = new Operation(signal);
    this.#turns.underWay.add(operation);
    try {
      const ticket = (operation.ticket = this.#call(begin));
      const needed = this.#call((reader) => step(reader, ticket));
      const next = Array.isArray(needed) ? needed.find(wanted) : undefined;
      if (!next) return 0;
      const blockSize = this.#call((reader) => reader.blockSize(next.offset));
      const length = Math.min(next.length, Math.max(blockSize, most - (most % blockSize)));
      await this.#fetch(operation, [{ offset: next.offset, length }], newTally(), "low");
      return length;
    } finally {
      this.#finish(operation);
    }
  }

  /**
   * @param {Operation} operation
   * @param {Extent[]} extents
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
      const segment = this.#source.numberAt?.(run.offset) ?? 0;
      if (!stored) tally.segments[segment] = (tally.segments[segment] ?? 0) + run.length;
    }
    if (wanted.own.length === 0 || wanted.own.some(({ stored }) => !stored)) tally.waves += 1;
    try {
      await operation.wait(wanted.arrived);
    } finally {
      wanted.release();
    }
  }

  /**
   * Calls the reader while no operation is under way: those that come meanwhile wait.
   * @template T
   * @param {(reader: Reader) => T} action
   * @returns {Promise<T>}
   */
  alone(action) {
    return this.#turns.alone(() => this.#call(action));
  }

  /** Refuses operations beyond so many at once. @param {number} most */
  limit(most) {
    this.#turns.limit = most;
  }

  /**
   * Waits for memory: until another operation stepped or ended. Where all of them wait, each tries once more, as steps may
   * have released some; if that does not help, the youngest fails.
   * @param {Operation} operation
   */
  #waitForRoom(operation) {
    const waited = operation.sleep().finally(() => this.#waiting.delete(operation));
    this.#waiting.add(operation);
    if (this.#waiting.size === this.#turns.underWay.size) {
      this.#stalls += 1;
      if (this.#stalls === 1) this.#wake(Infinity);
      else this.#byAge().at(-1)?.stop(new PagevecError("budget", "the memory budget is too small for this many searches at once: raise memoryBudget"));
    }
    return waited;
  }

  /** Memory may be free now: those that have waited longest try again. */
  #wakeWaiters() {
    this.#stalls = 0;
    if (this.#waiting.size > 0) this.#wake(MAX_WOKEN);
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
    try {
      if (ticket !== undefined && !this.#ended) this.#call((reader) => reader.cancel(ticket));
    } catch {
      // A trap: #call ended the session, and this operation has its own outcome already.
    }
    this.#turns.leave(operation);
    if (!this.#ended) this.#wakeWaiters();
  }

  /** The reader's account of where all that is held is, and the linear memory that it is in. */
  held() {
    return { numbers: this.#call((reader) => reader.held()), buffer: this.#lease.buffer };
  }

  /** @returns {ReturnType<typeof memoryOf> & { linearMemory: number } | undefined} undefined once it has ended */
  memory() {
    if (this.#ended) return undefined;
    return { ...this.#call(memoryOf), linearMemory: this.#lease.bytes };
  }

  /**
   * Ends every operation with `error` and frees the memory.
   * @param {Error} error
   */
  end(error) {
    if (this.#ended) return;
    this.#ended = error;
    for (const operation of this.#turns.all) operation.stop(error);
    const reader = this.#reader;
    this.#reader = undefined;
    try {
      this.#lease.call(() => reader?.free());
    } catch {
      // After a trap nothing calls into the instance again: the garbage collector must not free the reader either.
      /** @type {any} */ (reader).__destroy_into_raw();
    }
    this.#lease.end();
  }

  /**
   * @template T
   * @param {(reader: Reader) => T} action
   * @param {number} [offset] of the bytes that it is about
   * @returns {T}
   */
  #call(action, offset) {
    if (!this.#reader) throw this.#ended;
    const reader = this.#reader;
    try {
      return this.#lease.call(() => action(reader));
    } catch (thrown) {
      const error = /** @type {PagevecError} */ (thrown);
      if (error.code === "trapped") this.end(error);
      else if (ABOUT_FILE.has(error.code)) error.message = `${this.#nameAt(offset)}: ${error.message}`;
      throw error;
    }
  }

  /** @param {number | undefined} offset */
  #nameAt(offset) {
    return (offset !== undefined && this.#source.at?.(offset)?.name) || this.#source.name;
  }
}
