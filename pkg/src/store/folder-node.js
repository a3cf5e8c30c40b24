// A store's folder in Node. Only node.js imports this.
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Milliseconds after which no process writes to a temporary file any more. */
const ABANDONED = 3_600_000;

/**
 * A folder of the file system, for any number of processes.
 * @implements {Folder}
 */
export class DiskFolder {
  #path;

  /** @param {string} path made if it is not there */
  static async open(path) {
    await mkdir(path, { recursive: true });
    const left = (await readdir(path)).filter((name) => name.endsWith(".tmp")).map((name) => join(path, name));
    for (const file of left) if (Date.now() - (await stat(file)).mtimeMs > ABANDONED) await rm(file, { force: true });
    return new DiskFolder(path);
  }

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  names() {
    return readdir(this.#path);
  }

  /**
   * @param {string} name
   * @param {number} from
   * @param {number} to
   */
  async read(name, from, to) {
    const handle = await open(join(this.#path, name), "r");
    try {
      const bytes = new Uint8Array(to - from);
      let done = 0;
      for (;;) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, from + done);
        done += bytesRead;
        if (bytesRead === 0 || done === bytes.length) return bytes.subarray(0, done);
      }
    } finally {
      await handle.close();
    }
  }

  /**
   * @param {string} name
   * @param {Uint8Array[]} parts
   */
  async write(name, parts) {
    const temporary = join(this.#path, `${name}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`);
    try {
      await writeFile(temporary, parts);
      await rename(temporary, join(this.#path, name));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** @param {string} name */
  remove(name) {
    return rm(join(this.#path, name), { force: true });
  }
}

/** @typedef {import("./opfs.js").Folder} Folder */
