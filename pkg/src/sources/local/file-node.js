// Files and folders in Node. Only node.js imports this.
import { open, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { aborted, PagevecError, throwIfAborted } from "../../errors.js";
import { MANIFEST_LIMIT, parseManifest } from "../manifest.js";
import { PartsSource, wholeFile } from "../parts.js";
import { alone } from "../resolve.js";
import { LOCAL_LIMITS, newTraffic, shortRead, STREAM_FROM } from "../source.js";
import { Turns } from "../turns.js";

const CHUNK = 1 << 20;
/** Part files that are open at the same time. */
const MAX_OPEN = 40;

/**
 * @param {string} path a folder with index.json, that index.json, or a segment file
 * @param {boolean} [inParts] whether a segment is read from its part files also where it has a file; it must have some
 * @returns {Promise<import("../resolve.js").Resolved>}
 */
export async function openPath(path, inParts = false) {
  try {
    const isFolder = (await stat(path)).isDirectory();
    if (!isFolder && basename(path) !== "index.json") return alone(await FileSource.open(path));
    const manifest = isFolder ? join(path, "index.json") : path;
    if ((await stat(manifest)).size > MANIFEST_LIMIT) {
      throw new PagevecError("manifest", `${manifest} is no pagevec manifest: it is larger than ${MANIFEST_LIMIT} bytes`);
    }
    const { generation, segments } = parseManifest(await readFile(manifest, "utf8"), manifest);
    const traffic = newTraffic();
    const load = loader(join(manifest, ".."), traffic);
    return { name: manifest, generation, segments: segments.map((entry) => segmentIn(join(manifest, ".."), entry, load, traffic, inParts)) };
  } catch (cause) {
    throw fromNode(cause, path);
  }
}

/**
 * @param {string} folder
 * @param {Entry} entry
 * @param {import("../parts.js").LoadPart} load
 * @param {Traffic} traffic
 * @param {boolean} inParts
 * @returns {import("../resolve.js").Segment}
 */
function segmentIn(folder, entry, load, traffic, inParts) {
  if (inParts && !entry.parts) throw new PagevecError("io", `${join(folder, String(entry.file))} was not published in parts: read the file`);
  const dead = entry.dead && wholeFile(entry.dead, join(folder, entry.dead.file), load, traffic);
  if (entry.file !== undefined && !inParts) return { source: new FileSource(join(folder, entry.file), entry.length, traffic), dead, entry };
  const parts = /** @type {import("../parts.js").Parts} */ (entry.parts);
  return { source: new PartsSource(parts, entry.length, join(folder, parts.folder), load, { traffic }), dead, entry };
}

/**
 * What reads whole files of a folder.
 * @param {string} folder
 * @param {Traffic} traffic
 * @returns {import("../parts.js").LoadPart}
 */
function loader(folder, traffic) {
  const turns = new Turns();
  return async (path, size, { signal, claim }) => {
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
}

/**
 * A file, read by position. It is opened by the first read, and stays open until `close`.
 * @implements {Source}
 */
export class FileSource {
  /** @type {Promise<FileHandle> | undefined} */
  #handle;
  limits = LOCAL_LIMITS;

  /**
   * A file whose length no manifest tells.
   * @param {string} path
   * @returns {Promise<FileSource>}
   */
  static async open(path) {
    const { size } = await stat(path);
    const source = new FileSource(path, size);
    await source.#open();
    return source;
  }

  /**
   * @param {string} path
   * @param {number} length that it must have
   * @param {Traffic} [traffic]
   */
  constructor(path, length, traffic = newTraffic()) {
    this.name = path;
    /** @type {number} */
    this.length = length;
    this.traffic = traffic;
  }

  /** @returns {Promise<FileHandle>} */
  #open() {
    this.#handle ??= openChecked(this.name, this.length).catch((error) => {
      this.#handle = undefined;
      throw error;
    });
    return this.#handle;
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
    const handle = await this.#open();
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(bytes, done, length - done, offset + done).catch((cause) => {
        throw fromNode(cause, this.name);
      });
      if (bytesRead === 0) throw shortRead(this.name, length, done);
      done += bytesRead;
    }
    this.traffic.bytes += length;
    return bytes;
  }

  async close() {
    const handle = await this.#handle?.catch(() => undefined);
    await handle?.close();
  }
}

/**
 * @param {string} path
 * @param {number} length
 * @returns {Promise<FileHandle>}
 */
async function openChecked(path, length) {
  const handle = await open(path, "r").catch((cause) => Promise.reject(fromNode(cause, path)));
  const stats = await handle.stat();
  if (stats.isFile() && stats.size === length) return handle;
  await handle.close();
  if (!stats.isFile()) throw new PagevecError("not-a-segment", `${path} is no regular file`);
  throw new PagevecError("stale", `${path} has ${stats.size} bytes, index.json says ${length}: copy the folder again`);
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
/** @typedef {import("../source.js").Traffic} Traffic */
/** @typedef {import("node:fs/promises").FileHandle} FileHandle */
/** @typedef {import("../manifest.js").Entry} Entry */
