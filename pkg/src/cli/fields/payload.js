// The fields of rows from another file: JSON lines, or an array of objects, in the order of the rows.
import { input } from "../failure.js";
import { parseObject } from "../input/json-row.js";
import { nameOf, readObjects } from "../input/jsonl.js";
import { checkStored } from "./exact.js";
import { Lines } from "./lines.js";

/**
 * The fields of rows: those that came with them, and those of the file. Where both have one of the same name, that of the file counts.
 * @param {string} path
 * @param {{ rows: number, total: number | undefined, fields: Lines | undefined }} rows how many there are, how many the input has, if
 *   that is known, and the fields that came with them
 * @param {import("./store.js").Store} store
 * @param {import("../progress.js").Progress} progress
 * @returns {Promise<Lines>}
 */
export async function readPayload(path, { rows, total, fields }, store, progress) {
  const name = nameOf(path);
  const lines = new Lines(name);
  let row = 0;
  const count = await readObjects(path, Infinity, (bytes, line) => {
    row += 1;
    if (row > rows) return;
    const { object, names } = parsed(bytes, `line ${line}`, name);
    // An index has ids and vectors anyway.
    const taken = names.filter((one) => one !== "id" && one !== "vector" && store.takes(one));
    lines.add({ ...fields?.at(row - 1), ...Object.fromEntries(taken.map((one) => [one, object[one]])) }, `line ${line}`);
    progress.tick("read", row, rows);
  });
  if (count === rows || count === total) return lines;
  throw input(path, `${count} lines for ${total ?? rows} rows: give one object for each row, in the same order`);
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
    return found;
  } catch (error) {
    const isObject = ["{", ""].includes(Buffer.from(bytes).toString("latin1").trimStart().slice(0, 1));
    throw input(name, `${where}: ${isObject ? /** @type {Error} */ (error).message : 'no JSON object: write {"title": "A title"}, one a line'}`);
  }
}
