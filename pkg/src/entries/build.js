// The entry `pagevec/build`: the builder without import(), for workers that are one classic script, and for service workers.
import { instantiate } from "../../wasm/build/instance.js";
import { buildWith } from "../build.js";
import { fetchModule } from "../core/module.js";
import * as extras from "../engine/extras.js";

/**
 * Builds a segment file from vectors, as `build` of `pagevec` does.
 * @param {ArrayLike<number>[] | Float32Array | string[]} matrix vectors, or one array of `dim` numbers for each row, or texts, of which `embed`
 *   makes vectors
 * @param {import("../build.js").BuildOptions} [options]
 * @returns {Promise<Uint8Array>} the bytes of the file; rejects as `build` of `pagevec` does
 */
export function build(matrix, options) {
  const module = () => fetchModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url));
  return buildWith({ module, glue: async () => ({ instantiate }), loadExtras: async () => extras }, matrix, options);
}

export { PagevecError } from "../errors.js";

/**
 * @typedef {import("../build.js").BuildOptions} BuildOptions
 * @typedef {import("../build.js").BuildWarning} BuildWarning
 * @typedef {import("../build.js").BuildProgress} BuildProgress
 * @typedef {import("../build.js").FieldType} FieldType
 */
