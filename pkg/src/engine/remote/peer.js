// One worker, as the page sees it: calls that wait for their answers. When it fails, all of them fail, and it is not used again.
import { aborted, closed, notify, PagevecError, throwIfAborted } from "../../errors.js";
import { decodeError } from "./messages.js";

/**
 * @typedef {object} Port a worker, the same for browsers and Node
 * @property {(message: import("./messages.js").ToWorker, transfer: ArrayBuffer[]) => void} post
 * @property {(busy: boolean) => void} hold whether calls wait for an answer: a worker without any does not keep Node alive
 * @property {() => void} end
 *
 * @typedef {object} PortEvents
 * @property {(message: import("./messages.js").FromWorker) => void} onMessage
 * @property {(why: string, cause?: unknown) => void} onFailure the worker stopped, or never started
 *
 * @typedef {import("../../core/session.js").Listeners & { onMemory?: (event: import("../memory/pressure.js").MemoryEvent) => void }} RemoteListeners
 *
 * @typedef {{ resolve: (value: any) => void, reject: (error: Error) => void, signal: AbortSignal | undefined, onAbort: () => void }} Waiting
 */

export class Peer {
  /** @type {import("../engine.js").Stats | undefined} of its last answer */
  stats;
  #port;
  #listeners;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #last = 0;
  /** @type {PagevecError | undefined} */
  #failed;

  /**
   * @param {(events: PortEvents) => Port} start
   * @param {RemoteListeners} listeners
   */
  constructor(start, listeners) {
    this.#listeners = listeners;
    try {
      this.#port = start({
        onMessage: (message) => this.#receive(message),
        onFailure: (why, cause) => this.fail(stopped(why, cause)),
      });
    } catch (cause) {
      throw cause instanceof PagevecError ? cause : stopped(/** @type {Error} */ (Object(cause)).message, cause);
    }
  }

  /** Why it is not used any more; undefined while it is. */
  get failed() {
    return this.#failed;
  }

  /**
   * @param {import("./messages.js").Call} call
   * @param {AbortSignal | undefined} [signal]
   * @param {ArrayBuffer[]} [transfer] what the worker gets instead of a copy
   * @returns {Promise<any>} rejects with the worker's error, or with `worker` if it stops first
   */
  async call(call, signal, transfer = []) {
    throwIfAborted(signal);
    if (this.#failed) throw this.#failed;
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#take(id);
        this.#port.post({ abort: id }, []);
        reject(aborted(signal?.reason));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.set(id, { resolve, reject, signal, onAbort });
      this.#port.hold(true);
      try {
        this.#port.post({ ...call, id }, transfer);
      } catch (error) {
        this.#take(id);
        reject(error);
      }
    });
  }

  /**
   * Ends the worker, and all calls under way with `error`.
   * @param {PagevecError} [error]
   */
  fail(error = closed()) {
    if (this.#failed) return;
    this.#failed = error;
    this.#port?.end();
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(error);
  }

  /** @param {import("./messages.js").FromWorker} message */
  #receive(message) {
    if (this.#failed) return;
    if ("event" in message) return notify(/** @type {((event: any) => void) | undefined} */ (this.#listeners[message.event]), message.detail);
    this.stats = message.stats ?? this.stats;
    const waiting = this.#take(message.id);
    if ("error" in message) waiting?.reject(decodeError(message.error));
    else waiting?.resolve(message.value);
  }

  /**
   * @param {number} id
   * @returns {Waiting | undefined} undefined: it was aborted
   */
  #take(id) {
    const waiting = this.#waiting.get(id);
    waiting?.signal?.removeEventListener("abort", waiting.onAbort);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#port.hold(false);
    return waiting;
  }
}

/**
 * @param {string} why
 * @param {unknown} cause
 */
function stopped(why, cause) {
  return new PagevecError(
    "worker",
    `the worker could not be started, or stopped (${why}); the next call starts another. If it never starts: its script must come from the page's own origin (under a Content-Security-Policy: worker-src 'self'), and where a bundler does not copy it, pass \`worker: () => new Worker(new URL("pagevec/worker", import.meta.url), { type: "module" })\``,
    { cause },
  );
}
