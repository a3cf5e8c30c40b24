// The speed of the link to a host: as the user told it, else as answers show it.

/** Assumed until something is known: a home connection to a server not far away. */
const ASSUMED = { rttMs: 50, mbits: 20 };
/** Waves of fewer bytes say little about the bandwidth. */
const ENOUGH = 64 * 1024;
const BYTES_PER_MBIT = 125_000 / 1000; // in a millisecond

/**
 * @typedef {object} LinkSpeed
 * @property {number} rttMs milliseconds of a round trip
 * @property {number} mbits bandwidth in Mbit/s
 *
 * @typedef {object} Known
 * @property {"assumed" | "measured" | "told"} known where these come from
 * @typedef {LinkSpeed & Known} LinkState
 */

export class Link {
  #rtt = ASSUMED.rttMs;
  #mbits = ASSUMED.mbits;
  /** @type {LinkState["known"]} */
  #known = "assumed";

  /** @param {LinkSpeed} [told] is used as it is; nothing is measured then */
  constructor(told) {
    if (told) [this.#rtt, this.#mbits, this.#known] = [told.rttMs, told.mbits, "told"];
  }

  /** @returns {LinkState} */
  get state() {
    return { rttMs: this.#rtt, mbits: this.#mbits, known: this.#known };
  }

  /** Bytes that the link delivers in one round trip (the bandwidth-delay product). */
  get bandwidthDelay() {
    return this.#rtt * this.#mbits * BYTES_PER_MBIT;
  }

  /**
   * An answer began `ms` after its request. The shortest time counts, as other requests waited for a connection or for the
   * server; it is forgotten slowly, as the round trip may have become longer.
   * @param {number} ms
   */
  observeRtt(ms) {
    if (this.#known === "told") return;
    this.#rtt = this.#known === "assumed" || ms < this.#rtt ? ms : this.#rtt + (ms - this.#rtt) / 64;
    this.#known = "measured";
  }

  /**
   * A wave brought `bytes` in `ms`, in `rounds` of requests one after another. If that was hardly longer than its round
   * trips, the link is at least as fast as bytes / ms; else the rest of the time was spent on the bytes.
   * @param {number} bytes
   * @param {number} ms
   * @param {number} rounds
   */
  observeThroughput(bytes, ms, rounds) {
    if (this.#known === "told" || bytes < ENOUGH) return;
    const moving = ms - rounds * this.#rtt;
    if (moving > this.#rtt / 2) this.#mbits = (this.#mbits + bytes / moving / BYTES_PER_MBIT) / 2;
    else this.#mbits = Math.max(this.#mbits, bytes / Math.max(ms, 1) / BYTES_PER_MBIT);
  }
}
