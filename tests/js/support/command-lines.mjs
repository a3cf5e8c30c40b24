// Both command lines: that of the package, and the native one that PAGEVEC_CLI names.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
export const npx = [process.execPath, join(root, "bin/pagevec.js")];
export const native = [process.env.PAGEVEC_CLI];
export const skipNative = !process.env.PAGEVEC_CLI && "PAGEVEC_CLI is not set";

/** Starts a program with more arguments. */
export function start([program, ...first], words, options) {
  return spawn(program, [...first, ...words], { stdio: "pipe", ...options });
}

/** Runs a program to its end. */
export async function run(program, words, { stdin = "", ...options } = {}) {
  const child = start(program, words, options);
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (out[name] += text));
  child.stdin.on("error", () => {}).end(stdin);
  const [code, signal] = await new Promise((resolve, reject) => child.on("error", reject).on("close", (...ended) => resolve(ended)));
  return { code, signal, ...out };
}
