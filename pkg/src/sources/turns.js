// How many requests to a host are under way at once. A browser fails what goes beyond some thousands, and the clock of a
// request that waits for a connection would run; so requests wait here for their turn, and are sent when it comes.
import { aborted } from "../errors.js";

/**
 * @typedef {object} Ticket a request that waits
 * @property {number} limit under way at once, itself included
 * @property {(() => void) | undefined} start undefined: it was started or given up
 */

/** Who waits for a read: searches, which may join it later. Each waits in its own queue. */
export class Claim {
  /** @type {Set<object>} */
  owners;
  /** @type {((owner: object) => void) | undefined} set while a request of it waits for its turn */
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
  /** @type {Map<object, Ticket[]>[]} by owner, the next one first; those of low priority apart */
  #waiting = [new Map(), new Map()];
  #onIdle;

  /** @param {() => void} [onIdle] called when nothing is under way and nothing waits */
  constructor(onIdle) {
    this.#onIdle = onIdle;
  }

  /**
   * Waits until fewer than `limit` requests are under way, and for the turn of one of the claim's owners: they take
   * turns, so that one with few requests does not wait for all of one with many.
   * @param {Claim} claim
   * @param {number} limit
   * @param {{ signal?: AbortSignal, low?: boolean, again?: boolean }} [how] `low`: behind everything else; `again`: before
   *   its owners' other requests
   * @returns {Promise<() => void>} to be called when the request is over; more calls do nothing
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
        // With no turn left, none for those behind either.
        if (next && this.#running >= next.limit) return;
        queues.delete(owner);
        queue.shift();
        // To the end of the map, where this loop comes by again.
        if (queue.length > 0) queues.set(owner, queue);
        next?.start?.();
      }
    }
  }
}

/** @type {Map<string, Turns>} */
const hosts = new Map();

/**
 * All indexes of a host share its turns.
 * @param {string} origin
 * @returns {Turns}
 */
export function turnsAt(origin) {
  let turns = hosts.get(origin);
  if (!turns) hosts.set(origin, (turns = new Turns(() => hosts.delete(origin))));
  return turns;
}
