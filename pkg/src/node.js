// The entry for Node, Deno and Bun. It is like browser.js, but takes paths too and keeps its page store in a folder.
import { buildWith } from "./build.js";
import { publicationWith, publishWith } from "./folder/publish.js";
import { openWith } from "./open.js";
import { openInWorker } from "./platform/node-worker.js";
import { modules, node } from "./platform/node.js";

const platform = node(modules.search, openInWorker);

/**
 * Opens an index: a folder or segment by path or URL, bytes, or a Blob. Rejects with `argument`, with the codes of the host and of
 * the file, `io`, `budget`, `manifest`, `stale`, `model`, `worker`, `wasm`, `unsupported` or `aborted`.
 * @template {object} [Schema=import("./index.js").Fields] the fields of rows by their names, with the types of their values
 * @param {import("./open.js").IndexSource} source
 * @param {import("./open.js").OpenOptions} [options]
 * @returns {Promise<import("./index.js").Index<Schema>>}
 */
export function open(source, options) {
  return openWith(platform, source, options);
}

/**
 * Builds a segment file from vectors. It occupies its thread, so a server runs it in a worker thread.
 * @param {ArrayLike<number>[] | Float32Array | string[]} matrix vectors, or one array of `dim` numbers for each row, or texts, of which `embed`
 *   makes vectors
 * @param {import("./build.js").BuildOptions} [options]
 * @returns {Promise<Uint8Array>} the bytes of the file; rejects with `argument`, `dimension`, `not-finite`, `zero-vector`,
 *   `duplicate-id`, `embed`, `wasm`, `trapped` or `aborted`
 */
export function build(matrix, options) {
  return buildWith(modules.builder, matrix, options);
}

/**
 * Publishes a segment into a folder that a static host serves: its file is written and synced, then `index.json` is replaced, so a
 * reader sees the old index or the new one. Segments of earlier versions stay, since they may be open elsewhere.
 * @param {string} folder created if it is not there
 * @param {Uint8Array} bytes of a segment, as `build` makes them
 * @param {import("./folder/publish.js").PublishOptions} [options]
 * @returns {Promise<import("./folder/publish.js").Published>} rejects with `argument`, `io`, `changed`, and as `open` does if the
 *   bytes are no segment
 */
export function publish(folder, bytes, options) {
  return publishWith(modules, folder, bytes, options);
}

/**
 * The files that publish a segment where nothing was, for places that are no folder here, such as an object store: write those of
 * order 0 first, then `index.json`, of order 1.
 * @param {Uint8Array} bytes of a segment, as `build` makes them
 * @param {{ form?: import("./folder/publish.js").Form }} [options]
 * @returns {Promise<import("./folder/publish.js").PublishedFile[]>} rejects with `argument`, and as `open` does if the bytes are no segment
 */
export function publication(bytes, options) {
  return publicationWith(modules, bytes, options);
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
