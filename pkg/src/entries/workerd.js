// The entry for Cloudflare's workers, where no file has a URL and bytes may not be compiled: modules are imported.
import { buildWith } from "../build.js";
import * as extras from "../engine/extras.js";
import { openWith } from "../open.js";
import { openOpfsStore } from "../platform/opfs-store.js";
import { web } from "../platform/web.js";
import search from "../wasm/search/pagevec_wasm_bg.wasm";

const platform = web(async () => search, openOpfsStore, { loadExtras: async () => extras });

/** @type {typeof import("../browser.js").open} */
export function open(source, options) {
  return openWith(platform, source, options);
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
  return buildWith({ module: notBundled, glue: () => import("../../wasm/build/instance.js"), loadExtras: platform.loadExtras }, matrix, options);
}

export { PagevecError } from "../errors.js";
export { Index } from "../index.js";
