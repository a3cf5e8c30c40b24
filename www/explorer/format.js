// Numbers as people read them.

const plain = new Intl.NumberFormat("en");

/** @param {number} value */
export const count = (value) => plain.format(value);

/** @param {number} value @param {string} one @param {string} [many] */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** @param {number} value bytes, in decimal units as browsers' network panels show them */
export function bytes(value) {
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${short(value / 1e3)} kB`;
  return `${short(value / 1e6)} MB`;
}

/** @param {number} value */
export const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/** Three significant digits at most. @param {number} value */
const short = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0));
