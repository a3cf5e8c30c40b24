// Reads and shows sizes in bytes: kB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024.
const UNITS = new Map(Object.entries({ "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }));

/**
 * The bytes that a text names: `64MB`, `1.5 GiB`, `67108864`. Units may be written in any case.
 * @param {string} text
 * @returns {number | undefined} undefined: it names none
 */
export function parseSize(text) {
  const [, digits, name = ""] = /^\s*([\d.]+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const unit = UNITS.get(name.toLowerCase());
  if (digits === undefined || unit === undefined || !/^(\d+|\d*\.\d+|\d+\.)$/.test(digits)) return undefined;
  // A part of a byte is refused, a part of a larger unit is cut to whole bytes.
  if (unit === 1 && digits.includes(".")) return undefined;
  const bytes = Math.floor(Number(digits) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * A size as text: exact below 10 kB, with three digits above.
 * @param {number} bytes
 */
export function showSize(bytes) {
  if (bytes < 10_000) return `${bytes} bytes`;
  let value = bytes / 1000;
  let unit = 0;
  for (; value >= 999.5 && unit < 3; unit++) value /= 1000;
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${["kB", "MB", "GB", "TB"][unit]}`;
}

/**
 * @param {number} count
 * @param {string} noun
 */
export function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
