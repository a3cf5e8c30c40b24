// A segment that stays on its server. Every judgement about a response is in http-response.js.
import { badArgument, throwIfAborted, PagevecError } from "../../errors.js";
import { LIMITS } from "../../requests/coalesce.js";
import { BytesSource } from "../local/bytes.js";
import { chunksOf, gather } from "../chunks.js";
import { connectionTo } from "./options.js";
import { checkRange, checkStatus, drop, encodingOf, fetchFailed, isHtml, nameOf, noRange, replaced, shortBody, startedHtml, strongTag, wrongLength } from "./response.js";
import { beforeRetry, Deadline, hedged, retrying } from "./retry.js";
import { Link } from "./link.js";
import { newTraffic, STREAM_FROM } from "../source.js";
import { Claim, turnsAt } from "../turns.js";

/** A whole file up to this size is kept when a server answers 200 to a range. */
export const WHOLE_LIMIT = 8 << 20;

/**
 * @typedef {object} HttpOptions
 * @property {typeof globalThis.fetch} [fetch]
 * @property {Record<string, string> | Headers} [headers] sent to the index's own origin only
 * @property {number} timeoutMs
 * @property {number} retries
 * @property {number} [hedge]
 * @property {import("../../requests/coalesce.js").Connection} [connection]
 * @property {number} [maxRequests]
 * @property {import("./link.js").LinkSpeed} [link]
 */

/**
 * @implements {Source}
 */
export class HttpSource {
  #url;
  #options;
  /** @type {import("../../requests/coalesce.js").Connection | undefined} */
  #connection;
  /** @type {BytesSource | undefined} the whole file, from a server that ignores ranges */
  #whole;
  /** @type {Promise<void> | undefined} it is being fetched */
  #keeping;
  /** @type {string | undefined} the first strong ETag that could be read */
  #tag;
  #changed = false;

  /**
   * @param {URL} url
   * @param {number | undefined} length
   * @param {HttpOptions} options
   * @param {Traffic} [traffic]
   */
  constructor(url, length, options, traffic = newTraffic()) {
    this.#url = url;
    this.#options = options;
    this.#connection = options.connection;
    this.length = length;
    this.link = new Link(options.link);
    this.traffic = traffic;
    this.name = nameOf(url);
  }

  /** Asked for when a wave begins: the answer that opened the index tells the protocol, where a page may know it. */
  get limits() {
    this.#connection ??= connectionTo(this.#url);
    const limits = LIMITS[this.#connection];
    return { ...limits, maxPerSearch: this.#options.maxRequests ?? limits.maxPerSearch };
  }

  get here() {
    return this.#whole !== undefined;
  }

  /**
   * Whether the last answer had another strong ETag than the first. Alone that is no fault: servers
   * behind one name may disagree, and extensions rewrite it. Where a checksum fails too, it says why.
   */
  changed() {
    return this.#changed;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("../source.js").ReadOptions} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, options = {}) {
    const { signal } = options;
    throwIfAborted(signal);
    if (this.#whole) return this.#whole.read(offset, length);
    if (length > STREAM_FROM) return this.#stream(offset, length, options);
    const all = (/** @type {number} */ attempt) => gather(this.#attempt(offset, length, options, attempt > 0), length);
    return /** @type {Promise<Uint8Array>} */ (retrying(this.#options, this.traffic, signal, all));
  }

  /**
   * A large read, which goes on after a failure where it was.
   * @param {number} offset
   * @param {number} length
   * @param {import("../source.js").ReadOptions} options
   */
  async *#stream(offset, length, options) {
    let done = 0;
    for (let attempt = 0; done < length; attempt++) {
      try {
        for await (const chunk of this.#attempt(offset + done, length - done, options, attempt > 0)) {
          done += chunk.length;
          yield chunk;
        }
        // Only the first read of a file of unknown length may be shorter.
        return;
      } catch (error) {
        if (done === length) return; // it broke after its last byte
        await beforeRetry(error, attempt, this.#options, this.traffic, options.signal);
      }
    }
  }

  /**
   * One request (two, hedged), checked; its bytes. Its clock starts when its turn came.
   * @param {number} offset
   * @param {number} length
   * @param {import("../source.js").ReadOptions} options
   * @param {boolean} again
   */
  async *#attempt(offset, length, { signal, priority, claim = new Claim(this) }, again) {
    const limit = LIMITS[this.#connection ?? connectionTo(this.#url)].maxPerHost;
    const turn = (/** @type {AbortSignal | undefined} */ own) => turnsAt(this.#url.origin).take(claim, limit, { signal: own, low: priority === "low", again });
    const first = await turn(signal);
    const deadline = new Deadline(this.#url, length, this.#options.timeoutMs, signal);
    const hedge = length > STREAM_FROM ? undefined : this.#options.hedge;
    const send = async (/** @type {AbortSignal} */ own, /** @type {boolean} */ second) => {
      const free = second ? await turn(own) : first;
      if (second) this.traffic.hedged += 1;
      // Not left to fetch alone, as in `Deadline`.
      own.addEventListener("abort", free, { once: true });
      try {
        return { ...(await this.#ask(offset, length, { signal: own, priority })), free };
      } catch (error) {
        free();
        throw error;
      }
    };
    const lose = (/** @type {Awaited<ReturnType<typeof send>>} */ { response, free }) => drop(response, free());
    let over = first;
    try {
      const { response, end, free } = await deadline.wait(hedged(send, hedge, deadline.signal, lose));
      over = free;
      if (end === undefined) {
        await this.#keep(response, deadline);
        const whole = /** @type {BytesSource} */ (this.#whole);
        yield await whole.read(offset, Math.min(length, whole.length - offset));
      } else {
        yield* exactly(bodyOf(response, this.#url, this.traffic, deadline), end - offset, this.#url);
      }
    } finally {
      deadline.release();
      over();
    }
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {import("../source.js").ReadOptions} options
   * @returns {Promise<{ response: Response, end: number | undefined }>} no end: it is the whole file
   */
  async #ask(offset, length, options) {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const from = performance.now();
    const response = await request(this.#url, this.#options, this.traffic, { range, cache: "no-store", ...options });
    this.link.observeRtt(performance.now() - from);
    if (response.status === 200) return { response, end: undefined };
    try {
      const { end, total } = checkRange(response, this.#url, offset, length, this.length);
      this.length ??= total;
      const tag = strongTag(response);
      this.#tag ??= tag;
      this.#changed = tag !== undefined && tag !== this.#tag;
      return { response, end };
    } catch (error) {
      throw drop(response, error);
    }
  }

  /**
   * A 200 to a range: a small file is simply kept, once for all requests of a wave; a large one is
   * an error at once.
   * @param {Response} response
   * @param {Deadline} deadline
   */
  async #keep(response, deadline) {
    const other = this.#whole ? Promise.resolve() : this.#keeping;
    if (other) {
      drop(response, undefined);
      // Why another read failed, its signal perhaps, is nothing to this one: it tries again.
      return deadline.wait(other.catch((cause) => Promise.reject(fetchFailed(this.#url, cause))));
    }
    this.#keeping = this.#fetchWhole(response, deadline).finally(() => (this.#keeping = undefined));
    return this.#keeping.catch((error) => Promise.reject(drop(response, error)));
  }

  /**
   * @param {Response} response
   * @param {Deadline} deadline
   */
  async #fetchWhole(response, deadline) {
    const size = Number(response.headers.get("content-length") ?? 0);
    if (isHtml(response)) throw startedHtml(this.#url);
    if (Math.max(this.length ?? 0, encodingOf(response) ? 0 : size) > WHOLE_LIMIT) throw noRange(this.#url);
    deadline.expect(size || WHOLE_LIMIT);
    const bytes = await gather(bodyOf(response, this.#url, this.traffic, deadline), WHOLE_LIMIT);
    if (!bytes) throw noRange(this.#url);
    if (this.length !== undefined && bytes.length !== this.length) throw replaced(this.#url, this.length, bytes.length);
    this.length = bytes.length;
    // Its reads are no requests: it counts for itself.
    this.#whole = new BytesSource(bytes, this.name);
  }

  close() {
    this.#whole = undefined;
  }
}

/**
 * A small file as a whole: the manifest, or a part.
 * @param {URL} url
 * @param {HttpOptions} options
 * @param {Traffic} traffic
 * @param {number} limit
 * @param {AbortSignal} [signal]
 * @param {RequestCache} [cache]
 * @param {Claim} [claim]
 * @returns {Promise<Uint8Array | undefined>} undefined when it is larger than `limit`
 */
export function fetchSmall(url, options, traffic, limit, signal, cache = "no-cache", claim = new Claim({})) {
  const { maxPerHost } = LIMITS[options.connection ?? connectionTo(url)];
  return retrying(options, traffic, signal, async (attempt) => {
    const free = await turnsAt(url.origin).take(claim, maxPerHost, { signal, again: attempt > 0 });
    const deadline = new Deadline(url, limit, options.timeoutMs, signal);
    try {
      const response = await deadline.wait(request(url, options, traffic, { cache, signal: deadline.signal }));
      return await gather(bodyOf(response, url, traffic, deadline), limit);
    } finally {
      deadline.release();
      free();
    }
  });
}

/**
 * @param {URL} url
 * @param {HttpOptions} options
 * @param {Traffic} traffic
 * @param {{ range?: string, cache: RequestCache, signal?: AbortSignal, priority?: RequestPriority }} how
 * @returns {Promise<Response>}
 */
async function request(url, { fetch = globalThis.fetch, headers }, traffic, { range, ...how }) {
  const all = new Headers(headers);
  // One `bytes=a-b` needs no preflight; a suffix range, If-Range or a HEAD would.
  if (range) all.set("range", range);
  traffic.requests += 1;
  /** @type {Response} */
  let response;
  try {
    // A browser does not say where a redirect would lead before it is followed, so headers that may
    // be secret do without.
    const redirect = headers ? "manual" : "follow";
    response = await fetch(url, { ...how, headers: all, redirect, credentials: "same-origin", referrerPolicy: "no-referrer" });
  } catch (cause) {
    throw fetchFailed(url, cause);
  }
  if (typeof response?.headers?.get !== "function") throw badArgument("open(): `fetch` must resolve to a Response, as the global one does");
  checkStatus(response, url, range !== undefined);
  return response;
}

/**
 * @param {Response} response
 * @param {URL} url
 * @param {Traffic} traffic
 * @param {Deadline} deadline
 */
async function* bodyOf(response, url, traffic, deadline) {
  if (!response.body) return;
  try {
    for await (const chunk of chunksOf(response.body, undefined, (next) => deadline.wait(next))) {
      traffic.bytes += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    throw cause instanceof PagevecError ? cause : fetchFailed(url, cause);
  }
}

/**
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {number} wanted
 * @param {URL} url
 */
async function* exactly(chunks, wanted, url) {
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    if (done > wanted) throw wrongLength(url, wanted, done);
    yield chunk;
  }
  if (done !== wanted) throw shortBody(url, done, wanted);
}

/** @typedef {import("../source.js").Source} Source */
/** @typedef {import("../source.js").Traffic} Traffic */
