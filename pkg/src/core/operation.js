// Operations under way, and whose turn it is.
import { aborted, PagevecError } from "../errors.js";

/** Operations under way at once. So many keep a link busy; each holds memory here and, in the core, a part of the budget. */
const MAX_OPERATIONS = 100;

/** One search or look-up under way. While it waits it can be stopped, by its signal or from outside. */
export class Operation {
  /** @type {number | undefined} its name in the core, once it began there */
  ticket;
  /** @type {(() => void) | undefined} set while it waits for its turn or for memory */
  wake;
  #signal;
  /** @type {Error | undefined} */
  #stopped;
  /** @type {((error: Error) => void) | undefined} */
  #reject;
  #onAbort = () => this.stop(aborted(this.#signal?.reason));

  /** @param {AbortSignal | undefined} signal */
  constructor(signal) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Waits for `promise`, or until the operation is stopped.
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  wait(promise) {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#stopped) reject(this.#stopped);
      promise.then(resolve, reject);
    });
  }

  /**
   * Waits until `wake` is called, or until the operation is stopped.
   * @returns {Promise<void>}
   */
  sleep() {
    return this.wait(new Promise((resolve) => (this.wake = resolve)));
  }

  /** @param {Error} error */
  stop(error) {
    this.#stopped ??= error;
    this.#reject?.(this.#stopped);
  }

  end() {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** So many operations are under way at once, others wait; and some calls need that none is. */
export class Turns {
  /** @type {Set<Operation>} */
  underWay = new Set();
  /** Beyond so many, operations are refused. */
  limit = Infinity;
  #most = MAX_OPERATIONS;
  /** @type {Operation[]} */
  #queue = [];
  /** Calls that wait until none is under way, or are made then. */
  #halts = 0;
  /** @type {(() => void)[]} */
  #idle = [];

  /** Those that are under way and those that wait. */
  get all() {
    return [...this.underWay, ...this.#queue];
  }

  /**
   * Waits until few enough are under way; then this one is.
   * @param {Operation} operation
   * @param {number} [most] that are under way at once
   * @returns {Promise<void> | undefined}
   */
  take(operation, most = MAX_OPERATIONS) {
    this.#most = most;
    if (this.underWay.size + this.#queue.length >= this.limit) throw new PagevecError("budget", `memory is nearly full, so at most ${this.limit} searches run at once: search again in a moment, or raise the memory budget`);
    if (this.#halts > 0 || this.underWay.size >= most) {
      this.#queue.push(operation);
      return operation.sleep();
    }
    this.underWay.add(operation);
    return undefined;
  }

  /** @param {Operation} operation */
  leave(operation) {
    if (!this.underWay.delete(operation)) this.#queue = this.#queue.filter((other) => other !== operation);
    if (this.underWay.size === 0) for (const wake of this.#idle.splice(0)) wake();
    this.#admit();
  }

  /**
   * Calls `action` while none is under way; those that come meanwhile wait.
   * @template T
   * @param {() => T} action
   * @returns {Promise<T>}
   */
  async alone(action) {
    this.#halts += 1;
    try {
      if (this.underWay.size > 0) await new Promise((resolve) => this.#idle.push(() => resolve(undefined)));
      return action();
    } finally {
      this.#halts -= 1;
      this.#admit();
    }
  }

  #admit() {
    while (this.#halts === 0 && this.underWay.size < this.#most) {
      const next = this.#queue.shift();
      if (!next) return;
      this.underWay.add(next);
      next.wake?.();
    }
  }
}
