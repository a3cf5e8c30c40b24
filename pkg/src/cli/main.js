// `npx pagevec`: the commands of the native command line, in Node. Exit codes: 0 done, 1 failed, 2 wrong usage.
import { readFileSync } from "node:fs";
import { parse, wrong } from "./arguments.js";
import { BUILD } from "./build/options.js";
import { build } from "./commands/build.js";
import { COUNT, count, FACETS, facets } from "./commands/count.js";
import { EVAL, evaluate } from "./commands/eval.js";
import { INSPECT, inspect } from "./commands/inspect.js";
import { LIST, list } from "./commands/list.js";
import { PLAN, plan } from "./commands/plan.js";
import { SEARCH, search } from "./commands/search.js";
import { SERVE, serve } from "./commands/serve.js";
import { VERIFY, verify } from "./commands/verify.js";
import { ClosedPipe, toFailure } from "./failure.js";
import { helpOf, helpOfAll, usageLine } from "./help.js";
import { complain, print, printJson } from "./output.js";
import { nearest } from "../options.js";

/** @type {[import("./arguments.js").Command, (parsed: import("./arguments.js").Parsed) => Promise<void>][]} */
const COMMANDS = [
  [BUILD, build],
  [SEARCH, search],
  [COUNT, count],
  [FACETS, facets],
  [LIST, list],
  [EVAL, evaluate],
  [PLAN, plan],
  [INSPECT, inspect],
  [VERIFY, verify],
  [SERVE, serve],
];
const EXAMPLES = ["pagevec build words.npy --ids words.txt -o site/index", "pagevec search site/index --id apple", "pagevec build more.npy --ids more.txt --append -o site/index", "pagevec serve site"];
/** A merge copies from whole files, which WebAssembly cannot map. */
const NATIVE_ONLY = "the npm package does not have it: use the native command line, whose binaries come with each release";

/**
 * Runs a command.
 * @param {string[]} words the arguments
 * @returns {Promise<number>} the exit code
 */
export async function main(words) {
  try {
    await run(words);
    return 0;
  } catch (error) {
    return report(error, words.includes("--json"));
  }
}

/** @param {string[]} words */
async function run([name, ...words]) {
  if (name === undefined) {
    complain(all());
    throw wrong(undefined, "");
  }
  if (name === "--version" || name === "-V") return print(`pagevec ${version()}`);
  const isHelp = name === "--help" || name === "-h" || name === "help";
  const wanted = name === "help" && words[0] !== undefined ? words[0] : name;
  if (isHelp && wanted === name) return print(all());
  const found = COMMANDS.find(([command]) => command.name === wanted);
  if (!found) throw wanted === "merge" ? wrong(undefined, `merge: ${NATIVE_ONLY}`) : unknown(wanted);
  const [command, act] = found;
  const parsed = isHelp ? "help" : parse(command, words);
  return parsed === "help" ? print(helpOf(command)) : act(parsed);
}

/** @param {string} name */
function unknown(name) {
  const names = COMMANDS.map(([command]) => command.name);
  const near = nearest(name, names);
  const tip = near[0] === name[0] ? ["", `tip: a similar subcommand exists: '${near}'`] : [];
  return wrong(undefined, `unrecognized subcommand '${name}'`, tip);
}

const all = () => helpOfAll(COMMANDS.map(([command]) => command), EXAMPLES);

function version() {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

/**
 * Prints a failure to stderr, and with `--json` to stdout too.
 * @param {unknown} error
 * @param {boolean} json
 * @returns {number}
 */
function report(error, json) {
  if (error instanceof ClosedPipe) return 0;
  const { exit, code, message, usage } = toFailure(error);
  if (message === "") return exit;
  if (json) {
    try {
      printJson({ error: { code, message: message.split(/\s*\n\s*/).join(" ") } });
    } catch {
      // If stdout is closed, the exit code still shows the failure.
    }
  }
  complain(usage === undefined || json ? `pagevec: ${json ? message.split(/\s*\n\s*/).join(" ") : message}` : `error: ${message}\n\n${usage || usageLine(undefined)}\n\nFor more information, try '--help'.`);
  return exit;
}
