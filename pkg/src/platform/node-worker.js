// Opens an index in a worker thread of Node.
import { Worker } from "node:worker_threads";
import { openRemote } from "../engine/remote/remote.js";

/** Without the flags of this program, some of which (`--input-type`) end a worker. */
function newWorker() {
  return new Worker(new URL("./worker-node.js", import.meta.url), { execArgv: [] });
}

/** @type {import("../engine/remote/remote.js").Workers} */
const workers = {
  locate: String,
  workerStarter: (make = newWorker) => ({ onMessage, onFailure }) => {
    const worker = /** @type {Worker} */ (make());
    worker.on("message", onMessage);
    worker.on("messageerror", (cause) => onFailure("a message could not be read", cause));
    worker.on("error", (cause) => onFailure(cause.message, cause));
    worker.on("exit", (code) => onFailure(`it ended with exit code ${code}`));
    const hold = (/** @type {boolean} */ busy) => (busy ? worker.ref() : worker.unref());
    return { post: (message, transfer) => worker.postMessage(message, transfer), hold, end: () => void worker.terminate() };
  },
};

/** @type {NonNullable<import("../engine/open.js").Platform["openInWorker"]>} */
export function openInWorker(input, settings) {
  return openRemote(workers, input, settings);
}
