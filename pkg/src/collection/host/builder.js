// The module of builds, which indexes what a collection exports: its own segments have graphs alone.
import { instantiate } from "../../../wasm/build/instance.js";
import { instantiated, loadModule } from "../../core/module.js";

/**
 * @typedef {object} Builder the export of the module that is used here
 * @property {(file: Uint8Array, onPiece: import("./core.js").OnPiece, report: import("./core.js").Report) => import("../../folder/entry.js").ListedInfo & { contentId: string }} indexSegment
 *   adds graph and clusters to the rows of a segment
 */

/**
 * @param {import("../../core/module.js").Own} own gives the package's module, in the way of the platform
 * @returns {Promise<Builder>} in an instance of its own
 */
export async function startBuilder(own) {
  return /** @type {Builder} */ (/** @type {unknown} */ (await instantiated(instantiate, await loadModule("build", own, undefined), "build")));
}
