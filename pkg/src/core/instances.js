// Instances of the search module, which indexes share: a page has room for some hundred of them, as each reserves
// gigabytes of addresses. Memory of WebAssembly never shrinks, but what a closed index leaves is used again.
//
// After a trap an instance is in an unknown state: nothing calls into it any more, and those that shared it begin anew
// in another one.
import { instantiate } from "../../wasm/search/instance.js";
import { fromWasm, PagevecError } from "../errors.js";
import { instantiated } from "./module.js";

/** Bytes of files that the indexes of one instance may hold in all. It has 4 GiB; the rest is for what searches need. */
const ROOM = 2 ** 30;
/** An instance without an index is kept for the next one, unless it grew beyond this. */
const SMALL = 64 * 1024 * 1024;

/** @typedef {Awaited<ReturnType<typeof instantiate>>} Glue */

/** Another index trapped in the shared instance. Whoever gets this begins anew: it is not told to callers. */
export class Lost extends PagevecError {}

/** @type {WeakMap<WebAssembly.Module, Set<Instance>>} those that take another index */
const shared = new WeakMap();

class Instance {
  /** @type {Promise<Glue>} */
  ready;
  /** @type {Glue | undefined} undefined: not there yet, or lost */
  glue;
  /** @type {Lost | undefined} */
  lost;
  /** @type {Map<Lease, number>} bytes of each */
  #leases = new Map();
  #pool;

  /**
   * @param {WebAssembly.Module} module
   * @param {Set<Instance>} pool
   */
  constructor(module, pool) {
    this.#pool = pool;
    this.ready = instantiated(instantiate, module, "search").then((glue) => (this.glue = glue));
  }

  /** Of its memory. */
  get bytes() {
    return this.glue?.memory.buffer.byteLength ?? 0;
  }

  /** @param {number} bytes */
  takes(bytes) {
    let held = bytes;
    for (const one of this.#leases.values()) held += one;
    return this.#leases.size === 0 || (held <= ROOM && this.bytes <= 2 * ROOM);
  }

  /** @param {number} bytes */
  lend(bytes) {
    const lease = new Lease(this);
    this.#leases.set(lease, bytes);
    return lease;
  }

  /** @param {Lease} lease */
  leave(lease) {
    this.#leases.delete(lease);
    if (this.#leases.size === 0 && (!this.glue || this.bytes > SMALL)) this.#pool.delete(this);
  }

  /** @param {Lease} [guilty] who hears of it otherwise */
  die(guilty) {
    this.#pool.delete(this);
    this.glue = undefined;
    this.lost = new Lost("trapped", "another index stopped the WebAssembly instance that this one shared");
    for (const lease of this.#leases.keys()) if (lease !== guilty) lease.onLost(this.lost);
    this.#leases.clear();
  }
}

/** The use of an instance by one index. */
export class Lease {
  #instance;
  /** @type {(error: Lost) => void} called once, if another index traps */
  onLost = () => {};

  /** @param {Instance} instance */
  constructor(instance) {
    this.#instance = instance;
  }

  /** Bytes of its memory, which the indexes in it share. */
  get bytes() {
    return this.#instance.bytes;
  }

  /**
   * Whatever calls into the instance does so here.
   * @template T
   * @param {(glue: Glue) => T} action
   * @param {string} [where] the file it is about
   * @returns {T}
   */
  call(action, where) {
    const { glue, lost } = this.#instance;
    if (!glue) throw lost;
    try {
      return action(glue);
    } catch (thrown) {
      const error = fromWasm(thrown, where);
      if (error.code === "trapped") this.#instance.die(this);
      throw error;
    }
  }

  end() {
    this.#instance.leave(this);
  }
}

/**
 * @param {WebAssembly.Module} module
 * @param {number} bytes that the index holds at the most
 * @param {boolean} alone whether it shares the instance with no other
 * @returns {Promise<Lease>}
 */
export async function lend(module, bytes, alone) {
  let pool = shared.get(module);
  if (!pool) shared.set(module, (pool = new Set()));
  let instance = alone ? undefined : [...pool].find((one) => one.takes(bytes));
  if (!instance) {
    instance = new Instance(module, pool);
    if (!alone) pool.add(instance);
  }
  // Before anything awaits: those that open at the same time find it taken.
  const lease = instance.lend(bytes);
  try {
    await instance.ready;
    return lease;
  } catch (error) {
    lease.end();
    throw error;
  }
}
