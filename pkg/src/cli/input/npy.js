// NumPy arrays, strictly: little-endian, C order, one or two dimensions, a length that fits the file exactly.
import { input } from "../failure.js";
import { InputFile } from "./files.js";

/** Larger headers than this are no arrays of numbers. */
const MAX_HEADER = 64 * 1024;
const BYTES = /** @type {Record<string, number>} */ ({ "<f2": 2, "<f4": 4, "<f8": 8, "<i4": 4, "<i8": 8 });

/**
 * @typedef {object} Npy
 * @property {InputFile} file
 * @property {string} kind as NumPy names it
 * @property {number} bytes of a value
 * @property {number} first offset of the first value
 * @property {number} rows 1 for a one-dimensional array
 * @property {number} columns
 */

/**
 * Reads the header and compares it with the length of the file.
 * @param {string} path
 * @returns {Npy}
 */
export function openNpy(path) {
  const file = new InputFile(path);
  try {
    const { text, first } = headerOf(file);
    const { kind, rows, columns } = parseHeader(path, text);
    const bytes = BYTES[kind];
    const needed = rows * columns * BigInt(bytes);
    // A larger file than that has no length that a double holds.
    if (needed >= 2n ** 64n) throw input(path, `a shape of ${rows} x ${columns} is beyond any file`);
    const got = BigInt(Math.max(0, file.length - first));
    if (got !== needed) throw input(path, `${got} bytes of data where its shape ${rows} x ${columns} needs ${needed}: the file is cut or extended; copy or write it again`);
    return { file, kind, bytes, first, rows: Number(rows), columns: Number(columns) };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** @param {InputFile} file */
function headerOf(file) {
  const { path } = file;
  const part = (/** @type {number} */ offset, /** @type {number} */ length) => {
    const bytes = file.read(offset, length);
    if (bytes.length < length) throw input(path, "the file ends inside its .npy header");
    return bytes;
  };
  const start = part(0, 8);
  if (start.toString("latin1", 0, 6) !== "\x93NUMPY") throw input(path, "not a .npy file (it does not begin with \\x93NUMPY): save it with numpy.save");
  const version = start[6];
  if (version < 1 || version > 3) throw input(path, "a .npy version other than 1, 2 or 3");
  const length = version === 1 ? part(8, 2).readUInt16LE() : part(8, 4).readUInt32LE();
  if (length > MAX_HEADER) throw input(path, "a .npy header longer than 64 KiB: not a plain array");
  const at = version === 1 ? 10 : 12;
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(part(at, length)), first: at + length };
  } catch (error) {
    if (error instanceof TypeError) throw input(path, "the .npy header is not text");
    throw error;
  }
}

/**
 * The three entries of the dictionary that NumPy writes: `{'descr': '<f4', 'fortran_order': False, 'shape': (10, 3), }`.
 * @param {string} path
 * @param {string} header
 */
function parseHeader(path, header) {
  const kind = entry(path, header, "descr").split(/['"]/)[1];
  if (!(kind in BYTES)) throw input(path, `values of type ${kind ?? "a structure"}, none of <f2, <f4, <f8, <i4, <i8: convert with astype('<f4')`);
  const order = entry(path, header, "fortran_order");
  if (order.startsWith("True")) throw input(path, "stored in Fortran order: save numpy.ascontiguousarray(x) instead");
  if (!order.startsWith("False")) throw input(path, "the .npy header does not say whether its order is C or Fortran");
  const inside = /^\(([^)]*)\)/.exec(entry(path, header, "shape"))?.[1] ?? "";
  const sizes = inside.split(",").map((size) => size.trim()).filter((size) => size !== "");
  const numbers = sizes.map((size) => (/^\+?\d+$/.test(size) ? BigInt(size) : -1n));
  if (numbers.length < 1 || numbers.length > 2 || numbers.some((size) => size < 0n || size >= 2n ** 64n)) throw input(path, "not an array of one or two dimensions: reshape it to (rows, components)");
  const [rows, columns] = numbers.length === 1 ? [1n, numbers[0]] : numbers;
  return { kind, rows, columns };
}

/**
 * What follows `'key':`.
 * @param {string} path
 * @param {string} header
 * @param {string} key
 */
function entry(path, header, key) {
  for (const quote of ["'", '"']) {
    const mark = `${quote}${key}${quote}:`;
    const at = header.indexOf(mark);
    if (at >= 0) return header.slice(at + mark.length).trimStart();
  }
  throw input(path, `the .npy header has no ${key}`);
}

/**
 * The numbers of an array of integers, of its first rows.
 * @param {Npy} npy
 * @param {number} limit rows
 * @returns {number[]}
 */
export function integersOf({ file, kind, bytes, first, rows, columns }, limit) {
  if (!kind.startsWith("<i")) throw input(file.path, "holds floats where row numbers are wanted: save it as int32 or int64");
  const all = file.read(first, Math.min(rows, limit) * columns * bytes);
  return Array.from({ length: all.length / bytes }, (_, i) => (bytes === 4 ? all.readInt32LE(i * 4) : Number(all.readBigInt64LE(i * 8))));
}
