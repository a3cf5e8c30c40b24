// index.json names the segment file or parts of an index. Every value is checked before it is used: a manifest must not name
// anything outside its own folder.
import { PagevecError } from "../errors.js";

/** Bytes of a manifest at most. None needs as many; a larger answer is something else. */
export const MANIFEST_LIMIT = 1 << 20;

/**
 * @typedef {object} Entry
 * @property {string | undefined} file the segment's name within the manifest's folder; an entry has this, or `parts`, or both
 * @property {import("./parts.js").Parts | undefined} parts
 * @property {number} length of the file
 * @property {number} front bytes from 0 that opening needs
 * @property {string} contentId
 * @property {string} fileId
 * @property {number} count
 * @property {number} dim
 * @property {string} metric
 * @property {[name: string, offset: number, length: number][] | undefined} sections
 */

/**
 * @param {string} text
 * @param {string} where for messages, without a query string
 * @returns {Entry}
 */
export function parseManifest(text, where) {
  /** @type {any} */
  let json;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const looks = /^\s*</.test(text) ? "it looks like an HTML page" : "it is not JSON";
    throw new PagevecError("manifest", `${where} is no pagevec manifest: ${looks}. Is the URL the index's folder?`, { cause });
  }
  if (json === null || typeof json !== "object" || !Number.isInteger(json.pagevec)) fail(where, "`pagevec` (its version) is missing");
  if (json.pagevec !== 1) fail(where, `its version is ${json.pagevec}; this package reads version 1: update pagevec`);
  if (!Array.isArray(json.segments) || json.segments.length !== 1) fail(where, "`segments` must list one segment");
  return checkEntry(json.segments[0], where);
}

/**
 * @param {any} entry
 * @param {string} where
 * @returns {Entry}
 */
function checkEntry(entry, where) {
  if (entry === null || typeof entry !== "object") fail(where, "a segment must be an object");
  const { file, length, front, contentId, fileId, count, dim, metric, sections, parts } = entry;
  if (file === undefined && parts === undefined) fail(where, "it names neither a `file` nor `parts`");
  if (file !== undefined && !isPlainName(file)) fail(where, "`file` must be a plain name in the same folder");
  for (const [name, value, least] of /** @type {const} */ ([["length", length, 1], ["front", front, 1], ["count", count, 0], ["dim", dim, 1]])) {
    if (!Number.isSafeInteger(value) || value < least) fail(where, `\`${name}\` must be an integer of at least ${least}`);
  }
  if (front > length) fail(where, "`front` is larger than `length`");
  if (!isHex(contentId, 64)) fail(where, "`contentId` must be 64 hexadecimal digits");
  if (!isHex(fileId, 32)) fail(where, "`fileId` must be 32 hexadecimal digits");
  if (typeof metric !== "string") fail(where, "`metric` must be a string");
  if (sections !== undefined && !Array.isArray(sections)) fail(where, "`sections` must be an array");
  if (parts !== undefined) checkParts(parts, length, where);
  return { file, parts, length, front, contentId, fileId, count, dim, metric, sections };
}

/**
 * @param {any} parts
 * @param {number} length
 * @param {string} where
 */
function checkParts(parts, length, where) {
  if (parts === null || typeof parts !== "object") fail(where, "`parts` must be an object");
  if (!isPlainName(parts.folder)) fail(where, "`parts.folder` must be a plain name in the same folder");
  const { cuts } = parts;
  if (!Array.isArray(cuts) || cuts.length === 0) fail(where, "`parts.cuts` must be a list");
  let least = 0;
  for (const [i, cut] of cuts.entries()) {
    const [from, size] = Array.isArray(cut) ? cut : [];
    const inside = Number.isSafeInteger(from) && from >= least && from < length && (i > 0 || from === 0);
    if (!inside || !Number.isSafeInteger(size) || size < 1) fail(where, "`parts.cuts` must rise from 0 inside the file");
    least = from + 1;
  }
}

/**
 * @param {unknown} file
 * @returns {boolean}
 */
export function isPlainName(file) {
  return typeof file === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(file) && file !== "." && file !== "..";
}

/**
 * @param {unknown} value
 * @param {number} digits
 */
function isHex(value, digits) {
  return typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);
}

/**
 * @param {string} where
 * @param {string} what
 * @returns {never}
 */
function fail(where, what) {
  throw new PagevecError("manifest", `${where} is no valid pagevec manifest: ${what}. Publish the index again`);
}

/**
 * Throws `stale` if the manifest and the segment's header differ: they were not published together.
 * @param {Entry} entry
 * @param {{ count: number, dim: number, metric: string, fileId: string, fileLength: number, sections: { name: string, offset: number, length: number }[] }} info
 * @param {string} where
 * @returns {void}
 */
export function checkAgainst(entry, info, where) {
  for (const name of /** @type {const} */ (["fileId", "count", "dim", "metric"])) {
    if (entry[name] !== info[name]) notTogether(where, name, entry[name], info[name]);
  }
  if (entry.length !== info.fileLength) notTogether(where, "length", entry.length, info.fileLength);
  const sections = JSON.stringify(info.sections.map(({ name, offset, length }) => [name, offset, length]));
  const listed = JSON.stringify(entry.sections ?? null);
  if (entry.sections !== undefined && listed !== sections) notTogether(where, "sections", listed.slice(0, 200), sections);
}

/**
 * @param {string} where
 * @param {string} name
 * @param {unknown} listed
 * @param {unknown} found
 * @returns {never}
 */
function notTogether(where, name, listed, found) {
  throw new PagevecError(
    "stale",
    `${where}: index.json says ${name} ${listed}, the segment says ${found}: they were not published together. Upload both again, and purge caches`,
  );
}
