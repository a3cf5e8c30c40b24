// A segment that stays on its server. Every judgement about a response is in http-response.js.
import { throwIfAborted, aborted, PagevecError } from "../errors.js";
import { BytesSource } from "./bytes.js";
import { chunksOf } from "./chunks.js";
import { checkRange, checkStatus, drop, encodingOf, fetchFailed, isHtml, nameOf, noRange, replaced, shortBody, startedHtml, wrongLength } from "./http-response.js";
import { join, newTraffic, STREAM_FROM } from "./source.js";

/** A whole file up to this size is kept when a server answers 200 to a range. */
export const WHOLE_LIMIT = 8 << 20;
const RETRIES = 2;

/**
 * @typedef {object} HttpOptions
 * @property {typeof globalThis.fetch} [fetch]
 * @property {Record<string, string> | Headers} [headers] sent to the index's own origin only
 */

/**
 * @implements {Source}
 */
export class HttpSource {
  #url;
  #options;
  /** @type {BytesSource | undefined} the whole file, from a server that ignores ranges */
  #whole;
  // Chosen for HTTP/2; browsers queue what HTTP/1.1 cannot carry at once.
  limits = { requests: 40, waste: 256 * 1024, near: 1024 };

  /**
   * @param {URL} url
   * @param {number | undefined} length
   * @param {HttpOptions} options
   * @param {Traffic} [traffic]
   */
  constructor(url, length, options, traffic = newTraffic()) {
    this.#url = url;
    this.#options = options;
    this.length = length;
    this.traffic = traffic;
    this.name = nameOf(url);
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {{ signal?: AbortSignal }} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, { signal } = {}) {
    throwIfAborted(signal);
    if (this.#whole) return this.#whole.read(offset, length);
    if (length > STREAM_FROM) return this.#stream(offset, length, signal);
    return retrying(signal, async () => {
      const body = await this.#range(offset, length, signal);
      if (body instanceof Uint8Array) return body;
      /** @type {Uint8Array[]} */
      const chunks = [];
      let done = 0;
      for await (const chunk of body.chunks) {
        chunks.push(chunk);
        done += chunk.length;
      }
      return join(chunks, done);
    });
  }

  /**
   * A large read, which goes on after a failure where it was.
   * @param {number} offset
   * @param {number} length
   * @param {AbortSignal | undefined} signal
   */
  async *#stream(offset, length, signal) {
    let done = 0;
    for (let attempt = 0; done < length; attempt++) {
      try {
        const body = await this.#range(offset + done, length - done, signal);
        for await (const chunk of body instanceof Uint8Array ? [body] : body.chunks) {
          done += chunk.length;
          yield chunk;
        }
      } catch (error) {
        if (attempt >= RETRIES || !isTransient(error)) throw error;
        await pause(attempt, signal);
      }
    }
  }

  /**
   * One request, checked.
   * @param {number} offset
   * @param {number} length
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<Uint8Array | { chunks: AsyncIterable<Uint8Array> }>}
   */
  async #range(offset, length, signal) {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const response = await request(this.#url, this.#options, this.traffic, { range, cache: "no-store", signal });
    try {
      if (response.status === 200) return await this.#keepWhole(response, offset, length, signal);
      const { end, total } = checkRange(response, this.#url, offset, length, this.length);
      this.length ??= total;
      return { chunks: this.#body(response, end - offset, length, signal) };
    } catch (error) {
      throw drop(response, error);
    }
  }

  /**
   * @param {Response} response
   * @param {number} wanted as the response promised
   * @param {number} asked
   * @param {AbortSignal | undefined} signal
   */
  async *#body(response, wanted, asked, signal) {
    let done = 0;
    for await (const chunk of this.#chunks(response, signal)) {
      done += chunk.length;
      if (done > wanted) throw wrongLength(this.#url, wanted, done);
      yield chunk;
    }
    if (done !== wanted) throw shortBody(this.#url, done, asked);
  }

  /**
   * @param {Response} response
   * @param {AbortSignal | undefined} signal
   */
  async *#chunks(response, signal) {
    if (!response.body) return;
    try {
      for await (const chunk of chunksOf(response.body, signal)) {
        this.traffic.bytes += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      throw signal?.aborted ? aborted(signal.reason) : cause instanceof PagevecError ? cause : fetchFailed(this.#url, cause);
    }
  }

  /**
   * A 200 to a range: a small file is simply kept, a large one is an error at once.
   * @param {Response} response
   * @param {number} offset
   * @param {number} length
   * @param {AbortSignal | undefined} signal
   */
  async #keepWhole(response, offset, length, signal) {
    const size = Number(response.headers.get("content-length") ?? 0);
    if (isHtml(response)) throw startedHtml(this.#url);
    if (Math.max(this.length ?? 0, encodingOf(response) ? 0 : size) > WHOLE_LIMIT) throw noRange(this.#url);
    /** @type {Uint8Array[]} */
    const chunks = [];
    let done = 0;
    for await (const chunk of this.#chunks(response, signal)) {
      chunks.push(chunk);
      done += chunk.length;
      if (done > WHOLE_LIMIT) throw noRange(this.#url);
    }
    if (this.length !== undefined && done !== this.length) throw replaced(this.#url, this.length, done);
    this.length = done;
    // Its reads are no requests: it counts for itself.
    this.#whole = new BytesSource(join(chunks, done), this.name);
    return this.#whole.read(offset, Math.min(length, done - offset));
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
 * @returns {Promise<Uint8Array | undefined>} undefined when it is larger than `limit`
 */
export function fetchSmall(url, options, traffic, limit, signal, cache = "no-cache") {
  return retrying(signal, async () => {
    const response = await request(url, options, traffic, { cache, signal });
    /** @type {Uint8Array[]} */
    const chunks = [];
    let done = 0;
    try {
      if (response.body) {
        for await (const chunk of chunksOf(response.body, signal)) {
          traffic.bytes += chunk.length;
          chunks.push(chunk);
          done += chunk.length;
          if (done > limit) return undefined;
        }
      }
    } catch (cause) {
      throw signal?.aborted ? aborted(signal.reason) : fetchFailed(url, cause);
    }
    return join(chunks, done);
  });
}

/**
 * @param {URL} url
 * @param {HttpOptions} options
 * @param {Traffic} traffic
 * @param {{ range?: string, cache: RequestCache, signal?: AbortSignal }} how
 * @returns {Promise<Response>}
 */
async function request(url, { fetch = globalThis.fetch, headers }, traffic, { range, cache, signal }) {
  const all = new Headers(headers);
  // One `bytes=a-b` needs no preflight; a suffix range, If-Range or a HEAD would.
  if (range) all.set("range", range);
  traffic.requests += 1;
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, {
      headers: all,
      cache,
      signal,
      credentials: "same-origin",
      referrerPolicy: "no-referrer",
      // A browser does not say where a redirect would lead before it is followed, so headers that
      // may be secret forbid it.
      redirect: headers ? "error" : "follow",
    });
  } catch (cause) {
    throw signal?.aborted ? aborted(signal.reason) : fetchFailed(url, cause, headers !== undefined);
  }
  checkStatus(response, url, range !== undefined);
  return response;
}

/**
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
async function retrying(signal, action) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (attempt >= RETRIES || !isTransient(error)) throw error;
      await pause(attempt, signal);
    }
  }
}

/** @param {unknown} error */
function isTransient(error) {
  return error instanceof PagevecError && error.code === "network";
}

/**
 * @param {number} attempt
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>}
 */
function pause(attempt, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal.reason));
    const stop = () => {
      clearTimeout(timer);
      reject(aborted(signal?.reason));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, 100 * 2 ** attempt * (0.5 + Math.random()));
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./source.js").Traffic} Traffic */
