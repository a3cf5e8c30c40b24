// The entry for pages, workers, edge runtimes and bundlers.
import { buildWith } from "./build.js";
import { badArgument } from "./errors.js";
import { openWith } from "./open.js";
import { compileResponse } from "./core/module.js";

/** @type {import("./open.js").Platform} */
const platform = {
  compile: async (url) => compileResponse(await fetch(url, { credentials: "same-origin" })),
  openPath: () => undefined,
  loadPrefetch: () => import("./core/prefetch.js"),
  openStore({ folder, bytes }) {
    if (folder !== undefined) throw badArgument("open(): cache.folder is for Node; pages keep their store in the browser");
    return Promise.all([import("./store/store.js"), import("./store/opfs.js")]).then(([{ Store }, { OpfsFolder }]) => new Store(OpfsFolder.open(), bytes));
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
 * @param {ArrayLike<number>[] | Float32Array} matrix vectors, or one array of `dim` numbers for each row
 * @param {import("./build.js").BuildOptions} [options]
 * @returns {Promise<Uint8Array>} the bytes of the file; rejects with `argument`, `dimension`, `not-finite`, `zero-vector`,
 *   `duplicate-id`, `wasm`, `trapped` or `aborted`
 */
export function build(matrix, options) {
  return buildWith(platform.compile, matrix, options);
}

export { PagevecError } from "./errors.js";
export { Index } from "./index.js";
