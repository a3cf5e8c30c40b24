// Writes files into a folder so that a reader sees all of them or none, wherever this ends: each is written under a temporary name,
// synced and renamed, and the folder is synced, before the file that names them is written. The steps are those of the native
// `Publication`. Node has no locks of files, so writers do not wait for each other: the last manifest stays.
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { PagevecError } from "../errors.js";

/** Bytes that are read and written at a time. */
const PIECE = 1 << 20;

/**
 * @typedef {object} Contents
 * @property {number} length
 * @property {(offset: number, length: number) => Uint8Array} read
 *
 * @typedef {{ name: string, contents: Contents, order: number }} Planned `order`: 0 for a file that names no others; a file of a
 *   higher order may name those of lower orders, which last before it is there
 */

/**
 * @param {string} folder
 * @param {Planned[]} files
 * @param {() => void} check called before the last file is written; it throws if that must not be replaced
 */
export function writeFiles(folder, files, check) {
  makeFolder(folder);
  const orders = [...new Set(files.map(({ order }) => order))].sort((a, b) => a - b);
  for (const order of orders) {
    if (order === orders[orders.length - 1]) check();
    const folders = new Set([folder]);
    for (const { name, contents } of files.filter((file) => file.order === order)) {
      const path = join(folder, name);
      if (dirname(path) !== folder && !folders.has(dirname(path))) makeFolder(dirname(path));
      folders.add(dirname(path));
      put(path, contents);
    }
    for (const path of [...folders].reverse()) syncFolder(path);
  }
}

/**
 * Creates a folder and those above it. The names of new ones are synced.
 * @param {string} path
 */
function makeFolder(path) {
  about(path, () => {
    const first = mkdirSync(path, { recursive: true });
    if (first === undefined) return;
    for (let above = dirname(path); ; above = dirname(above)) {
      syncFolder(above);
      if (above.length <= dirname(first).length || above === dirname(above)) break;
    }
  });
}

/**
 * Syncs a file that has these bytes already, or writes it.
 * @param {string} path
 * @param {Contents} contents
 */
function put(path, contents) {
  about(path, () => {
    if (holds(path, contents)) return;
    const temporary = `${path}.0-${randomBytes(8).toString("hex")}.tmp`;
    try {
      const file = openSync(temporary, "wx");
      try {
        for (let offset = 0; offset < contents.length; ) {
          const piece = contents.read(offset, Math.min(PIECE, contents.length - offset));
          for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done);
          offset += piece.length;
        }
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/**
 * Whether a file has exactly these bytes. It is synced then, as another may have written it and not yet have synced it.
 * @param {string} path
 * @param {Contents} contents
 */
function holds(path, contents) {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const file = openSync(path, "r");
  try {
    if (fstatSync(file).size !== contents.length) return false;
    const found = new Uint8Array(PIECE);
    for (let offset = 0; offset < contents.length; ) {
      const piece = contents.read(offset, Math.min(PIECE, contents.length - offset));
      const read = readSync(file, found, 0, piece.length, offset);
      if (read !== piece.length || Buffer.compare(found.subarray(0, read), piece) !== 0) return false;
      offset += read;
    }
    // Windows syncs only what is open for writing.
    if (process.platform !== "win32") fsyncSync(file);
    return true;
  } finally {
    closeSync(file);
  }
}

/**
 * Makes the names in a folder durable. On Windows names last without that.
 * @param {string} path
 */
function syncFolder(path) {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * @param {string} path that an error names
 * @param {() => void} work
 */
function about(path, work) {
  try {
    work();
  } catch (cause) {
    throw cause instanceof PagevecError ? cause : ioError(path, cause);
  }
}

/**
 * @param {string} path
 * @param {unknown} cause
 */
export function ioError(path, cause) {
  const { message } = /** @type {Error} */ (Object(cause));
  return new PagevecError("io", `${path}: ${message ?? cause}`, { cause });
}
