// What is Node's own in an opening: it takes paths too, and keeps its page store in a folder.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { badArgument, PagevecError } from "../errors.js";
import { openPath } from "../sources/local/file-node.js";

/** @type {import("./open.js").Opener} */
export const opener = {
  compile: async (url) => WebAssembly.compile(await readFile(url)),
  loadPrefetch: () => import("../core/prefetch.js"),
  loadExtras: () => import("./extras.js"),
  openPath(input) {
    const text = String(input);
    if (/^file:/i.test(text)) return openPath(pathOf(text));
    // "c:\words" is a path; "http://…" and "data:…" are none.
    return input instanceof URL || /^[a-z][a-z0-9+.-]+:/i.test(text) ? undefined : openPath(text);
  },
  openStore({ folder, bytes, asked }) {
    if (folder !== undefined) {
      return Promise.all([import("../store/store.js"), import("../store/folder-node.js")]).then(([{ Store }, { DiskFolder }]) => new Store(DiskFolder.open(folder), bytes));
    }
    if (asked) throw badArgument('open(): in Node the page store needs a folder: cache: { folder: "…" }');
    return undefined;
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
