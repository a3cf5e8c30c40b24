// The script of a worker in browsers: `open(…, { worker: true })` starts it. It imports nothing later, as some bundlers make one
// file of a worker.
import * as prefetch from "../core/prefetch.js";
import { compileResponse } from "../core/module.js";
import * as extras from "../engine/extras.js";
import { OpfsFolder } from "../store/opfs.js";
import { Store } from "../store/store.js";
import { serve } from "./serve.js";

/** @typedef {{ postMessage: (message: unknown, transfer: ArrayBuffer[]) => void, onmessage: (event: MessageEvent) => void }} Scope */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));

/** @type {import("../engine/open.js").Opener} */
const platform = {
  compile: async (url) => compileResponse(await fetch(url, { credentials: "same-origin" })),
  openPath: () => undefined,
  openStore: async ({ bytes }) => new Store(OpfsFolder.open(), bytes),
  loadPrefetch: async () => prefetch,
  loadExtras: async () => extras,
};

const receive = serve(platform, (message, transfer) => scope.postMessage(message, transfer));
scope.onmessage = ({ data }) => void receive(data);
