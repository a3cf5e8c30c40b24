// Which tab leads: the one that holds a Web Lock. The others wait in its queue; the browser gives it on when the holder is closed or
// crashes. A holder that only hangs keeps it, so one that has shown no sign of life for long is robbed of it, and whether that helps
// is up to the fence, the exclusive handles on the files.

/** Milliseconds after an attempt to lead that failed. */
const PAUSE = 500;

/** @typedef {(lost: AbortSignal) => Promise<"again" | "pause">} Lead leads until `lost` fires, or as long as it likes */

export class Election {
  #name;
  #lead;
  /** Ends waiting for the lock. */
  #wait = new AbortController();
  #steals = false;
  #ended = false;
  /** Resolves when this tab may wait for the lock: a tab that is frozen would keep it from all others. */
  #awake = Promise.resolve();
  #wake = () => {};
  /** @type {ReturnType<Lead> | undefined} while this tab leads */
  #leading;

  /**
   * @param {string} name of the lock
   * @param {Lead} lead
   */
  constructor(name, lead) {
    this.#name = name;
    this.#lead = lead;
    void this.#run();
  }

  /** Takes the lock from its holder. */
  steal() {
    this.#steals = true;
    this.#wait.abort();
  }

  /** Does not wait for the lock until `wake`. */
  sleep() {
    this.#awake = new Promise((resolve) => (this.#wake = resolve));
    this.#wait.abort();
  }

  wake() {
    this.#wake();
  }

  /**
   * Resolves when this tab leads no more; `lead` must be ended by its caller. Chromium overlooks a signal that fires while a request is on
   * its way, so the end of waiting is not waited for: the lock is given back at once, should it be given.
   */
  async end() {
    this.#ended = true;
    this.#wait.abort();
    this.#wake();
    await this.#leading;
  }

  async #run() {
    for (;;) {
      await this.#awake;
      if (this.#ended) return;
      const steal = this.#steals;
      this.#steals = false;
      this.#wait = new AbortController();
      const lost = new AbortController();
      const { signal } = this.#wait;
      const hold = () => (this.#ended || signal.aborted ? undefined : (this.#leading = this.#lead(lost.signal)));
      // A request cannot both steal and be ended by a signal; one that steals does not wait.
      const request = navigator.locks.request(this.#name, steal ? { steal } : { signal }, hold);
      await request.catch(() => lost.abort()); // waiting was ended, or the lock was stolen
      const outcome = await this.#leading;
      this.#leading = undefined;
      if (outcome === "pause" && !this.#ended) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
