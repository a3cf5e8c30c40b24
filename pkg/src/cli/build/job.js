// The work of `pagevec build` and `pagevec verify` in the core, which occupies its thread until it is done: worker.js is that thread.
// Files are open in the main thread, and are of the whole process.
import { writeSync } from "node:fs";
import { loadBuilder } from "../../build.js";
import { fromWasm, toPagevec } from "../../errors.js";
import { io, toFailure } from "../failure.js";
import { readFrom } from "../input/files.js";
import { Pieces } from "../input/pieces.js";
import { modules } from "../platform.js";

/**
 * @typedef {object} BuildJob
 * @property {"build"} kind
 * @property {{ handle: number, path: string, length: number, bytes: number, rows: number, dim: number, first: number, stride: number }} rows
 * @property {number} output the file that is written
 * @property {Record<string, unknown>} request options of the build module
 * @property {import("../input/pieces.js").Piece[]} [base] of the segment as whose rows these are encoded
 *
 * @typedef {{ kind: "verify", pieces: import("../input/pieces.js").Piece[] }} VerifyJob `pieces`: in order, all of a segment
 *
 * @typedef {{ kind: "progress", phase: string, done: number, total: number } | { kind: "warning", code: string, message: string }
 *   | { kind: "done", length: number, memory: number } | { kind: "failed", exit: 1 | 2, code: string, message: string }} Told
 */

/** Between two reports of progress. */
const PAUSE_MS = 50;

/** @typedef {(told: Told) => void} Tell */

/**
 * @param {BuildJob} job
 * @param {Tell} tell
 */
async function build({ rows, output, request, base }, tell) {
  const glue = await loadBuilder(modules.builder, undefined);
  let [told, length] = [0, 0];
  const onProgress = (/** @type {string} */ phase, /** @type {number} */ done, /** @type {number} */ total) => {
    if (performance.now() - told > PAUSE_MS) {
      told = performance.now();
      tell({ kind: "progress", phase, done, total });
    }
    return false;
  };
  const onWarning = (/** @type {string} */ code, /** @type {string} */ message) => tell({ kind: "warning", code, message });
  const onPiece = (/** @type {Uint8Array} */ piece) => {
    try {
      for (let done = 0; done < piece.length; ) done += writeSync(output, piece, done);
    } catch (error) {
      throw io("a temporary file beside the output", error);
    }
    length += piece.length;
  };
  const shape = Float64Array.of(rows.bytes, rows.rows, rows.dim, rows.first, rows.stride);
  const read = (/** @type {number} */ offset, /** @type {number} */ wanted) => readFrom(rows.handle, rows.path, offset, wanted);
  const options = { ...request, dim: rows.dim, onProgress, onWarning };
  if (base) {
    const files = new Pieces(base);
    try {
      glue.appendStored(read, rows.length, shape, files.reader, files.length, options, onPiece);
    } finally {
      files.close();
    }
  } else {
    glue.buildStored(read, rows.length, shape, options, onPiece);
  }
  tell({ kind: "done", length, memory: glue.memory.buffer.byteLength });
}

/**
 * @param {VerifyJob} job
 * @param {Tell} tell
 */
async function verify({ pieces }, tell) {
  const glue = await loadBuilder(modules.builder, undefined);
  const files = new Pieces(pieces);
  try {
    glue.verifySegment(files.reader, files.length);
  } finally {
    files.close();
  }
  tell({ kind: "done", length: files.length, memory: glue.memory.buffer.byteLength });
}

/**
 * Does a job, and tells what becomes of it.
 * @param {BuildJob | VerifyJob} job
 * @param {Tell} tell
 */
export async function perform(job, tell) {
  try {
    await (job.kind === "build" ? build(job, tell) : verify(job, tell));
  } catch (error) {
    // What stops the module is most often the end of its 4 GiB.
    const trapped = error instanceof WebAssembly.RuntimeError;
    const { exit, code, message } = toFailure(error instanceof Error && "exit" in error ? error : trapped || "code" in Object(error) ? fromWasm(error) : toPagevec(error));
    const advice = "the core stopped on an internal error or ran out of memory, of which WebAssembly has 4 GiB: try fewer rows, or the native command line";
    tell({ kind: "failed", exit, code, message: trapped ? advice : message });
  }
}
