// Ids out of a field of the rows, which `--id-field` names: texts or whole numbers, one for each row.
import { Failure } from "../failure.js";

/** `Ids::MAX_TEXT` of the core. */
const MAX_TEXT = 65_535;
/** Names that are shown. */
const SHOWN = 20;

export class IdField {
  /** @type {any[]} */
  #ids = [];

  /**
   * @param {string} name
   * @param {boolean} inPayload whether it is a field of `--payload`, and not of the input
   */
  constructor(name, inPayload) {
    this.name = name;
    this.inPayload = inPayload;
  }

  /**
   * Takes the id of the next row out of the value of its field; throws an Error with what is wrong with it.
   * @param {unknown} value
   * @param {string[]} names of the row's fields
   */
  push(value, names) {
    const name = JSON.stringify(this.name);
    if (value === undefined || value === null) {
      const others = names.filter((other) => other !== this.name).slice(0, SHOWN);
      throw new Error(`no value in its field ${name}, where --id-field expects its id (others: ${others.length > 0 ? others.join(", ") : "none"})`);
    }
    const id = typeof value === "string" ? value : wholeOf(value);
    if (id === undefined) throw new Error(`its field ${name} is no id: an id is a text or a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
    const bytes = typeof id === "string" ? Buffer.byteLength(id) : 0;
    if (bytes > MAX_TEXT) throw new Error(`its id in the field ${name} has ${bytes} bytes, the limit is ${MAX_TEXT}`);
    if (typeof id !== typeof (this.#ids[0] ?? id)) {
      const [own, others] = typeof id === "string" ? ["text", "numbers"] : ["number", "texts"];
      throw new Error(`its field ${name} is a ${own}, those of other rows are ${others}: ids are all texts or all numbers`);
    }
    this.#ids.push(id);
  }

  /**
   * The ids of all rows, which must be different.
   * @param {string} path of their file
   * @returns {string[] | Float64Array}
   */
  finish(path) {
    const seen = new Map();
    for (const [row, id] of this.#ids.entries()) {
      if (seen.has(id)) throw new Failure(1, "duplicate-id", `${path}: rows ${seen.get(id)} and ${row} both have ${JSON.stringify(id)} in the field ${JSON.stringify(this.name)}: ids name one row each`);
      seen.set(id, row);
    }
    return typeof this.#ids[0] === "number" ? Float64Array.from(this.#ids) : this.#ids;
  }
}

/**
 * A number that may be an id.
 * @param {unknown} value
 */
function wholeOf(value) {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? Math.abs(number) : undefined;
}
