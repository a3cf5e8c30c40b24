// The calls of a collection that change nothing. client.js has those that do.
import { toId } from "../arguments.js";
import { describe } from "../describe.js";
import { badArgument, notify, reading, typed } from "../errors.js";
import { toIdList } from "./arguments.js";
import { closed, pages, readRows, search, searchBatch, signalOf, toRead } from "./calls/calls.js";
import { countMatching, facets, listed, toListed } from "./calls/fields.js";

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../arguments.js").Vector} Vector
 * @typedef {import("../index.js").CallOptions} CallOptions
 * @typedef {import("./calls/calls.js").ChangeEvent} ChangeEvent
 * @typedef {import("./calls/calls.js").Link} Link
 * @typedef {import("./calls/calls.js").RowOptions} RowOptions
 * @typedef {import("./calls/calls.js").StoredRow} StoredRow
 * @typedef {import("../index.js").Filter} Filter
 * @typedef {import("../index.js").Facet} Facet
 * @typedef {import("../index.js").FacetOptions} FacetOptions
 * @typedef {(from: import("./transfer/backup.js").Backup) => Promise<import("./client.js").Collection>} OpenCopy
 */

/**
 * The link of an open collection, what embeds its texts, and what opens a backup in memory.
 * @type {(reader: CollectionReader) => { link: Link, embedder: import("../texts/embed.js").Embedder | undefined, openCopy: OpenCopy }}
 */
export let openLink;

/** What can be asked of an open collection. Its calls reject with a PagevecError. */
export class CollectionReader {
  #link;
  #embedder;
  #openCopy;
  #name;
  /** @type {Set<import("./calls/calls.js").OnChange>} */
  #listeners;
  /** @type {Promise<void> | undefined} */
  #closing;

  /**
   * @internal subclasses
   * @param {string} name
   * @param {Link} link
   * @param {Set<import("./calls/calls.js").OnChange>} listeners that the link calls
   * @param {import("../texts/embed.js").Embedder | undefined} embedder
   * @param {OpenCopy} openCopy opens a backup in memory
   */
  constructor(name, link, listeners, embedder, openCopy) {
    this.#name = name;
    this.#link = link;
    this.#listeners = listeners;
    this.#embedder = embedder;
    this.#openCopy = openCopy;
  }

  static {
    openLink = (reader) => ({ link: reader.#open(), embedder: reader.#embedder, openCopy: reader.#openCopy });
  }

  /** Its name, or the path of its folder. */
  get name() {
    return this.#name;
  }

  /** Numbers in a vector. */
  get dim() {
    return this.#link.state.dim;
  }

  /** How vectors are compared. */
  get metric() {
    return this.#link.state.metric;
  }

  /** How many rows there are, as of the last answer or event. */
  get count() {
    return this.#link.state.count;
  }

  /**
   * Finds the `k` nearest rows. It sees everything that was acknowledged, and each row once.
   * @param {import("../arguments.js").Query} query `dim` numbers; or `{ text }`, of which `embed` makes them; or `{ id }`: the vector of
   *   that row, which is then no hit itself
   * @param {import("../search/options.js").SearchOptions} [options] those of `search` of an index
   * @returns {Promise<import("../core/protocol.js").Hit[]>} best first; rejects with `argument`, `dimension`, `not-finite`, `zero-vector`,
   *   `unknown-id`, `embed` or `aborted`
   */
  search(query, options) {
    return typed(async () => search(this.#open(), this.#embedder, query, options));
  }

  /**
   * Finds the `k` nearest rows of each vector.
   * @param {Vector[] | Float32Array | string[]} matrix vectors, or one array of `dim` numbers for each row, or texts
   * @param {import("../search/options.js").SearchOptions} [options]
   * @returns {Promise<import("../core/protocol.js").Hit[][]>} one list for each row; rejects as `search` does
   */
  searchBatch(matrix, options) {
    return typed(async () => searchBatch(this.#open(), this.#embedder, matrix, options));
  }

  /**
   * Reads rows.
   * @param {readonly Id[] | ArrayLike<number>} ids
   * @param {RowOptions} [options]
   * @returns {Promise<(StoredRow | undefined)[]>} undefined for an id that no row has; rejects with `argument` or `aborted`
   */
  get(ids, options) {
    return typed(async () => {
      const link = this.#open();
      const { list, ...wanted } = reading(() => toRead("get()", ids, options, link.state));
      return readRows(link, list, wanted);
    });
  }

  /**
   * @param {Id} id
   * @param {CallOptions} [options]
   * @returns {Promise<boolean>} whether there is a row with this id
   */
  has(id, options) {
    return typed(async () => {
      const link = this.#open();
      const list = reading(() => toIdList([toId(id)], link.state));
      return (await readRows(link, list, { vectors: false, names: [], signal: signalOf("has()", options) }))[0] !== undefined;
    });
  }

  /**
   * Counts the rows that match a filter.
   * @param {Filter} filter \`{}\` matches all rows
   * @param {CallOptions} [options]
   * @returns {Promise<number>} rejects with `filter` or `aborted`
   */
  countMatching(filter, options) {
    return typed(async () => countMatching(this.#open(), filter, options));
  }

  /**
   * Counts the rows of each value of a field.
   * @param {string} field one that is indexed, and no geo point
   * @param {FacetOptions} [options]
   * @returns {Promise<Facet[]>} those with the most rows first, then by value; rejects with `argument`, `filter` or `aborted`
   */
  facets(field, options) {
    return typed(async () => facets(this.#open(), field, options));
  }

  /**
   * Reads all rows, in the order of their ids: numbers by size, texts by their bytes. With `filter`, `sortBy`, `offset` or `limit` those
   * that are there when it is called, in the order of a field or as they are stored. A row that changes meanwhile is given as it is
   * when it is reached; the first 500 are read at once.
   * @param {RowOptions} [options]
   * @returns {AsyncGenerator<StoredRow, void>} rejects with `filter`, and as `get` does
   */
  async *rows(options) {
    const link = this.#open();
    const { wanted, query } = reading(() => toListed(options, link.state));
    const all = query ? listed(link, wanted, query) : pages(link, wanted);
    for (;;) {
      const { value, done } = await typed(() => all.next());
      if (done) return;
      yield* value;
    }
  }

  /**
   * Calls `listener` after each change, by whichever tab it was made.
   * @param {"change"} event
   * @param {(event: ChangeEvent) => void} listener
   * @returns {() => void} ends that
   */
  on(event, listener) {
    if (event !== "change") throw badArgument(`on(): the event must be "change", not ${typeof event === "string" ? JSON.stringify(`${event}`.slice(0, 40)) : describe(event)}`);
    if (typeof listener !== "function") throw badArgument(`on(): the listener must be a function, not ${describe(listener)}`);
    // Who passes a function twice gets two calls.
    const own = (/** @type {ChangeEvent} */ change) => notify(listener, change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /**
   * What the collection is made of, as of the last answer or event.
   * @returns {import("./messages.js").State} throws `closed` after `close`
   */
  stats() {
    return structuredClone(this.#open().state);
  }

  /**
   * Asks the browser not to remove its files when room is short, which may ask the person. Browsers may else remove what a site keeps,
   * Safari after a week without a visit.
   * @returns {Promise<boolean>} whether they are kept
   */
  persist() {
    return typed(async () => this.#open().persist());
  }

  /**
   * Ends what is under way and gives the files back. Another tab goes on with them. Closing twice is fine.
   * @returns {Promise<void>}
   */
  close() {
    this.#closing ??= typed(() => this.#link.close());
    return this.#closing;
  }

  /** For `await using`. */
  [Symbol.asyncDispose]() {
    return this.close();
  }

  #open() {
    if (this.#closing) throw closed();
    return this.#link;
  }
}
