// The fields of rows, as the build module takes them: a line of JSON for each row, which is empty for a row without fields.
import { input } from "../failure.js";
import { parseExact, writeExact } from "./exact.js";

/** @typedef {Record<string, unknown>} Fields of one row */

/** The fields of a row have at most so many bytes: `Fields::MAX_ROW` of the core. */
const MAX_ROW = 65_535;
/** The longest text that V8 makes. */
const MAX_CHARACTERS = 2 ** 29 - 24;

export class Lines {
  /** @type {string[]} */
  #all = [];
  #length = 0;

  /** @param {string} path of the file that they come from */
  constructor(path) {
    this.path = path;
  }

  /**
   * Adds the next row.
   * @param {Fields} fields
   * @param {string} where it is in the file
   */
  add(fields, where) {
    const line = Object.keys(fields).length === 0 ? "" : writeExact(fields);
    const bytes = Buffer.byteLength(line);
    if (bytes > MAX_ROW) throw input(this.path, `${where}: its fields have ${bytes} bytes, the limit is ${MAX_ROW}: store fewer of them (--store), or cut the row in several`);
    this.#length += line.length + 1;
    if (this.#length > MAX_CHARACTERS) throw input(this.path, `${where}: the fields up to it have ${this.#length} characters, the limit of this build is ${MAX_CHARACTERS}: store fewer of them (--store), or use the native command line`);
    this.#all.push(line);
  }

  /**
   * The fields of a row.
   * @param {number} row
   * @returns {Fields}
   */
  at(row) {
    const line = this.#all[row];
    return line ? parseExact(line) : {};
  }

  /** What the build module takes; undefined where no row has fields. */
  get text() {
    return this.#length > this.#all.length ? this.#all.join("\n") : undefined;
  }
}
