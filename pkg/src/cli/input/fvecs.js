// `.fvecs`: every row is its length as i32, then that many f32, all little-endian.
import { input } from "../failure.js";
import { InputFile } from "./files.js";

/** Bytes that are read together to check the lengths of rows. */
const PIECE = 1 << 20;

/**
 * Components and rows, from the first row's length and the file's. The lengths of the first `limit` rows are checked.
 * @param {string} path
 * @param {number} limit
 * @param {import("../progress.js").Progress} progress
 * @returns {{ file: InputFile, rows: number, dim: number }}
 */
export function openFvecs(path, limit, progress) {
  const file = new InputFile(path);
  try {
    const head = file.read(0, 4);
    if (head.length < 4) throw input(path, "too short to hold a row");
    const dim = head.readInt32LE();
    if (dim <= 0) throw input(path, `row 0 says it has ${dim} components: not a .fvecs file`);
    const record = 4 * (dim + 1);
    if (file.length % record !== 0) {
      throw input(path, `${file.length} bytes are no whole number of rows of ${dim} components (${record} bytes each): the file is cut, or not a .fvecs file`);
    }
    const rows = file.length / record;
    check(file, dim, Math.min(rows, limit), progress);
    return { file, rows, dim };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * @param {InputFile} file
 * @param {number} dim
 * @param {number} rows
 * @param {import("../progress.js").Progress} progress
 */
function check(file, dim, rows, progress) {
  const record = 4 * (dim + 1);
  const together = Math.max(1, Math.floor(PIECE / record));
  for (let from = 0; from < rows; from += together) {
    const count = Math.min(together, rows - from);
    const piece = file.read(from * record, count * record);
    for (let i = 0; i < count; i++) {
      const got = piece.readInt32LE(i * record);
      if (got !== dim) throw input(file.path, `row ${from + i} has ${got} components where row 0 has ${dim}`);
    }
    progress.tick("read", from, rows);
  }
}
