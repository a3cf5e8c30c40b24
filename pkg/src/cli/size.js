// Reads and shows sizes in bytes: kB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024.
import { bytesOf } from "../options.js";

/**
 * The bytes that a text names. Bytes have no decimal point, not even before zeros.
 * @param {string} text
 * @returns {number | undefined} undefined: it names none
 */
export function parseSize(text) {
  const bytes = bytesOf(text);
  return Number.isSafeInteger(bytes) && !/\.\d*\s*b?\s*$/i.test(text) ? bytes : undefined;
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
