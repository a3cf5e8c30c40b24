// The script of a worker in browsers: `open(…, { worker: true })` starts it. It imports nothing later, as some bundlers make one
// file of a worker.
import { fetchModule } from "../core/module.js";
import * as extras from "../engine/extras.js";
import { openOpfsStore } from "../platform/opfs-store.js";
import { web } from "../platform/web.js";
import { serve } from "./serve.js";

/** @typedef {{ postMessage: (message: unknown, transfer: ArrayBuffer[]) => void, onmessage: (event: MessageEvent) => void }} Scope */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
const search = () => fetchModule(new URL("../wasm/search/pagevec_wasm_bg.wasm", import.meta.url));
const filter = () => fetchModule(new URL("../wasm/filter/pagevec_wasm_bg.wasm", import.meta.url));
const platform = web(search, openOpfsStore, { filter, loadExtras: async () => extras });

const receive = serve(platform, (message, transfer) => scope.postMessage(message, transfer));
scope.onmessage = ({ data }) => void receive(data);
