// How long a request may take, and when it is made again: after a failure, or beside one that is slow.
import { aborted, PagevecError } from "../../errors.js";
import { timedOut } from "./response.js";

/** A slow answer still brings so many bytes in each two times `timeoutMs`. */
const PIECE = 1 << 20;

/** The first pause is up to so many milliseconds, the next up to twice as many, … */
const PAUSE = 200;
/** No host makes a search wait longer. */
const LONGEST = 10_000;

/**
 * @typedef {import("../source.js").Traffic} Traffic
 * @typedef {{ retries: number, timeoutMs: number }} RetryOptions
 */

/**
 * Ends one request, by its caller's signal or by the clock. Two rules, so that neither silence nor a byte now and then
 * can hold a search: `timeoutMs` without a byte ends it, and so does bringing less than 1 MiB in each two times
 * `timeoutMs`. Only time spent waiting for the network counts.
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
    this.#left = 2 * this.#idle * Math.max(1, length / PIECE);
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
      // Not left to fetch alone: one that ignores its signal must not hold a search.
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

  /** The request is over; its caller's signal may live on. */
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
 * Waits until the next attempt, or throws the error where there is none.
 * @param {unknown} error
 * @param {number} attempt those before it
 * @param {RetryOptions} options
 * @param {Traffic} traffic
 * @param {AbortSignal | undefined} signal
 */
export async function beforeRetry(error, attempt, { retries, timeoutMs }, traffic, signal) {
  const transient = error instanceof PagevecError && (error.code === "network" || error.code === "timeout");
  if (!transient || attempt >= retries) throw error;
  // Full jitter, also after Retry-After: clients that failed together must not return together.
  const told = Math.min(error.retryAfterMs ?? 0, LONGEST, timeoutMs);
  await pause(told + Math.random() * Math.min(PAUSE * 2 ** attempt, LONGEST), signal);
  traffic.retries += 1;
}

/**
 * The answer of one request or, where it has none after `after` ms, of the first of two equal ones that succeeds; the
 * other is aborted.
 * @template T
 * @param {(signal: AbortSignal, second: boolean) => Promise<T>} send
 * @param {number | undefined} after undefined: one request only
 * @param {AbortSignal} signal ends both; it lives as long as the request
 * @param {(answer: T) => void} lose called with an answer that came second
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
          // Both may have answered before either is heard of: the second must not end the first.
          if (won) return lose(answer);
          won = true;
          clearTimeout(timer);
          own[1 - i].abort();
          resolve(answer);
        },
        (error) => {
          open -= 1;
          if (open > 0 || won) return; // the other may do better, or did
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
