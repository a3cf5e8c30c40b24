// What Node, Deno and Bun have: paths, and a page store in a folder.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileOr } from "../core/module.js";
import * as extras from "../engine/extras.js";
import { badArgument, PagevecError } from "../errors.js";
import { openPath } from "../sources/local/file-node.js";
import { DiskFolder } from "../store/folder-node.js";
import { Store } from "../store/store.js";

/**
 * @param {import("../core/module.js").Own} search gives the module to search
 * @param {import("../engine/open.js").Platform["openInWorker"]} [openInWorker]
 * @returns {import("../engine/open.js").Platform}
 */
export function node(search, openInWorker) {
  return {
    search,
    openInWorker,
    loadExtras: async () => extras,
    openPath(input) {
      const text = String(input);
      if (/^file:/i.test(text)) return openPath(pathOf(text));
      // "c:\words" is a path; "http://…" and "data:…" are none.
      return typeof input !== "string" || /^[a-z][a-z0-9+.-]+:/i.test(text) ? undefined : openPath(text);
    },
    openStore({ folder, bytes, asked }) {
      if (folder !== undefined) return Promise.resolve(new Store(DiskFolder.open(folder), bytes));
      if (asked) throw badArgument('open(): in Node the page store needs a folder: cache: { folder: "…" }');
      return undefined;
    },
  };
}

/**
 * The module in a file. A bundler may have given the URL another class, which only `href` is sure to survive.
 * @param {URL} url
 * @param {import("../core/module.js").Inlined} [inlined]
 */
export function readModule(url, inlined) {
  return compileOr(url, async () => readFile(fileURLToPath(url.href)), inlined);
}

/** The package's own modules, as Node reads them. */
export const modules = {
  search: () => readModule(new URL("../wasm/filter/pagevec_wasm_bg.wasm", import.meta.url), () => import("../../wasm/filter/pagevec_wasm_bg.wasm?inline")),
  /** @type {import("../build.js").Builder} */
  builder: {
    module: () => readModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url), () => import("../../wasm/build/pagevec_wasm_bg.wasm?inline")),
    glue: () => import("../../wasm/build/instance.js"),
    loadExtras: async () => extras,
  },
};

/** @param {string} url */
function pathOf(url) {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new PagevecError("argument", `open(): this file: URL names no path (${/** @type {Error} */ (cause).message})`, { cause });
  }
}
