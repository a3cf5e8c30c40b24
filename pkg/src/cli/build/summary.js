// The report of a build as text; with --json its fields are printed as they are.
import { curveLines, field, print } from "../output.js";
import { plural, showSize } from "../size.js";

/**
 * @typedef {object} Summary the fields of the native command line, and `memory`
 * @property {string} folder
 * @property {string} file
 * @property {string} content_id
 * @property {number} parts how many part files there are; 0 without --parts
 * @property {number} generation of the folder
 * @property {number} segments
 * @property {number} index_rows
 * @property {number} replaced
 * @property {number} rows
 * @property {number} dim
 * @property {number} bytes
 * @property {number} bytes_per_vector
 * @property {number} read_seconds
 * @property {number} build_seconds
 * @property {number} vectors_per_second
 * @property {string[]} fields the names of the fields that are stored
 * @property {number} field_bytes their bytes in the file
 * @property {import("../output.js").Step[]} curve
 * @property {{ code: string, message: string }[]} warnings
 * @property {import("../../folder/old.js").Old[]} old_segments
 * @property {boolean} pruned
 * @property {number} memory bytes that the WebAssembly module took
 *
 * @typedef {{ again: boolean, hint: string | undefined }} Added what an append tells besides; `again`: the index had this very segment
 */

/** Names of fields that are shown. */
const SHOWN = 8;
/** From so many segments on, a merge is worth a hint: a search asks each of them. */
const MANY_SEGMENTS = 8;

/**
 * Why the segments of an index should be merged, and how; undefined where they are few and have few dead rows.
 * @param {string} path
 * @param {{ count: number, dead?: { count: number } }[]} segments
 */
export function mergeHint(path, segments) {
  const dead = segments.reduce((sum, segment) => sum + (segment.dead?.count ?? 0), 0);
  const rows = segments.reduce((sum, segment) => sum + segment.count, 0);
  if (segments.length >= MANY_SEGMENTS) return `a search asks each of the ${segments.length} segments: \`pagevec merge ${path}\` makes one of them`;
  return dead > Math.floor(rows / 4) ? `${dead} of the ${rows} rows stored are dead: \`pagevec merge ${path}\` leaves them out` : undefined;
}

/**
 * @param {Summary} summary
 * @param {Added | undefined} added
 */
export function printSummary(summary, added) {
  const { rows, dim, bytes, parts, bytes_per_vector, read_seconds, build_seconds, vectors_per_second, curve, folder, memory } = summary;
  print(
    [
      field("rows", `${rows} of ${dim} components${effectOf(summary, added)}`),
      field("file size", showSize(bytes)),
      ...(parts > 0 ? [field("part files", parts)] : []),
      field("bytes per vector", bytes_per_vector.toFixed(1)),
      ...fieldLine(summary),
      field("time", `${read_seconds.toFixed(2)} s reading, ${build_seconds.toFixed(2)} s building`),
      field("vectors/s", vectors_per_second.toFixed(0)),
      field("memory", `${showSize(memory)} of WebAssembly`),
      ...curveLines(curve),
      field("folder", folder),
      ...(added ? [field("index", `${summary.index_rows} rows in ${plural(summary.segments, "segment")}, generation ${summary.generation}`)] : []),
      ...(added?.hint ? [field("hint", added.hint)] : []),
      ...oldLine(summary.old_segments, summary.pruned),
    ].join("\n"),
  );
}

/** @param {Summary} summary */
function fieldLine({ fields, field_bytes }) {
  if (fields.length === 0) return [];
  return [field("fields", `${fields.slice(0, SHOWN).join(", ")}${fields.length > SHOWN ? ", …" : ""}: ${showSize(field_bytes)}`)];
}

/**
 * Bytes of the stored fields in a segment.
 * @param {import("../../core/info.js").Section[]} sections
 */
export function fieldBytes(sections) {
  return sections.filter(({ name }) => name === "field directory" || name === "fields").reduce((sum, { length }) => sum + length, 0);
}

/**
 * What became of the rows that were appended.
 * @param {Summary} summary
 * @param {Added | undefined} added
 */
function effectOf({ rows, replaced }, added) {
  if (!added) return "";
  return added.again ? ": the index had this very segment, which is its last one now" : `: ${Math.max(0, rows - replaced)} new, ${replaced} in place of earlier ones`;
}

/**
 * @param {import("../../folder/old.js").Old[]} old
 * @param {boolean} pruned
 */
function oldLine(old, pruned) {
  if (old.length === 0) return [];
  const bytes = showSize(old.reduce((sum, { bytes }) => sum + bytes, 0));
  return [field("earlier files", `${old.length}, ${bytes}: ${pruned ? "removed" : "--prune removes them"}`)];
}
