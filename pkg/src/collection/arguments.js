// Rows that users pass to a collection, checked and copied before anything awaits. A batch is refused whole, with the number of the row.
import { toIds, toMatrix, toVector } from "../arguments.js";
import { describe } from "../describe.js";
import { badArgument, PagevecError } from "../errors.js";
import { checkOptions, toSignal } from "../options.js";
import { toTexts } from "../texts/embed.js";

/** Bytes of JSON that a row may have, as in every segment. */
const MOST_FIELDS = 65_535;

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../arguments.js").IdList} IdList
 * @typedef {import("../arguments.js").Vector} Vector
 *
 * @typedef {object} Item a row
 * @property {Id} id of the row: one that is there is replaced
 * @property {Vector} [vector] `dim` numbers
 * @property {string} [text] of which `embed` makes the vector, in its place
 * @property {object | null} [fields] what is stored beside it, as JSON of at most 65,535 bytes
 *
 * @typedef {object} UpsertOptions
 * @property {readonly (object | null | undefined)[]} [fields] one object for each row, where ids and vectors are apart
 * @property {AbortSignal} [signal] ends the waiting with `aborted`; the rows may be stored or not
 *
 * @typedef {{ dim: number, metric: string, ids?: "number" | "text" }} Facts
 * @typedef {{ ids: IdList, fields: (string | null)[] | null, vectors: Float32Array<ArrayBuffer>, texts: { at: number[], of: string[] }, signal: AbortSignal | undefined }} Rows `texts`: what is
 *   to be embedded, and the rows of these
 */

/**
 * @param {unknown} first items, or ids
 * @param {unknown} second options, or vectors
 * @param {unknown} third options of the second form
 * @param {Facts} facts
 * @returns {Rows}
 */
export function toRows(first, second, third, facts) {
  if (Array.isArray(first) && (first.length === 0 || (typeof first[0] === "object" && first[0] !== null)) && !isRows(second)) {
    if (third !== undefined) throw badArgument("upsert(items, options) takes two arguments: fields are those of each item");
    const { signal } = checkOptions("upsert()", /** @type {{ signal?: unknown } | undefined} */ (second), ["signal"]);
    return { ...fromItems(first, facts), signal: toSignal(signal) };
  }
  if (second === undefined) throw badArgument(`upsert() takes an array of { id, vector, fields }, or ids and vectors, not ${describe(first)}`);
  const { fields, signal } = checkOptions("upsert()", /** @type {UpsertOptions | undefined} */ (third), ["fields", "signal"]);
  return { ...fromColumns(first, second, fields, facts), signal: toSignal(signal) };
}

/** @param {unknown} value */
function isRows(value) {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/**
 * @param {unknown[]} items
 * @param {Facts} facts
 */
function fromItems(items, facts) {
  const { dim } = facts;
  const vectors = new Float32Array(items.length * dim);
  const texts = { at: /** @type {number[]} */ ([]), of: /** @type {string[]} */ ([]) };
  const ids = new Array(items.length);
  /** @type {(string | null)[] | null} */
  let fields = null;
  for (let row = 0; row < items.length; row++) {
    const item = items[row];
    if (typeof item !== "object" || item === null || Array.isArray(item)) throw badArgument(`row ${row} is ${describe(item)}; it must be { id, vector, fields }`);
    const { id, vector, text, fields: own } = checkOptions(`upsert(): row ${row}`, /** @type {Item} */ (item), ["id", "vector", "text", "fields"]);
    if (id === undefined) throw badArgument(`row ${row} has no id`);
    ids[row] = id;
    if (own !== undefined && own !== null) (fields ??= new Array(items.length).fill(null))[row] = toJson(own, row);
    if (text !== undefined && vector !== undefined) throw badArgument(`row ${row} has a vector and a text: give one of them`);
    if (text === undefined) vectors.set(toVector(vector, dim, `row ${row}`), row * dim);
    else if (typeof text !== "string") throw badArgument(`row ${row}: text is ${describe(text)}; it must be a string`);
    else texts.at.push(row), texts.of.push(text);
  }
  return { ids: toIdList(ids, facts), vectors, texts, fields };
}

/**
 * @param {unknown} ids
 * @param {unknown} matrix
 * @param {unknown} given
 * @param {Facts} facts
 */
function fromColumns(ids, matrix, given, facts) {
  const list = toIdList(ids, facts);
  const rows = list.length;
  const isText = Array.isArray(matrix) && typeof matrix[0] === "string";
  const of = isText ? toTexts(matrix, "text") : [];
  const none = rows === 0 && isRows(matrix) && /** @type {ArrayLike<unknown>} */ (matrix).length === 0;
  const vectors = isText ? new Float32Array(of.length * facts.dim) : none ? new Float32Array(0) : toMatrix(matrix, facts.dim).data;
  const found = vectors.length / facts.dim;
  if (found !== rows) throw badArgument(`${rows} ids for ${found} vectors: one id for each`);
  if (given !== undefined && given !== null && !(Array.isArray(given) && given.length === rows)) throw badArgument(`upsert(): fields must be an array with an object for each of ${rows} rows, null where there are none`);
  const fields = Array.isArray(given) ? Array.from(given, (one, row) => (one === undefined || one === null ? null : toJson(one, row))) : null;
  return { ids: list, vectors, texts: { at: of.map((_, row) => row), of }, fields };
}

/**
 * @param {unknown} ids
 * @param {{ ids?: "number" | "text" }} facts
 * @param {string} [name] how messages call them
 * @returns {IdList} a copy, of the kind that the collection has
 */
export function toIdList(ids, facts, name = "ids") {
  const list = /** @type {IdList} */ (toIds(ids ?? undefined, /** @type {ArrayLike<unknown>} */ (Object(ids)).length));
  if (list === undefined) throw badArgument(`${name} must be an array of strings or of numbers, not ${describe(ids)}`);
  const kind = typeof list[0] === "string" ? "text" : "number";
  if (list.length > 0 && facts.ids && kind !== facts.ids) throw badArgument(`${name}[0] is ${describe(list[0])}, but the ids of this collection are ${facts.ids === "text" ? "strings" : "numbers"}: use one kind`);
  return list;
}

/**
 * @param {unknown} fields
 * @param {number} row
 */
export function toJson(fields, row) {
  let json;
  try {
    json = JSON.stringify(fields);
  } catch (cause) {
    throw new PagevecError("argument", `the fields of row ${row} cannot be JSON (${/** @type {Error} */ (Object(cause)).message})`, { cause });
  }
  if (!json?.startsWith("{")) throw badArgument(`the fields of row ${row} must be an object, not ${describe(fields)}`);
  // A character takes three bytes at most.
  if (json.length * 3 <= MOST_FIELDS || new TextEncoder().encode(json).length <= MOST_FIELDS) return json;
  throw badArgument(`the fields of row ${row} take more than ${MOST_FIELDS} bytes of JSON: keep long texts elsewhere, and a reference to them here`);
}

/**
 * Refuses vectors that cannot be compared.
 * @param {Float32Array} vectors
 * @param {Facts} facts
 */
export function checkVectors(vectors, { dim, metric }) {
  for (let row = 0; row * dim < vectors.length; row++) {
    let largest = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) {
      const size = Math.abs(vectors[i]);
      if (!(size < Infinity)) throw new PagevecError("not-finite", `row ${row} has ${vectors[i]} at ${i - row * dim}: remove or repair it`);
      if (size > largest) largest = size;
    }
    if (largest === 0 && metric === "cosine") throw new PagevecError("zero-vector", `row ${row} is all zeros, which has no direction: remove it, or use the metric dot or l2`);
  }
}

/**
 * Keeps the last row of each id.
 * @param {{ ids: IdList, vectors: Float32Array<ArrayBuffer>, fields: (string | null)[] | null }} rows
 * @param {number} dim
 */
export function lastOfEach({ ids, vectors, fields }, dim) {
  /** @type {Map<Id, number>} */
  const last = new Map();
  for (let row = 0; row < ids.length; row++) last.set(ids[row], row);
  if (last.size === ids.length) return { ids, vectors, fields };
  const kept = Array.from({ length: ids.length }, (_, row) => row).filter((row) => last.get(ids[row]) === row);
  const out = new Float32Array(kept.length * dim);
  kept.forEach((row, i) => out.set(vectors.subarray(row * dim, (row + 1) * dim), i * dim));
  const list = kept.map((row) => ids[row]);
  return { ids: ids instanceof Float64Array ? Float64Array.from(/** @type {number[]} */ (list)) : /** @type {string[]} */ (list), vectors: out, fields: fields && kept.map((row) => fields[row]) };
}
