// The calls of other tabs, at the tab that leads.
import { encodeError } from "../../engine/remote/messages.js";
import { PagevecError, toPagevec } from "../../errors.js";

/** @typedef {import("../host/host.js").Host} Host */

export class Served {
  #host;
  #term;
  #post;
  /** @type {Map<string, AbortController>} */
  #running = new Map();
  /** Set when this tab leads no more. */
  over = false;

  /**
   * @param {Host} host
   * @param {bigint} term under which this tab leads
   * @param {(message: import("../messages.js").ToClient) => void} post
   */
  constructor(host, term, post) {
    this.#host = host;
    this.#term = term;
    this.#post = post;
  }

  get term() {
    return this.#term;
  }

  get state() {
    return this.#host.state;
  }

  /**
   * @param {import("../messages.js").Call} call
   * @param {import("../host/host.js").Origin} origin
   * @param {AbortSignal} signal
   * @param {import("../host/upkeep.js").OnProgress} onProgress
   * @returns {Promise<{ value: any } | { error: PagevecError } | undefined>} undefined: it was ended as this tab leads no more, and is
   *   sent to the next leader
   */
  run(call, origin, signal, onProgress) {
    return this.#host.call(call, origin, signal, onProgress).then(
      (value) => ({ value }),
      (thrown) => {
        const error = toPagevec(thrown);
        return this.over && !signal.aborted && ["closed", "aborted"].includes(error.code) ? undefined : { error };
      },
    );
  }

  /** @param {import("../messages.js").ToLeader} message */
  async receive(message) {
    const { from } = message;
    if ("abort" in message) return this.#running.get(`${from} ${message.abort}`)?.abort();
    if (this.over) return;
    const { id, call } = message;
    const key = `${from} ${id}`;
    const controller = new AbortController();
    this.#running.set(key, controller);
    const to = { to: from, term: this.#term, id };
    const outcome = await this.run(call, { client: from, request: id }, controller.signal, (progress) => this.#post({ ...to, progress }));
    this.#running.delete(key);
    if (outcome) this.#post("error" in outcome ? { ...to, error: encodeError(outcome.error) } : { ...to, value: outcome.value });
  }

  /** Finishes what runs, and gives the files back. */
  close() {
    this.over = true;
    return this.#host.close();
  }
}
