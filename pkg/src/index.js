import { describe, toId, toMatrix, toSearch, toSignal, toVector } from "./arguments.js";
import { badArgument, closed, PagevecError, reading, throwIfAborted, typed } from "./errors.js";
import { Lost } from "./core/instances.js";

/** Rows searched in one call into wasm: enough to share a wave, few enough to let others in. */
const BATCH = 64;
/** As the wasm module numbers them. */
const INDEXES = /** @type {const} */ (["clusters", "hnsw", "flat"]);

/**
 * @typedef {import("./arguments.js").Id} Id
 * @typedef {import("./arguments.js").Vector} Vector
 * @typedef {import("./arguments.js").SearchOptions} SearchOptions
 * @typedef {import("./core/session.js").Session} Session
 * @typedef {import("./core/session.js").Tally} Tally
 * @typedef {import("./core/session.js").Reader} Reader
 *
 * @typedef {{ id: Id, score: number }} Hit a larger score is nearer
 *
 * @typedef {object} Explanation
 * @property {Hit[]} hits
 * @property {"clusters" | "hnsw" | "flat"} index which one answered
 * @property {string} plan for people
 * @property {string} why this index
 * @property {import("./sources/http/link.js").LinkState} [link] what the requests were planned for, where the index is not on this machine
 * @property {number} bytes read from the source by this search
 * @property {number} stored bytes read from the page store
 * @property {number} requests
 * @property {number} waves of requests, one after another
 * @property {number} distances computed on codes
 * @property {number} rescored rows ranked again on finer ones
 * @property {number} milliseconds
 *
 * @typedef {object} Info
 * @property {number} count
 * @property {number} dim
 * @property {string} metric
 * @property {string} codec
 * @property {string | undefined} rows
 * @property {string | undefined} exact
 * @property {boolean} graph whether there is HNSW
 * @property {boolean} clusters whether there is the clustered index
 * @property {{ k: number, wanted: number, reached: number, cells: number, probes: number }[]} curve what recall the
 *   clustered index reached for the `k` nearest when it was built, where `wanted` is asked for
 * @property {number} m
 * @property {number} efConstruction
 * @property {"number" | "text"} ids
 * @property {number} fileLength
 * @property {string} fileId
 * @property {string | undefined} contentId as the manifest has it; undefined without one
 * @property {{ name: string, offset: number, length: number, bytesPerVector: number }[]} sections
 * @property {number} memoryToOpen
 * @property {string} kernels
 *
 * @typedef {object} Stats since open
 * @property {number} queries
 * @property {number} bytes
 * @property {number} requests
 * @property {number} waves
 * @property {number} memoryBudget
 * @property {number} resident bytes of the segment that are held in memory: at most `memoryBudget`
 * @property {number} evictions
 * @property {number} linearMemory bytes of the WebAssembly memory that this index shares with others. They never shrink;
 *   what a closed index held is used again
 * @property {number} [retries] requests that were made again
 * @property {number} [hedged] requests that were made twice, as the first took long
 * @property {import("./store/store.js").StoreStats} [store] the page store, where there is one
 * @property {import("./core/prefetch.js").PrefetchStats} [prefetch] where it was asked for
 */

/** An open index. Made by `open`. */
export class Index {
  #source;
  #session;
  #start;
  #info;
  #memoryBudget;
  #prefetch;
  /** @type {Promise<Session> | undefined} */
  #reopening;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** Whether it shares its instance with no other index, as it trapped in one. */
  #alone = false;
  #queries = 0;
  #waves = 0;

  /**
   * @param {import("./sources/source.js").Source} source
   * @param {{ session: Session, info: Info }} first
   * @param {(alone: boolean) => Promise<{ session: Session, info: Info }>} start
   * @param {number} memoryBudget
   * @param {import("./core/prefetch.js").Prefetcher} [prefetch]
   */
  constructor(source, first, start, memoryBudget, prefetch) {
    this.#source = source;
    this.#session = first.session;
    this.#info = Object.freeze(first.info);
    this.#start = start;
    this.#memoryBudget = memoryBudget;
    this.#prefetch = prefetch;
    prefetch?.begin(first.info, (...piece) => this.#session.piece((reader) => reader.beginLoad(), ...piece));
  }

  /** What the segment is. */
  get info() {
    return this.#info;
  }

  /**
   * The `k` nearest, best first.
   * @param {Vector} vector
   * @param {SearchOptions} [options]
   * @returns {Promise<Hit[]>}
   */
  search(vector, options) {
    return typed(async () => (await this.#search(vector, options, newTally())).hits);
  }

  /**
   * One answer for each row.
   * @param {Vector[] | Float32Array} matrix
   * @param {SearchOptions} [options]
   * @returns {Promise<Hit[][]>}
   */
  searchBatch(matrix, options) {
    return typed(() => this.#searchBatch(matrix, options));
  }

  /**
   * @param {Vector[] | Float32Array} matrix
   * @param {SearchOptions} [options]
   */
  async #searchBatch(matrix, options) {
    this.#checkOpen();
    const { dim, count } = this.#info;
    const { asked, signal } = reading(() => toSearch(options, count));
    const { data, rows } = reading(() => (Array.isArray(matrix) && matrix.length === 0 ? { data: new Float32Array(), rows: 0 } : toMatrix(matrix, dim)));
    /** @type {Hit[][]} */
    const answers = [];
    for (let row = 0; row < rows; row += BATCH) {
      const part = data.subarray(row * dim, Math.min(row + BATCH, rows) * dim);
      const begin = (/** @type {Reader} */ reader) => reader.beginSearch(part, ...asked);
      const taken = await this.#run(begin, takeHits, signal, newTally());
      answers.push(...taken.answers);
    }
    this.#queries += rows;
    return answers;
  }

  /**
   * Brings codes and graph here, so that every later search walks the graph and reads nothing (but the finer rows of
   * hits, where the segment has such rows). Progress goes to the `onProgress` of `open`. Rejects with `argument` if the
   * segment has no graph or the memory budget does not hold it; searches go on as before then.
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<void>}
   */
  load(options) {
    return typed(() => this.#run((reader) => reader.beginLoad(), () => undefined, signalOf(options), newTally()));
  }

  /**
   * A search with an account of what it did.
   * @param {Vector} vector
   * @param {SearchOptions} [options]
   * @returns {Promise<Explanation>}
   */
  explain(vector, options) {
    return typed(() => this.#explain(vector, options));
  }

  /**
   * @param {Vector} vector
   * @param {SearchOptions} [options]
   * @returns {Promise<Explanation>}
   */
  async #explain(vector, options) {
    const tally = newTally();
    const from = performance.now();
    const { hits, index, distances, rescored } = await this.#search(vector, options, tally);
    const milliseconds = performance.now() - from;
    const { bytes, requests, waves, stored } = tally;
    const fetched = waves === 0 ? "" : `read ${bytes} bytes in ${plural(requests, "request")} and ${plural(waves, "wave")}`;
    const kept = stored === 0 ? "" : `${fetched ? " and " : ""}${stored} bytes from the page store`;
    const why = this.#why(index, options?.index);
    const link = this.#source.link?.state;
    const way = link && waves > 0 ? ` over ${Math.round(link.rttMs)} ms and ${link.mbits.toFixed(1)} Mbit/s (${link.known})` : "";
    const plan = `${index} (${why}): ${fetched + kept || "everything needed was in memory"}${way}; ${distances} distances, ${rescored} rows rescored`;
    return { hits, index, plan, why, link, bytes, requests, waves, stored, distances, rescored, milliseconds };
  }

  /**
   * @param {"clusters" | "hnsw" | "flat"} index
   * @param {string} [asked]
   */
  #why(index, asked = "auto") {
    if (asked !== "auto") return "as asked";
    const { graph, clusters } = this.#info;
    if (index === "hnsw") return "codes and graph are here, or small, or there are no clusters";
    if (index === "flat" && (graph || clusters)) return "there are few rows, or a large part of them is wanted";
    if (index === "flat") return `${graph ? "the graph does not fit the memory budget" : "there is no graph"}, and no clusters`;
    const { state, why } = this.#prefetch?.stats ?? {};
    const loading = state === "off" ? `, and are not fetched: ${why}` : "";
    return graph && clusters ? `codes and graph are not here${loading}` : "there is no graph";
  }

  /**
   * The vector of `id`, as the segment has it: quantized, where it holds no exact rows.
   * @param {Id} id
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Float32Array>} rejects with `unknown-id`
   */
  vector(id, options) {
    return typed(async () => {
      const checked = reading(() => toId(id));
      return this.#run((reader) => reader.beginVector(checked), (reader, ticket) => reader.takeVector(ticket), signalOf(options), newTally());
    });
  }

  /**
   * @param {Id} id
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<boolean>}
   */
  has(id, options) {
    return typed(async () => {
      const checked = reading(() => toId(id));
      const position = await this.#run((reader) => reader.beginFind(checked), (reader, ticket) => reader.takePosition(ticket), signalOf(options), newTally());
      return position !== undefined;
    });
  }

  /** @returns {Stats} */
  stats() {
    this.#checkOpen();
    const { traffic, stats: store } = this.#source;
    const memory = this.#session.memory();
    return {
      queries: this.#queries,
      ...traffic,
      waves: this.#waves,
      memoryBudget: this.#memoryBudget,
      resident: memory?.resident ?? 0,
      evictions: memory?.evictions ?? 0,
      linearMemory: memory?.linearMemory ?? 0,
      ...(store && { store: { ...store } }),
      ...(this.#prefetch && { prefetch: { ...this.#prefetch.stats } }),
    };
  }

  /**
   * Ends what is under way (with code `closed`) and frees the memory for other indexes. Closing twice is fine.
   * @returns {Promise<void>}
   */
  close() {
    this.#closing ??= typed(async () => {
      this.#prefetch?.stop();
      this.#session.end(closed());
      await this.#source.close();
    });
    return this.#closing;
  }

  /** For `await using`. */
  [Symbol.asyncDispose]() {
    return this.close();
  }

  /**
   * @param {Vector} vector
   * @param {SearchOptions | undefined} options
   * @param {Tally} tally
   */
  async #search(vector, options, tally) {
    this.#checkOpen();
    const { asked, signal } = reading(() => toSearch(options, this.#info.count));
    const query = reading(() => toVector(vector, this.#info.dim));
    const begin = (/** @type {Reader} */ reader) => reader.beginSearch(query, ...asked);
    const { answers, ...rest } = await this.#run(begin, takeHits, signal, tally);
    this.#queries += 1;
    return { hits: answers[0], ...rest };
  }

  /**
   * @template T
   * @param {(reader: Reader) => number} begin
   * @param {(reader: Reader, ticket: number) => T} take
   * @param {AbortSignal | undefined} signal
   * @param {Tally} tally
   * @returns {Promise<T>}
   */
  async #run(begin, take, signal, tally) {
    this.#checkOpen();
    throwIfAborted(signal);
    this.#prefetch?.pause();
    try {
      for (;;) {
        const session = this.#session.ended ? await this.#reopen() : this.#session;
        try {
          return await session.run(begin, take, signal, tally);
        } catch (error) {
          // Another index stopped the instance: once more, in a new one.
          if (!(error instanceof Lost)) throw error;
        }
      }
    } finally {
      this.#waves += tally.waves;
      this.#prefetch?.resume();
    }
  }

  /**
   * A trap ended the session: the same source, a new instance. An index that trapped is alone from then on.
   * @returns {Promise<Session>}
   */
  #reopen() {
    this.#alone ||= !(this.#session.ended instanceof Lost);
    this.#reopening ??= this.#start(this.#alone)
      .then(({ session, info }) => {
        if (this.#closing) {
          session.end(closed());
          throw closed();
        }
        if (info.fileId !== this.#info.fileId) {
          session.end(closed());
          throw new PagevecError("stale", `${this.#source.name} was replaced: open the index again`);
        }
        this.#session = session;
        return session;
      })
      .finally(() => {
        this.#reopening = undefined;
      });
    return this.#reopening;
  }

  #checkOpen() {
    if (this.#closing) throw closed();
  }
}

/** @returns {Tally} */
function newTally() {
  return { waves: 0, requests: 0, bytes: 0, stored: 0 };
}

/**
 * @param {{ signal?: AbortSignal } | undefined} options
 * @returns {AbortSignal | undefined}
 */
function signalOf(options = {}) {
  if (typeof options !== "object" || options === null) throw badArgument(`the options must be an object, not ${describe(options)}`);
  return reading(() => toSignal(options.signal));
}

/**
 * @param {number} count
 * @param {string} noun
 */
function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * @param {Reader} reader
 * @param {number} ticket
 */
function takeHits(reader, ticket) {
  const [numbers, texts] = /** @type {[Float64Array, string[]]} */ (reader.takeHits(ticket));
  const [index, distances, rescored] = numbers;
  /** @type {Hit[][]} */
  const answers = [];
  for (let at = 3; at < numbers.length; ) {
    /** @type {Hit[]} */
    const hits = [];
    const count = numbers[at++];
    for (const end = at + 2 * count; at < end; at += 2) {
      const id = numbers[at];
      hits.push({ id: texts[id] ?? id, score: numbers[at + 1] });
    }
    answers.push(hits);
  }
  return { answers, index: INDEXES[index], distances, rescored };
}
