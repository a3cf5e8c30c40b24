// JSON as the native command line stores it: as JSON.stringify writes it, but whole numbers of 64 bits keep all their digits. Those that
// a number may not hold exactly are BigInts here.

/** What may be such a number. It is looked for only to leave nearly all texts to JSON.parse, so what it finds within a text is no harm. */
const LONG = /(?<![\d.])\d{16,}(?![\d.eE])/;
/** Names with their colons, texts and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Objects and arrays within each other that the native parser takes, that of the row too. */
const DEPTH = 127;

/**
 * @param {string} text
 * @returns {any} throws what JSON.parse throws
 */
export function parseExact(text) {
  const value = JSON.parse(text);
  if (!LONG.test(text)) return value;
  // A letter before each text tells the reviver which of them are numbers.
  const marked = text.replace(TOKENS, (token, colon) => {
    if (colon !== undefined) return token;
    if (token.startsWith('"')) return `"t${token.slice(1)}`;
    return isLong(token) ? `"n${token}"` : token;
  });
  return JSON.parse(marked, (_, value) => {
    if (typeof value !== "string") return value;
    return value.startsWith("n") ? BigInt(value.slice(1)) : value.slice(1);
  });
}

/** @param {string} number */
function isLong(number) {
  if (!/^-?\d{16,}$/.test(number)) return false;
  const whole = BigInt(number);
  return whole < 2n ** 64n && whole >= -(2n ** 63n);
}

/**
 * @param {unknown} value of parseExact
 * @returns {string}
 */
export function writeExact(value) {
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeExact).join(",")}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeExact(member)}`).join(",")}}`;
}

/**
 * Refuses what JSON.parse takes, but cannot be stored as it is.
 * @param {unknown} value the fields of a row
 * @param {number} [depth] left
 */
export function checkStored(value, depth = DEPTH) {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error("number out of range");
  if (typeof value === "string" && /\p{Surrogate}/u.test(value)) throw new Error("a lone surrogate in a text, which is half of a character: repair the text");
  if (value === null || typeof value !== "object") return;
  if (depth === 0) throw new Error("recursion limit exceeded");
  for (const [name, member] of Object.entries(value)) {
    checkStored(name);
    checkStored(member, depth - 1);
  }
}
