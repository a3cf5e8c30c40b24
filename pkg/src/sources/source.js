// What a source of bytes is. Everything above this file is the same for a URL, a Blob, bytes in
// memory and a file in Node.
import { PagevecError } from "../errors.js";

/**
 * Counted where the bytes enter, so repeated requests and gaps that were fetched along count too.
 * `retries` and `hedged` are those among `requests` that repeat one: after a failure, or beside a slow one.
 * @typedef {{ requests: number, bytes: number, retries: number, hedged: number }} Traffic
 */

/**
 * Laws: `read` gives exactly `length` bytes from `offset`, whole or as chunks, or it throws a
 * PagevecError; it may be called again after it threw; chunks belong to the reader. Only the first
 * read of a source whose `length` is not known yet may give fewer, when the file ends, and `length`
 * is known after it.
 * @typedef {{ signal?: AbortSignal, priority?: "low", claim?: import("./turns.js").Claim }} ReadOptions `low`: behind everything
 *   else; `claim`: who waits for it
 *
 * @typedef {object} Source
 * @property {string} name for messages; no secrets
 * @property {number | undefined} length
 * @property {Traffic} traffic
 * @property {import("../requests/coalesce.js").RequestLimits} limits
 * @property {import("./http/link.js").Link} [link] the way to it, where it is not on this machine
 * @property {boolean} [here] whether it is in memory, so that reads cost nothing
 * @property {(offset: number, length: number, options: ReadOptions) => Promise<Uint8Array | AsyncIterable<Uint8Array>>} read
 * @property {(extent: { offset: number, length: number }) => boolean} [forget] drops damaged bytes that were kept here or in a
 *   cache before, if these may have been; then they may be read again
 * @property {() => boolean} [changed] whether the place now says it holds another file: where a checksum fails, that is why
 * @property {() => void | Promise<void>} close
 * @property {import("../store/store.js").StoreStats} [stats] of its store
 * @property {(extent: { offset: number, length: number }) => boolean} [has] whether it is stored here: such a read is no request
 * @property {(offset: number, bytes: Uint8Array) => void} [keep] takes bytes that the core has checked
 * @property {(front: Uint8Array, fileId: string, manifest: Uint8Array | undefined) => Promise<void>} [opened] the front was
 *   read and is good
 */

/** Reads longer than this arrive in chunks. */
export const STREAM_FROM = 256 * 1024;

/** Local reads cost little each: no gap is worth reading. */
export const LOCAL_LIMITS = { maxPerWave: Infinity, maxGapBytes: 0, requestCostBytes: 0 };

/** @returns {Traffic} */
export function newTraffic() {
  return { requests: 0, bytes: 0, retries: 0, hedged: 0 };
}

/**
 * The whole of a read as one array.
 * @param {Source} source
 * @param {number} offset
 * @param {number} length
 * @param {AbortSignal} [signal]
 * @param {(done: number) => void} [onBytes]
 * @returns {Promise<Uint8Array>}
 */
export async function readAll(source, offset, length, signal, onBytes) {
  const got = await source.read(offset, length, { signal });
  if (got instanceof Uint8Array) {
    onBytes?.(got.length);
    return got;
  }
  /** @type {Uint8Array[]} */
  const chunks = [];
  let done = 0;
  for await (const chunk of got) {
    chunks.push(chunk);
    done += chunk.length;
    onBytes?.(done);
  }
  return join(chunks, done);
}

/**
 * @param {Uint8Array[]} chunks
 * @param {number} length their sum
 * @returns {Uint8Array}
 */
export function join(chunks, length) {
  if (chunks.length === 1) return chunks[0];
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/**
 * @param {string} name
 * @param {number} wanted
 * @param {number} got
 * @returns {PagevecError}
 */
export function shortRead(name, wanted, got) {
  return new PagevecError("io", `${name}: ${got} bytes where ${wanted} were expected: the file changed while it was open; open it again`);
}
