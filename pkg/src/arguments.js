// Vectors and ids that users pass, checked and copied before anything awaits: a vector that the caller changes after the call must
// not change the answer.
import { describe, hintFor, isA, isNpy, isPromise, isTensor } from "./describe.js";
import { badArgument, PagevecError } from "./errors.js";
import { checkOptions } from "./options.js";

/**
 * @typedef {ArrayLike<number>} Vector a `number[]`, a Float32Array, or another typed array of numbers
 * @typedef {string | number} Id
 *
 * @typedef {object} TextQuery
 * @property {string} text of which `embed` makes a vector
 *
 * @typedef {object} IdQuery
 * @property {Id} id of the row whose vector is searched for
 *
 * @typedef {Vector | TextQuery | IdQuery} Query what is searched for
 */

/**
 * @param {unknown} value
 * @param {number} dim
 * @returns {Float32Array<ArrayBuffer> | { text: string } | { id: Id }} a copy
 */
export function toQuery(value, dim) {
  // A tensor may have an id too, which is not a row's.
  if (typeof value !== "object" || value === null || isList(value) || isTensor(value)) return toVector(value, dim);
  if ("text" in value) {
    const { text } = checkOptions("search({ text })", value, ["text"]);
    if (typeof text !== "string") throw badArgument(`search({ text }): text is ${describe(text)}; it must be a string`);
    return { text };
  }
  return "id" in value ? { id: toId(checkOptions("search({ id })", value, ["id"]).id) } : toVector(value, dim);
}

/**
 * @param {unknown} value
 * @param {number} dim
 * @param {string} [name] how messages call it
 * @returns {Float32Array<ArrayBuffer>} a copy
 */
export function toVector(value, dim, name = "vector") {
  if (Array.isArray(value) && isList(value[0])) throw badArgument(`${name} is an array of vectors: pass one of them (\`rows[0]\`), or all of them to searchBatch()`);
  const length = lengthOf(value, name);
  if (length !== dim) {
    const bytes = isA(value, "Uint8Array") && length === 4 * dim;
    const hint = bytes ? ". If these are the bytes of floats, pass new Float32Array(bytes.buffer, bytes.byteOffset, dim)" : ": use the model that the index was built with";
    throw new PagevecError("dimension", `${name} has ${length} numbers; this index has dimension ${dim}${hint}`);
  }
  const out = new Float32Array(length);
  copyNumbers(/** @type {ArrayLike<unknown>} */ (value), out, 0, name);
  return out;
}

/**
 * @param {unknown} value rows, or one flat typed array of them
 * @param {number | undefined} dim needed for a flat array; else taken from the first row
 * @returns {{ data: Float32Array<ArrayBuffer>, dim: number, rows: number }} a copy
 */
export function toMatrix(value, dim) {
  if (ArrayBuffer.isView(value)) return flatMatrix(value, dim);
  if (!Array.isArray(value)) {
    throw badArgument(`the matrix is ${describe(value)}; it must be an array of vectors, or a Float32Array of rows one after another${hintFor(value, "the matrix")}`);
  }
  if (typeof value[0] === "number") throw badArgument("the matrix is an array of numbers, not of vectors: put it in another array ([vector]), or make it a Float32Array of rows one after another");
  const width = dim ?? (value.length > 0 ? lengthOf(value[0], "row 0") : 0);
  if (!(width > 0)) throw badArgument("the matrix has no rows: give `dim`");
  const rows = value.length;
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const length = lengthOf(value[row], `row ${row}`);
    if (length !== width) throw new PagevecError("dimension", `row ${row} has ${length} numbers, not ${width}`);
    copyNumbers(value[row], data, row * width, `row ${row}`);
  }
  return { data, dim: width, rows };
}

/**
 * @param {ArrayBufferView} value
 * @param {number | undefined} dim
 */
function flatMatrix(value, dim) {
  const length = lengthOf(value, "matrix");
  if (isNpy(value)) throw badArgument(`the matrix is ${describe(value)}${hintFor(value, "the matrix")}`);
  if (!dim) throw badArgument("a flat matrix needs `dim`, the numbers in a row");
  if (length % dim !== 0) throw new PagevecError("dimension", `a matrix of ${length} numbers has no whole rows of ${dim}`);
  const data = new Float32Array(length);
  data.set(/** @type {Float32Array} */ (value));
  return { data, dim, rows: length / dim };
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {number}
 */
function lengthOf(value, name) {
  if (Array.isArray(value)) return value.length;
  if (ArrayBuffer.isView(value) && isList(value)) {
    if (isA(value, "BigInt64Array") || isA(value, "BigUint64Array")) {
      throw badArgument(`${name} holds BigInts: convert them to numbers`);
    }
    const length = /** @type {Float32Array} */ (value).length;
    if (length === 0 && value.buffer.byteLength === 0) {
      throw badArgument(`${name} is empty: was its buffer detached (transferred to a worker)?`);
    }
    return length;
  }
  throw badArgument(`${name} is ${describe(value)}; it must be an array of numbers or a Float32Array${hintFor(value, name)}`);
}

/**
 * @param {unknown} value
 * @returns {value is ArrayLike<unknown>}
 */
function isList(value) {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !isA(value, "DataView"));
}

/**
 * @param {ArrayLike<unknown>} from
 * @param {Float32Array} out
 * @param {number} at
 * @param {string} name
 */
function copyNumbers(from, out, at, name) {
  if (ArrayBuffer.isView(from)) {
    out.set(/** @type {Float32Array} */ (from), at);
    return;
  }
  const length = from.length;
  for (let i = 0; i < length; i++) {
    const number = from[i];
    if (typeof number !== "number") throw badArgument(`${name}[${i}] is not a number`);
    out[at + i] = number;
  }
}

/**
 * @param {unknown} id
 * @returns {Id}
 */
export function toId(id) {
  if (typeof id === "string") return id;
  if (typeof id === "number" && Number.isFinite(id)) return id;
  throw badArgument(`an id is a string or a number, not ${typeof id === "number" ? id : describe(id)}${isPromise(id) ? ": await it first" : ""}`);
}

/**
 * Ids for `build`.
 * @param {unknown} ids
 * @param {number} rows
 * @returns {undefined | IdList}
 */
export function toIds(ids, rows) {
  if (ids === undefined || ids === null) return undefined;
  const copy = toIdList(ids, "ids");
  if (copy.length !== rows) throw badArgument(`${copy.length} ids for ${rows} rows: one id for each row`);
  return copy;
}

/** @typedef {string[] | Float64Array} IdList all strings, or all whole numbers */

/**
 * @param {unknown} ids
 * @param {string} name how messages call them
 * @returns {IdList} a copy
 */
export function toIdList(ids, name) {
  if (!isList(ids)) throw badArgument(`${name} must be an array of strings or of numbers, not ${describe(ids)}${isPromise(ids) ? ": await it first" : ""}`);
  // A typed array of which the buffer was transferred to a worker looks empty. This throws then.
  if (ArrayBuffer.isView(ids)) ids.buffer.slice(0, 0);
  return typeof ids[0] === "string" ? toStrings(ids, name) : toNumbers(ids, name);
}

/**
 * @param {ArrayLike<unknown>} ids
 * @param {string} name
 */
function toStrings(ids, name) {
  const out = new Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (typeof id !== "string") throw badArgument(`${name}[${i}] is no string, but ${name}[0] is: use one kind`);
    // A lone surrogate has no UTF-8 form, so two such ids could become one.
    if (/\p{Surrogate}/u.test(id)) throw badArgument(`${name}[${i}] is not well-formed Unicode`);
    out[i] = id;
  }
  return out;
}

/**
 * @param {ArrayLike<unknown>} ids
 * @param {string} name
 */
function toNumbers(ids, name) {
  const out = new Float64Array(ids.length);
  for (let i = 0; i < out.length; i++) {
    const id = ids[i];
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) {
      throw badArgument(`${name}[${i}] must be a whole number from 0 to 2^53 - 1 (or make all ids strings)`);
    }
    out[i] = id;
  }
  return out;
}
