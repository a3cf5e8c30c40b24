// Which fields of rows are stored.
import { usage } from "../failure.js";

/** So many names are kept. */
const MAX_KNOWN = 100;

export class Store {
  /** @type {ReadonlySet<string> | "all" | "none"} */
  #which;
  /** Names of fields that rows have, stored or not: the first ones. */
  known = /** @type {Set<string>} */ (new Set());
  /** Those of them that are stored. */
  stored = /** @type {Set<string>} */ (new Set());

  /**
   * @param {string[] | undefined} names undefined: all
   * @param {boolean} none
   * @param {import("./id-field.js").IdField} [idField] from which ids are taken; it is stored only if it is named, as each row has it as its id
   */
  constructor(names, none, idField) {
    const own = names?.find((name) => ["id", "vector", ""].includes(name));
    if (own !== undefined) throw usage(`--store ${JSON.stringify(own)}: name other fields; an index has ids and vectors anyway`);
    this.idField = idField;
    this.#which = none ? "none" : names ? new Set(names) : "all";
  }

  /** Whether any field is stored. */
  get takesSome() {
    return this.#which !== "none";
  }

  /**
   * Whether a field of a row is stored.
   * @param {string} name
   */
  takes(name) {
    const takes = (this.#which === "all" && name !== this.idField?.name) || (typeof this.#which !== "string" && this.#which.has(name));
    for (const names of takes ? [this.known, this.stored] : [this.known]) if (names.size < MAX_KNOWN) names.add(name);
    return takes;
  }

  /** The field of the input's lines from which ids are taken. */
  get idOfLines() {
    return this.idField?.inPayload ? undefined : this.idField;
  }

  /** Refuses a name that no row has: most likely it is misspelled. */
  check() {
    if (typeof this.#which === "string") return;
    const missing = [...this.#which].find((name) => !this.stored.has(name));
    if (missing === undefined) return;
    const known = this.known.size === 0 ? "none besides id and vector; --payload FILE brings those of another file" : [...this.known].join(", ");
    throw usage(`--store ${missing}: no row has this field. They have ${known}`);
  }
}
