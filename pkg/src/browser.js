// The entry for pages, workers, edge runtimes and bundlers.
import { buildWith } from "./build.js";
import { badArgument, needs } from "./errors.js";
import { openWith } from "./open.js";
import { compileResponse } from "./core/module.js";
import { toUrl } from "./sources/resolve.js";

/** @returns {Worker} */
function newWorker() {
  needs(["Worker"], ", so `worker` cannot be used");
  return new Worker(new URL("./worker/browser.js", import.meta.url), { type: "module" });
}

/** @type {import("./open.js").Platform} */
const platform = {
  compile: async (url) => compileResponse(await fetch(url, { credentials: "same-origin" })),
  openPath: () => undefined,
  loadPrefetch: () => import("./core/prefetch.js"),
  loadExtras: () => import("./engine/extras.js"),
  openStore({ folder, bytes }) {
    if (folder !== undefined) throw badArgument("open(): cache.folder is for Node; pages keep their store in the browser");
    return Promise.all([import("./store/store.js"), import("./store/opfs.js")]).then(([{ Store }, { OpfsFolder }]) => new Store(OpfsFolder.open(), bytes));
  },
  locate: (input) => toUrl(input).href,
  workerStarter: (make = newWorker) => ({ onMessage, onFailure }) => {
    const worker = /** @type {Worker} */ (make());
    worker.onmessage = ({ data }) => onMessage(data);
    worker.onmessageerror = () => onFailure("a message could not be read");
    worker.onerror = (event) => {
      event.preventDefault();
      onFailure(event.message || "its script could not be loaded");
    };
    return { post: (message, transfer) => worker.postMessage(message, transfer), hold: () => {}, end: () => worker.terminate() };
  },
};

/**
 * Opens an index: the URL of a folder (with index.json) or of a segment (`….bin`), bytes, or a File. Rejects with `argument`, with
 * the codes of the host and of the file, `budget`, `manifest`, `stale`, `wasm`, `unsupported` or `aborted`.
 * @param {import("./open.js").IndexSource} source
 * @param {import("./open.js").OpenOptions} [options]
 * @returns {Promise<import("./index.js").Index>}
 */
export function open(source, options) {
  return openWith(platform, source, options);
}

/**
 * Builds a segment file from vectors. It occupies its thread, so run it in a Worker.
 * @param {ArrayLike<number>[] | Float32Array | string[]} matrix vectors, or one array of `dim` numbers for each row, or texts, of which `embed`
 *   makes vectors
 * @param {import("./build.js").BuildOptions} [options]
 * @returns {Promise<Uint8Array>} the bytes of the file; rejects with `argument`, `dimension`, `not-finite`, `zero-vector`,
 *   `duplicate-id`, `embed`, `wasm`, `trapped` or `aborted`
 */
export function build(matrix, options) {
  return buildWith(platform.compile, matrix, options);
}

export { PagevecError } from "./errors.js";
export * from "./index.js";

/**
 * @typedef {import("./open.js").IndexSource} IndexSource
 * @typedef {import("./open.js").OpenOptions} OpenOptions
 * @typedef {import("./build.js").BuildOptions} BuildOptions
 * @typedef {import("./build.js").BuildWarning} BuildWarning
 * @typedef {import("./build.js").BuildProgress} BuildProgress
 */
