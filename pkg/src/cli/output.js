// Writes to stdout. Every write is checked, so that `pagevec … | head` ends without an error.
import { writeSync } from "node:fs";
import { ClosedPipe, io } from "./failure.js";

/**
 * Prints text, and a newline.
 * @param {string} text
 */
export function print(text) {
  write(1, `${text}\n`);
}

/**
 * Prints a line to stderr. If that is closed there is no one to tell.
 * @param {string} text
 */
export function complain(text) {
  try {
    write(2, `${text}\n`);
  } catch {
    // The exit code still tells.
  }
}

/**
 * Prints a value as JSON on one line.
 * @param {unknown} value
 */
export function printJson(value) {
  print(JSON.stringify(value));
}

/**
 * A label and its value, as `build` and `inspect` print them.
 * @param {string} name
 * @param {unknown} value
 */
export function field(name, value) {
  return `${name.padEnd(18)} ${value}`;
}

/**
 * The shortest decimal number that is this float of single precision, as JSON shows scores.
 * @param {number} value
 */
export function single(value) {
  for (let digits = 1; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}

/**
 * What comes from a file must not move the cursor or part a line.
 * @param {string} text
 */
export function printable(text) {
  return text.replace(/\p{Cc}/gu, (c) => (c === "\n" ? "\\n" : c === "\t" ? "\\t" : c === "\r" ? "\\r" : `\\u{${c.charCodeAt(0).toString(16)}}`));
}

/** @typedef {{ k: number, wanted: number, reached: number, cells: number, probes: number }} Step of the clustered index's curve */

/**
 * A line for each k, with pairs of a wanted recall and the recall that the build measured for it.
 * @param {Step[]} curve
 * @returns {string[]}
 */
export function curveLines(curve) {
  const ks = [...new Set(curve.map(({ k }) => k))];
  return ks.map((k) => {
    const steps = curve.filter((step) => step.k === k);
    return field(`recall, k ${k}`, steps.map(({ wanted, reached }) => `${wanted.toFixed(2)}: ${reached.toFixed(3)}`).join("  "));
  });
}

/**
 * All of it, now: what is left in a buffer when the process ends would be lost.
 * @param {number} file
 * @param {string} text
 */
function write(file, text) {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(file, bytes, done);
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      if (code === "EAGAIN") continue; // a pipe whose reader is slow
      if (code === "EPIPE") throw new ClosedPipe();
      throw io(file === 1 ? "stdout" : "stderr", error);
    }
  }
}
