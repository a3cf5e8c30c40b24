// Opens an index in a worker of a page. It is not part of what the worker loads: bundlers take a worker that starts itself for a circle.
import { needs } from "../errors.js";
import { openRemote } from "../engine/remote/remote.js";
import { toUrl } from "../sources/resolve.js";

/** @returns {Worker} */
function newWorker() {
  needs(["Worker"], ", so `worker` cannot be used");
  return new Worker(new URL("./worker-browser.js", import.meta.url), { type: "module" });
}

/** @type {import("../engine/remote/remote.js").Workers} */
const workers = {
  locate: (input) => toUrl(input).href,
  workerStarter: (make = newWorker) => ({ onMessage, onFailure }) => {
    const worker = /** @type {Worker} */ (make());
    worker.onmessage = ({ data }) => onMessage(data);
    worker.onmessageerror = () => onFailure("a message could not be read");
    worker.onerror = (event) => {
      event.preventDefault();
      onFailure(event.message || "its script could not be loaded");
    };
    return { post: (message, transfer) => worker.postMessage(message, transfer), hold: () => {}, end: () => worker.terminate() };
  },
};

/** @type {NonNullable<import("../engine/open.js").Platform["openInWorker"]>} */
export function openInWorker(input, settings) {
  return openRemote(workers, input, settings);
}
