// A folder in memory: for tests, and for pages whose browser keeps no files. It is gone with its thread.
import { checkName, full, isThere, notThere } from "./dir.js";

/**
 * @typedef {import("./dir.js").Dir} Dir
 * @typedef {import("./dir.js").JsFile} JsFile
 * @typedef {{ bytes: Uint8Array, length: number }} Content `bytes` may be longer than the file
 */

/** @implements {Dir} */
export class MemoryDir {
  /** @type {Map<string, Content>} */
  #files = new Map();
  #most;

  /** @param {number} [most] bytes of all files, beyond which a write fails as on a full disk */
  constructor(most = Infinity) {
    this.#most = most;
  }

  /** @type {import("./dir.js").JsDir["open"]} */
  open(name, access) {
    checkName(name);
    let content = this.#files.get(name);
    if (access === "create") {
      if (content) throw isThere(name);
      this.#files.set(name, (content = { bytes: new Uint8Array(0), length: 0 }));
    }
    if (!content) throw notThere(name);
    return new MemoryFile(name, content, (more) => {
      if (this.#size() + more > this.#most) throw full(name);
    });
  }

  /** @param {string} name */
  remove(name) {
    this.#files.delete(name);
  }

  list() {
    return [...this.#files].map(([name, { length }]) => ({ name, length })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  sync() {}

  /** Nobody else sees these files. */
  lock() {
    return true;
  }

  async prepare() {}

  /** @param {string} name */
  async discard(name) {
    this.remove(name);
  }

  async adopt() {}

  close() {}

  #size() {
    let size = 0;
    for (const { length } of this.#files.values()) size += length;
    return size;
  }
}

/** @implements {JsFile} */
class MemoryFile {
  #name;
  #content;
  #reserve;

  /**
   * @param {string} name
   * @param {Content} content
   * @param {(more: number) => void} reserve throws where the disk is full
   */
  constructor(name, content, reserve) {
    this.#name = name;
    this.#content = content;
    this.#reserve = reserve;
  }

  length() {
    return this.#content.length;
  }

  /** @type {import("./dir.js").JsFile["read"]} */
  read(into, offset) {
    const { bytes, length } = this.#content;
    const part = bytes.subarray(Math.min(offset, length), Math.min(offset + into.length, length));
    into.set(part);
    return part.length;
  }

  /** @type {import("./dir.js").JsFile["write"]} */
  write(bytes, offset) {
    this.#resize(Math.max(offset + bytes.length, this.#content.length));
    this.#content.bytes.set(bytes, offset);
    return bytes.length;
  }

  /** @param {number} length */
  truncate(length) {
    this.#content.bytes.fill(0, Math.min(length, this.#content.length), this.#content.length);
    this.#resize(length);
  }

  flush() {}

  close() {}

  /** @param {number} length */
  #resize(length) {
    const content = this.#content;
    if (length > content.length) this.#reserve(length - content.length);
    if (length > content.bytes.length) {
      try {
        const larger = new Uint8Array(Math.max(length, 2 * content.bytes.length));
        larger.set(content.bytes.subarray(0, content.length));
        content.bytes = larger;
      } catch (cause) {
        throw full(this.#name, cause);
      }
    }
    content.length = length;
  }
}
