// An open index in this thread: it makes tasks of protocol.js, runs them in a session, and counts what they read.
import { countTask, facetsTask, fieldsTask, findTask, loadTask, searchTask, selectTask, vectorTask } from "../core/protocol.js";
import { newTally } from "../core/session.js";
import { closed } from "../errors.js";
import { Sessions } from "./sessions.js";

/** Rows searched in one call into WebAssembly: enough to share a wave, few enough to let other searches in. */
const BATCH = 64;

/**
 * @typedef {import("./engine.js").Engine} Engine
 * @typedef {import("./engine.js").Request} Request
 * @typedef {import("../arguments.js").Id} Id
 */

/** @implements {Engine} */
export class LocalEngine {
  #source;
  #sessions;
  #info;
  #how;
  /** @type {Promise<void> | undefined} */
  #closing;
  #queries = 0;
  #waves = 0;
  /** @type {import("./memory/pressure.js").Pressure | undefined} */
  #pressure;

  /**
   * @param {Pick<import("../core/start.js").Started, "source" | "session" | "info">} first
   * @param {object} how
   * @param {import("./sessions.js").Start} how.start
   * @param {() => Promise<void>} how.close of all its files
   * @param {number} how.memoryBudget
   * @param {() => Promise<typeof import("./extras.js")>} how.loadExtras
   * @param {import("../core/prefetch.js").Prefetcher} [how.prefetch]
   * @param {string} [how.storeOff] why there is no page store, though there should be
   * @param {import("../core/session.js").Listeners["onProgress"]} [how.onProgress]
   */
  constructor(first, how) {
    this.#source = first.source;
    this.#info = first.info;
    this.#how = how;
    this.#sessions = new Sessions(first, how, () => void this.#pressure?.failed());
    how.prefetch?.begin(first.info, (...piece) => this.#sessions.current.fetchPiece(loadTask(), ...piece));
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
    this.#sessions.loaded = true;
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

  /** @type {Engine["evict"]} */
  evict(bytes) {
    this.#checkOpen();
    return this.#sessions.evict(bytes);
  }

  /** @type {Engine["setMemoryBudget"]} */
  async setMemoryBudget(bytes) {
    this.#checkOpen();
    await this.#sessions.setMemoryBudget(bytes);
    await this.#pressure?.look();
  }

  /** @type {Engine["memoryMap"]} */
  async memoryMap() {
    this.#checkOpen();
    const { memoryMap } = await this.#how.loadExtras();
    const { numbers, buffer } = await this.#sessions.throughAll(async (session) => session.held());
    return memoryMap(numbers, buffer, this.#info.sections, this.#held().held);
  }

  /** @type {Engine["watch"]} */
  async watch(listener) {
    const { Pressure } = await this.#how.loadExtras();
    // The module that can evict is here before memory is short.
    if (listener) await this.#sessions.throughAll(async () => {});
    this.#pressure?.stop();
    this.#pressure = undefined;
    if (!listener || this.#closing) return;
    this.#pressure = new Pressure({ look: () => this.#held(), evict: (bytes) => this.evict(bytes), limit: (most) => this.#sessions.limit(most) }, listener);
  }

  /** What is reserved; the part of it that rows and lists are in, and their own bytes. */
  #held() {
    const memory = this.#sessions.current.memory();
    const [resident, parts] = [memory?.resident ?? 0, memory?.parts ?? /** @type {import("../core/protocol.js").Parts} */ ({})];
    const of = (/** @type {string} */ name) => parts[name]?.reserved ?? 0;
    const held = Object.keys(parts).reduce((sum, name) => sum + of(name), 0);
    return { held, slots: of("slots"), units: Math.max(0, resident - of("fronts") - of("sections")), budget: this.#sessions.memoryBudget };
  }

  /** @type {Engine["stats"]} */
  stats() {
    this.#checkOpen();
    const { prefetch, storeOff } = this.#how;
    const { memoryBudget } = this.#sessions;
    const { traffic, stats: store = storeOff && { hits: 0, misses: 0, bytes: 0, off: storeOff } } = this.#source;
    const memory = this.#sessions.current.memory();
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
      this.#pressure?.stop();
      this.#sessions.end(closed());
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
    try {
      return await this.#sessions.through((session) => session.run(task, signal, tally), task.filters, signal);
    } finally {
      this.#waves += tally.waves;
    }
  }

  #checkOpen() {
    if (this.#closing) throw closed();
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
