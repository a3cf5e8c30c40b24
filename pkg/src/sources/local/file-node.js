// Files and folders in Node. Only node.js imports this.
import { open, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { aborted, PagevecError, throwIfAborted } from "../../errors.js";
import { MANIFEST_LIMIT, parseManifest } from "../manifest.js";
import { PartsSource } from "../parts.js";
import { LOCAL_LIMITS, newTraffic, shortRead, STREAM_FROM } from "../source.js";
import { Turns } from "../turns.js";

const CHUNK = 1 << 20;
/** Part files that are open at the same time. */
const MAX_OPEN = 40;

/**
 * @param {string} path a folder with index.json, that index.json, or a segment file
 * @returns {Promise<{ source: Source, entry: Entry | undefined }>}
 */
export async function openPath(path) {
  try {
    const isFolder = (await stat(path)).isDirectory();
    if (!isFolder && basename(path) !== "index.json") return { source: await FileSource.open(path), entry: undefined };
    const manifest = isFolder ? join(path, "index.json") : path;
    if ((await stat(manifest)).size > MANIFEST_LIMIT) {
      throw new PagevecError("manifest", `${manifest} is no pagevec manifest: it is larger than ${MANIFEST_LIMIT} bytes`);
    }
    const entry = parseManifest(await readFile(manifest, "utf8"), manifest);
    if (entry.file === undefined) return { source: partsIn(join(manifest, ".."), entry), entry };
    const source = await FileSource.open(join(manifest, "..", entry.file));
    if (source.length !== entry.length) {
      await source.close();
      throw new PagevecError("stale", `${source.name} has ${source.length} bytes, index.json says ${entry.length}: copy the folder again`);
    }
    return { source, entry };
  } catch (cause) {
    throw fromNode(cause, path);
  }
}

/**
 * @param {string} folder
 * @param {Entry} entry
 * @returns {PartsSource}
 */
function partsIn(folder, { parts, length }) {
  const traffic = newTraffic();
  const turns = new Turns();
  const own = /** @type {import("../parts.js").Parts} */ (parts);
  /** @type {import("../parts.js").LoadPart} */
  const load = async (path, size, { signal, claim }) => {
    const file = join(folder, path);
    const free = await turns.take(claim, MAX_OPEN, { signal });
    const read = readFile(file, { signal }).finally(free);
    const bytes = await read.catch((cause) => {
      throw signal.aborted ? aborted(signal.reason) : fromNode(cause, file);
    });
    if (bytes.length !== size) throw shortRead(file, size, bytes.length);
    traffic.requests += 1;
    traffic.bytes += size;
    return bytes;
  };
  return new PartsSource(own, length, join(folder, own.folder), load, { traffic });
}

/**
 * A file, read by position. The handle stays open until `close`.
 * @implements {Source}
 */
export class FileSource {
  #handle;
  limits = LOCAL_LIMITS;
  traffic = newTraffic();

  /**
   * @param {string} path
   * @returns {Promise<FileSource>}
   */
  static async open(path) {
    const handle = await open(path, "r");
    const stats = await handle.stat();
    if (stats.isFile()) return new FileSource(handle, path, stats.size);
    await handle.close();
    throw new PagevecError("not-a-segment", `${path} is no regular file`);
  }

  /**
   * @param {import("node:fs/promises").FileHandle} handle
   * @param {string} path
   * @param {number} length
   */
  constructor(handle, path, length) {
    this.#handle = handle;
    this.name = path;
    /** @type {number} */
    this.length = length;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {{ signal?: AbortSignal }} options
   * @returns {Promise<Uint8Array | AsyncIterable<Uint8Array>>}
   */
  async read(offset, length, { signal } = {}) {
    throwIfAborted(signal);
    this.traffic.requests += 1;
    return length > STREAM_FROM ? this.#stream(offset, length, signal) : this.#part(offset, length);
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {AbortSignal} [signal]
   */
  async *#stream(offset, length, signal) {
    for (let done = 0; done < length; done += CHUNK) {
      throwIfAborted(signal);
      yield await this.#part(offset + done, Math.min(CHUNK, length - done));
    }
  }

  /**
   * @param {number} offset
   * @param {number} length
   */
  async #part(offset, length) {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, offset + done).catch((cause) => {
        throw fromNode(cause, this.name);
      });
      if (bytesRead === 0) throw shortRead(this.name, length, done);
      done += bytesRead;
    }
    this.traffic.bytes += length;
    return bytes;
  }

  close() {
    return this.#handle.close();
  }
}

/**
 * @param {unknown} cause
 * @param {string} path
 * @returns {PagevecError}
 */
function fromNode(cause, path) {
  if (cause instanceof PagevecError) return cause;
  const code = /** @type {{ code?: string }} */ (Object(cause)).code;
  if (code === "ENOENT" || code === "ENOTDIR") return new PagevecError("not-found", `${path}: no such file or folder (a folder needs its index.json)`, { cause });
  return new PagevecError("io", `${path} cannot be read (${code ?? cause})`, { cause });
}

/** @typedef {import("../source.js").Source} Source */
/** @typedef {import("../manifest.js").Entry} Entry */
