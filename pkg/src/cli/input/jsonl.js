// JSON lines, `{"id": "king", "vector": [0.1, 0.2]}`, or one JSON array of such objects. Ids may be left out in all rows. Rows
// without a vector are embedded, if there is a function for that.
import { createReadStream, statSync } from "node:fs";
import { input, io } from "../failure.js";
import { Lines } from "../fields/lines.js";
import { parseRow } from "./json-row.js";
import { JsonText } from "./json-text.js";

const CHUNK = 1 << 20;
/** Texts that are embedded in one call. */
const BATCH = 64;

/**
 * @typedef {object} Read what was read beside the vectors
 * @property {number} dim
 * @property {number} rows
 * @property {number | undefined} total rows in the file; undefined if it was not read to its end
 * @property {string[] | number[] | undefined} ids
 * @property {Lines | undefined} fields those that are stored; undefined where none were asked for
 *
 * @typedef {object} Embedder
 * @property {string} field
 * @property {string | undefined} model its name, by --model or by the module
 * @property {(texts: string[]) => Promise<ArrayLike<number>[]>} embed
 */

/**
 * Reads at most `limit` rows of a file, or of stdin if that is `-`, and hands each vector to `take`, in order.
 * @param {string} path
 * @param {number} limit
 * @param {import("../progress.js").Progress} progress
 * @param {(row: Float32Array) => void} take
 * @param {{ embedder?: Embedder, store?: import("../fields/store.js").Store }} [more]
 * @returns {Promise<Read>}
 */
export async function readLines(path, limit, progress, take, { embedder, store } = {}) {
  const reading = new Reading(path, take, embedder, store);
  const total = await readObjects(path, limit, async (bytes, line, read) => {
    await reading.row(bytes, line);
    progress.tick("read", read, read);
  });
  await reading.flush();
  if (reading.rows === 0) throw input(reading.name, "no line, so no vector");
  const { dim, rows, ids, fields } = reading;
  return { dim, rows, total, ids, fields };
}

/**
 * Reads at most `limit` objects of a file, or of stdin if that is `-`.
 * @param {string} path
 * @param {number} limit
 * @param {(bytes: Uint8Array, line: number, read: number) => Promise<void> | void} each takes an object, the number of its first line,
 *   and how many came before it
 * @returns {Promise<number | undefined>} how many there are, if it came to the end
 */
export async function readObjects(path, limit, each) {
  const text = new JsonText(path === "-" ? process.stdin : chunksOf(path), nameOf(path));
  try {
    for (let read = 0; ; read++) {
      const found = await text.next(read);
      if (!found) return read;
      if (read === limit) return undefined;
      await each(found.bytes, found.line, read);
    }
  } finally {
    await text.close();
  }
}

/**
 * What messages call a file.
 * @param {string} path
 */
export function nameOf(path) {
  return path === "-" ? "stdin" : path;
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
  /** @type {any[] | undefined} */
  ids;
  /** @type {{ line: number, vector: unknown[] | undefined, text: string }[]} */
  #waiting = [];

  /**
   * @param {string} path
   * @param {(row: Float32Array) => void} take
   * @param {Embedder | undefined} embedder
   * @param {import("../fields/store.js").Store | undefined} store
   */
  constructor(path, take, embedder, store) {
    this.name = nameOf(path);
    this.take = take;
    this.embedder = embedder;
    this.store = store;
    this.fields = store && new Lines(path);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} line
   */
  async row(bytes, line) {
    /** @type {import("./json-row.js").Row} */
    let row;
    try {
      row = parseRow(bytes, this.store, this.embedder?.field);
      this.store?.idOfLines?.push(row.named, row.others);
    } catch (error) {
      throw this.#fault(line, /** @type {Error} */ (error).message);
    }
    const { id, vector, fields } = row;
    const where = `row ${this.rows + this.#waiting.length}`;
    if (vector && this.#waiting.length === 0) {
      this.#take(vector, line, () => this.#keep(id, line));
      return this.fields?.add(fields, where);
    }
    const text = vector ? "" : row.text;
    if (typeof text !== "string") throw this.#fault(line, `its field ${JSON.stringify(this.embedder?.field)} is no text: --embed makes vectors of texts`);
    this.#waiting.push({ line, vector, text });
    this.#keep(id, line);
    this.fields?.add(fields, where);
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
    return input(this.name, `line ${line}: ${message}`);
  }
}
