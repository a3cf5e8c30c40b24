// `pagevec list`: the rows of an index as JSON lines, which `build` and `collection upsert` take back.
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { whole } from "../arguments.js";
import { io } from "../failure.js";
import { writeExact } from "../fields/exact.js";
import { print, single } from "../output.js";
import { FILTERED, openSource, SOURCE, toFiltered } from "../source.js";

/** Characters that are written at once. */
const TOGETHER = 1 << 16;

/** @type {import("../arguments.js").Command} */
export const LIST = {
  name: "list",
  about: "Print all rows, or those that match, a JSON line each",
  operand: "INDEX",
  operandHelp: "An index folder, or a segment file (seg-….bin)",
  options: {
    ...SOURCE,
    vectors: { help: "Print the vectors too, as they are stored: quantized unless finer rows are kept, and of unit length under cosine" },
    ...FILTERED,
    "sort-by": { value: "FIELD", help: "An indexed field by which rows are sorted; rows without a value are last" },
    descending: { requires: "sort-by", help: "From the greatest value on" },
    offset: { value: "N", parse: whole(0), fallback: "0", help: "Leave out so many rows" },
    limit: { value: "N", parse: whole(0), help: "Print at most so many rows" },
    fields: { value: "NAMES", list: true, help: "Print only these fields [default: all]" },
    output: { short: "o", value: "FILE", help: "The file that the lines are written to [default: they are printed]" },
  },
  examples: ["pagevec list site/index --vectors -o rows.jsonl", `pagevec list site/index --filter '{"price":{"$lt":50}}' --fields title,url`, "pagevec list site/index --sort-by price --descending --limit 20"],
};

/** @param {import("../arguments.js").Parsed} parsed */
export async function list(parsed) {
  const { vectors = false, descending = false, offset, limit, fields, output: path } = parsed;
  const index = await openSource(parsed);
  try {
    const rows = index.rows({ vectors, ...toFiltered(parsed.filter), sortBy: parsed["sort-by"], descending, offset, limit, ...(fields && { fields }) });
    // What is wrong with the arguments is told before a file is made.
    let row = await rows.next();
    const lines = new Lines(path);
    try {
      for (; !row.done; row = await rows.next()) {
        const { id, vector, fields = {} } = row.value;
        lines.add(writeExact({ id, ...(vector && { vector: Array.from(vector, single) }), fields }));
      }
      lines.end();
    } catch (error) {
      lines.drop();
      throw error;
    }
  } finally {
    await index.close();
  }
}

/** Lines that are printed, or written to a file. A file whose writing failed is removed. */
class Lines {
  #text = "";
  /** @type {number | undefined} */
  #file;

  /** @param {string | undefined} path */
  constructor(path) {
    this.path = path;
    if (path !== undefined) this.#try(() => (this.#file = openSync(path, "w")));
  }

  /** @param {string} line */
  add(line) {
    this.#text += `${line}\n`;
    if (this.#text.length >= TOGETHER) this.#flush();
  }

  end() {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
  }

  drop() {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    rmSync(String(this.path), { force: true });
  }

  #flush() {
    const [text, file] = [this.#text, this.#file];
    this.#text = "";
    if (text === "") return;
    if (file === undefined) return print(text.slice(0, -1));
    const bytes = Buffer.from(text);
    this.#try(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    });
  }

  /** @param {() => void} act */
  #try(act) {
    try {
      act();
    } catch (error) {
      throw io(String(this.path), error);
    }
  }
}
