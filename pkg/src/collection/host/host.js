// Who owns the files of a collection and answers its calls: in browsers in a worker of the tab that leads, elsewhere in the program.
import { PagevecError, throwIfAborted, toPagevec } from "../../errors.js";
import { copyOf, restore } from "../transfer/backup.js";
import { exportIndex } from "../transfer/export.js";
import { Core } from "./core.js";
import { Upkeep } from "./upkeep.js";
import { Writes } from "./writes.js";

/**
 * @typedef {import("../messages.js").Call} Call
 * @typedef {import("../messages.js").HostEvent} HostEvent
 * @typedef {import("../messages.js").HostSettings} HostSettings
 * @typedef {import("../messages.js").State} State
 *
 * @typedef {object} Storage where a host keeps its files
 * @property {import("../dirs/dir.js").Dir} dir
 * @property {boolean} persistent
 * @property {string} [why] it is not
 * @property {import("./upkeep.js").RunElsewhere} [elsewhere]
 * @property {(path: string) => import("../dirs/dir.js").Dir} [folderAt] a folder for a backup, which is made if it is not there
 * @property {() => Promise<{ usage?: number, quota?: number, persisted?: boolean }>} [estimate]
 *
 * @typedef {object} Place what a platform gives
 * @property {(wasm: WebAssembly.Module | undefined) => { load: () => Promise<WebAssembly.Module>, instantiate: import("./core.js").Instantiate }} start
 * @property {(settings: HostSettings, load: () => Promise<WebAssembly.Module>) => Promise<Storage>} openStorage
 * @property {() => Promise<import("./builder.js").Builder>} builder makes the index of what is exported
 *
 * @typedef {{ client: bigint, request: number }} Origin of a call: what a later host knows it by, if it is sent to it again
 */

export class Host {
  #core;
  #storage;
  #builder;
  #writes;
  #upkeep;
  #emit;
  /** @type {Awaited<ReturnType<NonNullable<Storage["estimate"]>>>} */
  #estimate = {};
  /** @type {State} what the module said last */
  #last;
  /** @type {Promise<void> | undefined} */
  #closing;

  /**
   * @param {Place} place
   * @param {HostSettings} settings
   * @param {(event: HostEvent) => void} emit
   */
  static async open(place, settings, emit) {
    const { wasm, durability, memory, name, from, ...options } = settings;
    const { load, instantiate } = place.start(wasm);
    const storage = await place.openStorage(settings, load);
    let undo = async () => {};
    try {
      if (from) undo = await restore(storage.dir, from);
      const core = await Core.open(instantiate, storage.dir, { ...options, durability: "relaxed" });
      const host = new Host(core, storage, place.builder, durability === "relaxed", emit);
      await Promise.all([host.#upkeep.after(), host.#measure()]);
      return host;
    } catch (error) {
      await undo().catch(() => {});
      storage.dir.close();
      throw error;
    }
  }

  /**
   * @param {Core} core
   * @param {Storage} storage
   * @param {Place["builder"]} builder
   * @param {boolean} relaxed
   * @param {(event: HostEvent) => void} emit
   */
  constructor(core, storage, builder, relaxed, emit) {
    this.#core = core;
    this.#storage = storage;
    this.#builder = builder;
    this.#emit = emit;
    this.#last = core.stats();
    this.#upkeep = new Upkeep(core, storage.dir, storage.elsewhere, () => void this.#measure().then(() => this.#tell()));
    this.#writes = new Writes(core, relaxed, {
      before: () => this.#upkeep.before(),
      committed: (changes) => {
        this.#tell();
        for (const change of changes) this.#emit({ event: "change", detail: change });
        void this.#upkeep.after();
      },
    });
  }

  /** @returns {State} */
  get state() {
    const { persistent, why } = this.#storage;
    const { failed, merging } = this.#upkeep;
    this.#last = this.#core.stats() ?? this.#last;
    return { ...this.#last, persistent, ...(why && { why }), merging, ...(failed && { failed: failed.message }), ...this.#estimate };
  }

  /**
   * @param {Call} call
   * @param {Origin} origin
   * @param {AbortSignal} signal
   * @param {import("./upkeep.js").OnProgress} onProgress
   * @returns {Promise<any>}
   */
  async call(call, origin, signal, onProgress) {
    throwIfAborted(signal);
    if (this.#closing) throw new PagevecError("closed", "the collection is closed: open it again");
    switch (call.call) {
      case "upsert":
      case "update":
      case "delete":
      case "clear":
        return this.#write(call, origin);
      case "sync":
        return void (await this.#writes.push({ run: () => {}, change: () => undefined, bytes: 0, durable: true }));
      case "flush":
        return this.#flush();
      case "compact":
        await this.#writes.settled();
        return this.#upkeep.compact(signal, onProgress).finally(() => this.#tell());
      case "export":
        await this.#writes.settled();
        await this.#core.ready();
        return exportIndex(this.#core, this.#builder, call.model, signal, onProgress);
      case "backup": {
        await this.#flush();
        const dir = call.to === undefined ? undefined : this.#storage.folderAt?.(call.to);
        if (!dir) return copyOf(this.#core);
        try {
          return this.#core.read((module) => module.backup(dir));
        } finally {
          dir.close();
        }
      }
      case "search": {
        await this.#trapped();
        const { queries, request } = call;
        /** @type {{ hits: import("../../core/protocol.js").Hit[] }[]} */
        const answers = JSON.parse(this.#core.read((module) => module.search(queries, JSON.stringify(request))));
        return answers.map(({ hits }) => hits);
      }
      case "get":
        await this.#trapped();
        return this.#core.read((module) => module.get(call.ids, call.vectors, call.fields));
      case "ids":
        await this.#trapped();
        return JSON.parse(this.#core.read((module) => module.ids(call.after, call.limit)));
      case "count":
        await this.#trapped();
        return this.#core.read((module) => module.count_matching(call.filter));
      case "facets": {
        await this.#trapped();
        const [counts, values] = this.#core.read((module) => module.facets(call.field, call.filter, call.limit));
        return values.map((value, at) => ({ value, count: counts[at + 1] }));
      }
      case "page": {
        await this.#trapped();
        // Both at one moment: no write comes between them.
        const { query, first, vectors, fields } = call;
        const ids = JSON.parse(this.#core.read((module) => module.page(JSON.stringify(query))));
        const some = ids.slice(0, first);
        return { ids, ...this.#core.read((module) => module.get(typeof some[0] === "number" ? Float64Array.from(some) : some, vectors, fields)) };
      }
    }
  }

  /** Ends what is under way, makes all durable and gives the files back. */
  close() {
    this.#closing ??= (async () => {
      try {
        await this.#upkeep.close();
        await this.#writes.settled();
        await this.#upkeep.close(); // what the last writes began
        this.#core.close();
      } finally {
        this.#storage.dir.close();
      }
    })();
    return this.#closing;
  }

  /**
   * @param {import("../messages.js").WriteCall} call
   * @param {Origin} origin
   */
  #write(call, { client, request }) {
    const number = BigInt(request);
    /** @type {import("./writes.js").Write["run"]} */
    const run = (module) => {
      if (call.call === "upsert") return JSON.parse(module.upsert(call.ids, call.vectors, call.fields, client, number));
      if (call.call === "update") return JSON.parse(module.update(call.ids, call.fields, client, number));
      return JSON.parse(call.call === "delete" ? module.delete(call.ids, client, number) : module.clear(client, number));
    };
    // A request that was applied before is told again: whoever was to tell it may have ended before.
    const change = (/** @type {{ sequence: number, deleted?: number, missing?: import("../../arguments.js").Id[] }} */ { sequence, deleted, missing = [] }) => {
      const list = call.call === "clear" ? [] : [...call.ids].filter((id) => !missing.includes(id));
      if (deleted === 0 || (call.call === "update" && list.length === 0)) return undefined;
      const upserted = call.call === "upsert" || call.call === "update" ? list : [];
      return { sequence, upserted, deleted: call.call === "delete" ? list : [], cleared: call.call === "clear", client };
    };
    const bytes = call.call === "upsert" ? call.vectors.byteLength : call.call === "update" ? call.ids.length * 4 * this.#last.dim : 0;
    return this.#writes.push({ run, change, bytes, durable: false });
  }

  /** @returns {Promise<void>} */
  #flush() {
    return this.#writes.push({ run: (module) => module.flush(), change: () => undefined, bytes: 0, durable: true });
  }

  /** After a trap reads need a new instance too; after a failed write they go on. */
  async #trapped() {
    if (this.#core.broken && !this.#core.stats()) await this.#core.ready();
  }

  #tell() {
    try {
      this.#emit({ event: "state", detail: this.state });
    } catch (error) {
      // The collection trapped: the next call opens it again.
      if (toPagevec(error).code !== "trapped") throw error;
    }
  }

  async #measure() {
    this.#estimate = (await this.#storage.estimate?.().catch(() => ({}))) ?? {};
  }
}
