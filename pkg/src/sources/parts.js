// A segment in part files, for hosts that ignore Range. Each part is read as a whole. It holds more bytes than a search needs, and
// the next search may need the rest, so the parts that were read last are kept.
import { aborted, PagevecError, throwIfAborted } from "../errors.js";
import { join, LOCAL_LIMITS, newTraffic, STREAM_FROM } from "./source.js";
import { Claim } from "./turns.js";

/** Parts that a long read requests before it needs them. */
const AHEAD = 8;

/**
 * @typedef {{ folder: string, cuts: [from: number, size: number][] }} Parts checked by manifest.js: from byte `from`
 *   of the segment to the next cut, parts have `size` bytes
 * @typedef {{ offset: number, length: number }} Part
 * @typedef {(path: string, length: number, how: { signal: AbortSignal, claim: Claim, again: boolean }) => Promise<Uint8Array>} LoadPart
 *   waits for its turn and counts its traffic; the path is relative to index.json; `again`: not from a cache, as the bytes that came
 *   before were damaged
 * @typedef {{ done: Promise<Uint8Array>, waiters: number, keep: boolean, claim: Claim, controller: AbortController }} PendingPart
 */

/**
 * @implements {Source}
 */
export class PartsSource {
  #parts;
  #load;
  #keepBytes;
  /** @type {Map<number, Uint8Array>} by offset; the least recently used first */
  #kept = new Map();
  #keptBytes = 0;
  /** @type {Map<number, PendingPart>} requests under way, by offset */
  #pending = new Map();
  /** @type {Set<number>} offsets of parts that were damaged when they came */
  #damaged = new Set();
  // A part is fetched once whatever extents of it are read, so there is nothing to merge.
  limits = LOCAL_LIMITS;

  /**
   * @param {Parts} parts
   * @param {number} length of the segment
   * @param {string} name
   * @param {LoadPart} load
   * @param {{ traffic?: Traffic, keepBytes?: number }} [options] `keepBytes`: most bytes of parts that are kept
   */
  constructor(parts, length, name, load, { traffic = newTraffic(), keepBytes = 16 << 20 } = {}) {
    this.#parts = parts;
    this.#load = load;
    this.#keepBytes = keepBytes;
    /** @type {number} */
    this.length = length;
    this.name = name;
    this.traffic = traffic;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("./source.js").ReadOptions} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, { signal, claim = new Claim(this) } = {}) {
    throwIfAborted(signal);
    const end = offset + length;
    if (end > this.length) throw new PagevecError("stale", `${this.name} has ${this.length} bytes, ${end} were requested: open the index again`);
    const parts = partsOf(this.#parts, this.length, offset, end);
    if (length > STREAM_FROM && parts.length > 1) return this.#stream(parts, offset, end, claim, signal);
    const taken = parts.map((part) => this.#take(part, true, claim));
    try {
      const all = await until(Promise.all(taken.map(({ done }) => done)), signal);
      return join(all.map((bytes, i) => cut(bytes, parts[i], offset, end)), length);
    } finally {
      taken.forEach(release);
    }
  }

  /**
   * A long read. Its parts are not kept, as they would push out those that short reads share.
   * @param {Part[]} parts
   * @param {number} offset
   * @param {number} end
   * @param {Claim} claim
   * @param {AbortSignal | undefined} signal
   */
  async *#stream(parts, offset, end, claim, signal) {
    /** @type {PendingPart[]} */
    const ahead = [];
    try {
      for (const [i, part] of parts.entries()) {
        ahead.push(...parts.slice(i + ahead.length, i + AHEAD).map((next) => this.#take(next, false, claim)));
        const bytes = await until(ahead[0].done, signal);
        release(/** @type {PendingPart} */ (ahead.shift()));
        yield cut(bytes, part, offset, end);
      }
    } finally {
      ahead.forEach(release);
    }
  }

  /**
   * The core refused these bytes: drops the parts that hold them; the next requests for those bypass caches.
   * @param {{ offset: number, length: number }} extent
   * @returns {boolean}
   */
  forget({ offset, length }) {
    for (const part of partsOf(this.#parts, this.length, offset, offset + length)) {
      this.#damaged.add(part.offset);
      this.#keptBytes -= this.#kept.get(part.offset)?.length ?? 0;
      this.#kept.delete(part.offset);
    }
    return true;
  }

  /**
   * Joins or starts the one request for a part. It is aborted when no read waits for it any more.
   * @param {Part} part
   * @param {boolean} keep
   * @param {Claim} claim
   * @returns {PendingPart} to be released
   */
  #take(part, keep, claim) {
    const pending = this.#pending.get(part.offset) ?? this.#start(part, claim);
    for (const owner of claim.owners) pending.claim.join(owner);
    pending.waiters += 1;
    pending.keep ||= keep;
    return pending;
  }

  /**
   * @param {Part} part
   * @param {Claim} wanted
   * @returns {PendingPart}
   */
  #start(part, wanted) {
    const controller = new AbortController();
    const claim = new Claim(...wanted.owners);
    const { offset, length } = part;
    const kept = this.#kept.get(offset);
    if (kept) {
      this.#keep(part, kept);
      return { done: Promise.resolve(kept), waiters: 0, keep: false, claim, controller };
    }
    const path = `${this.#parts.folder}/${offset}-${offset + length - 1}.bin`;
    const done = this.#load(path, length, { signal: controller.signal, claim, again: this.#damaged.delete(offset) });
    const pending = { done, waiters: 0, keep: false, claim, controller };
    this.#pending.set(offset, pending);
    const finish = () => {
      if (this.#pending.get(offset) === pending) this.#pending.delete(offset);
    };
    // A failure is thrown where `done` is awaited.
    done.then((bytes) => (finish(), pending.keep && this.#keep(part, bytes)), finish);
    controller.signal.addEventListener("abort", finish);
    return pending;
  }

  /**
   * Keeps a part as the most recently used one.
   * @param {Part} part
   * @param {Uint8Array} bytes
   */
  #keep({ offset }, bytes) {
    if (bytes.length > this.#keepBytes) return;
    if (!this.#kept.delete(offset)) this.#keptBytes += bytes.length;
    this.#kept.set(offset, bytes);
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= this.#keepBytes) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
  }

  close() {
    this.#kept.clear();
    this.#keptBytes = 0;
  }
}

/**
 * A small file that is always read as a whole, as a part is.
 * @param {{ file: string, length: number }} entry
 * @param {string} name
 * @param {LoadPart} load
 * @param {Traffic} traffic
 * @returns {PartsSource}
 */
export function wholeFile({ file, length }, name, load, traffic) {
  return new PartsSource({ folder: "", cuts: [[0, length]] }, length, name, (_, size, how) => load(file, size, how), { traffic, keepBytes: 0 });
}

/** @param {PendingPart} pending */
function release(pending) {
  pending.waiters -= 1;
  if (pending.waiters === 0) pending.controller.abort();
}

/**
 * The parts that hold bytes `offset` to `end`, in order.
 * @param {Parts} parts
 * @param {number} length of the segment
 * @param {number} offset
 * @param {number} end exclusive
 * @returns {Part[]}
 */
function partsOf({ cuts }, length, offset, end) {
  /** @type {Part[]} */
  const found = [];
  let next = cuts.findIndex(([from]) => from > offset);
  if (next < 0) next = cuts.length;
  for (let at = offset; at < end; ) {
    const [from, size] = cuts[next - 1];
    const stop = next < cuts.length ? cuts[next][0] : length;
    const start = from + Math.floor((at - from) / size) * size;
    const part = { offset: start, length: Math.min(size, stop - start) };
    found.push(part);
    at = part.offset + part.length;
    if (at === stop) next += 1;
  }
  return found;
}

/**
 * The bytes of a part between `offset` and `end`.
 * @param {Uint8Array} bytes
 * @param {Part} part
 * @param {number} offset
 * @param {number} end
 */
function cut(bytes, part, offset, end) {
  return bytes.subarray(Math.max(offset - part.offset, 0), end - part.offset);
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
function until(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted(signal.reason));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./source.js").Traffic} Traffic */
