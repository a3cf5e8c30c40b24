// The entry `pagevec/static`: browser.js whose search has no import(), for service workers, which refuse it, and for workers that are
// one classic script. Bundlers get it that make a build for production: all that know this condition copy what
// `new URL(…, import.meta.url)` names, so they need no scripts with the modules inside.
import { buildWith } from "../build.js";
import { fetchModule } from "../core/module.js";
import * as extras from "../engine/extras.js";
import { openWith } from "../open.js";
import { openOpfsStore } from "../platform/opfs-store.js";
import { openInWorker } from "../platform/web-worker.js";
import { web } from "../platform/web.js";

const search = () => fetchModule(new URL("../wasm/search/pagevec_wasm_bg.wasm", import.meta.url));
const filter = () => fetchModule(new URL("../wasm/filter/pagevec_wasm_bg.wasm", import.meta.url));
const platform = web(search, openOpfsStore, { filter, loadExtras: async () => extras, openInWorker });

/** @type {typeof import("../browser.js").open} */
export function open(source, options) {
  return openWith(platform, source, options);
}

/** @type {typeof import("../browser.js").build} */
export function build(matrix, options) {
  const module = () => fetchModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url));
  return buildWith({ module, glue: () => import("../../wasm/build/instance.js"), loadExtras: platform.loadExtras }, matrix, options);
}

export { PagevecError } from "../errors.js";
export { Index } from "../index.js";
