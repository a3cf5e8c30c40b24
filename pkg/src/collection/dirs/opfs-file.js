// An open file of the origin private file system, which a worker reads and writes at once. Whatever its handle does not do is an error.
import { dirError, full, isDirError } from "./dir.js";

/**
 * @typedef {import("./dir.js").JsFile} JsFile
 *
 * @typedef {object} Handle a FileSystemSyncAccessHandle, of which the types of pages know nothing
 * @property {(into: Uint8Array, options: { at: number }) => number} read
 * @property {(bytes: Uint8Array, options: { at: number }) => number} write
 * @property {(length: number) => void} truncate
 * @property {() => number} getSize
 * @property {() => void} flush
 * @property {() => void} close
 */

/** @implements {JsFile} */
export class OpfsFile {
  #name;
  #handle;

  /**
   * @param {string} name
   * @param {Handle} handle
   * @param {() => void} [close] unless given, the handle stays open for the next one who opens the file, as none could be had at once
   */
  constructor(name, handle, close = () => {}) {
    this.#name = name;
    this.#handle = handle;
    this.close = close;
  }

  length() {
    return this.#call((handle) => handle.getSize());
  }

  /** @type {import("./dir.js").JsFile["read"]} */
  read(into, offset) {
    return this.#call((handle) => {
      let done = 0;
      for (let more = 1; more > 0 && done < into.length; done += more) {
        more = handle.read(done === 0 ? into : into.subarray(done), { at: offset + done });
        if (more > into.length - done) throw dirError("other", `${this.#name}: it could not be read (error ${more | 0})`);
      }
      return done;
    });
  }

  /** @type {import("./dir.js").JsFile["write"]} */
  write(bytes, offset) {
    return this.#call((handle) => {
      const written = handle.write(bytes, { at: offset });
      if (written === bytes.length) return written;
      // Where the quota is used up, Chromium returns its error's number (-8) as an unsigned one, and Firefox what it could write.
      if (written < bytes.length || (written | 0) === -8) throw full(this.#name);
      throw dirError("other", `${this.#name}: it could not be written (error ${written | 0})`);
    });
  }

  /** @param {number} length */
  truncate(length) {
    this.#call((handle) => handle.truncate(length));
  }

  flush() {
    this.#call((handle) => handle.flush());
  }

  /** @type {<T>(action: (handle: Handle) => T) => T} */
  #call(action) {
    return guarded(this.#name, () => action(this.#handle));
  }
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name of a file, which is made if it is not there
 * @returns {Promise<Handle>}
 */
export async function handleOf(folder, name) {
  const file = /** @type {unknown} */ (await folder.getFileHandle(name, { create: true }));
  return /** @type {{ createSyncAccessHandle(): Promise<Handle> }} */ (file).createSyncAccessHandle();
}

/** @type {<T>(name: string, action: () => T) => T} */
export function guarded(name, action) {
  try {
    return action();
  } catch (error) {
    throw toDirError(name, error);
  }
}

/**
 * @param {string} name
 * @param {unknown} error
 */
export function toDirError(name, error) {
  if (isDirError(error)) return error;
  const { name: type, message } = /** @type {Error} */ (Object(error));
  if (type === "QuotaExceededError") return full(name, error);
  /** @type {Record<string, import("./dir.js").Kind>} */
  const kinds = { NotFoundError: "not-found", NotAllowedError: "permission-denied", NoModificationAllowedError: "would-block" };
  return dirError(kinds[type] ?? "other", `${name}: the browser refused (${type}: ${message}). What was acknowledged is safe; the next call opens the files again`, error);
}
