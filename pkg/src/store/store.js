// The page store keeps pieces of one file that were fetched and checked, in a folder that all indexes of the origin share. No
// search waits for it or fails because of it: bytes are written later, and an error turns it off until the next `open`. Tabs need no
// lock, as each pack is written once and under a name of its own.
import { PagevecError } from "../errors.js";
import { BatchedReads } from "./batched-reads.js";
import { makeRoom, Uses } from "./eviction.js";
import { Extents } from "./extents.js";
import { encodeTable, packName, packsAmong, readTable, tableBytes } from "./packs.js";
import { StoredSource } from "./stored-source.js";
import { recall, remember } from "./visited-urls.js";

/** Milliseconds without a new piece after which pieces are written. */
const PAUSE = 300;
/** Bytes that wait to be written, at most; further pieces are not kept. */
const UNWRITTEN_LIMIT = 16 << 20;
/** Bytes of a pack, about. */
const PACK_LIMIT = 4 << 20;
/** When there are so many packs smaller than `SMALL` they are merged, as an opening reads the table of each. */
const MANY = 32;
const SMALL = 512 << 10;

/**
 * @typedef {import("./opfs.js").Folder} Folder
 * @typedef {import("../sources/source.js").Extent} Extent
 * @typedef {import("./extents.js").Piece} Piece
 * @typedef {{ stats: import("../sources/source.js").StoreStats, uses: Uses, names?: Promise<string[]>, unwrittenBytes: number, writing: Promise<void> }}
 *   Shared what the stores of an index share: `names` are those in the folder when the first of them looked, `writing` runs one after another
 */

export class Store {
  stats;
  #limit;
  #folder;
  /** @type {Shared} */
  #shared;
  /** @type {string | undefined} names the content that is open */
  #key;
  #extents = new Extents();
  /** @type {Piece[]} */
  #unwritten = [];
  #unwrittenBytes = 0;
  #reads;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Promise<Folder | undefined>} folder
   * @param {number} limit bytes of all packs in it
   * @param {Shared} [shared]
   */
  constructor(folder, limit, shared) {
    this.#limit = limit;
    this.#shared = shared ?? { stats: { hits: 0, misses: 0, bytes: 0 }, uses: new Uses(), unwrittenBytes: 0, writing: Promise.resolve() };
    this.stats = this.#shared.stats;
    this.#folder = folder.catch((error) => this.#turnOff(error));
    this.#reads = new BatchedReads(this.#folder);
  }

  /** @returns {Store} one for another file of the same index */
  beside() {
    return new Store(this.#folder, this.#limit, this.#shared);
  }

  /** Bytes of the longest read that is kept; a longer one would push out everything else. */
  get longest() {
    return this.#limit / 2;
  }

  /**
   * @param {import("../sources/source.js").Source} source
   * @param {string} url what the user opened, without a query string
   * @param {string} [key] of the content, where a manifest names it
   * @returns {StoredSource} the source behind this store
   */
  wrap(source, url, key) {
    return new StoredSource(source, this, url, key);
  }

  /**
   * What the URL had at the last visit, if `error` says that the host cannot be reached.
   * @param {unknown} error
   * @param {string} url
   * @returns {Promise<{ key: string, bytes: Uint8Array } | undefined>}
   */
  async recallFor(error, url) {
    if (!(error instanceof PagevecError && (error.code === "network" || error.code === "timeout"))) return undefined;
    try {
      const folder = await this.#folder;
      return folder && (await recall(folder, url));
    } catch {
      return undefined;
    }
  }

  /**
   * Notes what the URL has now. What it had before is removed, unless another URL still has it.
   * @param {string} url
   * @param {Uint8Array} bytes
   * @param {string[]} others the keys of the index's other files
   */
  remember(url, bytes, others) {
    this.#write((folder) => remember(folder, /** @type {string} */ (this.#key), others, url, bytes));
  }

  /**
   * Reads which pieces of a content are stored. Before this the store reads and keeps nothing.
   * @param {string} key
   */
  async use(key) {
    this.#key = key;
    try {
      const folder = await this.#folder;
      if (!folder) return;
      this.#shared.names ??= folder.names();
      const packs = packsAmong(await this.#shared.names).filter((pack) => pack.key === key);
      // Newer packs first: they hold what was fetched again where older ones are damaged.
      packs.sort((a, b) => b.written - a.written);
      const tables = await Promise.all(packs.map((pack) => readTable(folder, pack)));
      tables.forEach((pieces, i) => {
        const pack = { name: packs[i].name };
        let at = tableBytes(pieces?.length ?? 0);
        for (const piece of pieces ?? []) {
          this.#extents.add({ ...piece, pack, at });
          at += piece.length;
        }
      });
    } catch (error) {
      this.#turnOff(error);
    }
  }

  /**
   * The pieces that touch `extent`, in order.
   * @param {Extent} extent
   */
  within(extent) {
    return this.#extents.within(extent);
  }

  /**
   * @param {Extent} extent
   * @returns {boolean}
   */
  covers(extent) {
    return this.#extents.covers(extent);
  }

  /**
   * @param {Piece} piece
   * @returns {Promise<Uint8Array | undefined>} undefined: it is gone
   */
  async read(piece) {
    if (piece.bytes) return piece.bytes;
    const { pack, length } = piece;
    const name = /** @type {string} */ (pack.name);
    const bytes = await this.#reads.read(piece);
    if (bytes?.length !== length) {
      this.#extents.remove((other) => other.pack === pack);
      return undefined;
    }
    if (this.#shared.uses.add(name)) this.#writeSoon();
    return bytes;
  }

  /**
   * Takes checked bytes, which are written later.
   * @param {number} offset
   * @param {Uint8Array} bytes they are copied
   */
  keep(offset, bytes) {
    const { length } = bytes;
    const unwanted = this.#key === undefined || this.stats.off !== undefined || length === 0 || length > this.longest;
    if (unwanted || this.#shared.unwrittenBytes + length > UNWRITTEN_LIMIT || this.covers({ offset, length })) return;
    const added = this.#extents.add({ offset, length, pack: { name: undefined }, at: 0, bytes: bytes.slice() });
    this.#unwritten.push(...added);
    for (const piece of added) this.#count(piece.length);
    this.#writeSoon();
  }

  /**
   * Drops the pieces that touch an extent, as it was damaged.
   * @param {Extent} extent
   * @returns {boolean} whether anything there had come from the folder
   */
  forget(extent) {
    const found = this.within(extent);
    const end = extent.offset + extent.length;
    this.#extents.remove((piece) => piece.offset < end && extent.offset < piece.offset + piece.length);
    return found.some(({ pack }) => pack.name !== undefined);
  }

  /** Writes what waits to be written. */
  async close() {
    clearTimeout(this.#timer);
    this.#write((folder) => this.#flush(folder));
    await this.#shared.writing;
    this.#extents = new Extents();
  }

  /** @param {number} bytes that wait to be written, more than before */
  #count(bytes) {
    this.#unwrittenBytes += bytes;
    this.#shared.unwrittenBytes += bytes;
  }

  #writeSoon() {
    clearTimeout(this.#timer);
    const full = this.#unwrittenBytes >= PACK_LIMIT;
    this.#timer = setTimeout(() => this.#write((folder) => this.#flush(folder)), full ? 0 : PAUSE);
    // In Node the timer must not keep a process alive.
    /** @type {{ unref?: () => void }} */ (/** @type {unknown} */ (this.#timer)).unref?.();
  }

  /** @param {(folder: Folder) => Promise<void>} action */
  #write(action) {
    this.#shared.writing = this.#shared.writing.then(async () => {
      const folder = await this.#folder;
      if (!folder || this.stats.off !== undefined) return;
      await action(folder).catch((error) => this.#turnOff(error));
    });
  }

  /** @param {Folder} folder */
  async #flush(folder) {
    while (this.#unwritten.length > 0) {
      const pieces = this.#takePack(this.#unwritten);
      await this.#writePack(folder, pieces);
      for (const { length } of pieces) this.#count(-length);
    }
    await this.#mergeSmall(folder);
    await this.#shared.uses.write(folder);
  }

  /**
   * @param {Piece[]} pieces
   * @returns {Piece[]} the first of them, removed from `pieces`: enough for a pack
   */
  #takePack(pieces) {
    const limit = Math.min(PACK_LIMIT, Math.max(this.#limit / 16, 65536));
    let [count, bytes] = [1, pieces[0].length];
    while (count < pieces.length && bytes + pieces[count].length <= limit) bytes += pieces[count++].length;
    return pieces.splice(0, count);
  }

  /**
   * Merges small packs into large ones. Packs that another tab wrote since `open` are not known here, and stay.
   * @param {Folder} folder
   */
  async #mergeSmall(folder) {
    if (this.#extents.packs < MANY) return;
    const all = packsAmong(await folder.names());
    const small = all.filter(({ key, bytes, name }) => key === this.#key && bytes < SMALL && this.#extents.inPack(name).length > 0);
    const total = all.concat(small).reduce((sum, { bytes }) => sum + bytes, 0);
    if (small.length < MANY || total > this.#limit) return;
    /** @type {Piece[]} */
    const pieces = [];
    for (const { name, bytes } of small) {
      const pack = await folder.read(name, 0, bytes).catch(() => undefined);
      if (pack?.length !== bytes) return;
      for (const piece of this.#extents.inPack(name)) {
        piece.bytes = pack.slice(piece.at, piece.at + piece.length);
        pieces.push(piece);
      }
    }
    while (pieces.length > 0) await this.#writePack(folder, this.#takePack(pieces));
    for (const { name } of small) await folder.remove(name);
  }

  /**
   * @param {Folder} folder
   * @param {Piece[]} pieces
   */
  async #writePack(folder, pieces) {
    const table = encodeTable(pieces);
    const total = pieces.reduce((sum, { length }) => sum + length, table.length);
    const name = packName(/** @type {string} */ (this.#key), total);
    const own = { key: this.#key, front: this.within({ offset: 0, length: 1 })[0]?.pack.name };
    const fits = await makeRoom(folder, total, this.#limit, this.#shared.uses, own, (removed) => this.#extents.remove((piece) => piece.pack.name === removed));
    if (fits) await folder.write(name, [table, ...pieces.map(({ bytes }) => /** @type {Uint8Array} */ (bytes))]);
    const pack = { name };
    let at = table.length;
    for (const piece of pieces) {
      Object.assign(piece, { pack, at, bytes: undefined });
      at += piece.length;
    }
    if (!fits) this.#extents.remove((piece) => piece.pack === pack);
  }

  /**
   * @param {unknown} error
   * @returns {undefined}
   */
  #turnOff(error) {
    const { name, code, message } = /** @type {Error & { code?: unknown }} */ (Object(error));
    this.stats.off ??= `${typeof code === "string" ? code : name}: ${message}`;
    this.#unwritten = [];
    this.#count(-this.#unwrittenBytes);
    this.#extents.remove((piece) => piece.bytes !== undefined);
  }
}
