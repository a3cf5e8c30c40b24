// What a collection writes its files to: a flat folder, of which the WebAssembly module knows what `JsDir` says. Its calls are answered
// at once. OPFS creates, opens and removes files asynchronously, so the host opens names ahead (`prepare`) and removes files behind
// (`discard`), between the calls into the module.
//
// What must hold, for every folder; `every-folder-keeps-its-contract.test.mjs` has a test of each line:
//   - a write is carried out whole, or throws: a short count is never passed on;
//   - `flush` makes contents and length of its file durable, `sync` the names of the folder, and neither does the other's;
//   - a file that is there and empty may count as not there, as OPFS has files that were only made ready;
//   - after an error the call may have been carried out, or not, or in part.
import { PagevecError } from "../../errors.js";

/**
 * @typedef {"read" | "write" | "create"} Access `create`: the file is not there, and is made
 * @typedef {{ name: string, length: number }} Entry
 *
 * @typedef {object} JsFile an open file, read and written by position
 * @property {() => number} length
 * @property {(into: Uint8Array, offset: number) => number} read how many bytes there were: fewer than asked for at the end of the file
 * @property {(bytes: Uint8Array, offset: number) => number} write writes all of them and returns how many these are; a gap reads as zeros
 * @property {(length: number) => void} truncate cuts the file, or extends it with zeros
 * @property {() => void} flush
 * @property {() => void} close
 *
 * @typedef {object} JsDir
 * @property {(name: string, access: Access) => JsFile} open
 * @property {(name: string) => void} remove does nothing if there is no such file
 * @property {() => Entry[]} list by name
 * @property {() => void} sync
 * @property {() => boolean} lock whether this is the writer: false while another process is
 *
 * @typedef {object} Ahead what the host does between calls into the module
 * @property {(names: string[]) => Promise<void>} prepare makes ready what the module may create, and nothing else
 * @property {(name: string) => Promise<void>} discard removes a file; rejects where that is refused, and may be tried again
 * @property {(name: string) => Promise<void>} adopt opens a file that another thread has written
 * @property {() => void} close gives back all files and the lock
 *
 * @typedef {JsDir & Ahead} Dir
 *
 * @typedef {"not-found" | "already-exists" | "would-block" | "quota" | "permission-denied" | "unsupported" | "other"} Kind
 */

/** Names that a collection gives to its files. */
const OURS = /^(?:manifest\.[ab]|(?:wal|seg)-\d{1,15})$/;

/**
 * The folder refused.
 * @param {Kind} kind for the core, which goes on after some
 * @param {string} message with the name of the file
 * @param {unknown} [cause]
 * @returns {PagevecError & { kind: Kind }}
 */
export function dirError(kind, message, cause) {
  const error = kind === "quota" ? new PagevecError("quota", message, { cause }) : new PagevecError("io", message, { cause });
  return Object.assign(error, { kind });
}

/**
 * @param {unknown} error
 * @returns {error is ReturnType<typeof dirError>}
 */
export function isDirError(error) {
  return error instanceof PagevecError && "kind" in error;
}

/**
 * @param {string} name
 * @param {unknown} [cause]
 */
export function full(name, cause) {
  return dirError("quota", `${name}: there is no more room for the files of this collection. What was acknowledged is safe: free some room, delete rows and call compact(), or ask for more by persist()`, cause);
}

/** @param {string} name */
export function notThere(name) {
  return dirError("not-found", `${name}: there is no such file`);
}

/** @param {string} name */
export function isThere(name) {
  return dirError("already-exists", `${name}: the file is there already`);
}

/** @param {string} name */
export function isOurs(name) {
  return OURS.test(name);
}

/**
 * Refuses names that would leave the folder.
 * @param {string} name
 */
export function checkName(name) {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) throw dirError("other", `a collection gives no file the name ${JSON.stringify(name.slice(0, 40))}`);
}
