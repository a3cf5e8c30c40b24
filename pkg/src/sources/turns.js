// Limits the requests to a host that are under way at once. Browsers fail requests beyond some thousands, and the timeout of a
// request that waits for a connection would run meanwhile; so requests wait here for their turn, and are sent when it comes.
import { aborted } from "../errors.js";

/**
 * @typedef {object} Ticket a request that waits
 * @property {number} limit under way at once, itself included
 * @property {(() => void) | undefined} start undefined: it was sent or given up
 */

/** The searches that wait for a read; others may join later. Each has a queue of its own. */
export class Claim {
  /** @type {Set<object>} */
  owners;
  /** @type {((owner: object) => void) | undefined} set while its request waits for its turn */
  joined;

  /** @param {object[]} owners */
  constructor(...owners) {
    this.owners = new Set(owners);
  }

  /** @param {object} owner */
  join(owner) {
    if (!this.owners.has(owner)) this.joined?.(owner);
    this.owners.add(owner);
  }
}

export class Turns {
  #running = 0;
  /** @type {Map<object, Ticket[]>[]} by owner, the next owner first; the second map is that of low priority */
  #waiting = [new Map(), new Map()];
  #onIdle;

  /** @param {() => void} [onIdle] called when nothing is under way and nothing waits */
  constructor(onIdle) {
    this.#onIdle = onIdle;
  }

  /**
   * Waits until fewer than `limit` requests are under way and it is the turn of one of the claim's owners. Owners take turns, so that
   * one with few requests does not wait for all requests of another.
   * @param {Claim} claim
   * @param {number} limit
   * @param {{ signal?: AbortSignal, low?: boolean, again?: boolean }} [how] `low`: after all other requests; `again`:
   *   before its owners' other requests
   * @returns {Promise<() => void>} must be called when the request has ended; further calls do nothing
   */
  take(claim, limit, { signal, low = false, again = false } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal.reason));
      const queues = this.#waiting[low ? 1 : 0];
      const leave = () => {
        ticket.start = undefined;
        claim.joined = undefined;
        signal?.removeEventListener("abort", stop);
      };
      const stop = () => {
        leave();
        reject(aborted(signal?.reason));
      };
      /** @type {Ticket} */
      const ticket = { limit, start: () => (leave(), resolve(this.#hold())) };
      const enter = (/** @type {object} */ owner) => {
        const queue = queues.get(owner);
        if (queue) queue[again ? "unshift" : "push"](ticket);
        else queues.set(owner, [ticket]);
      };
      signal?.addEventListener("abort", stop, { once: true });
      claim.joined = enter;
      claim.owners.forEach(enter);
      this.#pump();
    });
  }

  #hold() {
    this.#running += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#running -= 1;
      this.#pump();
      if (this.#running === 0) this.#onIdle?.();
    };
  }

  #pump() {
    for (const queues of this.#waiting) {
      for (const [owner, queue] of queues) {
        while (queue.length > 0 && !queue[0].start) queue.shift();
        const [next] = queue;
        // No turn is left, neither for this request nor for those behind it.
        if (next && this.#running >= next.limit) return;
        queues.delete(owner);
        queue.shift();
        // The owner goes to the end of the map, which this loop reaches later.
        if (queue.length > 0) queues.set(owner, queue);
        next?.start?.();
      }
    }
  }
}

/** @type {Map<string, Turns>} */
const hosts = new Map();

/**
 * The turns of a host, which all indexes share.
 * @param {string} origin
 * @returns {Turns}
 */
export function turnsAt(origin) {
  let turns = hosts.get(origin);
  if (!turns) hosts.set(origin, (turns = new Turns(() => hosts.delete(origin))));
  return turns;
}
