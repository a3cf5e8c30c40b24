// A folder of the file system, for Node, Deno and Bun. Calls are answered at once, so nothing is made ready ahead.
import { closeSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, statSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { checkName, dirError, full, isDirError, isThere, notThere } from "./dir.js";
import { ProcessLock } from "./process-lock.js";

const FLAGS = { read: "r", write: "r+", create: "wx+" };
/** @type {Record<string, import("./dir.js").Kind>} */
const KINDS = { EACCES: "permission-denied", EPERM: "permission-denied", EROFS: "permission-denied", EBUSY: "would-block", EAGAIN: "would-block" };

/**
 * @typedef {import("./dir.js").Dir} Dir
 * @typedef {import("./dir.js").JsFile} JsFile
 */

/** @implements {Dir} */
export class NodeDir {
  #folder;
  #lock;

  /**
   * @param {string} folder
   * @param {boolean} create makes the folder if it is not there, with those above it
   */
  static open(folder, create) {
    const path = resolve(folder);
    if (create) guarded(path, () => {
      const first = mkdirSync(path, { recursive: true });
      // Each new folder is a name in the one above it.
      for (let made = path; first && made.length >= first.length; made = dirname(made)) syncFolder(dirname(made));
    });
    if (!guarded(path, () => statSync(path)).isDirectory()) throw dirError("other", `${path} is a file, but a collection is a folder: name another`);
    return new NodeDir(path);
  }

  /** @param {string} folder */
  constructor(folder) {
    this.#folder = folder;
    this.#lock = new ProcessLock(folder);
  }

  /** @type {import("./dir.js").JsDir["open"]} */
  open(name, access) {
    const path = this.#at(name);
    const fd = guarded(path, () => openSync(path, FLAGS[access]));
    if (guarded(path, () => fstatSync(fd)).isFile()) return new NodeFile(path, fd);
    closeSync(fd);
    throw dirError("other", `${path} is no file: move it away`);
  }

  /** @param {string} name */
  remove(name) {
    const path = this.#at(name);
    try {
      guarded(path, () => unlinkSync(path));
    } catch (error) {
      if (/** @type {ReturnType<typeof dirError>} */ (error).kind !== "not-found") throw error;
    }
  }

  list() {
    return guarded(this.#folder, () => {
      const files = readdirSync(this.#folder, { withFileTypes: true }).filter((entry) => entry.isFile());
      return files.map(({ name }) => ({ name, length: statSync(join(this.#folder, name)).size })).sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  sync() {
    guarded(this.#folder, () => syncFolder(this.#folder));
  }

  lock() {
    return guarded(this.#folder, () => this.#lock.take());
  }

  async prepare() {}

  /** @param {string} name */
  async discard(name) {
    this.remove(name);
  }

  async adopt() {}

  close() {
    this.#lock.release();
  }

  /** @param {string} name */
  #at(name) {
    checkName(name);
    return join(this.#folder, name);
  }
}

/** @implements {JsFile} */
class NodeFile {
  #path;
  /** @type {number | undefined} */
  #fd;

  /**
   * @param {string} path
   * @param {number} fd
   */
  constructor(path, fd) {
    this.#path = path;
    this.#fd = fd;
  }

  length() {
    return this.#call((fd) => fstatSync(fd).size);
  }

  /** @type {import("./dir.js").JsFile["read"]} */
  read(into, offset) {
    return this.#call((fd) => whole(into.length, (done) => readSync(fd, into, done, into.length - done, offset + done)));
  }

  /** @type {import("./dir.js").JsFile["write"]} */
  write(bytes, offset) {
    return this.#call((fd) => {
      const written = whole(bytes.length, (done) => writeSync(fd, bytes, done, bytes.length - done, offset + done));
      if (written < bytes.length) throw full(this.#path);
      return written;
    });
  }

  /** @param {number} length */
  truncate(length) {
    this.#call((fd) => ftruncateSync(fd, length));
  }

  /** The length is among what this makes durable. */
  flush() {
    this.#call((fd) => fdatasyncSync(fd));
  }

  close() {
    if (this.#fd === undefined) return;
    this.#call((fd) => closeSync(fd));
    this.#fd = undefined;
  }

  /**
   * @template T
   * @param {(fd: number) => T} action
   */
  #call(action) {
    const fd = this.#fd;
    if (fd === undefined) throw dirError("other", `${this.#path}: the file is closed`);
    return guarded(this.#path, () => action(fd));
  }
}

/**
 * @param {number} length
 * @param {(done: number) => number} step does some of it
 */
function whole(length, step) {
  let done = 0;
  for (let more = 1; more > 0 && done < length; done += more) more = step(done);
  return done;
}

/** @param {string} path */
function syncFolder(path) {
  let fd;
  try {
    fd = openSync(path, "r");
    fsyncSync(fd);
  } catch (error) {
    // Windows opens no folders, and keeps their names in its journal.
    if (process.platform !== "win32") throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * @template T
 * @param {string} path
 * @param {() => T} action
 */
function guarded(path, action) {
  try {
    return action();
  } catch (error) {
    if (isDirError(error)) throw error;
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (Object(error));
    if (code === "ENOENT") throw notThere(path);
    if (code === "EEXIST") throw isThere(path);
    if (code === "ENOSPC" || code === "EDQUOT") throw full(path, error);
    throw dirError(KINDS[code ?? ""] ?? "other", `${path}: the system refused (${message})`, error);
  }
}
