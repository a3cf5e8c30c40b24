// Reads rows of a NumPy file of half-precision floats.

/**
 * Some rows of a file of half-precision floats.
 * @param {Buffer} file @param {number[]} wanted their numbers @returns {Float32Array[]}
 */
export function rowsOf(file, wanted) {
  const { start, dim } = headOf(file, "<f2");
  return wanted.map((row) => Float32Array.from({ length: dim }, (_, i) => fromHalf(file.readUInt16LE(start + 2 * (row * dim + i)))));
}

/** @param {Buffer} file @param {string} type */
function headOf(file, type) {
  const header = file.toString("latin1", 10, 10 + file.readUInt16LE(8));
  const [, rows, dim] = /\((\d+), (\d+)\)/.exec(header) ?? [];
  if (!header.includes(`'${type}'`) || !dim) throw new Error(`not an array of rows of type ${type}: ${header}`);
  return { start: 10 + header.length, rows: Number(rows), dim: Number(dim) };
}

/** @param {number} bits */
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : mantissa * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}
