// An open index, as users have it: each call checks its arguments, makes a task of protocol.js and runs it in a session. The
// index also counts what its calls read, and opens its session again after the WebAssembly instance was lost.
import { toGet, toId, toMatrix, toQuery, toSearch } from "./arguments.js";
import { explanation, reasonFor } from "./core/explain.js";
import { Lost } from "./core/instances.js";
import { fieldsTask, findTask, loadTask, searchTask, selectTask, vectorTask } from "./core/protocol.js";
import { newTally } from "./core/session.js";
import { closed, PagevecError, reading, throwIfAborted, typed } from "./errors.js";
import { checkOptions, toSignal } from "./options.js";

/** Rows searched in one call into WebAssembly: enough to share a wave, few enough to let other searches in. */
const BATCH = 64;

/**
 * @typedef {import("./arguments.js").Id} Id
 * @typedef {import("./arguments.js").Vector} Vector
 * @typedef {import("./arguments.js").Query} Query
 * @typedef {import("./arguments.js").SearchOptions} SearchOptions
 * @typedef {import("./core/protocol.js").Hit} Hit
 * @typedef {import("./core/info.js").Info} Info
 * @typedef {import("./core/explain.js").Explanation} Explanation
 * @typedef {import("./core/session.js").Session} Session
 * @typedef {import("./core/session.js").Tally} Tally
 * @typedef {{ signal?: AbortSignal }} CallOptions `signal` ends the call with `aborted`
 *
 * @typedef {object} Stats since `open`
 * @property {number} queries
 * @property {number} bytes read from the host or file
 * @property {number} requests
 * @property {number} waves batches of parallel requests, one after another
 * @property {number} memoryBudget bytes
 * @property {number} resident bytes of the file that are held in memory: at most `memoryBudget`
 * @property {number} evictions blocks dropped to make room for others
 * @property {{ budget: number, parts: import("./core/protocol.js").Parts }} memory what is reserved, in bytes: `fronts`, `sections`
 *   and `slots` are of the budget; `places`, `scratch` and `operations` lie beside it
 * @property {number} linearMemory bytes of the WebAssembly memory, which this index shares with others. It never shrinks; what
 *   a closed index held is used again
 * @property {number} [retries] requests that were made again after a failure
 * @property {number} [hedged] requests that were made twice, as the first was slow
 * @property {import("./sources/source.js").StoreStats} [store] the page store, where there is one
 * @property {import("./core/prefetch.js").PrefetchStats} [prefetch] where it was wanted
 */

/**
 * An open index, made by `open`. Its calls reject with a PagevecError: beside the codes that each names, with those of the
 * host, of the file, `budget`, `trapped` and `closed`.
 */
export class Index {
  #source;
  #session;
  #start;
  #close;
  #info;
  #memoryBudget;
  #prefetch;
  #storeOff;
  /** @type {Promise<Session> | undefined} */
  #reopening;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** Whether it has a WebAssembly instance of its own, as it trapped in one. */
  #alone = false;
  #queries = 0;
  #waves = 0;

  /**
   * @param {Pick<import("./core/start.js").Started, "source" | "session" | "info">} first
   * @param {object} how
   * @param {(alone: boolean) => Promise<{ session: Session, info: Info }>} how.start makes another session after a trap
   * @param {() => Promise<void>} how.close of all its files
   * @param {number} how.memoryBudget
   * @param {import("./core/prefetch.js").Prefetcher} [how.prefetch]
   * @param {string} [how.storeOff] why there is no page store, though there should be
   */
  constructor(first, { start, close, memoryBudget, prefetch, storeOff }) {
    this.#source = first.source;
    this.#session = first.session;
    this.#info = Object.freeze(first.info);
    this.#start = start;
    this.#close = close;
    this.#memoryBudget = memoryBudget;
    this.#prefetch = prefetch;
    this.#storeOff = storeOff;
    prefetch?.begin(first.info, (...piece) => this.#session.fetchPiece(loadTask(), ...piece));
  }

  /** Facts about the index and its segments. */
  get info() {
    return this.#info;
  }

  /**
   * Finds the `k` nearest vectors.
   * @param {Query} query `info.dim` numbers; or `{ id }`: the vector of that row, which is then no hit itself
   * @param {SearchOptions} [options]
   * @returns {Promise<Hit[]>} best first; rejects with `argument`, `dimension`, `not-finite`, `zero-vector`, `unknown-id` or `aborted`
   */
  search(query, options) {
    return typed(async () => (await this.#search(query, options, newTally())).answers[0]);
  }

  /**
   * Finds the `k` nearest vectors of each row.
   * @param {Vector[] | Float32Array} matrix vectors, or one array of `info.dim` numbers for each row
   * @param {SearchOptions} [options]
   * @returns {Promise<Hit[][]>} one list for each row; rejects as `search` does
   */
  searchBatch(matrix, options) {
    return typed(async () => {
      this.#checkOpen();
      const { dim, count } = this.#info;
      const { request, signal } = reading(() => toSearch(options, count));
      const { data, rows } = reading(() => (Array.isArray(matrix) && matrix.length === 0 ? { data: new Float32Array(), rows: 0 } : toMatrix(matrix, dim)));
      /** @type {Hit[][]} */
      const all = [];
      const selects = request.exclude?.length || request.among;
      const selection = rows > BATCH && selects ? await this.#run(selectTask(request), signal) : undefined;
      for (let row = 0; row < rows; row += BATCH) {
        const part = data.subarray(row * dim, Math.min(row + BATCH, rows) * dim);
        all.push(...(await this.#run(searchTask(part, request, selection), signal)).answers);
      }
      this.#queries += rows;
      return all;
    });
  }

  /**
   * Brings codes and graph into memory, so that every later search walks the graph and reads nothing, or only finer rows to rank
   * hits by. Progress goes to the `onProgress` of `open`.
   * @param {CallOptions} [options]
   * @returns {Promise<void>} rejects with `argument` if the file has no graph or it does not fit; searches go on as before then
   */
  load(options) {
    return typed(() => this.#run(loadTask(), signalOf("load()", options)));
  }

  /**
   * Searches, and tells what that took.
   * @param {Query} query as `search` takes it
   * @param {SearchOptions} [options]
   * @returns {Promise<Explanation>} rejects as `search` does
   */
  explain(query, options) {
    return typed(async () => {
      const tally = newTally();
      const from = performance.now();
      const found = await this.#search(query, options, tally);
      const milliseconds = performance.now() - from;
      const why = reasonFor(found.index, options?.index, this.#info, this.#prefetch?.stats);
      return explanation(found, tally, why, this.#source.link?.state, milliseconds);
    });
  }

  /**
   * Reads one vector.
   * @param {Id} id
   * @param {CallOptions} [options]
   * @returns {Promise<Float32Array>} `info.dim` numbers as stored: quantized, where the file holds no exact rows, and about of unit
   *   length under cosine; rejects with `unknown-id`
   */
  vector(id, options) {
    return typed(() => this.#run(vectorTask(reading(() => toId(id))), signalOf("vector()", options)));
  }

  /**
   * @param {readonly Id[] | ArrayLike<number>} ids
   * @param {import("./arguments.js").GetOptions} [options]
   * @returns {Promise<({ id: Id, fields: import("./fields/json.js").Fields } | undefined)[]>} undefined for an id that no row has; rejects as `search` does
   */
  get(ids, options) {
    return typed(async () => {
      const { list, names, signal } = reading(() => toGet(ids, options));
      return (await this.#run(fieldsTask(list, names), signal)).map((fields, at) => fields && { id: list[at], fields });
    });
  }

  /**
   * @param {Id} id
   * @param {CallOptions} [options]
   * @returns {Promise<boolean>} whether there is a vector with this id
   */
  has(id, options) {
    return typed(() => this.#run(findTask(reading(() => toId(id))), signalOf("has()", options)));
  }

  /** @returns {Stats} throws `closed` after `close` */
  stats() {
    this.#checkOpen();
    const { traffic, stats: store = this.#storeOff && { hits: 0, misses: 0, bytes: 0, off: this.#storeOff } } = this.#source;
    const memory = this.#session.memory();
    return {
      queries: this.#queries,
      ...traffic,
      waves: this.#waves,
      memoryBudget: this.#memoryBudget,
      resident: memory?.resident ?? 0,
      evictions: memory?.evictions ?? 0,
      memory: { budget: this.#memoryBudget, parts: memory?.parts ?? {} },
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
      await this.#close();
    });
    return this.#closing;
  }

  /** For `await using`. */
  [Symbol.asyncDispose]() {
    return this.close();
  }

  /**
   * @param {Query} query
   * @param {SearchOptions | undefined} options
   * @param {Tally} tally
   */
  async #search(query, options, tally) {
    this.#checkOpen();
    const { request, signal } = reading(() => toSearch(options, this.#info.count));
    const copy = reading(() => toQuery(query, this.#info.dim));
    const found = await this.#run(searchTask(copy, request), signal, tally);
    this.#queries += 1;
    return found;
  }

  /**
   * @template T
   * @param {import("./core/protocol.js").Task<T>} task
   * @param {AbortSignal | undefined} signal
   * @param {Tally} [tally]
   * @returns {Promise<T>}
   */
  async #run(task, signal, tally = newTally()) {
    this.#checkOpen();
    throwIfAborted(signal);
    this.#prefetch?.pause();
    try {
      for (;;) {
        const session = this.#session.ended ? await this.#reopen() : this.#session;
        try {
          return await session.run(task, signal, tally);
        } catch (error) {
          // Another index stopped the shared instance: this call starts again, in a new one.
          if (!(error instanceof Lost)) throw error;
        }
      }
    } finally {
      this.#waves += tally.waves;
      this.#prefetch?.resume();
    }
  }

  /**
   * After a trap: a new session over the same source. An index that trapped has an instance of its own from then on.
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
        if (info.segments.some(({ fileId }, i) => fileId !== this.#info.segments[i].fileId)) {
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

/**
 * @param {string} call
 * @param {CallOptions | undefined} options
 */
function signalOf(call, options) {
  return reading(() => toSignal(checkOptions(call, options, ["signal"]).signal));
}
