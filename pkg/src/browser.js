// The entry for pages, workers and bundlers. Where the URL of a WebAssembly module has none, as a bundler moved this file alone,
// the module comes from a script that has it inside. entries/static.js is the same without those scripts.
import { buildWith } from "./build.js";
import { fetchModule } from "./core/module.js";
import { PagevecError } from "./errors.js";
import { openWith } from "./open.js";
import { web } from "./platform/web.js";

const platform = web(
  () => fetchModule(new URL("../wasm/search/pagevec_wasm_bg.wasm", import.meta.url), () => import("../wasm/search/pagevec_wasm_bg.wasm?inline")),
  (bytes) => import("./platform/opfs-store.js").then(({ openOpfsStore }) => openOpfsStore(bytes), notImported),
  {
    filter: () => fetchModule(new URL("../wasm/filter/pagevec_wasm_bg.wasm", import.meta.url), () => import("../wasm/filter/pagevec_wasm_bg.wasm?inline")),
    loadExtras: () => import("./engine/extras.js").catch(notImported),
    openInWorker: (...call) => import("./platform/web-worker.js").then(({ openInWorker }) => openInWorker(...call), notImported),
  },
);

/**
 * @param {Error} cause
 * @returns {never}
 */
function notImported(cause) {
  if ("ServiceWorkerGlobalScope" in globalThis) throw new PagevecError("unsupported", 'service workers refuse import(): import "pagevec/static" in place of "pagevec"', { cause });
  throw new PagevecError("network", `a script of the package could not be loaded (${cause.message}): it lies beside the one that is loaded`, { cause });
}

/**
 * Opens an index: the URL of a folder (with index.json) or of a segment (`….bin`), bytes, or a File. Rejects with `argument`, with
 * the codes of the host and of the file, `budget`, `manifest`, `stale`, `model`, `worker`, `wasm`, `unsupported` or `aborted`.
 * @template {object} [Schema=import("./index.js").Fields] the fields of rows by their names, with the types of their values
 * @param {import("./open.js").IndexSource} source
 * @param {import("./open.js").OpenOptions} [options]
 * @returns {Promise<import("./index.js").Index<Schema>>}
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
  const module = () => fetchModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url), () => import("../wasm/build/pagevec_wasm_bg.wasm?inline"));
  return buildWith({ module, glue: () => import("../wasm/build/instance.js"), loadExtras: platform.loadExtras }, matrix, options);
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
