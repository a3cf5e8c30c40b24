// Filters that users pass: checked, and copied as JSON before anything awaits. The core reads the JSON and knows the fields; here is
// refused what JSON would drop or change in silence, as a condition that is lost gives rows that must not be seen.
import { describe, isA } from "../describe.js";
import { PagevecError } from "../errors.js";

/** Objects and arrays within each other. The core takes fewer operators within each other, and this limit ends the recursion. */
const DEPTH = 100;

/** A filter of the command line, which the core reads as it was written. */
export class WrittenFilter {
  /** @param {string} json */
  constructor(json) {
    this.json = json;
  }
}

/**
 * @param {unknown} filter
 * @returns {string} JSON
 */
export function toFilter(filter) {
  if (filter instanceof WrittenFilter) return filter.json;
  if (!isObject(filter) || kindOf(filter, "") !== "object") throw wrong("", `it is ${describe(filter)}; it must be an object such as { price: { $lt: 50 } }, or {} for all rows${filter === undefined ? ". Leave the option out where there is no filter" : ""}`);
  return write(filter, "", []);
}

/**
 * The filter among options: undefined only where they have none, as a filter that got lost must not show all rows.
 * @param {object | undefined} options
 * @returns {string | undefined}
 */
export function filterOf(options) {
  return options && "filter" in options ? toFilter(read(() => options.filter, "")) : undefined;
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {object[]} within the objects that it is in
 * @returns {string}
 */
function write(value, path, within) {
  if (typeof value === "string") return quoted(value, path);
  if (typeof value === "number") return written(value, path);
  if (typeof value === "boolean" || value === null) return String(value);
  if (!isObject(value)) throw wrong(path, `it is ${value === undefined ? "undefined: leave the condition out, or write { $exists: false } for rows without a value" : `${describe(value)}: write a string, a number, a boolean or a Date`}`);
  const kind = kindOf(value, path);
  if (kind === "Date") return dated(/** @type {any} */ (value), path);
  if (within.includes(value)) throw wrong(path, "it holds itself");
  if (within.length >= DEPTH) throw wrong(path, `more than ${DEPTH} objects and arrays lie within each other`);
  const inside = [...within, value];
  const keys = read(() => Reflect.ownKeys(value), path);
  if (kind === "array") {
    const length = keys.length - 1;
    if (read(() => value.length, path) !== length) throw wrong(path, "some of its elements are missing, or it has other properties: write a plain array");
    return `[${Array.from({ length }, (_, i) => write(read(() => value[i], `${path}[${i}]`), `${path}[${i}]`, inside)).join(",")}]`;
  }
  if (!isPlain(value, path)) throw wrong(path, `it is ${describe(value)}: write a plain object${isIterable(value) ? ", or an array ([...values])" : ""}`);
  const members = keys.map((key) => {
    if (typeof key === "symbol") throw wrong(path, "it has a symbol for a name: names are strings");
    const name = shown(key);
    const at = path && !name.startsWith("[") ? `${path}.${name}` : path + name;
    return `${quoted(key, at)}:${write(read(() => value[key], at), at, inside)}`;
  });
  return `{${members.join(",")}}`;
}

/**
 * @param {string} text
 * @param {string} path
 */
function quoted(text, path) {
  if (/\p{Surrogate}/u.test(text)) throw wrong(path, "it has half of a character (a lone surrogate), which no stored text has: repair the text");
  return JSON.stringify(text);
}

/**
 * @param {number} number
 * @param {string} path
 */
function written(number, path) {
  if (!Number.isFinite(number)) throw wrong(path, `it is ${number}, which compares with nothing: write a number, or leave the bound out`);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) throw wrong(path, "it is a whole number beyond 2^53 - 1, which JavaScript rounds: write a smaller one, or leave the bound out");
  return JSON.stringify(number);
}

/**
 * @param {Date} date
 * @param {string} path
 */
function dated(date, path) {
  const time = Number(date);
  // RFC 3339 has years of four digits.
  if (!(time >= -62135596800000 && time < 253402300800000)) throw wrong(path, Number.isNaN(time) ? "it is an invalid Date" : "it is a Date outside of the years 1 to 9999");
  return `"${new Date(time).toISOString()}"`;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string | symbol, unknown>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null;
}

/**
 * @param {object} value
 * @param {string} path
 */
function kindOf(value, path) {
  return read(() => (Array.isArray(value) ? "array" : isA(value, "Date") ? "Date" : "object"), path);
}

/**
 * Whether it is an object as literals make it, of this realm or of another.
 * @param {object} value
 * @param {string} path
 */
function isPlain(value, path) {
  const prototype = read(() => Object.getPrototypeOf(value), path);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "hasOwnProperty"));
}

/** @param {object} value */
function isIterable(value) {
  return Symbol.iterator in value;
}

/**
 * A name in a path, as the core writes it: of a long one its beginning, of one with other signs than letters in brackets.
 * @param {string} name
 */
function shown(name) {
  const start = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return /^[\p{L}\p{N}_$…-]+$/u.test(start) ? start : `[${JSON.stringify(start)}]`;
}

/**
 * Reads what may be a getter, or of a Proxy.
 * @template T
 * @param {() => T} get
 * @param {string} path
 * @returns {T}
 */
function read(get, path) {
  try {
    return get();
  } catch (cause) {
    throw wrong(path, `it could not be read (${/** @type {Error} */ (Object(cause)).message})`, cause);
  }
}

/**
 * @param {string} path as the core writes it; empty for the whole filter
 * @param {string} what
 * @param {unknown} [cause]
 */
function wrong(path, what, cause) {
  return new PagevecError("filter", `filter${path && `, at ${path}`}: ${what}`, { cause });
}
