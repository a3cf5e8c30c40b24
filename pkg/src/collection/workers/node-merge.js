// The script of a thread in Node that merges segments of a collection.
import { parentPort } from "node:worker_threads";
import { NodeDir } from "../dirs/node.js";
import { runMerge } from "./merge.js";

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
port.on("message", ({ merge }) => {
  const dir = NodeDir.open(merge.where, false);
  void runMerge(merge, {
    async input(name) {
      const file = dir.open(name, "read");
      return { length: file.length(), read: file.read.bind(file), close: () => file.close() };
    },
    async output(name) {
      dir.remove(name);
      return dir.open(name, "create");
    },
  }, (report) => port.postMessage(report));
});
