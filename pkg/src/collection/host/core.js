// The collection in WebAssembly, behind one door: every call goes through here, so that no failure of a write and no trap is missed.
// After either the collection is opened again, over the same files, before the next write; what was acknowledged is in them.
import { fromWasm, PagevecError } from "../../errors.js";

/** Codes of a failed write or sync: the state of the log's end is unknown. */
const POISONING = new Set(["io", "quota", "out-of-memory", "poisoned", "trapped"]);

/**
 * @typedef {import("../dirs/dir.js").Dir} Dir
 * @typedef {import("../dirs/dir.js").JsDir} JsDir
 * @typedef {import("../dirs/dir.js").JsFile} JsFile
 * @typedef {import("../../arguments.js").IdList} IdList
 *
 * @typedef {object} Module the calls of the class `Collection` in WebAssembly; texts are JSON. bindings/wasm has the other side
 * @property {(ids: IdList, vectors: Float32Array, fields: (string | null)[] | null, client: bigint, request: bigint) => string} upsert
 * @property {(ids: IdList, fields: string[], client: bigint, request: bigint) => string} update
 * @property {(ids: IdList, client: bigint, request: bigint) => string} delete
 * @property {(client: bigint, request: bigint) => string} clear
 * @property {(queries: Float32Array, options: string) => string} search
 * @property {(ids: IdList, vectors: boolean, fields: boolean) => { found: Uint8Array, vectors?: Float32Array, fields?: (string | null)[] }} get
 * @property {(after: import("../../arguments.js").Id | null, limit: number) => string} ids
 * @property {(filter: string | undefined) => number} count_matching
 * @property {(field: string, filter: string | undefined, limit: number) => [numbers: Float64Array, values: any[]]} facets
 * @property {(query: string) => string} page
 * @property {() => string} stats
 * @property {() => void} sync what was written is durable then; no other call but flush, commit and close syncs
 * @property {() => boolean} flush
 * @property {(now: number) => void} tick what is due by time
 * @property {(all: boolean) => string | undefined | null} plan a merge that is due; with `all` one that is left to do for `compact`
 * @property {(id: number) => Uint8Array} job
 * @property {(id: number, file: string, length: number) => boolean} commit whether the output was taken: not if its rows are gone meanwhile
 * @property {(id: number) => void} abandon
 * @property {(onPiece: OnPiece, report?: Report) => void} export_rows writes one segment of all rows, without graph and clusters
 * @property {(dir: JsDir) => void} backup copies the files into a folder without a collection
 * @property {() => string} next_files
 * @property {() => string} unused_files
 * @property {(name: string) => void} forgotten
 * @property {() => void} close
 * @property {() => void} free
 *
 * @typedef {{ length: number, read: (into: Uint8Array, offset: number) => number }} Input
 * @typedef {(phase: string, done: number, total: number) => boolean} Report of progress; true ends the merge
 * @typedef {(bytes: Uint8Array, offset: number, length: number) => void} OnPiece takes the pieces of a file in order
 *
 * @typedef {object} SegmentRows the rows of a segment that is imported
 * @property {() => string} facts
 * @property {(from: number, limit: number) => { ids: IdList, vectors: Float32Array<ArrayBuffer>, fields: (string | null)[], next: number }} rows
 *
 * @typedef {object} Glue the exports of an instance
 * @property {{ open: (input: Input, dead: Uint8Array | undefined) => SegmentRows }} SegmentRows
 * @property {{ open: (dir: JsDir, options: string, now: number) => Module }} Collection
 * @property {(job: Uint8Array, inputs: Input[], output: JsFile, report?: Report) => number} merge
 *
 * @typedef {() => Promise<Glue>} Instantiate makes a new instance
 */

export class Core {
  #instantiate;
  #dir;
  #options;
  /** @type {Glue} */
  #glue;
  /** @type {Module | undefined} */
  #module;
  /** @type {PagevecError | undefined} what stopped it */
  #failed;
  /** @type {Promise<void> | undefined} */
  #reopening;
  #ended = false;

  /**
   * @param {Instantiate} instantiate
   * @param {Dir} dir
   * @param {object} options of the module
   */
  static async open(instantiate, dir, options) {
    const core = new Core(instantiate, dir, options, await instantiate());
    core.#start(options);
    return core;
  }

  /**
   * @param {Instantiate} instantiate
   * @param {Dir} dir
   * @param {object} options
   * @param {Glue} glue
   */
  constructor(instantiate, dir, options, glue) {
    this.#instantiate = instantiate;
    this.#dir = dir;
    this.#options = options;
    this.#glue = glue;
  }

  get glue() {
    return this.#glue;
  }

  /** Whether writes would fail until it is opened again. */
  get broken() {
    return this.#failed !== undefined;
  }

  /**
   * Opens it again if a write failed. It makes nothing new then: what was there is there, or it is an error.
   * @returns {Promise<void> | undefined} undefined: it is fit
   */
  ready() {
    if (this.#failed === undefined || this.#ended) return undefined;
    this.#reopening ??= this.#reopen().finally(() => (this.#reopening = undefined));
    return this.#reopening;
  }

  /**
   * A call that changes nothing. It works after a failed write too, on what was there before.
   * @template T
   * @param {(module: Module) => T} action
   * @returns {T}
   */
  read(action) {
    return this.#call(action, ["trapped"]);
  }

  /**
   * @template T
   * @param {(module: Module) => T} action
   * @returns {T}
   */
  write(action) {
    return this.#call(action, POISONING);
  }

  /** What it knows about itself; undefined while it is not open. */
  stats() {
    return this.#module && JSON.parse(this.read((module) => module.stats()));
  }

  close() {
    this.#ended = true;
    const module = this.#module;
    this.#module = undefined;
    if (!module) return;
    try {
      module.close();
    } finally {
      module.free();
    }
  }

  /** @param {object} options */
  #start(options) {
    try {
      this.#module = this.#glue.Collection.open(this.#dir, JSON.stringify(options), Date.now());
    } catch (thrown) {
      throw fromWasm(thrown);
    }
  }

  async #reopen() {
    const failed = this.#failed;
    try {
      this.#module?.close();
      this.#module?.free();
    } catch {
      // It was broken: its files are read again.
    }
    this.#module = undefined;
    if (failed?.code === "trapped") this.#glue = await this.#instantiate();
    this.#start({ ...this.#options, create: false });
    this.#failed = undefined;
  }

  /**
   * @template T
   * @param {(module: Module) => T} action
   * @param {Iterable<string>} fatal codes after which it must be opened again
   * @returns {T}
   */
  #call(action, fatal) {
    if (!this.#module) throw this.#failed ?? new PagevecError("closed", "the collection is closed: open it again");
    try {
      return action(this.#module);
    } catch (thrown) {
      const error = fromWasm(thrown);
      if ([...fatal].includes(error.code)) this.#failed = error;
      // A trapped instance is in an unknown state: nothing calls into it any more, not even to free it.
      if (error.code === "trapped") this.#module = undefined;
      throw error;
    }
  }
}
