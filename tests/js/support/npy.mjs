import { readFile } from "node:fs/promises";

/** The first rows of a .npy file of halves. */
export async function npyRows(path, count) {
  const file = await readFile(path);
  const header = file.toString("latin1", 10, 10 + file.readUInt16LE(8));
  const dim = Number(/, (\d+)\)/.exec(header)[1]);
  const at = 10 + header.length;
  return Array.from({ length: count }, (_, row) => Float32Array.from({ length: dim }, (_, i) => half(file.readUInt16LE(at + 2 * (row * dim + i)))));
}

function half(bits) {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : mantissa * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}
