// Timeouts, retries and hedging: how long a request may take, and when it is repeated, after a failure or beside a slow one.
import { aborted, PagevecError } from "../../errors.js";
import { timedOut } from "./response.js";

/** The fewest bytes that an answer may bring in two times `timeoutMs`. */
const LEAST_BYTES = 1 << 20;

/** Milliseconds of the first pause at most; each further one may be twice as long. */
const PAUSE = 200;
/** Milliseconds that a search waits at most, whatever the host says. */
const LONGEST = 10_000;

/**
 * @typedef {import("../source.js").Traffic} Traffic
 * @typedef {{ retries: number, timeoutMs: number }} RetryOptions
 */

/**
 * Aborts one request, by its caller's signal or after a timeout. It has two rules, so that neither silence nor single bytes can hold a
 * search up: `timeoutMs` without a byte ends the request, and so do less than 1 MiB in two times `timeoutMs`. Only time spent waiting
 * for the network counts.
 */
export class Deadline {
  #url;
  #idle;
  #left = 0;
  #caller;
  #controller = new AbortController();
  /** @type {((error: Error) => void) | undefined} */
  #reject;
  /** @type {Error | undefined} */
  #error;
  #onAbort = () => this.#end(aborted(this.#caller?.reason));

  /**
   * @param {URL} url
   * @param {number} length bytes to come
   * @param {number} timeoutMs
   * @param {AbortSignal | undefined} caller
   */
  constructor(url, length, timeoutMs, caller) {
    this.#url = url;
    this.#idle = timeoutMs;
    this.#caller = caller;
    this.expect(length);
    caller?.addEventListener("abort", this.#onAbort, { once: true });
    if (caller?.aborted) this.#onAbort();
  }

  /** @param {number} length bytes to come */
  expect(length) {
    this.#left = 2 * this.#idle * Math.max(1, length / LEAST_BYTES);
  }

  /** For fetch. */
  get signal() {
    return this.#controller.signal;
  }

  /**
   * @template T
   * @param {Promise<T>} promise the next bytes
   * @returns {Promise<T>}
   */
  async wait(promise) {
    const from = performance.now();
    const most = Math.min(this.#idle, Math.max(this.#left, 0));
    const timer = setTimeout(() => this.#end(timedOut(this.#url, this.#idle)), most);
    try {
      // Ends here even if `fetch` ignores its signal, which must not hold a search up.
      return await new Promise((resolve, reject) => {
        this.#reject = reject;
        promise.then(resolve, reject);
        if (this.#error) reject(this.#error);
      });
    } catch (error) {
      throw this.#error ?? error;
    } finally {
      clearTimeout(timer);
      this.#left -= performance.now() - from;
    }
  }

  /** The request has ended; its caller's signal may be used further. */
  release() {
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }

  /** @param {Error} error */
  #end(error) {
    this.#error ??= error;
    this.#reject?.(this.#error);
    this.#controller.abort(this.#error);
  }
}

/**
 * @template T
 * @param {RetryOptions} options
 * @param {Traffic} traffic
 * @param {AbortSignal | undefined} signal
 * @param {(attempt: number) => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function retrying(options, traffic, signal, action) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action(attempt);
    } catch (error) {
      await beforeRetry(error, attempt, options, traffic, signal);
    }
  }
}

/**
 * Waits until the next attempt. Throws the error if there is none.
 * @param {unknown} error
 * @param {number} attempt how many came before it
 * @param {RetryOptions} options
 * @param {Traffic} traffic
 * @param {AbortSignal | undefined} signal
 */
export async function beforeRetry(error, attempt, { retries, timeoutMs }, traffic, signal) {
  const transient = error instanceof PagevecError && (error.code === "network" || error.code === "timeout");
  if (!transient || attempt >= retries) throw error;
  // Full jitter, also after Retry-After: clients that failed at the same time must not return at the same time.
  const told = Math.min(error.retryAfterMs ?? 0, LONGEST, timeoutMs);
  await pause(told + Math.random() * Math.min(PAUSE * 2 ** attempt, LONGEST), signal);
  traffic.retries += 1;
}

/**
 * The answer of a request. If it has none after `after` milliseconds, the request is sent once more; the first success counts, and
 * the other request is aborted.
 * @template T
 * @param {(signal: AbortSignal, second: boolean) => Promise<T>} send
 * @param {number | undefined} after undefined: one request only
 * @param {AbortSignal} signal ends both; it belongs to this request alone
 * @param {(answer: T) => void} lose gets an answer that came second
 * @returns {Promise<T>}
 */
export function hedged(send, after, signal, lose) {
  if (after === undefined || signal.aborted) return send(signal, false);
  const own = [new AbortController(), new AbortController()];
  signal.addEventListener("abort", () => own.forEach((controller) => controller.abort(signal.reason)), { once: true });
  return new Promise((resolve, reject) => {
    let open = 0;
    let won = false;
    const launch = (/** @type {number} */ i) => {
      open += 1;
      send(own[i].signal, i === 1).then(
        (answer) => {
          // Both may have answered already: the second must not abort the first.
          if (won) return lose(answer);
          won = true;
          clearTimeout(timer);
          own[1 - i].abort();
          resolve(answer);
        },
        (error) => {
          open -= 1;
          if (open > 0 || won) return; // the other may succeed, or did
          clearTimeout(timer);
          reject(error);
        },
      );
    };
    const timer = setTimeout(launch, after, 1);
    launch(0);
  });
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal.reason));
    const stop = () => {
      clearTimeout(timer);
      reject(aborted(signal?.reason));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
