// A page: it searches here, in a worker of its own where the URL ends in #worker, or in the package's where it ends in #package-worker.
import { open } from "pagevec";
import { report } from "./check.js";

if (location.hash === "#worker") {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.postMessage(location.search);
} else {
  const worker = location.hash === "#package-worker";
  report((source) => open(source, { worker }), location.search);
}
