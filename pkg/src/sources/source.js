// What a source of bytes is. Everything above this room is the same for a URL, a Blob, bytes in memory and a file in Node.
import { isBytes } from "../describe.js";
import { PagevecError } from "../errors.js";

/**
 * @typedef {{ offset: number, length: number }} Extent a range of bytes of the file
 *
 * Traffic is counted where bytes enter, so repeated requests and gaps that were read along count too. Of `requests`,
 * `retries` repeat one after a failure and `hedged` repeat one beside it, as it was slow.
 * @typedef {{ requests: number, bytes: number, retries: number, hedged: number }} Traffic
 *
 * @typedef {object} RequestLimits how the extents of a wave may be merged into requests
 * @property {number} [maxConcurrent] requests that the connection carries at once; each further round of them takes a round trip
 * @property {number} maxPerWave requests of a wave, as long as that wastes no more than `maxGapBytes`
 * @property {number} maxGapBytes bytes of gaps that are read along to save requests
 * @property {number} requestCostBytes gaps of fewer bytes cost less than a request does
 * @property {number} [maxPerSearch] requests of a search, whatever bytes that takes
 * @property {number} [maxOperations] searches under way at once; others wait in the order in which they came
 *
 * @typedef {object} StoreStats what a page store did since `open`
 * @property {number} hits reads that the store answered
 * @property {number} misses reads that the network answered, in whole or in part
 * @property {number} bytes that came from the store
 * @property {string} [off] why nothing is written any more, or nothing ever was
 *
 * `read` gives exactly `length` bytes from `offset`, whole or in chunks that the reader may keep, or throws a PagevecError;
 * it may be called again after it threw. Only the first read of a source whose `length` is not known yet may give fewer
 * bytes, when the file ends; `length` is known after it.
 * @typedef {{ signal?: AbortSignal, priority?: "low", claim?: import("./turns.js").Claim }} ReadOptions `low`: after all other
 *   requests; `claim`: who waits for the bytes
 *
 * @typedef {object} Source
 * @property {string} name for messages, without secrets
 * @property {number | undefined} length of the file in bytes
 * @property {Traffic} traffic
 * @property {RequestLimits} limits
 * @property {import("./http/link.js").Link} [link] the network link to it, where it is not on this machine
 * @property {boolean} [inMemory] whether reads cost nothing
 * @property {(offset: number, length: number, options: ReadOptions) => Promise<Uint8Array | AsyncIterable<Uint8Array>>} read
 * @property {(extent: Extent) => boolean} [forget] drops damaged bytes that were kept here or in an HTTP cache; returns whether
 *   there may have been any, so that it is worth reading them again
 * @property {() => boolean} [changed] whether the host now says that it holds another file, which explains a wrong checksum
 * @property {() => void | Promise<void>} close
 * @property {(offset: number) => Source} [at] the source that has the byte there, where several are joined
 * @property {(offset: number) => number} [numberAt] the number of that source among them
 * @property {StoreStats} [stats] of its page store
 * @property {(extent: Extent) => boolean} [has] whether it is stored on this machine, so that reading it is no request
 * @property {(offset: number, bytes: Uint8Array) => void} [keep] takes bytes that the core has checked
 * @property {(front: Uint8Array, fileId: string, manifest: Uint8Array | undefined, others: string[]) => Promise<void>} [opened]
 *   called for one segment of an index once the fronts were read and are valid; `others` are the keys in the page store of its other
 *   files
 */

/** Longer reads arrive in chunks. */
export const STREAM_FROM = 256 * 1024;

/** @type {RequestLimits} Local reads cost little each: no gap is worth reading. */
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
  if (isBytes(got)) {
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
