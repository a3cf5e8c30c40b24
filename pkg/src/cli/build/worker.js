// The worker thread of `pagevec build` and `pagevec verify`: the core occupies it until it is done, while the main thread shows the
// progress and hears an interrupt. Files are open in the main thread, and are of the whole process.
import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { loadBuilder } from "../../build.js";
import { fromWasm, toPagevec } from "../../errors.js";
import { io, toFailure } from "../failure.js";
import { InputFile, readFrom } from "../input/files.js";
import { compile } from "../platform.js";

/**
 * @typedef {object} BuildJob
 * @property {"build"} kind
 * @property {{ handle: number, path: string, length: number, bytes: number, rows: number, dim: number, first: number, stride: number }} rows
 * @property {number} output the file that is written
 * @property {Record<string, unknown>} request options of the build module
 *
 * @typedef {{ path: string, offset: number, length: number }} Piece a file that holds these bytes of a segment, and no others
 * @typedef {{ kind: "verify", pieces: Piece[] }} VerifyJob `pieces`: in order, all of a segment
 *
 * @typedef {{ kind: "progress", phase: string, done: number, total: number } | { kind: "warning", code: string, message: string }
 *   | { kind: "done", length: number, memory: number } | { kind: "failed", exit: 1 | 2, code: string, message: string }} Told
 */

/** Between two reports of progress. */
const PAUSE_MS = 50;

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
const job = /** @type {BuildJob | VerifyJob} */ (workerData);
const tell = (/** @type {Told} */ told) => port.postMessage(told);

/** @param {BuildJob} job */
async function build({ rows, output, request }) {
  const glue = await loadBuilder(compile, undefined);
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
  glue.buildStored((/** @type {number} */ offset, /** @type {number} */ wanted) => readFrom(rows.handle, rows.path, offset, wanted), rows.length, shape, { ...request, dim: rows.dim, onProgress, onWarning }, onPiece);
  tell({ kind: "done", length, memory: glue.memory.buffer.byteLength });
}

/** @param {VerifyJob} job */
async function verify({ pieces }) {
  const glue = await loadBuilder(compile, undefined);
  const last = pieces[pieces.length - 1];
  const length = last.offset + last.length;
  const files = new Pieces(pieces);
  try {
    glue.verifySegment((/** @type {number} */ offset, /** @type {number} */ wanted) => files.read(offset, wanted), length);
  } finally {
    files.close();
  }
  tell({ kind: "done", length, memory: glue.memory.buffer.byteLength });
}

/** Files that are read as the one that they make. One of them is open at a time. */
class Pieces {
  /** @type {{ piece: Piece, file: InputFile } | undefined} */
  #open;

  /** @param {Piece[]} pieces */
  constructor(pieces) {
    this.pieces = pieces;
  }

  /**
   * @param {number} offset
   * @param {number} wanted
   */
  read(offset, wanted) {
    /** @type {Uint8Array[]} */
    const read = [];
    for (let at = offset; at < offset + wanted; ) {
      const { piece, file } = this.#around(at);
      const part = file.read(at - piece.offset, Math.min(offset + wanted, piece.offset + piece.length) - at);
      read.push(part);
      at += part.length;
    }
    return read.length === 1 ? read[0] : Buffer.concat(read);
  }

  /** @param {number} at a byte of the whole */
  #around(at) {
    const isIn = ({ offset = 0, length = 0 }) => offset <= at && at < offset + length;
    if (this.#open && isIn(this.#open.piece)) return this.#open;
    this.close();
    const piece = /** @type {Piece} */ (this.pieces.find(isIn));
    const file = new InputFile(piece.path);
    if (file.length !== piece.length) throw io(piece.path, new Error(`it has ${file.length} bytes, but ${piece.length} were published: copy or publish the folder again`));
    this.#open = { piece, file };
    return this.#open;
  }

  close() {
    this.#open?.file.close();
    this.#open = undefined;
  }
}

try {
  await (job.kind === "build" ? build(job) : verify(job));
} catch (error) {
  // What stopped the module is most often the end of its 4 GiB.
  const trapped = error instanceof WebAssembly.RuntimeError;
  const failure = toFailure(error instanceof Error && "exit" in error ? error : trapped ? fromWasm(error) : toPagevec("code" in Object(error) ? fromWasm(error) : error));
  const advice = trapped ? "the build stopped on an internal error or ran out of memory, of which WebAssembly has 4 GiB: try fewer rows, or the native command line" : failure.message;
  tell({ kind: "failed", exit: failure.exit, code: failure.code, message: advice });
}
