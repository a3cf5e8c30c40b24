// The session of an open index, and the one that takes its place: after the WebAssembly instance was lost, or once filters are needed,
// which the module that it began with may not have. What was set of the first holds for the next: the budget, what is loaded.
import { Lost } from "../core/instances.js";
import { Operation } from "../core/operation.js";
import { loadTask } from "../core/protocol.js";
import { newTally } from "../core/session.js";
import { closed, PagevecError, throwIfAborted } from "../errors.js";

/**
 * @typedef {import("../core/info.js").Info} Info
 * @typedef {import("../core/session.js").Session} Session
 * @typedef {(alone: boolean, filters: boolean, memoryBudget: number) => Promise<{ session: Session, info: Info }>} Start makes another
 *   session, in a module that has filters if they are needed
 */

export class Sessions {
  /** @type {Session} */
  current;
  memoryBudget;
  /** Whether codes and graph are in memory, as `load` promised. */
  loaded = false;
  #info;
  #name;
  #start;
  #prefetch;
  #onFull;
  /** Whether it has a WebAssembly instance of its own, as it trapped in one. */
  #alone = false;
  /** Operations that may be under way at once. */
  #limit = Infinity;
  /** @type {Promise<void> | undefined} */
  #reopening;
  /** @type {(error: Error) => void} */
  #stopReopening = () => {};
  /** @type {Error | undefined} */
  #ended;

  /**
   * @param {{ session: Session, info: Info, source: import("../sources/source.js").Source }} first
   * @param {{ start: Start, memoryBudget: number, prefetch?: import("../core/prefetch.js").Prefetcher }} how
   * @param {() => void} onFull is called when memory could not grow
   */
  constructor({ session, info, source }, { start, memoryBudget, prefetch }, onFull) {
    this.current = session;
    this.#info = info;
    this.#name = source.name;
    this.#start = start;
    this.memoryBudget = memoryBudget;
    this.#prefetch = prefetch;
    this.#onFull = onFull;
  }

  /**
   * Calls a session that has not ended, and has filters where they are needed.
   * @template T
   * @param {(session: Session) => Promise<T>} call
   * @param {boolean} [filters]
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async through(call, filters = false, signal) {
    throwIfAborted(signal);
    this.#prefetch?.pause();
    try {
      for (;;) {
        while (this.current.ended || (filters && !this.current.filters)) await unlessAborted(this.#reopen(filters), signal);
        try {
          return await call(this.current);
        } catch (error) {
          // Another index stopped the shared instance, or a call needed filters: this one starts again, in a new instance.
          if (error instanceof Lost) continue;
          if (/** @type {PagevecError} */ (error).code === "out-of-memory") this.#onFull();
          throw error;
        }
      }
    } finally {
      this.#prefetch?.resume();
    }
  }

  /**
   * Calls a session of the module that has filters, which has all that few pages call.
   * @template T
   * @param {(session: Session) => Promise<T>} call
   */
  throughAll(call) {
    return this.through(call, true);
  }

  /** @param {number} bytes */
  evict(bytes) {
    if (bytes > 0) this.loaded = false;
    return this.throughAll((session) => session.alone((reader) => reader.evict(bytes)));
  }

  /** @param {number} bytes */
  async setMemoryBudget(bytes) {
    await this.throughAll((session) => session.alone((reader) => reader.setMemoryBudget(bytes)));
    this.loaded &&= bytes >= this.memoryBudget;
    this.memoryBudget = bytes;
  }

  /** Refuses operations beyond so many at once. @param {number} most */
  limit(most) {
    this.#limit = most;
    this.current.limit(most);
  }

  /** Ends all that is under way. @param {Error} error */
  end(error) {
    this.#ended = error;
    this.current.end(error);
    this.#stopReopening(error);
  }

  /**
   * Another session over the same source takes the place of this one: after a trap, or as `filters` are needed. An index that trapped
   * has an instance of its own from then on. Until the other is there, a session that has not ended answers calls without filters.
   * @param {boolean} filters
   * @returns {Promise<void>}
   */
  #reopen(filters) {
    const old = this.current;
    this.#alone ||= old.ended !== undefined && !(old.ended instanceof Lost);
    this.#reopening ??= new Promise((resolve, reject) => {
      this.#stopReopening = reject;
      const started = this.#start(this.#alone, filters || old.filters, this.memoryBudget).then(async ({ session, info }) => {
        try {
          if (this.#ended) throw this.#ended;
          if (info.segments.some(({ fileId }, i) => fileId !== this.#info.segments[i].fileId)) throw new PagevecError("stale", `${this.#name} was replaced: open the index again`);
          // Where that fails, searches read what they need.
          if (this.loaded) await session.run(loadTask(), undefined, newTally()).catch(() => {});
          if (this.#ended) throw this.#ended;
        } catch (error) {
          session.end(closed());
          throw error;
        }
        this.current = session;
        session.limit(this.#limit);
        old.end(new Lost("trapped", "the index goes on in another WebAssembly instance"));
        this.#prefetch?.restart();
      });
      started.then(resolve, reject);
    }).finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }
}

/**
 * @param {Promise<void>} promise
 * @param {AbortSignal | undefined} signal
 */
async function unlessAborted(promise, signal) {
  const operation = new Operation(signal);
  try {
    await operation.wait(promise);
  } finally {
    operation.end();
  }
}
