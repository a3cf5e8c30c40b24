// The writes of a collection, in the order in which they came. All that wait are written together and made durable by one sync, which
// takes longer than all else; then all are acknowledged, and told to listeners. While the disk is busy the next ones gather.
import { PagevecError, toPagevec } from "../../errors.js";

/** Relaxed durability: milliseconds, or bytes, after which what was written is made durable. */
const RELAXED_MS = 100;
const RELAXED_BYTES = 1 << 20;
/** Bytes of the writes of a group, unless one alone has more. */
const GROUP_BYTES = 4 << 20;

/**
 * @typedef {import("./core.js").Module} Module
 *
 * @typedef {object} Change what happened to rows
 * @property {number} sequence rises with each change
 * @property {import("../../arguments.js").Id[]} upserted
 * @property {import("../../arguments.js").Id[]} deleted
 * @property {boolean} cleared whether all rows from before were deleted
 * @property {bigint} client who did it
 *
 * @typedef {object} Write
 * @property {(module: Module) => any} run
 * @property {(value: any) => Change | undefined} change what to tell of what `run` gave
 * @property {number} bytes about
 * @property {boolean} durable whether it waits for the sync, however durability is set
 *
 * @typedef {Write & { resolve: (value: any) => void, reject: (error: Error) => void, value?: any }} Waiting
 *
 * @typedef {object} Around what happens around a group
 * @property {() => Promise<void>} before resolves when there is room, and the files that may be needed are ready
 * @property {(changes: Change[]) => void} committed called when they are durable, before anyone is told
 */

export class Writes {
  #core;
  #relaxed;
  #around;
  /** @type {Waiting[]} */
  #queue = [];
  /** @type {Promise<void> | undefined} */
  #draining;
  /** Of relaxed writes, not durable yet. */
  #open = { bytes: 0, changes: /** @type {Change[]} */ ([]) };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {import("./core.js").Core} core
   * @param {boolean} relaxed
   * @param {Around} around
   */
  constructor(core, relaxed, around) {
    this.#core = core;
    this.#relaxed = relaxed;
    this.#around = around;
  }

  /**
   * @param {Write} write
   * @returns {Promise<any>} what it gave, once it is as durable as it must be
   */
  push(write) {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...write, resolve, reject });
      this.#draining ??= this.#drain().finally(() => (this.#draining = undefined));
    });
  }

  /** Resolves when nothing is under way. */
  async settled() {
    while (this.#draining) await this.#draining;
  }

  async #drain() {
    // What was sent in the same moment comes with it.
    await undefined;
    while (this.#queue.length > 0) {
      try {
        await this.#core.ready();
        await this.#around.before();
        this.#group(this.#queue.splice(0, this.#size()));
      } catch (error) {
        for (const { reject } of this.#queue.splice(0)) reject(toPagevec(error));
      }
    }
  }

  /** How many of those that wait make a group: a larger one might need more files than are ready. */
  #size() {
    let bytes = 0;
    const past = this.#queue.findIndex((write) => (bytes += write.bytes) > GROUP_BYTES);
    return past < 0 ? this.#queue.length : Math.max(past, 1);
  }

  /** @param {Waiting[]} group */
  #group(group) {
    /** @type {Waiting[]} */
    const done = [];
    for (const write of group) {
      try {
        write.value = this.#core.write(write.run);
        done.push(write);
      } catch (error) {
        write.reject(toPagevec(error));
        if (!this.#core.broken) continue;
        // Whether the others of the group are whole in the log is not known either.
        for (const other of group) if (other !== write) other.reject(unknown(error));
        this.#open = { bytes: 0, changes: [] };
        return;
      }
    }
    for (const { change, value, bytes } of done) {
      const told = change(value);
      if (told) this.#open.changes.push(told);
      this.#open.bytes += bytes;
    }
    const now = !this.#relaxed || this.#open.bytes >= RELAXED_BYTES || done.some(({ durable }) => durable);
    try {
      if (now) this.#sync();
      else this.#timer ??= setTimeout(() => this.#late(), RELAXED_MS);
    } catch (error) {
      for (const { reject } of done) reject(unknown(error));
      return;
    }
    for (const { resolve, value } of done) resolve(value);
  }

  #sync() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { changes } = this.#open;
    this.#open = { bytes: 0, changes: [] };
    this.#core.write((module) => module.sync());
    this.#around.committed(changes);
  }

  /** A sync that nobody waits for. Where it fails, so does the next write, which opens the collection again. */
  #late() {
    try {
      this.#sync();
    } catch {
      this.#timer = undefined;
    }
  }
}

/** @param {unknown} cause */
function unknown(cause) {
  const { code, message } = toPagevec(cause);
  return new PagevecError(code, `${message} (this write may be stored or not: do it again, which is safe)`, { cause });
}
