// Who listens to the memory of an index: while somebody does, its controller works.
import { notify, typed } from "../errors.js";

/** @typedef {(event: import("./memory/pressure.js").MemoryEvent) => void} Listener */

export class Listeners {
  #engine;
  /** @type {Set<{ listener: Listener }>} */
  #all = new Set();

  /** @param {Pick<import("./engine.js").Engine, "closed" | "watch">} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /**
   * @param {Listener} listener
   * @returns {() => void} removes it
   */
  add(listener) {
    const one = { listener };
    if (this.#all.add(one).size === 1) this.#watch((event) => this.#all.forEach(({ listener }) => notify(listener, event)));
    return () => {
      if (this.#all.delete(one) && this.#all.size === 0) this.#watch(undefined);
    };
  }

  /** A failure is reported as uncaught, like that of a listener. @param {Listener | undefined} tell */
  #watch(tell) {
    if (this.#engine.closed) return;
    typed(() => this.#engine.watch(tell)).catch((error) => {
      if (!this.#engine.closed) throw error;
    });
  }
}
