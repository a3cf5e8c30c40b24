// An open index, as users have it: each call checks and copies its arguments, makes vectors of texts, and asks the engine.
import { toId, toMatrix, toQuery } from "./arguments.js";
import { Listeners } from "./engine/listeners.js";
import { badArgument, closed, reading, typed } from "./errors.js";
import { checkOptions, toBytes, toChoice, toSignal } from "./options.js";
import { toFilter } from "./search/filter.js";
import { toBatch, toFacets, toGet, toSearch } from "./search/options.js";
import { toTexts } from "./texts/embed.js";

export * from "./engine/types.js";

/** @import { BatchOptions, CallOptions, Explanation, Facet, FacetOptions, Fields, Filter, GetOptions, Hit, HitArrays, Id, MemoryEvent, MemoryMap, Query, Row, RowOptions, SearchOptions, Stats, StoredRow, Vector } from "./engine/types.js" */

/**
 * An open index, made by `open`. Its calls reject with a PagevecError: beside the codes that each names, with those of the
 * host, of the file, `budget`, `trapped` and `closed`.
 * @template {object} [Schema=Fields] the fields of rows by their names, with the types of their values
 */
export class Index {
  #engine;
  #embedder;
  #loadExtras;
  #info;
  #listeners;
  /** @type {Promise<void> | undefined} */
  #closing;

  /**
   * @internal
   * @param {import("./engine/engine.js").Engine} engine
   * @param {import("./engine/open.js").Platform["loadExtras"]} loadExtras
   * @param {import("./texts/embed.js").Embedder} [embedder]
   */
  constructor(engine, loadExtras, embedder) {
    this.#engine = engine;
    this.#embedder = embedder;
    this.#loadExtras = loadExtras;
    this.#info = Object.freeze(engine.info);
    this.#listeners = new Listeners(engine);
  }

  /** Facts about the index and its segments. */
  get info() {
    return this.#info;
  }

  /**
   * Finds the `k` nearest vectors.
   * @param {Query} query `info.dim` numbers; or `{ text }`, of which `embed` makes them; or `{ id }`: the vector of that row, which is
   *   then no hit itself
   * @template {import("./search/schema.js").Wanted<Schema>} [Names=false]
   * @param {SearchOptions<Schema, Names>} [options]
   * @returns {Promise<Hit<Schema, Names>[]>} best first; rejects with `argument`, `filter`, `dimension`, `not-finite`, `zero-vector`,
   *   `unknown-id`, `embed` or `aborted`
   */
  search(query, options) {
    return typed(async () => {
      const { request, signal, vector } = this.#read(query, options);
      return /** @type {any} */ ((await this.#engine.search(await vector(), request, signal))[0]);
    });
  }

  /**
   * Finds the `k` nearest vectors of each row.
   * @param {Vector[] | Float32Array | string[]} matrix vectors, or one array of `info.dim` numbers for each row, or texts, of which
   *   `embed` makes vectors
   * @template {BatchOptions<Schema>} [Options=BatchOptions<Schema>]
   * @param {Options} [options] with `arrays: true`, hits are typed arrays
   * @returns {Promise<Options extends { arrays: true } ? HitArrays : Hit<Schema, Options["fields"]>[][]>} one list for each row; rejects as `search` does
   */
  searchBatch(matrix, options) {
    return typed(async () => {
      this.#checkOpen();
      const { dim, count } = this.#info;
      const { arrays, request, signal } = reading(() => toBatch(options, count));
      const rows = reading(() => {
        if (Array.isArray(matrix) && matrix.length === 0) return new Float32Array();
        return Array.isArray(matrix) && typeof matrix[0] === "string" ? toTexts(matrix, "text") : toMatrix(matrix, dim).data;
      });
      const queries = rows instanceof Float32Array ? rows : await this.#embed(rows, signal);
      return /** @type {any} */ (arrays ? this.#engine.searchArrays(queries, request, signal) : this.#engine.search(queries, request, signal));
    });
  }

  /**
   * Brings codes and graph into memory, so that every later search walks the graph and reads nothing, or only finer rows to rank
   * hits by. Progress goes to the `onProgress` of `open`.
   * @param {CallOptions} [options]
   * @returns {Promise<void>} rejects with `argument` if the file has no graph or the memory budget does not hold it; searches go
   *   on as before then
   */
  load(options) {
    return typed(async () => this.#engine.load(signalOf("load()", options)));
  }

  /**
   * Searches, and tells what that took.
   * @param {Query} query as `search` takes it
   * @template {import("./search/schema.js").Wanted<Schema>} [Names=false]
   * @param {SearchOptions<Schema, Names>} [options]
   * @returns {Promise<Explanation<Schema, Names>>} rejects as `search` does
   */
  explain(query, options) {
    return typed(async () => {
      const { request, signal, vector } = this.#read(query, options);
      return /** @type {any} */ (this.#engine.explain(await vector(), request, signal));
    });
  }

  /**
   * Reads the whole file, which `open` takes: to keep it where its host is not reached, say. Progress goes to the `onProgress` of
   * `open`, with the phase `save`.
   * @param {CallOptions} [options]
   * @returns {Promise<Blob>} rejects with `argument` if the index has several segments, or dead rows
   */
  save(options) {
    return typed(async () => this.#engine.save(signalOf("save()", options)));
  }

  /**
   * Reads one vector.
   * @param {Id} id
   * @param {CallOptions} [options]
   * @returns {Promise<Float32Array>} `info.dim` numbers as stored: quantized, where the file holds no exact rows, and about of unit
   *   length under cosine; rejects with `unknown-id`
   */
  vector(id, options) {
    return typed(async () => this.#engine.vector(reading(() => toId(id)), signalOf("vector()", options)));
  }

  /**
   * Reads the stored fields of rows.
   * @param {readonly Id[] | ArrayLike<number>} ids
   * @template {import("./search/schema.js").Wanted<Schema>} [Names=true]
   * @param {GetOptions<Schema, Names>} [options]
   * @returns {Promise<(Row<Schema, Names> | undefined)[]>} undefined for an id that no row has; rejects as `search` does
   */
  get(ids, options) {
    return typed(async () => {
      const { list, names, signal } = reading(() => toGet(ids, options));
      return /** @type {any} */ ((await this.#engine.get(list, names, signal)).map((fields, at) => fields && { id: list[at], fields }));
    });
  }

  /**
   * Counts rows, by the indexes of their fields.
   * @param {Filter<Schema>} [filter] unless given, all rows
   * @param {CallOptions} [options]
   * @returns {Promise<number>} rows that match; rejects with `filter` or `aborted`
   */
  count(filter, options) {
    // A filter that got lost on its way here must not count all rows.
    const isGiven = arguments.length > 0;
    return typed(async () => {
      const json = isGiven ? reading(() => toFilter(filter)) : undefined;
      return this.#engine.count(json, signalOf("count()", options));
    });
  }

  /**
   * Counts the rows of each value of a field.
   * @template {import("./search/schema.js").FieldName<Schema>} Name
   * @param {Name} field one that is indexed, and no geo point
   * @param {FacetOptions<Schema>} [options]
   * @returns {Promise<Facet<import("./search/schema.js").FacetValue<Schema, Name>>[]>} those with the most rows first, then by value; rejects
   *   with `argument`, `filter` or `aborted`
   */
  facets(field, options) {
    return typed(async () => {
      const { field: name, signal, ...wanted } = reading(() => toFacets(field, options));
      return /** @type {any} */ ((await this.#engine.facets(name, wanted, signal)).values);
    });
  }

  /**
   * @param {Id} id
   * @param {CallOptions} [options]
   * @returns {Promise<boolean>} whether there is a vector with this id
   */
  has(id, options) {
    return typed(async () => this.#engine.has(reading(() => toId(id)), signalOf("has()", options)));
  }

  /**
   * Reads the ids of all rows, in the order in which they are stored: that of the file, which no id tells.
   * @param {CallOptions} [options]
   * @returns {AsyncGenerator<Id, void>} reads on while it is asked for more; rejects with `aborted`
   */
  async *ids(options) {
    yield* (await typed(this.#loadExtras)).idsOf(this.#engine, options);
  }

  /**
   * Reads all rows, in the order of `ids`.
   * @param {RowOptions<Schema>} [options]
   * @returns {AsyncGenerator<StoredRow, void>} reads on while it is asked for more; rejects with `argument` for fields of an index that
   *   has none, or with `aborted`
   */
  async *rows(options) {
    yield* (await typed(this.#loadExtras)).rowsOf(this.#engine, options);
  }

  /**
   * Puts the controller of memory to work, and calls `listener` when its level changes and when it acted: from 0.7 of the memory budget
   * it gives back what searches reuse, from 0.8 it evicts what was not used lately, from 0.9 all rows and lists, and refuses
   * more than a few searches at once. It also acts when memory cannot grow, and listens to what the browser says of the page. This,
   * and the calls below, need the module of `filters: true`: where another was loaded, it comes in its place.
   * @param {"memory"} event
   * @param {(event: MemoryEvent) => void} listener
   * @returns {() => void} removes the listener; without any, the controller ends. Throws `argument`, and `closed` after `close`
   */
  on(event, listener) {
    this.#checkOpen();
    reading(() => toChoice(event, ["memory"], "on(): the event"));
    if (typeof listener !== "function") throw badArgument("on(): the listener must be a function");
    return this.#listeners.add(listener);
  }

  /**
   * Drops what is held of the file, once no search is under way, and the memory that searches reuse: what was not used lately first,
   * sections that are held whole last. Later searches read again what they need.
   * @param {number | string} [bytes] so many at least, if there are as many: a number, or a text such as "8MB"; all unless given
   * @returns {Promise<number>} bytes that were dropped; rejects with `argument`
   */
  evict(bytes) {
    return typed(async () => this.#engine.evict(bytes === undefined ? Infinity : reading(() => toBytes(bytes, "evict(): bytes"))));
  }

  /**
   * Changes the memory budget, once no search is under way. What fits of what is held stays: of rows and lists those used lately.
   * @param {number | string} bytes as for `memoryBudget` of `open`
   * @returns {Promise<void>} rejects with `argument`, and with `budget`, which names the smallest budget that works: then the old one stays
   */
  setMemoryBudget(bytes) {
    return typed(async () => this.#engine.setMemoryBudget(reading(() => toBytes(bytes, "memoryBudget"))));
  }

  /** @returns {Promise<MemoryMap>} where in the linear memory stack, statics and heap are, and what is held of the file: for a picture of it */
  memoryMap() {
    return typed(async () => this.#engine.memoryMap());
  }

  /** @returns {Stats} throws `closed` after `close` */
  stats() {
    this.#checkOpen();
    return this.#engine.stats();
  }

  /**
   * Ends what is under way (with code `closed`) and frees the memory for other indexes. Closing twice is fine.
   * @returns {Promise<void>}
   */
  close() {
    this.#closing ??= typed(() => this.#engine.close());
    return this.#closing;
  }

  /** For `await using`. */
  [Symbol.asyncDispose]() {
    return this.close();
  }

  /**
   * Reads the arguments of a search at once; `vector` gives what to search for, once its text is a vector.
   * @param {Query} query
   * @param {object | undefined} options
   */
  #read(query, options) {
    this.#checkOpen();
    const { request, signal } = reading(() => toSearch(options, this.#info.count));
    const copy = reading(() => toQuery(query, this.#info.dim));
    const vector = async () => ("text" in copy ? this.#embed([copy.text], signal) : copy);
    return { request, signal, vector };
  }

  /**
   * @param {string[]} texts
   * @param {AbortSignal | undefined} signal
   */
  async #embed(texts, signal) {
    if (!this.#embedder) throw badArgument("a search by text needs `embed`: open(…, { embed: async (texts) => vectors })");
    const { embedTexts } = await this.#loadExtras();
    const { data } = await embedTexts(this.#embedder.embed, texts, this.#info.dim, signal);
    this.#checkOpen();
    return data;
  }

  #checkOpen() {
    if (this.#engine.closed) throw closed();
  }
}

/**
 * @param {string} call
 * @param {CallOptions | undefined} options
 */
function signalOf(call, options) {
  return reading(() => toSignal(checkOptions(call, options, ["signal"]).signal));
}
