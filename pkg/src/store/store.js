// What outlives the page: pieces of one segment that were fetched and checked, in a folder that all indexes of the
// origin share. Nothing waits for it and nothing fails by it: bytes are written behind, and an error turns it off until
// the next `open`. Tabs need no lock, as packs are written once under names of their own.
import { PagevecError } from "../errors.js";
import { Extents } from "./extents.js";
import { encodeTable, packName, packsAmong, readTable, tableBytes } from "./packs.js";
import { BatchedReads } from "./batched-reads.js";
import { StoredSource } from "./stored-source.js";
import { recall, remember } from "./visited-urls.js";

/** Milliseconds without a new piece after which pieces are written. */
const PAUSE = 300;
/** Bytes in memory that are not written yet; more are not kept. */
const FRESH_LIMIT = 16 << 20;
const PACK_LIMIT = 4 << 20;
/** So many packs smaller than this become few: an opening reads the table of each. */
const MANY = 32;
const SMALL = 512 << 10;
/**
 * @typedef {import("./opfs.js").Folder} Folder
 * @typedef {import("./extents.js").Extent} Extent
 * @typedef {import("./extents.js").Piece} Piece
 *
 * @typedef {object} StoreStats since open
 * @property {number} hits reads that the store answered
 * @property {number} misses reads that the network answered, in whole or in part
 * @property {number} bytes that came from the store
 * @property {string} [off] why nothing is written any more, or nothing ever was
 */

export class Store {
  /** @type {StoreStats} */
  stats = { hits: 0, misses: 0, bytes: 0 };
  #limit;
  /** @type {Promise<Folder | undefined>} */
  #folder;
  /** @type {string | undefined} which content */
  #key;
  #extents = new Extents();
  /** @type {Piece[]} not written yet */
  #fresh = [];
  #freshBytes = 0;
  #reads;
  /** @type {Map<string, number>} when packs were last read here */
  #uses = new Map();
  #usesWritten = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<void>} the writes under way, one after another */
  #writing = Promise.resolve();

  /**
   * @param {Promise<Folder>} folder
   * @param {number} limit bytes of all packs in it
   */
  constructor(folder, limit) {
    this.#limit = limit;
    this.#folder = folder.catch((error) => this.#turnOff(error));
    this.#reads = new BatchedReads(this.#folder);
  }

  /** Longer reads are not kept: they would push out everything else. */
  get longest() {
    return this.#limit / 2;
  }

  /**
   * @param {import("../sources/source.js").Source} source
   * @param {string} url what the user opened, without a query string
   * @param {string} [key] of the content, where a manifest names it
   * @returns {StoredSource} the source with this store before it
   */
  wrap(source, url, key) {
    return new StoredSource(source, this, url, key);
  }

  /**
   * What the URL was at the last visit, if `error` says that the host is out of reach.
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
   * Notes behind what the URL is now; what it was before goes, unless another URL still is it.
   * @param {string} url
   * @param {Uint8Array} bytes
   */
  remember(url, bytes) {
    this.#write((folder) => remember(folder, /** @type {string} */ (this.#key), url, bytes));
  }

  /**
   * Finds what is stored of a content. Before this nothing is read or kept.
   * @param {string} key
   */
  async use(key) {
    this.#key = key;
    try {
      const folder = await this.#folder;
      if (!folder) return;
      const packs = packsAmong(await folder.names()).filter((pack) => pack.key === key);
      // Newer ones first, as they hold what was fetched again in the place of damaged pieces.
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
    if (!this.#uses.has(name)) {
      this.#uses.set(name, Date.now());
      this.#usesWritten = false;
      this.#soon();
    }
    return bytes;
  }

  /**
   * Takes checked bytes, to be written behind.
   * @param {number} offset
   * @param {Uint8Array} bytes they are copied
   */
  keep(offset, bytes) {
    const { length } = bytes;
    const unwanted = this.#key === undefined || this.stats.off !== undefined || length === 0 || length > this.longest;
    if (unwanted || this.#freshBytes + length > FRESH_LIMIT || this.covers({ offset, length })) return;
    const added = this.#extents.add({ offset, length, pack: { name: undefined }, at: 0, bytes: bytes.slice() });
    this.#fresh.push(...added);
    for (const piece of added) this.#freshBytes += piece.length;
    this.#soon();
  }

  /**
   * Drops what is stored around a place that was damaged.
   * @param {Extent} extent
   * @returns {boolean} whether anything there had come from the folder
   */
  forget(extent) {
    const found = this.within(extent);
    const end = extent.offset + extent.length;
    this.#extents.remove((piece) => piece.offset < end && extent.offset < piece.offset + piece.length);
    return found.some(({ pack }) => pack.name !== undefined);
  }

  /** Writes what is not written yet. */
  async close() {
    clearTimeout(this.#timer);
    this.#write((folder) => this.#flush(folder));
    await this.#writing;
    this.#extents = new Extents();
  }

  #soon() {
    clearTimeout(this.#timer);
    const full = this.#freshBytes >= PACK_LIMIT;
    this.#timer = setTimeout(() => this.#write((folder) => this.#flush(folder)), full ? 0 : PAUSE);
    // Node: waiting for more pieces keeps no process alive.
    /** @type {{ unref?: () => void }} */ (/** @type {unknown} */ (this.#timer)).unref?.();
  }

  /** @param {(folder: Folder) => Promise<void>} action */
  #write(action) {
    this.#writing = this.#writing.then(async () => {
      const folder = await this.#folder;
      if (!folder || this.stats.off !== undefined) return;
      await action(folder).catch((error) => this.#turnOff(error));
    });
  }

  /** @param {Folder} folder */
  async #flush(folder) {
    while (this.#fresh.length > 0) {
      const pieces = this.#nextOf(this.#fresh);
      await this.#writePack(folder, pieces);
      for (const { length } of pieces) this.#freshBytes -= length;
    }
    await this.#merge(folder);
    if (this.#usesWritten) return;
    this.#usesWritten = true;
    const present = new Set(await folder.names());
    const uses = Object.entries(await this.#allUses(folder)).filter(([name]) => present.has(name));
    await folder.write("uses", [new TextEncoder().encode(JSON.stringify(Object.fromEntries(uses)))]);
  }

  /**
   * @param {Piece[]} pieces
   * @returns {Piece[]} the first of them, taken out: enough for a pack
   */
  #nextOf(pieces) {
    const limit = Math.min(PACK_LIMIT, Math.max(this.#limit / 16, 65536));
    let [count, bytes] = [1, pieces[0].length];
    while (count < pieces.length && bytes + pieces[count].length <= limit) bytes += pieces[count++].length;
    return pieces.splice(0, count);
  }

  /**
   * Writes many small packs as few. Those that another tab wrote meanwhile are not known here, and stay.
   * @param {Folder} folder
   */
  async #merge(folder) {
    const all = packsAmong(await folder.names());
    const small = all.filter(({ key, bytes, name }) => key === this.#key && bytes < SMALL && this.#extents.inPack(name).length > 0);
    const total = all.concat(small).reduce((sum, { bytes }) => sum + bytes, 0);
    if (small.length < MANY || total > this.#limit) return;
    /** @type {Piece[]} */
    const pieces = [];
    for (const { name, bytes } of small) {
      const pack = await folder.read(name, 0, bytes);
      if (pack.length !== bytes) return;
      for (const piece of this.#extents.inPack(name)) {
        piece.bytes = pack.slice(piece.at, piece.at + piece.length);
        pieces.push(piece);
      }
    }
    while (pieces.length > 0) await this.#writePack(folder, this.#nextOf(pieces));
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
    const fits = await this.#makeRoom(folder, total);
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
   * Removes packs until there is room for `bytes`: first those of content that no URL is any more, then those that were
   * not read for longest. The front stays, as the rest is of no use without it.
   * @param {Folder} folder
   * @param {number} bytes
   * @returns {Promise<boolean>} whether there is room now
   */
  async #makeRoom(folder, bytes) {
    const names = await folder.names();
    const packs = packsAmong(names);
    let total = packs.reduce((sum, pack) => sum + pack.bytes, bytes);
    if (total <= this.#limit) return true;
    const uses = await this.#allUses(folder);
    const current = new Set(names.filter((name) => name.endsWith(".url")).map((name) => name.split(".")[0]));
    const rank = (/** @type {import("./packs.js").PackName} */ { key, name, written }) => (current.has(key) || key === this.#key ? uses[name] ?? written : 0);
    packs.sort((a, b) => rank(a) - rank(b) || a.written - b.written);
    const front = this.within({ offset: 0, length: 1 })[0]?.pack.name;
    for (const { name, key, bytes: size } of packs) {
      if (total <= this.#limit) break;
      if (name === front) continue;
      await folder.remove(name);
      total -= size;
      this.#extents.remove((piece) => piece.pack.name === name);
      packs.find((pack) => pack.name === name && (pack.bytes = 0));
      // What a URL was is of no use without a pack.
      if (packs.some((pack) => pack.key === key && pack.bytes > 0) || key === this.#key) continue;
      for (const url of names) if (url.startsWith(`${key}.`) && url.endsWith(".url")) await folder.remove(url);
    }
    return total <= this.#limit;
  }

  /**
   * @param {Folder} folder
   * @returns {Promise<Record<string, number>>}
   */
  async #allUses(folder) {
    const text = await folder.read("uses", 0, 1 << 20).then((bytes) => new TextDecoder().decode(bytes), () => "{}");
    try {
      return { ...JSON.parse(text), ...Object.fromEntries(this.#uses) };
    } catch {
      return Object.fromEntries(this.#uses);
    }
  }

  /**
   * @param {unknown} error
   * @returns {undefined}
   */
  #turnOff(error) {
    const { name, code, message } = /** @type {Error & { code?: unknown }} */ (Object(error));
    this.stats.off ??= `${typeof code === "string" ? code : name}: ${message}`;
    this.#fresh = [];
    this.#freshBytes = 0;
    this.#extents.remove((piece) => piece.bytes !== undefined);
  }
}
