import { aborted } from "../errors.js";

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
