// The calls of one tab that wait for an answer. Each has a number, under which it is sent again to the next leader: that one knows what
// was carried out already.
import { decodeError } from "../../engine/remote/messages.js";
import { aborted, PagevecError } from "../../errors.js";

/**
 * @typedef {import("../messages.js").Call} Call
 * @typedef {import("../host/upkeep.js").OnProgress} OnProgress
 * @typedef {{ call: Call, signal: AbortSignal | undefined, onProgress: OnProgress, resolve: (value: any) => void, reject: (error: Error) => void, onAbort: () => void }} Request
 */

export class Requests {
  /** @type {Map<number, Request>} in the order of their numbers */
  #waiting = new Map();
  #last = 0;
  #send;
  #cancel;

  /**
   * @param {(id: number, request: Request) => void} send
   * @param {(id: number) => void} cancel
   */
  constructor(send, cancel) {
    this.#send = send;
    this.#cancel = cancel;
  }

  /**
   * @param {Call} call
   * @param {AbortSignal | undefined} signal
   * @param {OnProgress} onProgress
   * @returns {Promise<any>}
   */
  add(call, signal, onProgress) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (this.#take(id)) this.#cancel(id);
        reject(aborted(signal?.reason));
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      const request = { call, signal, onProgress, resolve, reject, onAbort };
      this.#waiting.set(id, request);
      this.#send(id, request);
    });
  }

  /** Sends all that wait, in their order: a new leader has none of them. */
  again() {
    for (const [id, request] of [...this.#waiting]) this.#send(id, request);
  }

  /** @param {import("../messages.js").ToClient} message from the tab that leads */
  answer(message) {
    const { id } = message;
    if ("progress" in message) this.#waiting.get(id)?.onProgress(message.progress);
    else this.settle(id, "error" in message ? { error: decodeError(message.error) } : message);
  }

  /**
   * @param {number} id
   * @param {{ value: any } | { error: PagevecError }} outcome
   */
  settle(id, outcome) {
    const request = this.#take(id);
    if ("error" in outcome) request?.reject(outcome.error);
    else request?.resolve(outcome.value);
  }

  /** @param {PagevecError} error */
  rejectAll(error) {
    for (const id of [...this.#waiting.keys()]) this.settle(id, { error });
  }

  /**
   * @param {number} id
   * @returns {Request | undefined} undefined: nobody waits for it any more
   */
  #take(id) {
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    request?.signal?.removeEventListener("abort", request.onAbort);
    return request;
  }
}
