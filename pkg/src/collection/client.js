// A collection, as users have it: each call checks and copies its arguments, makes vectors of texts, and asks the host of the files.
import { badArgument, reading, typed } from "../errors.js";
import { checkOptions, toSignal } from "../options.js";
import { toHttp } from "../sources/http/options.js";
import { toIdList } from "./arguments.js";
import { signalOf, upsert } from "./calls/calls.js";
import { update } from "./calls/fields.js";
import { CollectionReader, openLink } from "./reader.js";
import { backupIn, toFolder } from "./transfer/files.js";
import { importBackup, importIndex, importRows, isIndex, toIndex } from "./transfer/import.js";

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../arguments.js").Vector} Vector
 * @typedef {import("../index.js").CallOptions} CallOptions
 * @typedef {import("./arguments.js").Item} Item
 * @typedef {import("./arguments.js").UpsertOptions} UpsertOptions
 * @typedef {import("./calls/calls.js").CompactOptions} CompactOptions
 * @typedef {import("./calls/fields.js").Updated} Updated
 * @typedef {import("./transfer/backup.js").Backup} Backup
 * @typedef {import("./transfer/directory.js").DirectoryHandle} DirectoryHandle
 * @typedef {import("./transfer/export.js").ExportedIndex} ExportedIndex
 * @typedef {import("./transfer/import.js").ImportSource} ImportSource
 * @typedef {import("./transfer/import.js").ImportOptions} ImportOptions
 */

/**
 * An open collection, made by `openCollection`. Its calls reject with a PagevecError: beside the codes that each names, with `io`,
 * `quota`, `locked`, `worker`, `trapped` and `closed`.
 */
export class Collection extends CollectionReader {
  /**
   * Stores rows, and replaces those whose id is there. A batch is stored whole or not at all; of rows with one id the last counts.
   * @overload
   * @param {readonly Item[]} items
   * @param {CallOptions} [options]
   * @returns {Promise<{ upserted: number }>} once they are durable; rejects with `argument`, `field`, `dimension`, `not-finite`,
   *   `zero-vector`, `embed`, `read-only` or `aborted`
   */
  /**
   * Stores rows, as above, with ids and vectors apart.
   * @overload
   * @param {readonly Id[] | ArrayLike<number>} ids
   * @param {Vector[] | Float32Array | string[]} matrix vectors, or one array of `dim` numbers for each row, or texts, of which `embed`
   *   makes vectors
   * @param {UpsertOptions} [options]
   * @returns {Promise<{ upserted: number }>}
   */
  /**
   * @param {any} first
   * @param {any} [second]
   * @param {any} [third]
   */
  upsert(first, second, third) {
    return typed(async () => upsert(openLink(this), [first, second, third]));
  }

  /**
   * Changes the fields of rows that are there; their vectors stay as they are stored. Each field takes the place of the row's field of
   * that name, \`undefined\` and \`null\` remove it, and the others stay. All rows that are there are changed, or none.
   * @param {Id | readonly Id[] | ArrayLike<number>} ids one, or several
   * @param {object | readonly object[]} fields for all of them, or an array of one object for each
   * @param {CallOptions} [options]
   * @returns {Promise<Updated>} once that is durable; rejects with `argument`, `field`, `read-only` or `aborted`
   */
  update(ids, fields, options) {
    return typed(async () => update(openLink(this).link, ids, fields, options));
  }

  /**
   * Deletes rows. Ids that no row has are passed over.
   * @param {readonly Id[] | ArrayLike<number>} ids
   * @param {CallOptions} [options]
   * @returns {Promise<{ deleted: number }>} once that is durable; rejects with `argument`, `read-only` or `aborted`
   */
  delete(ids, options) {
    return typed(async () => {
      const { state, call } = openLink(this).link;
      const list = reading(() => toIdList(ids, state));
      const signal = signalOf("delete()", options);
      if (list.length === 0) return { deleted: 0 };
      const { deleted } = await call({ call: "delete", ids: list }, signal);
      return { deleted };
    });
  }

  /**
   * Deletes all rows.
   * @param {CallOptions} [options]
   * @returns {Promise<{ deleted: number }>} once that is durable; rejects with `read-only` or `aborted`
   */
  clear(options) {
    return typed(async () => {
      const { deleted } = await openLink(this).link.call({ call: "clear" }, signalOf("clear()", options));
      return { deleted };
    });
  }

  /**
   * Makes durable what was acknowledged, where `durability` is `"relaxed"`.
   * @param {CallOptions} [options]
   * @returns {Promise<void>}
   */
  sync(options) {
    return this.#plain("sync", options);
  }

  /**
   * Moves the rows in memory into a segment. This happens by itself.
   * @param {CallOptions} [options]
   * @returns {Promise<void>}
   */
  flush(options) {
    return this.#plain("flush", options);
  }

  /**
   * Merges all segments into one that has its index, without the rows that were replaced or deleted. This happens by itself, in parts.
   * @param {CompactOptions} [options]
   * @returns {Promise<void>} rejects with `quota`, `read-only` or `aborted`
   */
  compact(options) {
    return typed(async () => {
      const { onProgress, signal } = toWatched("compact()", options);
      await openLink(this).link.call({ call: "compact" }, signal, onProgress);
    });
  }

  /**
   * Makes one segment of all rows, with its index, and the index.json that names it: two files that any static host serves, and `open`
   * reads. The collection stays as it is, and other calls wait meanwhile.
   * @param {CompactOptions} [options]
   * @returns {Promise<ExportedIndex>} rejects with `out-of-memory` or `aborted`
   */
  export(options) {
    return typed(async () => {
      const { link, embedder } = openLink(this);
      const { onProgress, signal } = toWatched("export()", options);
      return link.call({ call: "export", model: embedder?.model }, signal, onProgress);
    });
  }

  /**
   * Stores rows of another place, a thousand at a time: those of `rows({ vectors: true })` of another collection, say; or all rows of an
   * index or a backup, whose vectors are decoded from the finest rows that it has.
   * @param {ImportSource} source
   * @param {ImportOptions} [options]
   * @returns {Promise<{ upserted: number }>} once all are durable; rejects as `upsert` does, and for an index as `open` does, for a
   *   backup as `openCollection` does, with the rows before stored
   */
  import(source, options) {
    return typed(async () => {
      const { link, openCopy } = openLink(this);
      const { headers, fetch, ...watched } = checkOptions("import()", options, ["onProgress", "signal", "headers", "fetch"]);
      const { onProgress, signal } = toWatched("import()", watched);
      const index = reading(() => toFolder(source) ?? (isIndex(source) ? toIndex(source) : undefined));
      if (index === undefined) return importRows((items, call) => this.upsert(items, call), source, signal);
      const how = { signal, onProgress, http: reading(() => toHttp({ headers, fetch })) };
      const files = index instanceof Map ? backupIn(index) : undefined;
      return files ? importBackup(this, await openCopy({ files }), how) : importIndex(link, index, how);
    });
  }

  /**
   * Copies the collection as it is now, which writes wait for.
   * @overload
   * @param {undefined} [to]
   * @param {CallOptions} [options]
   * @returns {Promise<Backup>} of which `openCollection(name, { from })` makes a collection; rejects with `read-only`, `io` or `aborted`
   */
  /**
   * The same, into a folder in which there is none: `openCollection` opens that, in Node.
   * @overload
   * @param {string | DirectoryHandle} to in Node a path, in a page a directory
   * @param {CallOptions} [options]
   * @returns {Promise<void>} rejects with `argument`, `read-only`, `io`, `quota` or `aborted`
   */
  /**
   * @param {any} [to]
   * @param {CallOptions} [options]
   * @returns {Promise<any>}
   */
  backup(to, options) {
    return typed(async () => {
      const { link } = openLink(this);
      const signal = signalOf("backup()", options);
      return to === undefined ? { files: await link.call({ call: "backup" }, signal) } : link.backupInto(to, signal);
    });
  }

  /**
   * @param {"sync" | "flush"} call
   * @param {CallOptions | undefined} options
   * @returns {Promise<void>}
   */
  #plain(call, options) {
    return typed(async () => {
      await openLink(this).link.call({ call }, signalOf(`${call}()`, options));
    });
  }
}

/**
 * @param {string} call
 * @param {CompactOptions | undefined} options
 */
function toWatched(call, options) {
  const { onProgress, signal } = checkOptions(call, options, ["onProgress", "signal"]);
  if (onProgress !== undefined && typeof onProgress !== "function") throw badArgument(`${call}: onProgress must be a function`);
  return { onProgress, signal: toSignal(signal) };
}
