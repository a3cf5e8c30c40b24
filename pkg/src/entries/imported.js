// What the entries of edge runtimes have in common. Modules are imported there: no file has a URL, and bytes may not be compiled.
import { buildWith } from "../build.js";
import * as extras from "../engine/extras.js";

/** What searches by text, `explain`, `save` and arrays of hits need: imported, as nothing is loaded later in these runtimes. */
export async function loadExtras() {
  return extras;
}

/**
 * Bundlers would add the module to all workers that search, whose size is limited.
 * @returns {Promise<never>}
 */
async function notBundled() {
  throw new Error("it is not part of a worker unless imported");
}

/** @type {typeof import("../browser.js").build} */
export function build(matrix, options) {
  return buildWith({ module: notBundled, glue: () => import("../../wasm/build/instance.js"), loadExtras }, matrix, options);
}

export { PagevecError } from "../errors.js";
export { Index } from "../index.js";
