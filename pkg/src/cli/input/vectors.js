// Vectors from files: into memory, or as rows that a build reads by position, so that they need not be in memory.
import { closeSync, writeSync } from "node:fs";
import { input, io } from "../failure.js";
import { formatOf, readFrom } from "./files.js";
import { openFvecs } from "./fvecs.js";
import { readLines } from "./jsonl.js";
import { openNpy } from "./npy.js";

/** Bytes of rows that are written together to a temporary file. */
const PIECE = 1 << 20;

/**
 * @typedef {import("../progress.js").Progress} Progress
 *
 * @typedef {object} Stored rows in a file
 * @property {number} handle
 * @property {string} path for messages
 * @property {number} length bytes of the file
 * @property {number} bytes of a number: 2, 4 or 8
 * @property {number} rows that are built
 * @property {number} dim
 * @property {number} first offset of the first number of the first row
 * @property {number} stride bytes from one row to the next
 * @property {number | undefined} total rows in the file; undefined if it was not read to its end
 * @property {string[] | number[] | undefined} ids that came with the vectors
 * @property {import("../fields/lines.js").Lines | undefined} fields that came with the vectors
 * @property {() => boolean} unchanged whether the file is as it was when it was opened
 * @property {() => void} close
 */

/**
 * Opens at most `limit` rows of a file. JSON lines are written to the temporary file that `temporary` opens.
 * @param {string} path
 * @param {number} limit
 * @param {Progress} progress
 * @param {() => number} temporary
 * @param {{ embedder?: import("./jsonl.js").Embedder, store?: import("../fields/store.js").Store }} more
 * @returns {Promise<Stored>}
 */
export async function openRows(path, limit, progress, temporary, more) {
  const format = formatOf(path);
  if (format === "stdin" || format === "json") return spool(path, limit, progress, temporary, more);
  const { file, total, ...shape } = inPlace(format, path, limit, progress);
  return { handle: file.handle, path, length: file.length, ...shape, rows: Math.min(total, limit), total, ids: undefined, fields: undefined, unchanged: () => file.unchanged, close: () => file.close() };
}

/**
 * How the numbers of rows stand in a file.
 * @param {"npy" | "fvecs"} format
 * @param {string} path
 * @param {number} limit
 * @param {Progress} progress
 */
function inPlace(format, path, limit, progress) {
  if (format === "fvecs") {
    const { file, rows, dim } = openFvecs(path, limit, progress);
    return { file, bytes: 4, dim, first: 4, stride: dim * 4 + 4, total: rows };
  }
  const { file, kind, bytes, first, rows, columns } = openNpy(path);
  if (!kind.startsWith("<f")) {
    file.close();
    throw input(path, "holds integers where vectors are wanted: save it as float16 or float32");
  }
  return { file, bytes, dim: columns, first, stride: columns * bytes, total: rows };
}

/**
 * Writes the vectors of JSON lines to a temporary file.
 * @param {string} path
 * @param {number} limit
 * @param {Progress} progress
 * @param {() => number} temporary
 * @param {Parameters<typeof openRows>[4]} more
 * @returns {Promise<Stored>}
 */
async function spool(path, limit, progress, temporary, more) {
  const handle = temporary();
  const close = () => closeSync(handle);
  /** @type {Uint8Array[]} */
  let waiting = [];
  let [bytes, length] = [0, 0];
  const flush = () => {
    const piece = Buffer.concat(waiting);
    try {
      for (let done = 0; done < piece.length; ) done += writeSync(handle, piece, done);
    } catch (error) {
      throw io("a temporary file beside the output", error);
    }
    length += piece.length;
    [waiting, bytes] = [[], 0];
  };
  try {
    const lines = await readLines(path, limit, progress, (row) => {
      waiting.push(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
      bytes += row.byteLength;
      if (bytes >= PIECE) flush();
    }, more);
    flush();
    return { handle, path, length, bytes: 4, first: 0, stride: lines.dim * 4, ...lines, unchanged: () => true, close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Reads at most `limit` rows of a file into memory.
 * @param {string} path
 * @param {number} limit
 * @param {Progress} progress
 * @returns {Promise<{ data: Float32Array, dim: number, rows: number, total: number | undefined, ids: string[] | number[] | undefined }>}
 */
export async function readVectors(path, limit, progress) {
  const format = formatOf(path);
  if (format === "stdin" || format === "json") {
    /** @type {Float32Array[]} */
    const all = [];
    const { dim, rows, total, ids } = await readLines(path, limit, progress, (row) => void all.push(row));
    const data = new Float32Array(rows * dim);
    all.forEach((row, i) => data.set(row, i * dim));
    return { data, dim, rows, total, ids };
  }
  const { file, bytes, dim, first, stride, total } = inPlace(format, path, limit, progress);
  const rows = Math.min(total, limit);
  const data = new Float32Array(rows * dim);
  const together = Math.max(1, Math.floor(PIECE / stride));
  try {
    for (let from = 0; from < rows; from += together) {
      const count = Math.min(together, rows - from);
      // The last row ends with its last number, since the file may end there.
      const piece = readFrom(file.handle, path, first + from * stride, (count - 1) * stride + dim * bytes);
      for (let i = 0; i < count; i++) decode(piece, i * stride, bytes, data.subarray((from + i) * dim, (from + i + 1) * dim));
      progress.tick("read", from, rows);
    }
  } finally {
    file.close();
  }
  return { data, dim, rows, total, ids: undefined };
}

/**
 * Decodes one row.
 * @param {Buffer} from
 * @param {number} at
 * @param {number} bytes of a number
 * @param {Float32Array} into
 */
function decode(from, at, bytes, into) {
  for (let i = 0; i < into.length; i++) {
    into[i] = bytes === 4 ? from.readFloatLE(at + i * 4) : bytes === 8 ? from.readDoubleLE(at + i * 8) : half(from.readUInt16LE(at + i * 2));
  }
}

/** @param {number} bits of a half-precision float */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
