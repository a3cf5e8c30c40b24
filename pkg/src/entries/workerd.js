// The entry for Cloudflare's workers, where no file has a URL and bytes may not be compiled: modules are imported.
import { openWith } from "../open.js";
import { openOpfsStore } from "../platform/opfs-store.js";
import { web } from "../platform/web.js";
import { loadExtras } from "./imported.js";
import search from "../wasm/filter/pagevec_wasm_bg.wasm";

const platform = web(async () => search, openOpfsStore, { loadExtras });

/** @type {typeof import("../browser.js").open} */
export function open(source, options) {
  return openWith(platform, source, options);
}

export { build, Index, PagevecError } from "./imported.js";
