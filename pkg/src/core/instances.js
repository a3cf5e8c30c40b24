// Instances of the modules that search, whose glue is one: that of the module with filters. Indexes of one module share them, as each reserves gigabytes of addresses, so that a page can have some hundred
// only. WebAssembly memory never shrinks, but memory that a closed index freed is used again.
//
// After a trap an instance is in an unknown state: nothing calls into it any more, and the indexes that shared it go on in another
// one.
import { instantiate } from "../../wasm/filter/instance.js";
import { fromWasm, PagevecError } from "../errors.js";
import { instantiated } from "./module.js";

/** Bytes of files that the indexes of one instance may hold together. It has 4 GiB; searches need the rest. */
const FILE_BYTES = 2 ** 30;
/** Bytes of memory up to which an instance without an index is kept for the next one. */
const SMALL = 64 * 1024 * 1024;

/** @typedef {Awaited<ReturnType<typeof instantiate>>} Glue */

/** Another index trapped in the shared instance. A call that gets this error starts again, so callers of the package never see it. */
export class Lost extends PagevecError {}

/** @type {WeakMap<WebAssembly.Module, Set<Instance>>} the instances that can take another index */
const shared = new WeakMap();

class Instance {
  /** @type {Promise<Glue>} */
  ready;
  /** @type {Glue | undefined} undefined: it has not started yet, or it trapped */
  glue;
  /** @type {Lost | undefined} */
  lost;
  /** @type {Map<Lease, number>} and the bytes of each */
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

  /** The size of its memory. */
  get bytes() {
    return this.glue?.memory.buffer.byteLength ?? 0;
  }

  /** @param {number} bytes */
  takes(bytes) {
    let held = bytes;
    for (const one of this.#leases.values()) held += one;
    return this.#leases.size === 0 || (held <= FILE_BYTES && this.bytes <= 2 * FILE_BYTES);
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

  /** @param {Lease} [guilty] the one that trapped, which knows already */
  die(guilty) {
    this.#pool.delete(this);
    this.glue = undefined;
    this.lost = new Lost("trapped", "another index stopped the WebAssembly instance that this one shared");
    for (const lease of this.#leases.keys()) if (lease !== guilty) lease.onLost(this.lost);
    this.#leases.clear();
  }
}

/** The right of one index to use an instance. */
export class Lease {
  #instance;
  /** @type {(error: Lost) => void} called once, if another index traps */
  onLost = () => {};

  /** @param {Instance} instance */
  constructor(instance) {
    this.#instance = instance;
  }

  /** The size of the memory that the indexes of the instance share. */
  get bytes() {
    return this.#instance.bytes;
  }

  /** That memory, until it grows. */
  get buffer() {
    return this.#instance.glue?.memory.buffer ?? new ArrayBuffer(0);
  }

  /**
   * Calls into the instance. Every call goes through here, so that no trap is missed.
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
 * @param {number} bytes that the index holds at most
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
  // Lent before anything awaits, so that others that open at the same time count it.
  const lease = instance.lend(bytes);
  try {
    await instance.ready;
    return lease;
  } catch (error) {
    lease.end();
    throw error;
  }
}
