// The fields of rows from another file, in the order of the rows: JSON lines, an array of objects, or CSV.
import { input, usage } from "../failure.js";
import { PARQUET } from "../input/files.js";
import { fieldsOf, parseObject } from "../input/json-row.js";
import { nameOf, readObjects } from "../input/jsonl.js";
import { readCsv } from "./csv.js";
import { checkStored } from "./exact.js";
import { Lines } from "./lines.js";

/**
 * The fields of rows: those that came with them, and those of the file. Where both have one of the same name, that of the file counts.
 * The name of the file gives its format.
 * @param {string} path
 * @param {{ rows: number, total: number | undefined, fields: Lines | undefined }} rows how many there are, how many the input has, if
 *   that is known, and the fields that came with them
 * @param {import("./store.js").Store} store
 * @param {import("../progress.js").Progress} progress
 * @param {string} [schema] JSON with the types of fields
 * @returns {Promise<Lines>}
 */
export async function readPayload(path, { rows, total, fields }, store, progress, schema) {
  if (/\.parquet$/i.test(path)) throw usage(`${path}: ${PARQUET}`);
  const name = nameOf(path);
  const lines = new Lines(name);
  let row = 0;
  /**
   * Adds the fields of the next row, if it is one of those that are built.
   * @param {() => { object: Record<string, unknown>, names: string[] }} read
   * @param {string} where
   */
  const add = (read, where) => {
    row += 1;
    if (row > rows) return;
    const { object, names } = read();
    const { idField } = store;
    try {
      idField?.push(names.includes(idField.name) ? object[idField.name] : undefined, names);
    } catch (error) {
      throw input(name, `${where}: ${/** @type {Error} */ (error).message}`);
    }
    // An index has ids and vectors anyway.
    const taken = names.filter((one) => one !== "id" && one !== "vector" && store.takes(one));
    lines.add({ ...fields?.at(row - 1), ...Object.fromEntries(taken.map((one) => [one, object[one]])) }, where);
    progress.tick("read", row, rows);
  };
  const count = /\.[ct]sv$/i.test(path)
    ? readCsv(path, typesOf(schema), (object, number) => add(() => ({ object, names: Object.keys(object) }), `record ${number}`))
    : await readObjects(path, Infinity, (bytes, line) => add(() => parsed(bytes, `line ${line}`, name), `line ${line}`));
  if (count === rows || count === total) return lines;
  throw input(path, `${count} lines for ${total ?? rows} rows: give one object for each row, in the same order`);
}

/**
 * The types that a schema gives to the columns of CSV. What is wrong with one is told by the core.
 * @param {string | undefined} schema
 * @returns {(name: string) => unknown}
 */
function typesOf(schema = "{}") {
  try {
    const types = new Map(Object.entries(JSON.parse(schema) ?? {}));
    return (name) => types.get(name);
  } catch {
    return () => undefined;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {string} where
 * @param {string} name of the file
 */
function parsed(bytes, where, name) {
  try {
    const found = parseObject(bytes, true);
    checkStored(found.object);
    const { fields, names } = fieldsOf(found.object, found.names);
    return fields === found.object ? found : { object: { ...found.object, ...fields }, names: [...found.names.filter((one) => one !== "fields"), ...names] };
  } catch (error) {
    const isObject = ["{", ""].includes(Buffer.from(bytes).toString("latin1").trimStart().slice(0, 1));
    throw input(name, `${where}: ${isObject ? /** @type {Error} */ (error).message : 'no JSON object: write {"title": "A title"}, one a line'}`);
  }
}
