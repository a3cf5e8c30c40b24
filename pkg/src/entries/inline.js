// The entry `pagevec/inline`: one file to search, with the WebAssembly module inside. It takes a third more bytes than the files
// apart and compiles later, but needs no second URL: for what can host or bundle one script only.
import { compileInlined } from "../core/module.js";
import * as extras from "../engine/extras.js";
import { openWith } from "../open.js";
import { openOpfsStore } from "../platform/opfs-store.js";
import { web } from "../platform/web.js";
import text from "../wasm/filter/pagevec_wasm_bg.wasm?inline";

const platform = web(() => compileInlined(text), openOpfsStore, { loadExtras: async () => extras });

/**
 * Opens an index, as `open` of `pagevec` does.
 * @template {object} [Schema=import("../index.js").Fields] the fields of rows by their names, with the types of their values
 * @param {import("../open.js").IndexSource} source
 * @param {import("../open.js").OpenOptions} [options]
 * @returns {Promise<import("../index.js").Index<Schema>>}
 */
export function open(source, options) {
  return openWith(platform, source, options);
}

export { PagevecError } from "../errors.js";
export * from "../index.js";

/**
 * @typedef {import("../open.js").IndexSource} IndexSource
 * @typedef {import("../open.js").OpenOptions} OpenOptions
 */
