// The WebAssembly module of collections: loaded once, started as often as a host or a merge needs an instance of its own.
import { instantiate } from "../../../wasm/collection/instance.js";
import { instantiated, loadModule } from "../../core/module.js";

/**
 * @param {import("../../core/module.js").Own} own gives the package's module, in the way of the platform
 * @param {WebAssembly.Module} [given] in its place
 */
export function starter(own, given) {
  const load = () => loadModule("collection", own, given);
  return { load, instantiate: async () => start(await load()) };
}

/**
 * @param {WebAssembly.Module} module
 * @returns {Promise<import("./core.js").Glue>}
 */
export async function start(module) {
  return /** @type {import("./core.js").Glue} */ (/** @type {unknown} */ (await instantiated(instantiate, module, "collection")));
}
