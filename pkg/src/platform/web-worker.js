// Opens an index in a worker of a page. It is not part of what the worker loads: bundlers take a worker that starts itself for a circle.
import { needs } from "../errors.js";
import { openRemote } from "../engine/remote/remote.js";
import { toUrl } from "../sources/resolve.js";
import { portOf } from "./web-port.js";

/** @returns {Worker} */
function newWorker() {
  needs(["Worker"], ", so `worker` cannot be used");
  return new Worker(new URL("./worker-browser.js", import.meta.url), { type: "module" });
}

/** @type {import("../engine/remote/remote.js").Workers} */
const workers = {
  locate: (input) => toUrl(input).href,
  workerStarter: (make = newWorker) => portOf(make),
};

/** @type {NonNullable<import("../engine/open.js").Platform["openInWorker"]>} */
export function openInWorker(input, settings) {
  return openRemote(workers, input, settings);
}
