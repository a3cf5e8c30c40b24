// One id per line, in UTF-8.
import { readFileSync } from "node:fs";
import { input, io } from "../failure.js";

/** What is said where an index has numbers. */
export const NUMBERS = "the ids of this index are numbers";

/**
 * The text of a file; `-` is stdin.
 * @param {string} path
 * @returns {string}
 */
export function readText(path) {
  const name = path === "-" ? "stdin" : path;
  /** @type {Buffer} */
  let bytes;
  try {
    bytes = readFileSync(path === "-" ? 0 : path);
  } catch (error) {
    throw io(name, error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw input(name, notUtf8(bytes));
  }
}

/**
 * The lines of a file, without their ends; `-` is stdin.
 * @param {string} path
 * @returns {string[]}
 */
export function linesOf(path) {
  const lines = readText(path).split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** @param {Buffer} bytes */
function notUtf8(bytes) {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  // A line is decoded alone: in UTF-8 no byte of a character is a newline.
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(from, to));
    } catch {
      break;
    }
    from = to + 1;
  }
  return `line ${line} is not UTF-8: convert the file, for example with \`iconv${utf16 ? " -f UTF-16" : ""} -t UTF-8\``;
}

/**
 * The id that a text means in an index whose ids are of this kind.
 * @param {string} text
 * @param {string} kind
 * @returns {string | number | undefined} undefined: these are numbers, and it is none
 */
export function parseId(text, kind) {
  if (kind === "text") return text;
  return /^\+?\d+$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

/**
 * The ids in a file, as an index has them whose ids are of this kind. Empty lines are no ids.
 * @param {string} path
 * @param {string} kind
 * @returns {(string | number)[]}
 */
export function listOf(path, kind) {
  const ids = linesOf(path).map((line, i) => (line === "" ? undefined : (parseId(line, kind) ?? noNumber(path === "-" ? "stdin" : path, i, line, NUMBERS))));
  return ids.filter((id) => id !== undefined);
}

/**
 * The ids of `rows` rows, out of a file for all `total` rows of the input or for just these.
 * @param {string} path
 * @param {"text" | "number"} kind
 * @param {number} rows
 * @param {number | undefined} total
 * @returns {string[] | Float64Array}
 */
export function readIds(path, kind, rows, total) {
  const lines = linesOf(path);
  const fits = lines.length === rows || (total === undefined ? lines.length > rows : lines.length === total);
  if (!fits) throw input(path, `${lines.length} ids for ${total ?? rows} vectors: give one line for each vector, in the same order`);
  lines.length = rows;
  if (kind === "text") return lines;
  return Float64Array.from(lines, (line, i) => Number(parseId(line, "number") ?? noNumber(path, i, line, "use --ids-type text")));
}

/**
 * @param {string} path
 * @param {number} i
 * @param {string} line
 * @param {string} advice
 * @returns {never}
 */
function noNumber(path, i, line, advice) {
  throw input(path, `line ${i + 1}: ${JSON.stringify(line)} is no whole number; ${advice}`);
}
