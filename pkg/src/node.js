// The entry for Node: as browser.js, and paths are sources too.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildWith } from "./build.js";
import { openWith } from "./open.js";
import { openPath } from "./sources/file-node.js";

/** @type {import("./locate.js").Platform} */
const platform = {
  compile: async (url) => WebAssembly.compile(await readFile(url)),
  openPath(input) {
    const text = String(input);
    if (/^file:/i.test(text)) return openPath(fileURLToPath(text));
    // "c:\words" is a path, "http://…" and "data:…" are not.
    return input instanceof URL || /^[a-z][a-z0-9+.-]+:/i.test(text) ? undefined : openPath(text);
  },
};

/**
 * Opens an index: a folder or segment by path or URL, bytes, or a Blob.
 * @param {import("./open.js").IndexSource} source
 * @param {import("./open.js").OpenOptions} [options]
 * @returns {Promise<import("./index.js").Index>}
 */
export function open(source, options) {
  return openWith(platform, source, options);
}

/**
 * Builds a segment file from vectors. It occupies its thread: a server runs it in a worker thread.
 * @param {ArrayLike<number>[] | Float32Array} matrix
 * @param {import("./build.js").BuildOptions} [options]
 * @returns {Promise<Uint8Array>}
 */
export function build(matrix, options) {
  return buildWith(platform.compile, matrix, options);
}

export { PagevecError } from "./errors.js";
export { Index } from "./index.js";
