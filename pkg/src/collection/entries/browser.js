// The entry `pagevec/collection` for pages: the work is done in a worker, which has the WebAssembly module and the files.
import { loadGiven } from "../../core/module.js";
import { needs } from "../../errors.js";
import { portOf } from "../../platform/web-port.js";
import { openCollectionWith } from "../open.js";
import { RemoteLink } from "../remote.js";

/** @returns {Worker} */
function newWorker() {
  needs(["Worker"], ", so a collection cannot be opened here: open it in a page, which service workers and edge workers can message");
  return new Worker(new URL("./collection-worker.js", import.meta.url), { type: "module" });
}

/** @type {import("../open.js").Connect} */
async function connect({ host, worker = newWorker, wasm, signal }, wires) {
  const module = wasm === undefined ? undefined : await loadGiven("collection", wasm);
  return RemoteLink.open(portOf(worker), { ...host, wasm: module }, wires, signal);
}

/**
 * Opens a collection, which is made if it is not there: in the private file system of the site, shared by its tabs. Rejects with
 * `argument`, `dimension`, `not-found`, `locked`, `version`, `corrupt`, `wal-damaged`, `io`, `quota`, `worker`, `wasm`, `unsupported` or
 * `aborted`.
 * @param {string} name of the collection
 * @param {import("../settings.js").CollectionOptions} [options]
 * @returns {Promise<import("../client.js").Collection>}
 */
export function openCollection(name, options) {
  return openCollectionWith(connect, name, options);
}

export { PagevecError } from "../../errors.js";
export { Collection } from "../client.js";

/**
 * @typedef {import("../settings.js").CollectionOptions} CollectionOptions
 * @typedef {import("../settings.js").FlushOptions} FlushOptions
 * @typedef {import("../arguments.js").Item} Item
 * @typedef {import("../arguments.js").UpsertOptions} UpsertOptions
 * @typedef {import("../calls/calls.js").ChangeEvent} ChangeEvent
 * @typedef {import("../calls/calls.js").CompactOptions} CompactOptions
 * @typedef {import("../calls/calls.js").CompactProgress} CompactProgress
 * @typedef {import("../calls/calls.js").RowOptions} RowOptions
 * @typedef {import("../calls/calls.js").StoredRow} StoredRow
 * @typedef {import("../calls/fields.js").Updated} Updated
 * @typedef {import("../messages.js").State} CollectionStats
 * @typedef {import("../transfer/backup.js").Backup} Backup
 * @typedef {import("../transfer/backup.js").BackupFile} BackupFile
 * @typedef {import("../transfer/export.js").ExportedIndex} ExportedIndex
 * @typedef {import("../transfer/import.js").ImportSource} ImportSource
 * @typedef {import("../transfer/import.js").ImportOptions} ImportOptions
 */
