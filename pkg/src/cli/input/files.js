// Input files: which format each has, and how they are opened.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { input, io, usage } from "../failure.js";

/** Why Parquet is refused. */
export const PARQUET = "Parquet is read by the native command line alone: use that one, or write the rows as JSON lines";

/** @typedef {"stdin" | "npy" | "fvecs" | "json"} Format */

/**
 * The end of its name gives the format of a file; `-` is JSON lines from stdin.
 * @param {string} path
 * @returns {Format}
 */
export function formatOf(path) {
  if (path === "-") return "stdin";
  const ending = /[^/\\]\.([^./\\]+)$/.exec(path)?.[1].toLowerCase() ?? "";
  if (ending === "npy" || ending === "fvecs") return ending;
  if (["jsonl", "ndjson", "json"].includes(ending)) return "json";
  if (ending === "parquet") throw usage(`${path}: ${PARQUET}`);
  throw usage(`${path}: the name of the file gives its format: it must end in .npy, .fvecs, .jsonl, .ndjson or .json (or be - for JSON lines from stdin)`);
}

/** A regular file that is read by position. */
export class InputFile {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
    try {
      // The check comes before opening, since opening a pipe would wait for its writer.
      if (!statSync(path).isFile()) throw input(path, "not a regular file: write the vectors to a file first");
      this.handle = openSync(path, "r");
    } catch (error) {
      throw error instanceof Error && "code" in error && !("exit" in error) ? io(path, error) : error;
    }
    /** What tells whether others write it. */
    this.before = stateOf(this.handle);
    this.length = this.before.size;
  }

  /**
   * The bytes from `offset` on: fewer than `length` only where the file ends.
   * @param {number} offset
   * @param {number} length
   * @returns {Buffer}
   */
  read(offset, length) {
    return readFrom(this.handle, this.path, offset, length);
  }

  /** Whether the file is as it was when it was opened. */
  get unchanged() {
    try {
      const { size, mtimeMs } = statSync(this.path);
      return size === this.before.size && mtimeMs === this.before.mtimeMs;
    } catch {
      return false;
    }
  }

  close() {
    closeSync(this.handle);
  }
}

/** @param {number} handle */
function stateOf(handle) {
  const { size, mtimeMs } = fstatSync(handle);
  return { size, mtimeMs };
}

/**
 * @param {number} handle
 * @param {string} path for messages
 * @param {number} offset
 * @param {number} length
 */
export function readFrom(handle, path, offset, length) {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  try {
    for (let read = 1; read > 0 && done < length; done += read) read = readSync(handle, bytes, done, length - done, offset + done);
  } catch (error) {
    throw io(path, error);
  }
  return bytes.subarray(0, done);
}
