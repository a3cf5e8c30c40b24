// The worker thread of `pagevec build` and `pagevec verify`, while the main thread shows the progress and hears an interrupt.
import { parentPort, workerData } from "node:worker_threads";
import { perform } from "./job.js";

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
await perform(workerData, (told) => port.postMessage(told));
