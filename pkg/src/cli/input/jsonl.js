// JSON lines, `{"id": "king", "vector": [0.1, 0.2]}`, or one JSON array of such objects. Ids may be left out in all rows. Rows
// without a vector are embedded, if there is a function for that.
import { createReadStream, statSync } from "node:fs";
import { input, io } from "../failure.js";
import { parseRow } from "./json-row.js";
import { JsonText } from "./json-text.js";

const CHUNK = 1 << 20;
/** Texts that are embedded in one call. */
const BATCH = 64;

/**
 * @typedef {object} Lines what was read beside the vectors
 * @property {number} dim
 * @property {number} rows
 * @property {number | undefined} total rows in the file; undefined if it was not read to its end
 * @property {string[] | number[] | undefined} ids
 * @property {string[]} extra the names of other fields than id and vector
 *
 * @typedef {object} Embedder
 * @property {string} field
 * @property {(texts: string[]) => Promise<ArrayLike<number>[]>} embed
 */

/**
 * Reads at most `limit` rows of a file, or of stdin if that is `-`, and hands each vector to `take`, in order.
 * @param {string} path
 * @param {number} limit
 * @param {import("../progress.js").Progress} progress
 * @param {(row: Float32Array) => void} take
 * @param {Embedder} [embedder]
 * @returns {Promise<Lines>}
 */
export async function readLines(path, limit, progress, take, embedder) {
  const name = path === "-" ? "stdin" : path;
  const text = new JsonText(path === "-" ? process.stdin : chunksOf(path), name);
  const reading = new Reading(name, take, embedder);
  /** @type {number | undefined} */
  let total;
  try {
    for (let read = 0; ; read++) {
      const found = await text.next(read);
      if (!found) total = read;
      if (!found || read === limit) break;
      await reading.row(found.bytes, found.line);
      progress.tick("read", read, read);
    }
    await reading.flush();
  } finally {
    await text.close();
  }
  if (reading.rows === 0) throw input(name, "no line, so no vector");
  const { dim, rows, ids, extra } = reading;
  return { dim, rows, total, ids, extra };
}

/** @param {string} path */
function chunksOf(path) {
  try {
    if (statSync(path).isDirectory()) throw input(path, "this is a folder: name a file in it");
  } catch (error) {
    throw error instanceof Error && "exit" in error ? error : io(path, error);
  }
  return createReadStream(path, { highWaterMark: CHUNK });
}

/** The rows so far, and those whose vectors are not there yet. */
class Reading {
  dim = 0;
  rows = 0;
  /** @type {string[]} */
  extra = [];
  /** @type {any[] | undefined} */
  ids;
  /** @type {{ line: number, vector: unknown[] | undefined, text: string }[]} */
  #waiting = [];

  /**
   * @param {string} path
   * @param {(row: Float32Array) => void} take
   * @param {Embedder | undefined} embedder
   */
  constructor(path, take, embedder) {
    this.path = path;
    this.take = take;
    this.embedder = embedder;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} line
   */
  async row(bytes, line) {
    /** @type {import("./json-row.js").Row} */
    let row;
    try {
      row = parseRow(bytes, this.extra, this.embedder?.field);
    } catch (error) {
      throw this.#fault(line, /** @type {Error} */ (error).message);
    }
    const { id, vector } = row;
    if (vector && this.#waiting.length === 0) return this.#add(vector, id, line);
    const text = vector ? "" : row.fields[/** @type {Embedder} */ (this.embedder).field];
    if (typeof text !== "string") throw this.#fault(line, `its field ${JSON.stringify(this.embedder?.field)} is no text: --embed makes vectors of texts`);
    this.#waiting.push({ line, vector, text });
    this.#keep(id, line);
    if (this.#waiting.filter(({ vector }) => !vector).length === BATCH || this.#waiting.length === 16 * BATCH) await this.flush();
  }

  /** Embeds the texts that wait. */
  async flush() {
    const waiting = this.#waiting.splice(0);
    const texts = waiting.filter(({ vector }) => !vector).map(({ text }) => text);
    const vectors = texts.length > 0 ? await /** @type {Embedder} */ (this.embedder).embed(texts) : [];
    let next = 0;
    for (const { line, vector } of waiting) this.#take(vector ?? vectors[next++], line);
  }

  /**
   * @param {ArrayLike<unknown>} vector
   * @param {string | number | undefined} id
   * @param {number} line
   */
  #add(vector, id, line) {
    this.#take(vector, line, () => this.#keep(id, line));
  }

  /**
   * Checks a vector and hands it on.
   * @param {ArrayLike<unknown>} vector
   * @param {number} line
   * @param {() => void} [before] what is checked before it counts
   */
  #take(vector, line, before) {
    if (this.rows === 0) this.dim = vector.length;
    const row = Float32Array.from(/** @type {ArrayLike<number>} */ (vector));
    const column = row.findIndex((x) => x === Infinity || x === -Infinity);
    if (column >= 0) throw this.#fault(line, `component ${column} is beyond f32: scale the vectors, or remove the row`);
    if (row.length !== this.dim) throw this.#fault(line, `${row.length} components where the first row has ${this.dim}`);
    before?.();
    this.rows += 1;
    this.take(row);
  }

  /**
   * @param {string | number | undefined} id
   * @param {number} line
   */
  #keep(id, line) {
    this.#kind ??= typeof id;
    if (typeof id !== this.#kind) throw this.#fault(line, "ids must be all texts, all numbers, or all left out");
    if (id !== undefined) (this.ids ??= []).push(id);
  }

  /** @type {string | undefined} of all ids */
  #kind;

  /**
   * @param {number} line
   * @param {string} message
   */
  #fault(line, message) {
    return input(this.path, `line ${line}: ${message}`);
  }
}
