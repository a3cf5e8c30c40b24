// The entry for edge runtimes whose bundlers take `?module` for an import of a compiled module, such as Next's.
import { openWith } from "../open.js";
import { openOpfsStore } from "../platform/opfs-store.js";
import { web } from "../platform/web.js";
import { loadExtras } from "./imported.js";
import search from "../wasm/filter/pagevec_wasm_bg.wasm?module";

const platform = web(async () => search, openOpfsStore, { loadExtras });

/** @type {typeof import("../browser.js").open} */
export function open(source, options) {
  return openWith(platform, source, options);
}

export { build, Index, PagevecError } from "./imported.js";
