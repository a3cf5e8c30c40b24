// The files of a store and their names. A pack holds pieces of one segment and is never changed: two tabs that write the same bytes
// write two packs. Eviction needs nothing but the names, so one listing of the folder serves it:
//
//   <key>.<bytes>.<time>.<random>.pack   size, time of writing and a random number in base 36
//   <key>.<hash of the URL>.url          what the URL had at the last visit: its index.json, or { length }
//   <key>.<hash of the URL>.too.url      empty: the index at the URL has this content too
//   uses                                 JSON: when packs were last read

const MAGIC = 0x4b50_5650; // "PVPK"

/** Bytes of a table that one read brings; a longer table takes another. */
const TABLE_GUESS = 8192;
/** Milliseconds after which no tab writes to a pack any more. */
const ABANDONED = 60_000;

/**
 * @typedef {import("./extents.js").Extent} Extent
 * @typedef {{ name: string, key: string, bytes: number, written: number }} PackName
 */

/**
 * @param {string} key
 * @param {number} bytes
 */
export function packName(key, bytes) {
  const random = Math.floor(Math.random() * 2 ** 48);
  return `${[key, ...[bytes, Date.now(), random].map((number) => number.toString(36))].join(".")}.pack`;
}

/**
 * @param {string[]} names of files
 * @returns {PackName[]}
 */
export function packsAmong(names) {
  return names.flatMap((name) => {
    const match = /^([0-9a-f]+)\.([0-9a-z]{1,10})\.([0-9a-z]{1,10})\.[0-9a-z]+\.pack$/.exec(name);
    return match ? [{ name, key: match[1], bytes: parseInt(match[2], 36), written: parseInt(match[3], 36) }] : [];
  });
}

/**
 * @param {number} pieces
 * @returns {number} bytes before the first of them
 */
export function tableBytes(pieces) {
  return 16 * (pieces + 1);
}

/**
 * @param {Extent[]} pieces
 * @returns {Uint8Array}
 */
export function encodeTable(pieces) {
  const numbers = [MAGIC, pieces.length, ...pieces.flatMap(({ offset, length }) => [offset, length])];
  return new Uint8Array(Float64Array.from(numbers).buffer);
}

/**
 * @param {Uint8Array} head the first bytes of a pack
 * @param {number} bytes of the pack
 * @returns {{ needed: number } | { pieces: Extent[] } | undefined} `needed`: bytes of head that decoding needs; undefined: the pack is incomplete
 */
function decodeTable(head, bytes) {
  const numbers = new Float64Array(head.slice(0, head.length & ~15).buffer);
  const count = numbers[1];
  if (numbers[0] !== MAGIC || !(count >= 0) || tableBytes(count) > bytes) return undefined;
  if (tableBytes(count) > head.length) return { needed: tableBytes(count) };
  /** @type {Extent[]} */
  const pieces = [];
  let total = tableBytes(count);
  for (let i = 1; i <= count; i++) {
    const [offset, length] = [numbers[2 * i], numbers[2 * i + 1]];
    if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length) || length < 1) return undefined;
    pieces.push({ offset, length });
    total += length;
  }
  return total === bytes ? { pieces } : undefined;
}

/**
 * @param {import("./opfs.js").Folder} folder
 * @param {PackName} pack
 * @returns {Promise<Extent[] | undefined>} undefined: it is incomplete, or was removed
 */
export async function readTable(folder, { name, bytes, written }) {
  try {
    let table = decodeTable(await folder.read(name, 0, Math.min(TABLE_GUESS, bytes)), bytes);
    if (table && "needed" in table) table = decodeTable(await folder.read(name, 0, table.needed), bytes);
    if (table && "pieces" in table) return table.pieces;
    if (Date.now() - written > ABANDONED) await folder.remove(name);
  } catch {
    // Another tab removed it.
  }
  return undefined;
}
