// A Node program that takes the lock of collections' folders, for tests of who gets it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/**
 * It answers lines: the path of a folder takes its lock ("true" or "false"), an empty line gives it back ("released"). `ready` is when it has
 * begun.
 * @param {string} root the repository
 */
export function lockProgram(root) {
  const code = `
    import { createInterface } from "node:readline";
    const { ProcessLock } = await import(${JSON.stringify(pathToFileURL(join(root, "pkg/src/collection/dirs/process-lock.js")))});
    let lock;
    createInterface({ input: process.stdin }).on("line", (folder) => {
      if (!folder) return lock.release(), console.log("released");
      lock = new ProcessLock(folder);
      console.log(lock.take());
    });
    console.log("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [];
  const lines = [];
  createInterface({ input: child.stdout }).on("line", (line) => (waiting.length ? waiting.shift()(line) : lines.push(line)));
  const line = () => new Promise((resolve) => (lines.length ? resolve(lines.shift()) : waiting.push(resolve)));
  return { child, ready: line(), say: (text) => (child.stdin.write(`${text}\n`), line()) };
}
