// The report of a build as text; with --json its fields are printed as they are.
import { curveLines, field, print } from "../output.js";
import { showSize } from "../size.js";

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
 * @property {import("../output.js").Step[]} curve
 * @property {{ code: string, message: string }[]} warnings
 * @property {import("../../folder/old.js").Old[]} old_segments
 * @property {boolean} pruned
 * @property {number} memory bytes that the WebAssembly module took
 */

/** @param {Summary} summary */
export function printSummary(summary) {
  const { rows, dim, bytes, parts, bytes_per_vector, read_seconds, build_seconds, vectors_per_second, curve, folder, memory } = summary;
  print(
    [
      field("rows", `${rows} of ${dim} components`),
      field("file size", showSize(bytes)),
      ...(parts > 0 ? [field("part files", parts)] : []),
      field("bytes per vector", bytes_per_vector.toFixed(1)),
      field("time", `${read_seconds.toFixed(2)} s reading, ${build_seconds.toFixed(2)} s building`),
      field("vectors/s", vectors_per_second.toFixed(0)),
      field("memory", `${showSize(memory)} of WebAssembly`),
      ...curveLines(curve),
      field("folder", folder),
      ...oldLine(summary.old_segments, summary.pruned),
    ].join("\n"),
  );
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
