// An open index in this thread: it makes tasks of protocol.js and runs them in a session, counts what they read, and opens another
// session after the WebAssembly instance was lost, or once filters are needed, which the module that it began with may not have.
import { Lost } from "../core/instances.js";
import { Operation } from "../core/operation.js";
import { countTask, facetsTask, fieldsTask, findTask, loadTask, searchTask, selectTask, vectorTask } from "../core/protocol.js";
import { newTally } from "../core/session.js";
import { closed, PagevecError, throwIfAborted } from "../errors.js";

/** Rows searched in one call into WebAssembly: enough to share a wave, few enough to let other searches in. */
const BATCH = 64;

/**
 * @typedef {import("./engine.js").Engine} Engine
 * @typedef {import("./engine.js").Request} Request
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../core/info.js").Info} Info
 * @typedef {import("../core/session.js").Session} Session
 */

/** @implements {Engine} */
export class LocalEngine {
  #source;
  #session;
  #info;
  #how;
  /** @type {Promise<void> | undefined} */
  #reopening;
  /** @type {(error: Error) => void} */
  #stopReopening = () => {};
  /** @type {Promise<void> | undefined} */
  #closing;
  /** Whether it has a WebAssembly instance of its own, as it trapped in one. */
  #alone = false;
  /** Whether codes and graph are in memory, as `load` promised. */
  #loaded = false;
  #queries = 0;
  #waves = 0;

  /**
   * @param {Pick<import("../core/start.js").Started, "source" | "session" | "info">} first
   * @param {object} how
   * @param {(alone: boolean, filters: boolean) => Promise<{ session: Session, info: Info }>} how.start makes another session, in a module
   *   that has filters if they are needed
   * @param {() => Promise<void>} how.close of all its files
   * @param {number} how.memoryBudget
   * @param {() => Promise<typeof import("./extras.js")>} how.loadExtras
   * @param {import("../core/prefetch.js").Prefetcher} [how.prefetch]
   * @param {string} [how.storeOff] why there is no page store, though there should be
   * @param {import("../core/session.js").Listeners["onProgress"]} [how.onProgress]
   */
  constructor(first, how) {
    this.#source = first.source;
    this.#session = first.session;
    this.#info = first.info;
    this.#how = how;
    how.prefetch?.begin(first.info, (...piece) => this.#session.fetchPiece(loadTask(), ...piece));
  }

  get info() {
    return this.#info;
  }

  get closed() {
    return this.#closing !== undefined;
  }

  /** @type {Engine["search"]} */
  async search(query, request, signal) {
    if ("id" in query) {
      const { answers } = await this.#run(searchTask(query, request), signal);
      this.#queries += 1;
      return [pageOf(answers[0], request)];
    }
    /** @type {import("../core/protocol.js").Hit[][]} */
    const all = [];
    await this.#inBatches(query, request, signal, (answers) => void all.push(...answers));
    return all;
  }

  /** @type {Engine["searchArrays"]} */
  async searchArrays(queries, request, signal) {
    const columns = new (await this.#how.loadExtras()).HitColumns(request.fields !== undefined);
    await this.#inBatches(queries, request, signal, (answers) => columns.add(answers));
    return columns.arrays(this.#info.ids);
  }

  /** @type {Engine["explain"]} */
  async explain(query, request, signal) {
    const extras = this.#how.loadExtras();
    extras.catch(() => {}); // thrown below, once the search is done
    const tally = newTally();
    const from = performance.now();
    const found = await this.#run(searchTask(query, request), signal, tally);
    const milliseconds = performance.now() - from;
    this.#queries += 1;
    const { explanation, reasonFor } = await extras;
    const why = reasonFor(found.index, request.index, this.#info, this.#how.prefetch?.stats);
    found.answers[0] = pageOf(found.answers[0], request);
    return explanation(found, tally, why, this.#source.link?.state, milliseconds);
  }

  /** @type {Engine["load"]} */
  async load(signal) {
    await this.#run(loadTask(), signal);
    this.#loaded = true;
  }

  /** @type {Engine["vector"]} */
  vector(id, signal) {
    return this.#run(vectorTask(id), signal);
  }

  /** @type {Engine["get"]} */
  get(ids, names, signal) {
    return this.#run(fieldsTask(ids, names), signal);
  }

  /** @type {Engine["has"]} */
  has(id, signal) {
    return this.#run(findTask(id), signal);
  }

  /** @type {Engine["count"]} */
  count(filter, signal) {
    return this.#run(countTask(filter), signal);
  }

  /** @type {Engine["facets"]} */
  facets(field, options, signal) {
    return this.#run(facetsTask(field, options), signal);
  }

  /** @type {Engine["rows"]} */
  async rows(page, signal) {
    const { rowsTask } = await this.#how.loadExtras();
    return this.#run(rowsTask(page), signal);
  }

  /** @type {Engine["save"]} */
  async save(signal) {
    this.#checkOpen();
    this.#how.prefetch?.pause();
    try {
      const { save } = await this.#how.loadExtras();
      return await save(this.#source, this.#info, signal, this.#how.onProgress);
    } finally {
      this.#how.prefetch?.resume();
    }
  }

  /** @type {Engine["stats"]} */
  stats() {
    this.#checkOpen();
    const { memoryBudget, prefetch, storeOff } = this.#how;
    const { traffic, stats: store = storeOff && { hits: 0, misses: 0, bytes: 0, off: storeOff } } = this.#source;
    const memory = this.#session.memory();
    return {
      queries: this.#queries,
      ...traffic,
      waves: this.#waves,
      memoryBudget,
      resident: memory?.resident ?? 0,
      evictions: memory?.evictions ?? 0,
      memory: { budget: memoryBudget, parts: memory?.parts ?? {} },
      linearMemory: memory?.linearMemory ?? 0,
      ...(store && { store: { ...store } }),
      ...(prefetch && { prefetch: { ...prefetch.stats } }),
    };
  }

  /** @type {Engine["close"]} */
  close() {
    this.#closing ??= (async () => {
      this.#how.prefetch?.stop();
      this.#session.end(closed());
      this.#stopReopening(closed());
      await this.#how.close();
    })();
    return this.#closing;
  }

  /**
   * @param {Float32Array} queries
   * @param {Request} request
   * @param {AbortSignal | undefined} signal
   * @param {(answers: import("../core/protocol.js").Hit[][]) => void} take
   */
  async #inBatches(queries, request, signal, take) {
    const { dim } = this.#info;
    const rows = queries.length / dim;
    const selects = request.exclude?.length || request.among || request.filter !== undefined;
    const selection = rows > BATCH && selects ? await this.#run(selectTask(request), signal) : undefined;
    for (let row = 0; row < rows; row += BATCH) {
      const part = queries.subarray(row * dim, Math.min(row + BATCH, rows) * dim);
      const { answers } = await this.#run(searchTask(part, request, selection), signal);
      take(answers.map((hits) => pageOf(hits, request)));
    }
    this.#queries += rows;
  }

  /**
   * @template T
   * @param {import("../core/protocol.js").Task<T>} task
   * @param {AbortSignal | undefined} signal
   * @param {import("../core/session.js").Tally} [tally]
   * @returns {Promise<T>}
   */
  async #run(task, signal, tally = newTally()) {
    this.#checkOpen();
    throwIfAborted(signal);
    this.#how.prefetch?.pause();
    try {
      for (;;) {
        while (this.#session.ended || (task.filters && !this.#session.filters)) await unlessAborted(this.#reopen(task.filters ?? false), signal);
        try {
          return await this.#session.run(task, signal, tally);
        } catch (error) {
          // Another index stopped the shared instance, or a call needed filters: this one starts again, in a new instance.
          if (!(error instanceof Lost)) throw error;
        }
      }
    } finally {
      this.#waves += tally.waves;
      this.#how.prefetch?.resume();
    }
  }

  /**
   * Another session over the same source takes the place of this one: after a trap, or as `filters` are needed. An index that trapped
   * has an instance of its own from then on. Until the other is there, a session that has not ended answers calls without filters.
   * @param {boolean} filters
   * @returns {Promise<void>}
   */
  #reopen(filters) {
    const old = this.#session;
    this.#alone ||= old.ended !== undefined && !(old.ended instanceof Lost);
    this.#reopening ??= new Promise((resolve, reject) => {
      this.#stopReopening = reject;
      const started = this.#how.start(this.#alone, filters || old.filters).then(async ({ session, info }) => {
        try {
          this.#checkOpen();
          if (info.segments.some(({ fileId }, i) => fileId !== this.#info.segments[i].fileId)) throw new PagevecError("stale", `${this.#source.name} was replaced: open the index again`);
          // Where that fails, searches read what they need.
          if (this.#loaded) await session.run(loadTask(), undefined, newTally()).catch(() => {});
          this.#checkOpen();
        } catch (error) {
          session.end(closed());
          throw error;
        }
        this.#session = session;
        old.end(new Lost("trapped", "the index goes on in another WebAssembly instance"));
        this.#how.prefetch?.restart();
      });
      started.then(resolve, reject);
    }).finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  #checkOpen() {
    if (this.#closing) throw closed();
  }
}

/**
 * @param {Promise<void>} promise
 * @param {AbortSignal | undefined} signal
 */
async function unlessAborted(promise, signal) {
  const operation = new Operation(signal);
  try {
    await operation.wait(promise);
  } finally {
    operation.end();
  }
}

/**
 * @param {import("../core/protocol.js").Hit[]} hits best first, with those of earlier pages
 * @param {Request} request
 * @returns {import("../core/protocol.js").Hit[]}
 */
function pageOf(hits, { offset = 0, minScore = -Infinity }) {
  const page = offset > 0 ? hits.slice(offset) : hits;
  const end = page.findIndex(({ score }) => score < minScore);
  return end < 0 ? page : page.slice(0, end);
}
