// A segment file on a host, read by ranges.
import { throwIfAborted } from "../../errors.js";
import { gather } from "../chunks.js";
import { BytesSource } from "../local/bytes.js";
import { newTraffic, STREAM_FROM } from "../source.js";
import { Claim, turnsAt } from "../turns.js";
import { Link } from "./link.js";
import { connectionTo, LIMITS } from "./options.js";
import { bodyOf, exactly, request } from "./request.js";
import { checkRange, drop, encodingOf, fetchFailed, isHtml, nameOf, noRange, replaced, startedHtml, strongTag } from "./response.js";
import { beforeRetry, Deadline, hedged, retrying } from "./retry.js";

/** A whole file up to this size is kept in memory if a server answers a range with status 200. */
export const WHOLE_LIMIT = 8 << 20;

/**
 * @implements {Source}
 */
export class HttpSource {
  #url;
  #options;
  /** @type {import("./options.js").Connection | undefined} */
  #connection;
  /** @type {BytesSource | undefined} the whole file, from a server that ignores ranges */
  #whole;
  /** @type {Promise<void> | undefined} set while the whole file is being fetched */
  #keeping;
  /** @type {string | undefined} the first strong ETag that was visible */
  #tag;
  #changed = false;

  /**
   * @param {URL} url
   * @param {number | undefined} length
   * @param {HttpOptions} options
   * @param {Traffic} [traffic]
   * @param {Link} [link]
   */
  constructor(url, length, options, traffic = newTraffic(), link = new Link(options.link)) {
    this.#url = url;
    this.#options = options;
    this.#connection = options.connection;
    this.length = length;
    this.link = link;
    this.traffic = traffic;
    this.name = nameOf(url);
  }

  /** Read when a wave begins: the answer that opened the index shows the protocol, where a page may see it. */
  get limits() {
    this.#connection ??= connectionTo(this.#url);
    const limits = LIMITS[this.#connection];
    return { ...limits, maxPerSearch: this.#options.maxRequests ?? limits.maxPerSearch };
  }

  get inMemory() {
    return this.#whole !== undefined;
  }

  /**
   * Whether the last answer had another strong ETag than the first. Alone that is no error: servers behind one name may
   * disagree, and browser extensions rewrite it. If a checksum is wrong too, this is the reason.
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
   * A large read. After a failure it goes on where it was.
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
   * The checked bytes of one request, or of two if it is hedged. Its timeout starts when it is sent.
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
      // The turn ends here even if `fetch` ignores its signal, as in `Deadline`.
      own.addEventListener("abort", free, { once: true });
      try {
        return { ...(await this.#request(offset, length, { signal: own, priority })), free };
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
   * @returns {Promise<{ response: Response, end: number | undefined }>} `end` is undefined where the answer is the whole file
   */
  async #request(offset, length, options) {
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
   * Handles status 200 to a range: a small file is kept whole, fetched once for all requests of a wave; a large one is an
   * error.
   * @param {Response} response
   * @param {Deadline} deadline
   */
  async #keep(response, deadline) {
    const other = this.#whole ? Promise.resolve() : this.#keeping;
    if (other) {
      drop(response, undefined);
      // Another read failed, perhaps by its own signal: this one tries again.
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
    // It has a Traffic of its own, as reads from memory are no requests.
    this.#whole = new BytesSource(bytes, this.name);
  }

  close() {
    this.#whole = undefined;
  }
}

/** @typedef {import("../source.js").Source} Source */
/** @typedef {import("../source.js").Traffic} Traffic */
/** @typedef {import("./request.js").HttpOptions} HttpOptions */
