// The entry `pagevec/build`: the builder without import(), for workers that are one classic script, and for service workers.
import { instantiate } from "../../wasm/build/instance.js";
import { buildWith } from "../build.js";
import { fetchModule } from "../core/module.js";

/** @type {typeof import("../browser.js").build} */
export function build(matrix, options) {
  const module = () => fetchModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url));
  return buildWith({ module, glue: async () => ({ instantiate }) }, matrix, options);
}

export { PagevecError } from "../errors.js";

/**
 * @typedef {import("../build.js").BuildOptions} BuildOptions
 * @typedef {import("../build.js").BuildWarning} BuildWarning
 * @typedef {import("../build.js").BuildProgress} BuildProgress
 */
