// Which packs go when a store is full, and when each was last read.
import { packsAmong } from "./packs.js";

/** Bytes of the file `uses` at most. */
const USES_LIMIT = 1 << 20;

/**
 * @typedef {import("./opfs.js").Folder} Folder
 * @typedef {import("./packs.js").PackName} PackName
 */

/** When packs were last read: by this tab, and as the file `uses` says, by others. */
export class Uses {
  /** @type {Map<string, number>} */
  #own = new Map();
  #written = true;

  /**
   * @param {string} pack which was read now
   * @returns {boolean} whether this is news
   */
  add(pack) {
    if (this.#own.has(pack)) return false;
    this.#own.set(pack, Date.now());
    this.#written = false;
    return true;
  }

  /**
   * @param {Folder} folder
   * @returns {Promise<Record<string, number>>} by name of the pack
   */
  async all(folder) {
    const own = Object.fromEntries(this.#own);
    const text = await folder.read("uses", 0, USES_LIMIT).then((bytes) => new TextDecoder().decode(bytes), () => "{}");
    try {
      return { ...JSON.parse(text), ...own };
    } catch {
      return own;
    }
  }

  /** @param {Folder} folder */
  async write(folder) {
    if (this.#written) return;
    this.#written = true;
    const present = new Set(await folder.names());
    const uses = Object.entries(await this.all(folder)).filter(([name]) => present.has(name));
    await folder.write("uses", [new TextEncoder().encode(JSON.stringify(Object.fromEntries(uses)))]);
  }
}

/**
 * Removes packs until there is room for `bytes`: first those of content that no URL has any more, then those that were not read for
 * longest.
 * @param {Folder} folder
 * @param {number} bytes
 * @param {number} limit bytes of all packs
 * @param {Uses} uses
 * @param {{ key: string | undefined, front: string | undefined }} own the content that is open, and the pack with its front, which
 *   stays: the rest cannot be used without it
 * @param {(pack: string) => void} onRemove
 * @returns {Promise<boolean>} whether there is room now
 */
export async function makeRoom(folder, bytes, limit, uses, own, onRemove) {
  const names = await folder.names();
  let packs = packsAmong(names);
  let total = packs.reduce((sum, pack) => sum + pack.bytes, bytes);
  if (total <= limit) return true;
  const lastUses = await uses.all(folder);
  const urls = names.filter((name) => name.endsWith(".url"));
  const current = new Set(urls.map((name) => name.split(".")[0]));
  const rank = (/** @type {PackName} */ { key, name, written }) => (current.has(key) || key === own.key ? lastUses[name] ?? written : 0);
  packs.sort((a, b) => rank(a) - rank(b) || a.written - b.written);
  for (const { name, key, bytes: size } of [...packs]) {
    if (total <= limit) break;
    if (name === own.front) continue;
    await folder.remove(name);
    onRemove(name);
    total -= size;
    packs = packs.filter((pack) => pack.name !== name);
    // A URL's file is of no use without packs of its content.
    if (key === own.key || packs.some((pack) => pack.key === key)) continue;
    for (const url of urls) if (url.startsWith(`${key}.`)) await folder.remove(url);
  }
  return total <= limit;
}
