// A program: `node node.js '?host=…&id=…'`.
import { open } from "pagevec";
import { report } from "./check.js";

await report(open, process.argv[2]);
