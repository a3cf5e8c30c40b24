// index.json names the segment files or parts of an index. Every value is checked before it is used: a manifest must not name
// anything outside its own folder.
import { PagevecError } from "../errors.js";

/** Bytes of a manifest at most. None needs as many; a larger answer is something else. */
export const MANIFEST_LIMIT = 4 << 20;
/** Segments of an index at most. */
export const MAX_SEGMENTS = 1024;
/** Characters of the name of a model at most. */
const MODEL_NAME = 200;

/**
 * @typedef {object} Manifest
 * @property {number} generation rises with each manifest of the index; 0 in version 1
 * @property {Entry[]} segments in the order in which they were written; at least one
 *
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
 * @property {string | undefined} model that made the vectors, as the publisher named it
 * @property {[name: string, offset: number, length: number][] | undefined} sections
 * @property {Dead | undefined} dead its dead rows, where it has some
 *
 * @typedef {{ file: string, length: number, count: number, contentId: string }} Dead the file that holds their positions, in the
 *   manifest's folder
 */

/**
 * @param {string} text
 * @param {string} where for messages, without a query string
 * @returns {Manifest}
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
  const { pagevec: version, generation = 0, segments } = json;
  if (version !== 1 && version !== 2) fail(where, `its version is ${version}; this package reads versions 1 and 2: update pagevec`);
  const most = version === 1 ? 1 : MAX_SEGMENTS;
  if (!Array.isArray(segments) || segments.length < 1 || segments.length > most) fail(where, `\`segments\` must list 1 to ${most} of them in version ${version}`);
  if (version === 2) checkNumbers(where, "", [["generation", json.generation, 0]]);
  const entries = segments.map((entry, i) => checkEntry(entry, version, segments.length > 1 ? `segment ${i}` : "", where));
  checkTogether(entries, where);
  return { generation: version === 1 ? 0 : generation, segments: entries };
}

/**
 * @param {any} entry
 * @param {number} version
 * @param {string} which segment it is; empty if there is no other
 * @param {string} where
 * @returns {Entry}
 */
function checkEntry(entry, version, which, where) {
  if (entry === null || typeof entry !== "object") fail(where, "a segment must be an object", which);
  const { file, length, front, contentId, fileId, count, dim, metric, model, sections, parts, dead } = entry;
  if (file === undefined && parts === undefined) fail(where, "it names neither a `file` nor `parts`", which);
  if (file !== undefined && !isPlainName(file)) fail(where, "`file` must be a plain name in the same folder", which);
  if (file !== undefined && which) which += ` (${file})`;
  checkNumbers(where, which, [["length", length, 1], ["front", front, 1], ["count", count, 0], ["dim", dim, 1]]);
  if (front > length) fail(where, "`front` is larger than `length`", which);
  if (!isHex(contentId, 64)) fail(where, "`contentId` must be 64 hexadecimal digits", which);
  if (!isHex(fileId, 32)) fail(where, "`fileId` must be 32 hexadecimal digits", which);
  if (typeof metric !== "string") fail(where, "`metric` must be a string", which);
  if (model !== undefined && !isModelName(model)) fail(where, `\`model\` must be a text of 1 to ${MODEL_NAME} characters`, which);
  if (sections !== undefined && !Array.isArray(sections)) fail(where, "`sections` must be an array", which);
  if (parts !== undefined) checkParts(parts, length, which, where);
  if (dead !== undefined) checkDead(dead, count, version, which, where);
  return { file, parts, length, front, contentId, fileId, count, dim, metric, model, sections, dead };
}

/**
 * @param {any} dead
 * @param {number} rows of its segment
 * @param {number} version
 * @param {string} which
 * @param {string} where
 */
function checkDead(dead, rows, version, which, where) {
  if (version === 1) fail(where, "version 1 has no `dead`", which);
  if (dead === null || typeof dead !== "object") fail(where, "`dead` must be an object", which);
  const { file, length, count, contentId } = dead;
  if (!isPlainName(file)) fail(where, "`dead.file` must be a plain name in the same folder", which);
  checkNumbers(where, which, [["dead.length", length, 1], ["dead.count", count, 1]]);
  if (!isHex(contentId, 64)) fail(where, "`dead.contentId` must be 64 hexadecimal digits", which);
  if (count > rows) fail(where, `${file} has ${count} dead rows of ${rows}`, which);
}

/**
 * Whether the segments can be one index.
 * @param {Entry[]} entries
 * @param {string} where
 */
function checkTogether(entries, where) {
  const seen = new Set();
  const model = entries.find((entry) => entry.model !== undefined)?.model;
  for (const entry of entries) {
    for (const name of [entry.contentId, nameOfEntry(entry)]) {
      if (seen.has(name)) fail(where, `${nameOfEntry(entry)} is listed twice`);
      seen.add(name);
    }
    for (const name of /** @type {const} */ (["dim", "metric"])) {
      if (entry[name] !== entries[0][name]) fail(where, `${nameOfEntry(entry)} has ${name} ${entry[name]}, the first segment has ${entries[0][name]}`);
    }
    if (entry.model !== undefined && entry.model !== model) fail(where, `${nameOfEntry(entry)} has vectors of the model ${entry.model}, another segment of ${model}`);
  }
}

/**
 * @param {Entry} entry
 * @returns {string} the file, or the folder of parts
 */
export function nameOfEntry({ file, parts }) {
  return file ?? /** @type {import("./parts.js").Parts} */ (parts).folder;
}

/**
 * @param {unknown} name
 * @returns {name is string} whether it can name a model: in a manifest and in a line of text
 */
export function isModelName(name) {
  return typeof name === "string" && name.length > 0 && [...name].length <= MODEL_NAME && !/\p{Cc}/u.test(name);
}

/**
 * @param {string} where
 * @param {string} which
 * @param {[name: string, value: unknown, least: number][]} values
 */
function checkNumbers(where, which, values) {
  for (const [name, value, least] of values) {
    if (!Number.isSafeInteger(value) || /** @type {number} */ (value) < least) fail(where, `\`${name}\` must be an integer of at least ${least}`, which);
  }
}

/**
 * @param {any} parts
 * @param {number} length
 * @param {string} which
 * @param {string} where
 */
function checkParts(parts, length, which, where) {
  if (parts === null || typeof parts !== "object") fail(where, "`parts` must be an object", which);
  if (!isPlainName(parts.folder)) fail(where, "`parts.folder` must be a plain name in the same folder", which);
  const { cuts } = parts;
  if (!Array.isArray(cuts) || cuts.length === 0) fail(where, "`parts.cuts` must be a list", which);
  let least = 0;
  for (const [i, cut] of cuts.entries()) {
    const [from, size] = Array.isArray(cut) ? cut : [];
    const inside = Number.isSafeInteger(from) && from >= least && from < length && (i > 0 || from === 0);
    if (!inside || !Number.isSafeInteger(size) || size < 1) fail(where, "`parts.cuts` must rise from 0 inside the file", which);
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
 * @param {string} [which] segment it is about
 * @returns {never}
 */
function fail(where, what, which) {
  throw new PagevecError("manifest", `${where} is no valid pagevec manifest: ${which ? `${which}: ` : ""}${what}. Publish the index again`);
}

/**
 * Throws `stale` if the manifest and the segment's header differ: they were not published together.
 * @param {Entry} entry
 * @param {{ count: number, dim: number, metric: string, fileId: string, fileLength: number, dead: number, sections: { name: string, offset: number, length: number }[] }} info
 * @param {string} where
 * @returns {void}
 */
export function checkAgainst(entry, info, where) {
  for (const name of /** @type {const} */ (["fileId", "count", "dim", "metric"])) {
    if (entry[name] !== info[name]) notTogether(where, name, entry[name], info[name]);
  }
  const dead = entry.dead?.count ?? 0;
  if (dead !== info.dead) notTogether(where, "dead.count", dead, info.dead);
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
