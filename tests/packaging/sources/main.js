// A page: it searches here, or in a worker where the URL ends in #worker.
import { open } from "pagevec";
import { report } from "./check.js";

if (location.hash === "#worker") {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.postMessage(location.search);
} else {
  report(open, location.search);
}
