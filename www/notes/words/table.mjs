// The table of word vectors that the notes app loads, made of www/data when a site is put together:
//
//   4 bytes       length of the list, little-endian
//   the list      words, one a line, most frequent first
//   the vectors   DIM half-bytes for each word, low one first: a component from −7 to 7, plus 8
//
// The mean of all words is taken from each: GloVe's vectors share a direction, by which any two texts would look alike. Lengths are left
// out, as texts are compared by cosine. Half a byte a component is enough: the vector that is read is within 0.97 of the one that was
// written, by cosine.
import { readFileSync } from "node:fs";
import { DIM } from "./embed.js";

const LEVELS = 7;

/** @param {URL} data the folder with words.txt and words.f16.npy @returns {Uint8Array} */
export function tableOf(data) {
  const list = readFileSync(new URL("words.txt", data)).subarray(0, -1); // without the last line's end
  const rows = centred(data);
  const table = Buffer.alloc(4 + list.length + (rows.length * DIM) / 2);
  table.writeUInt32LE(list.length, 0);
  list.copy(table, 4);
  let at = 4 + list.length;
  for (const row of rows) {
    const scale = LEVELS / Math.max(...row.map(Math.abs));
    const levels = row.map((value) => Math.round(value * scale) + LEVELS + 1);
    for (let i = 0; i < DIM; i += 2) table[at++] = levels[i] | (levels[i + 1] << 4);
  }
  return table;
}

/** The vectors of the words, without the mean of all. @param {URL} data @returns {number[][]} */
export function centred(data) {
  const npy = readFileSync(new URL("words.f16.npy", data));
  const start = 10 + npy.readUInt16LE(8);
  const rows = Array.from({ length: (npy.length - start) / 2 / DIM }, (_, row) => vectorAt(npy, start + 2 * DIM * row));
  const mean = Array.from({ length: DIM }, (_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
  return rows.map((row) => row.map((value, i) => value - mean[i]));
}

/** @param {Buffer} bytes of half-precision floats @param {number} at */
function vectorAt(bytes, at) {
  return Array.from({ length: DIM }, (_, i) => fromHalf(bytes.readUInt16LE(at + 2 * i)));
}

/** @param {number} bits */
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : mantissa * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}
