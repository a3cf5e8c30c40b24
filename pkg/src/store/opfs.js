// A folder of the origin private file system (OPFS). Pages write whole files through `createWritable`, which replaces the file at the
// end. Safari before 26 lacks it; its workers have handles that write in place.

/**
 * A flat folder of files that are written once.
 * @typedef {object} Folder
 * @property {() => Promise<string[]>} names
 * @property {(name: string, from: number, to: number) => Promise<Uint8Array>} read gives fewer bytes where the file ends
 * @property {(name: string, parts: Uint8Array[]) => Promise<void>} write makes or replaces the file
 * @property {(name: string) => Promise<void>} remove does nothing if there is no such file, or another tab is writing it
 */

/** @implements {Folder} */
export class OpfsFolder {
  #folder;
  /** @type {Map<string, Promise<File>>} */
  #files = new Map();

  static async open() {
    const { storage } = globalThis.navigator ?? {};
    if (!storage?.getDirectory) throw new Error("there is no private file system here");
    const root = await storage.getDirectory();
    return new OpfsFolder(await root.getDirectoryHandle("pagevec", { create: true }));
  }

  /** @param {FileSystemDirectoryHandle} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  async names() {
    const names = [];
    for await (const name of /** @type {any} */ (this.#folder).keys()) names.push(name);
    return names;
  }

  /**
   * @param {string} name
   * @param {number} from
   * @param {number} to
   */
  async read(name, from, to) {
    const known = this.#files.get(name);
    try {
      return await this.#readOf(known ?? this.#fileOf(name), from, to);
    } catch (error) {
      // A File is of one state: once another tab has replaced the file, it cannot be read.
      const { name: kind } = /** @type {Error} */ (Object(error));
      if (kind !== "NotReadableError") throw error;
      return this.#readOf(this.#fileOf(name), from, to);
    }
  }

  /** @param {string} name */
  #fileOf(name) {
    const file = this.#folder.getFileHandle(name).then((handle) => handle.getFile());
    this.#files.set(name, file);
    return file;
  }

  /**
   * @param {Promise<File>} file
   * @param {number} from
   * @param {number} to
   */
  async #readOf(file, from, to) {
    return new Uint8Array(await (await file).slice(from, to).arrayBuffer());
  }

  /**
   * @param {string} name
   * @param {Uint8Array[]} parts
   */
  async write(name, parts) {
    this.#files.delete(name);
    const handle = /** @type {any} */ (await this.#folder.getFileHandle(name, { create: true }));
    try {
      if (handle.createWritable) {
        const writable = await handle.createWritable();
        await writable.write(new Blob(/** @type {BlobPart[]} */ (parts)));
        await writable.close();
      } else {
        const access = await handle.createSyncAccessHandle();
        try {
          let at = 0;
          for (const part of parts) at += access.write(part, { at });
          access.truncate(at);
        } finally {
          access.close();
        }
      }
    } catch (error) {
      await this.remove(name).catch(() => {});
      throw error;
    }
  }

  /** @param {string} name */
  async remove(name) {
    this.#files.delete(name);
    await this.#folder.removeEntry(name).catch((error) => {
      // It is gone already, or another tab is writing it.
      if (error?.name !== "NotFoundError" && error?.name !== "NoModificationAllowedError") throw error;
    });
  }
}
