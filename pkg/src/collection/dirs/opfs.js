// A folder of the origin private file system, in a dedicated worker: its files are read and written at once through
// FileSystemSyncAccessHandles, but names are created, opened and removed asynchronously. So all files are opened at the start, and names
// that the module will need are made ready ahead: an empty file is one that is ready, and not there for the module.
//
// A handle is exclusive. The one on `manifest.a` is the fence: whoever has it is the only writer, whatever locks say.
import { PagevecError } from "../../errors.js";
import { checkName, dirError, isOurs, isThere, notThere } from "./dir.js";
import { guarded, handleOf, OpfsFile, toDirError } from "./opfs-file.js";

/** The file whose handle is the fence, opened before any other. */
const FENCE = "manifest.a";
/** What a new collection needs before the module can name its files. */
const FIRST = [FENCE, "manifest.b", "wal-0", "wal-1"];
/** Milliseconds for which the fence is waited for: a worker that was ended frees its handles a while later. */
const PATIENCE = 10_000;
/** Milliseconds between tries: the first is short, as a tab that was closed frees them in a few. */
const PAUSES = [5, 10, 25, 50];

/**
 * @typedef {import("./opfs-file.js").Handle} Handle
 * @typedef {import("./dir.js").Dir} Dir
 * @typedef {import("./dir.js").JsFile} JsFile
 * @typedef {FileSystemDirectoryHandle & { keys(): AsyncIterable<string> }} Folder
 */

/** @implements {Dir} */
export class OpfsDir {
  #folder;
  /** @type {Map<string, Handle>} of files that are there, and of those that are ready */
  #handles = new Map();
  /** @type {Set<string>} names that are ready, but not there */
  #ready = new Set();
  /** @type {Map<string, Promise<void>>} removals under way */
  #removing = new Map();

  /**
   * Opens every file of the collection in a folder.
   * @param {FileSystemDirectoryHandle} folder
   * @param {number} [patience] milliseconds for which another writer is waited for
   * @returns {Promise<OpfsDir>} rejects with `locked` if another has them open
   */
  static async open(folder, patience = PATIENCE) {
    const dir = new OpfsDir(/** @type {Folder} */ (folder));
    try {
      await dir.#take(FENCE, patience);
      const names = FIRST.slice(1);
      for await (const name of dir.#folder.keys()) if (isOurs(name) && !FIRST.includes(name)) names.push(name);
      // Handles of a writer that has gone may be freed after its fence.
      for (const name of names) await dir.#take(name, patience);
      return dir;
    } catch (error) {
      dir.close();
      throw error;
    }
  }

  /**
   * A new file in a folder that another thread has open.
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} name
   * @returns {Promise<JsFile>}
   */
  static async create(folder, name) {
    const handle = await handleOf(folder, name).catch((error) => {
      throw toDirError(name, error);
    });
    const file = new OpfsFile(name, handle, () => handle.close());
    file.truncate(0);
    return file;
  }

  /** @param {Folder} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  /** @type {import("./dir.js").JsDir["open"]} */
  open(name, access) {
    checkName(name);
    const handle = this.#handles.get(name);
    if (!handle) {
      if (access !== "create") throw notThere(name);
      throw dirError("would-block", `${name}: this file was not made ready`);
    }
    if (access === "create" && !this.#ready.delete(name)) throw isThere(name);
    if (this.#ready.has(name)) throw notThere(name);
    return new OpfsFile(name, handle);
  }

  /** @param {string} name */
  remove(name) {
    if (this.#handles.has(name) && !this.#ready.has(name)) this.discard(name).catch(() => {}); // it is an orphan then, which the next opening finds
  }

  list() {
    const names = [...this.#handles.keys()].filter((name) => !this.#ready.has(name)).sort();
    return names.map((name) => ({ name, length: guarded(name, () => /** @type {Handle} */ (this.#handles.get(name)).getSize()) }));
  }

  /** The file system of the origin has nothing that makes names durable: a flush of the file does what can be done. */
  sync() {}

  lock() {
    return this.#handles.has(FENCE);
  }

  /** @param {string[]} names */
  async prepare(names) {
    for (const name of names) if (!this.#handles.has(name)) await this.#take(name, 0);
    // Made ready before, by this session or an earlier one, and not needed any more. A merge may be about to write one of them.
    for (const name of this.#ready) if (name.startsWith("seg-") && !names.includes(name)) await this.discard(name);
  }

  /** @param {string} name */
  discard(name) {
    const handle = this.#handles.get(name);
    this.#handles.delete(name);
    this.#ready.delete(name);
    const before = this.#removing.get(name) ?? Promise.resolve();
    const removal = before.then(async () => {
      handle?.close();
      try {
        await this.#folder.removeEntry(name);
      } catch (error) {
        if (/** @type {Error} */ (error)?.name !== "NotFoundError") throw toDirError(name, error);
      }
    });
    const settled = removal.catch(() => {}).then(() => void (this.#removing.get(name) === settled && this.#removing.delete(name)));
    this.#removing.set(name, settled);
    return removal;
  }

  /** @param {string} name */
  adopt(name) {
    return this.#take(name, 1000);
  }

  close() {
    // The fence last: whoever gets it finds all others free.
    for (const name of [...this.#handles.keys()].sort((a, b) => Number(a === FENCE) - Number(b === FENCE))) this.#handles.get(name)?.close();
    this.#handles.clear();
    this.#ready.clear();
  }

  /**
   * Opens a file, which is made if it is not there.
   * @param {string} name
   * @param {number} patience
   */
  async #take(name, patience) {
    checkName(name);
    await this.#removing.get(name);
    const until = performance.now() + patience;
    for (let tries = 0; ; tries++) {
      try {
        const handle = await handleOf(this.#folder, name);
        if (handle.getSize() === 0) this.#ready.add(name);
        this.#handles.set(name, handle);
        return;
      } catch (error) {
        const taken = ["NoModificationAllowedError", "InvalidStateError"].includes(/** @type {Error} */ (error)?.name);
        if (!taken) throw toDirError(name, error);
        if (performance.now() >= until) throw locked(name, error);
        await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(tries, PAUSES.length - 1)]));
      }
    }
  }
}

/**
 * @param {string} name
 * @param {unknown} cause
 */
function locked(name, cause) {
  return new PagevecError("locked", `${name} is open elsewhere and was not given back: another tab of this page hangs or is frozen. Close it, or try again later; nothing is lost`, { cause });
}
