// The stored fields of rows: between JSON, as the file holds them, and objects.
import { describe } from "../describe.js";
import { badArgument, PagevecError } from "../errors.js";

/**
 * @typedef {Record<string, any>} Fields what a row was built with; of the wanted names those that the row has
 * @typedef {true | readonly string[]} FieldNames all, or those of these names
 */

/** @type {(json: string) => any} */
let parse = JSON.parse;

/**
 * Has fields read by another parser than JSON.parse, which rounds whole numbers beyond 2^53.
 * @param {(json: string) => any} other
 */
export function parseFieldsWith(other) {
  parse = other;
}

/**
 * @param {unknown} names
 * @returns {FieldNames | undefined} a copy; undefined for no fields at all
 */
export function toFieldNames(names) {
  if (names === undefined || names === false) return undefined;
  if (names === true) return true;
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return [...names];
  throw badArgument(`fields must be true (all of them), or an array of names such as ["title"], not ${describe(names)}`);
}

/**
 * @param {string} json of one row
 * @param {FieldNames} names
 * @returns {Fields}
 */
export function readFields(json, names) {
  let fields;
  try {
    fields = parse(json);
  } catch (cause) {
    throw new PagevecError("corrupt", "the stored fields of a row are no JSON: build the index again", { cause });
  }
  return names === true ? fields : pickFields(fields, names);
}

/**
 * @param {Fields} fields
 * @param {readonly string[]} names
 * @returns {Fields} those of these names
 */
export function pickFields(fields, names) {
  // Entries, as a name may be `__proto__`.
  return Object.fromEntries(names.filter((name) => Object.hasOwn(fields, name)).map((name) => [name, fields[name]]));
}

/**
 * @param {unknown} fields one object for each row; null or undefined for a row without fields
 * @param {number} rows
 * @returns {string | undefined} a line of JSON for each row
 */
export function toLines(fields, rows) {
  if (fields === undefined || fields === null) return undefined;
  if (!Array.isArray(fields)) throw badArgument(`build(): fields must be an array with an object for each row, not ${describe(fields)}`);
  if (fields.length !== rows) throw badArgument(`build(): fields of ${fields.length} rows for ${rows} rows: one object for each row, null where there are none`);
  return Array.from(fields, toLine).join("\n");
}

/**
 * @param {unknown} row
 * @param {number} number
 * @returns {string}
 */
function toLine(row, number) {
  if (row === undefined || row === null) return "";
  let json;
  try {
    json = JSON.stringify(row);
  } catch (cause) {
    throw new PagevecError("argument", `build(): fields[${number}] cannot be JSON`, { cause });
  }
  if (json?.startsWith("{")) return json;
  throw badArgument(`build(): fields[${number}] must be an object, not ${describe(row)}`);
}
