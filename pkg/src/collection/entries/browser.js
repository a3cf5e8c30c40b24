// The entry `pagevec/collection` for pages: the work is done in a worker, which has the WebAssembly module and the files.
import { loadGiven } from "../../core/module.js";
import { needs } from "../../errors.js";
import { openCollectionWith } from "../open.js";
import { RemoteLink } from "../remote.js";

/** @returns {Worker} */
function newWorker() {
  needs(["Worker"], ", so a collection cannot be opened here: open it in a page, which service workers and edge workers can message");
  return new Worker(new URL("./collection-worker.js", import.meta.url), { type: "module" });
}

/**
 * @param {() => unknown} make
 * @returns {import("../remote.js").StartWorker}
 */
const starterOf = (make) => ({ onMessage, onFailure }) => {
  const worker = /** @type {Worker} */ (make());
  worker.onmessage = ({ data }) => onMessage(data);
  worker.onmessageerror = () => onFailure("a message could not be read");
  worker.onerror = (event) => {
    event.preventDefault();
    onFailure(event.message || "its script could not be loaded");
  };
  return { post: (message, transfer) => worker.postMessage(message, transfer), hold: () => {}, end: () => worker.terminate() };
};

/** @type {import("../open.js").Connect} */
async function connect({ host, worker = newWorker, wasm, signal }, wires) {
  const module = wasm === undefined ? undefined : await loadGiven("collection", wasm);
  return RemoteLink.open(starterOf(worker), { ...host, wasm: module }, wires, signal);
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
 * @typedef {import("../calls.js").ChangeEvent} ChangeEvent
 * @typedef {import("../calls.js").CompactOptions} CompactOptions
 * @typedef {import("../calls.js").CompactProgress} CompactProgress
 * @typedef {import("../calls.js").RowOptions} RowOptions
 * @typedef {import("../calls.js").StoredRow} StoredRow
 * @typedef {import("../messages.js").State} CollectionStats
 */
