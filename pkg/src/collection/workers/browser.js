// The script of a collection's worker in browsers. Each tab has one, which leads or asks the one that does. A worker of this worker, of the
// same script, merges segments: bundlers see one script, which starts nothing that they would have to know.
import { fetchModule } from "../../core/module.js";
import { serveCalls } from "./serve.js";
import { browserPlace, mergeFiles, whyMemory } from "./browser-files.js";
import { runMerge } from "./merge.js";

/** @typedef {{ postMessage: (message: unknown, transfer?: ArrayBuffer[]) => void, onmessage: (event: MessageEvent) => void, location: { href: string } }} Scope */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
const module = () => fetchModule(new URL("../wasm/collection/pagevec_wasm_bg.wasm", import.meta.url));
const builder = () => fetchModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url));

/** @type {import("./merge.js").StartThread} */
const startThread = (onReport, onFailure) => {
  const worker = new Worker(scope.location.href, { type: "module" });
  worker.onmessage = ({ data }) => onReport(data);
  worker.onerror = (event) => (event.preventDefault(), onFailure(event.message || "its script could not be loaded"));
  return { post: (order) => worker.postMessage(order), end: () => worker.terminate() };
};

const place = browserPlace(module, builder, "Worker" in globalThis ? startThread : undefined);
const receive = serveCalls(place, whyMemory, (message) => scope.postMessage(message));
scope.onmessage = ({ data }) => void ("merge" in data ? runMerge(data.merge, mergeFiles(data.merge.where), (report) => scope.postMessage(report)) : receive(data));
