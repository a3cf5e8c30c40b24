// CSV: the names of the fields in the first line, and a record for each row. CSV has no types, so a column has the one of the schema,
// or one that suits all of its cells. An empty cell is no value. Messages count records as spreadsheets do: the names are the first one.
import { readFileSync } from "node:fs";
import { input, io } from "../failure.js";

/** A number as JSON has it, so no `007`, `+1`, `.5` or `NaN`. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?<fraction>(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
/** As JavaScript, Python and spreadsheets write it. */
const BOOLEANS = new Map([["true", true], ["True", true], ["TRUE", true], ["false", false], ["False", false], ["FALSE", false]]);
/** @typedef {(cell: string) => number | boolean | undefined} Value what a cell is beside text */

/** @type {[unknown, Value[]][]} */
const OF_TYPES = [["keyword", []], ["boolean", [booleanOf]], ["integer", [numberOf]], ["float", [numberOf]], ["timestamp", [numberOf]]];
/** What cells may be beside text, by the types of a schema. */
const DECLARED = new Map(OF_TYPES);

/**
 * Reads all rows.
 * @param {string} path
 * @param {(name: string) => unknown} typeOf the types of a schema
 * @param {(fields: Record<string, unknown>, number: number) => void} each takes the fields of a row, and the number of its record
 * @returns {number} how many rows there are
 */
export function readCsv(path, typeOf, each) {
  const delimiter = /\.tsv$/i.test(path) ? "\t" : ",";
  const text = textOf(path, delimiter);
  const read = () => records(text, delimiter);
  const names = namesOf(path, read().next().value);
  const declared = names.map((name) => DECLARED.get(typeOf(name)));
  const columns = declared.map((values) => values ?? [numberOf, booleanOf]);
  let count = 0;
  for (const cells of read()) {
    count += 1;
    if (cells.length !== names.length) throw input(path, `record ${count}: ${cells.length} cells where the first record has ${names.length}: quote cells that have commas`);
    if (count === 1) continue;
    cells.forEach((cell, i) => {
      if (!declared[i] && cell !== "") columns[i] = columns[i].filter((value) => value(cell) !== undefined);
    });
  }
  const rows = read();
  rows.next();
  let number = 1;
  for (const cells of rows) {
    const valueOf = (/** @type {string} */ cell, /** @type {number} */ i) => columns[i].map((value) => value(cell)).find((value) => value !== undefined) ?? cell;
    const fields = cells.flatMap((cell, i) => (cell === "" ? [] : [[names[i], valueOf(cell, i)]]));
    each(Object.fromEntries(fields), (number += 1));
  }
  return count - 1;
}

/**
 * The text of a file, without a byte order mark.
 * @param {string} path
 * @param {string} delimiter
 */
function textOf(path, delimiter) {
  /** @type {Buffer} */
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw io(path, error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Bytes that are no UTF-8 become U+FFFD, which may be in a text as well.
    let number = 0;
    for (const cells of records(new TextDecoder().decode(bytes), delimiter)) {
      number += 1;
      if (cells.some((cell) => cell.includes("\ufffd"))) throw input(path, `record ${number}: not UTF-8: convert the file, for example with iconv`);
    }
    throw input(path, "not UTF-8: convert the file, for example with iconv");
  }
}

/**
 * @param {string} path
 * @param {string[] | undefined} names
 * @returns {string[]}
 */
function namesOf(path, names) {
  if (!names) throw input(path, "it is empty: give the names of the fields in the first line");
  names.forEach((name, i) => {
    if (name === "") throw input(path, `record 1: column ${i + 1} has no name: name all fields`);
    if (names.indexOf(name) < i) throw input(path, `record 1: two columns have the name ${JSON.stringify(name)}: rename one`);
  });
  if (names.length === 1 && names[0].includes(";")) throw input(path, "record 1: columns are cut by semicolons: write commas");
  return names;
}

/**
 * The records of RFC 4180; empty lines are none.
 * @param {string} text
 * @param {string} delimiter
 * @returns {Generator<string[], undefined>} the cells of each
 */
function* records(text, delimiter) {
  const special = delimiter === "," ? /[,\r\n]|$/g : /[\t\r\n]|$/g;
  /** The end of the cell from here on. */
  const next = (/** @type {number} */ from) => {
    special.lastIndex = from;
    return /** @type {RegExpExecArray} */ (special.exec(text)).index;
  };
  for (let at = 0; at < text.length; ) {
    if (text[at] === "\n" || text[at] === "\r") {
      at += 1;
      continue;
    }
    const cells = /** @type {string[]} */ ([]);
    for (let more = true; more; ) {
      let cell = "";
      if (text[at] === '"') {
        for (let quoted = true; quoted; ) {
          const end = text.indexOf('"', at + 1);
          const closed = end < 0 ? text.length : end;
          cell += text.slice(at + 1, closed);
          at = closed + 1;
          quoted = text[at] === '"';
          if (quoted) cell += '"';
        }
      }
      const end = at < text.length ? next(at) : text.length;
      cells.push(cell + text.slice(at, end));
      more = text[end] === delimiter;
      at = more ? end + 1 : end;
    }
    yield cells;
  }
}

/** @param {string} cell */
function numberOf(cell) {
  const { fraction } = NUMBER.exec(cell)?.groups ?? {};
  const number = Number(cell);
  // Whole numbers beyond that are not exact: they stay text.
  return fraction !== undefined && (fraction === "" ? Number.isSafeInteger(number) : Number.isFinite(number)) ? number : undefined;
}

/** @param {string} cell */
function booleanOf(cell) {
  return BOOLEANS.get(cell);
}
