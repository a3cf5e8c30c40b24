// Numbers as people read them.

const plain = new Intl.NumberFormat("en");

/** @param {number} value */
export const count = (value) => plain.format(value);

/** @param {number} value @param {string} one @param {string} [many] */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** @param {number} value bytes, in decimal units as browsers' network panels show them */
export function bytes(value) {
  if (value < 1000) return `${value} B`;
  if (value < 999_500) return `${short(value / 1e3)} kB`;
  return value < 999.5e6 ? `${short(value / 1e6)} MB` : `${short(value / 1e9)} GB`;
}

/** @param {number} value */
export const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : count(Math.round(value))} ms`;

/** @param {number} value */
export const seconds = (value) => (value < 0.995 ? `${Math.max(1, Math.round(value * 1000))} ms` : `${short(value)} s`);

/** @param {number} value 0 to 1 */
export const percent = (value) => `${value === 0 || value >= 0.1 ? Math.round(value * 100) : Number((value * 100).toPrecision(2))} %`;

/** Three significant digits at most. @param {number} value */
const short = (value) => (value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0));
