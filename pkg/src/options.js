// Options that users pass: unknown names are refused, values are checked and converted.
import { describe } from "./describe.js";
import { badArgument } from "./errors.js";

/** Bytes of each unit, in lower case; those of the command line. */
const UNITS = new Map(Object.entries({ "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }));

/**
 * Refuses an option that the call does not have, as a misspelled one would pass in silence.
 * @template {object} T
 * @param {string} call how messages name it
 * @param {T | undefined} options
 * @param {readonly (string & keyof T)[]} known
 * @returns {Partial<T>}
 */
export function checkOptions(call, options, known) {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null) throw badArgument(`${call}: the options must be an object, not ${describe(options)}`);
  const unknown = Object.keys(options).find((name) => !known.includes(/** @type {any} */ (name)));
  if (unknown === undefined) return options;
  throw badArgument(`${call} has no option \`${unknown.slice(0, 40)}\`: did you mean \`${nearest(unknown, known)}\`? It has ${known.join(", ")}`);
}

/**
 * @template {string} T
 * @param {unknown} value
 * @param {readonly T[]} choices
 * @param {string} name
 * @returns {T}
 */
export function toChoice(value, choices, name) {
  if (choices.includes(/** @type {T} */ (value))) return /** @type {T} */ (value);
  const hint = typeof value === "string" ? `: did you mean "${nearest(value, choices)}"?` : `, not ${describe(value)}`;
  throw badArgument(`${name} must be one of ${choices.join(", ")}${hint}`);
}

/**
 * @param {string} text `64MB`, `1.5 GiB`, `67108864`; units may be written in any case
 * @returns {number} the bytes that it names, not whole where it has a part of a byte; NaN if it names none
 */
export function bytesOf(text) {
  const [, digits, name = ""] = /^\s*([\d.]+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const unit = UNITS.get(name.toLowerCase()) ?? NaN;
  const bytes = Number(digits) * unit;
  // A part of a larger unit is cut to whole bytes.
  return unit > 1 ? Math.floor(bytes) : bytes;
}

/**
 * @param {unknown} value a number of bytes, or a text with a unit
 * @param {string} name
 * @returns {number} at least 1
 */
export function toBytes(value, name) {
  const bytes = typeof value === "string" ? bytesOf(value) : value;
  if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw badArgument(`${name} must be a whole number of bytes, 1 or more, or a text such as "64MB" or "1.5 GiB" (kB, MB, GB: powers of 1000; KiB, MiB, GiB: of 1024)`);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} [least]
 * @returns {number}
 */
export function toInteger(value, name, least = 1) {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least) {
    throw badArgument(`${name} must be an integer of at least ${least}`);
  }
  return value;
}

/**
 * @param {unknown} signal
 * @returns {AbortSignal | undefined}
 */
export function toSignal(signal) {
  if (signal === undefined || signal === null) return undefined;
  const { aborted, addEventListener, removeEventListener } = /** @type {Partial<AbortSignal>} */ (Object(signal));
  if (typeof aborted !== "boolean" || typeof addEventListener !== "function" || typeof removeEventListener !== "function") {
    throw badArgument(`signal must be an AbortSignal (the \`signal\` of an AbortController), not ${describe(signal)}`);
  }
  return /** @type {AbortSignal} */ (signal);
}

/**
 * The name that takes the fewest edits to make of `word`; case does not count.
 * @param {string} word
 * @param {readonly string[]} names
 * @returns {string}
 */
export function nearest(word, names) {
  const from = word.slice(0, 40).toLowerCase();
  const edits = names.map((name) => distance(from, name.toLowerCase()));
  return names[edits.indexOf(Math.min(...edits))];
}

/**
 * How many letters must be removed and inserted to make `b` of `a`.
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = a[i - 1] === b[j - 1] ? row[j - 1] : Math.min(row[j], next[j - 1]) + 1;
    row = next;
  }
  return row[b.length];
}
