// Copies of a collection's files, and collections that are made of such copies. The host does both.
import { dirError, isThere, notThere } from "../dirs/dir.js";
import { isNotNew } from "../messages.js";

/** Bytes that are written at a time. */
const PIECE = 4 << 20;

/**
 * @typedef {import("../dirs/dir.js").Dir} Dir
 * @typedef {import("../dirs/dir.js").JsDir} JsDir
 * @typedef {import("../dirs/dir.js").JsFile} JsFile
 *
 * @typedef {{ name: string, blob: Blob }} BackupFile
 *
 * @typedef {object} Backup a copy of a collection, of which `openCollection(name, { from })` makes one
 * @property {BackupFile[]} files in the order in which they must be written: the last one names the others
 */

/** @param {string} name */
function isManifest(name) {
  return name.startsWith("manifest.");
}

/**
 * The files of a collection as it is now. It must have been flushed.
 * @param {import("../host/core.js").Core} core
 * @returns {BackupFile[]}
 */
export function copyOf(core) {
  const copies = new Copies();
  core.read((module) => module.backup(copies));
  return copies.files();
}

/**
 * Puts the files of a backup into a folder that has no collection yet. The manifest comes last: if this ends before, there is none.
 * @param {Dir} dir
 * @param {BackupFile[]} files
 * @returns {Promise<() => Promise<void>>} removes them again
 */
export async function restore(dir, files) {
  // The module says who has it.
  if (!dir.lock()) return async () => {};
  if (dir.list().some(({ name, length }) => isManifest(name) && length > 0)) throw isNotNew();
  const undo = async () => {
    for (const { name } of [...files].reverse()) await dir.discard(name);
  };
  try {
    // What an earlier try has left would be in the way.
    await undo();
    await dir.prepare(files.map(({ name }) => name));
    for (const { name, blob } of files) {
      const file = dir.open(name, "create");
      for (let at = 0; at < blob.size; at += PIECE) file.write(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()), at);
      file.flush();
      file.close();
      dir.sync();
    }
    return undo;
  } catch (error) {
    await undo().catch(() => {});
    throw error;
  }
}

/**
 * A folder whose files are written once, from their start on, and become Blobs: a browser may keep these elsewhere than in memory.
 * @implements {JsDir}
 */
class Copies {
  /** @type {Map<string, Blob>} */
  #blobs = new Map();

  /** @type {JsDir["open"]} */
  open(name, access) {
    const there = this.#blobs.has(name);
    if (access === "create" && there) throw isThere(name);
    if (access !== "create" && !there) throw notThere(name);
    if (!there) this.#blobs.set(name, new Blob());
    const blob = () => /** @type {Blob} */ (this.#blobs.get(name));
    return {
      length: () => blob().size,
      read() {
        throw dirError("unsupported", `${name}: a copy is not read`);
      },
      write: (bytes, offset) => {
        if (offset !== blob().size) throw dirError("unsupported", `${name}: a copy is written from its start on`);
        this.#blobs.set(name, new Blob([blob(), /** @type {BlobPart} */ (bytes)]));
        return bytes.length;
      },
      truncate: (length) => void this.#blobs.set(name, blob().slice(0, length)),
      flush() {},
      close() {},
    };
  }

  /** @param {string} name */
  remove(name) {
    this.#blobs.delete(name);
  }

  list() {
    return [...this.#blobs].map(([name, { size: length }]) => ({ name, length }));
  }

  sync() {}

  lock() {
    return true;
  }

  /** Those that are not empty, the manifest last. */
  files() {
    const all = [...this.#blobs].map(([name, blob]) => ({ name, blob })).filter(({ blob }) => blob.size > 0);
    return all.sort((a, b) => Number(isManifest(a.name)) - Number(isManifest(b.name)));
  }
}
