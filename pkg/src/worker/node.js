// The script of a worker thread in Node: `open(…, { worker: true })` starts it.
import { parentPort } from "node:worker_threads";
import { modules, node } from "../platform/node.js";
import { serve } from "./serve.js";

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
const receive = serve(node(modules.search), (message, transfer) => port.postMessage(message, transfer));
port.on("message", (message) => void receive(message));
