// A link to a host in the same thread: of Node, Deno and Bun, whose programs have one collection for each folder.
import { aborted, throwIfAborted } from "../errors.js";
import { Host } from "./host/host.js";
import { newClient, toChangeEvent } from "./messages.js";

/**
 * @typedef {import("./calls/calls.js").Link} Link
 * @typedef {(call: import("./messages.js").Call, signal?: AbortSignal, onProgress?: import("./host/upkeep.js").OnProgress) => Promise<any>} HostCall
 */

export class LocalLink {
  /** @type {Host} */
  #host;
  #client = newClient();
  #last = 0;
  /** @type {import("./messages.js").State} */
  state;

  /**
   * @param {import("./host/host.js").Place} place
   * @param {import("./messages.js").HostSettings} settings
   * @param {import("./open.js").Wires} wires
   * @returns {Promise<LocalLink>}
   */
  static async open(place, settings, { onChange, onState = () => {} }) {
    /** @type {LocalLink | undefined} */
    let link;
    const host = await Host.open(place, settings, (told) => {
      if (!link) return;
      if (told.event === "state") onState((link.state = told.detail));
      else onChange(toChangeEvent(told.detail, link.#client));
    });
    return (link = new LocalLink(host));
  }

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.state = host.state;
  }

  /** @type {HostCall} */
  call = async (call, signal, onProgress = () => {}) => {
    throwIfAborted(signal);
    const answer = this.#host.call(call, { client: this.#client, request: ++this.#last }, signal ?? new AbortController().signal, onProgress);
    if (!signal) return answer;
    let stop = () => {};
    const stopped = new Promise((_, reject) => {
      stop = () => reject(aborted(signal.reason));
      signal.addEventListener("abort", stop, { once: true });
    });
    answer.catch(() => {}); // where nobody waits for it any more
    return Promise.race([answer, stopped]).finally(() => signal.removeEventListener("abort", stop));
  };

  /** What a folder keeps stays. */
  async persist() {
    return this.state.persistent;
  }

  close() {
    return this.#host.close();
  }
}
