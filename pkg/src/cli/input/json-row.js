// One object of JSON lines: its id, its vector, and its other fields. Errors name what the author of the file wrote, not what the
// parser expected.
import { checkStored, parseExact } from "../fields/exact.js";

const LIKE = 'an object like {"id": "king", "vector": [0.1, 0.2]}';

/**
 * @typedef {object} Row
 * @property {string | number | undefined} id
 * @property {unknown[] | undefined} vector undefined where there is none, and none is needed
 * @property {unknown} text in the field from which a vector is made
 * @property {import("../fields/lines.js").Fields} fields those that are stored
 * @property {unknown} named the value of the field that `--id-field` names
 * @property {string[]} others the names of all fields but id and vector
 */

/**
 * Reads one object.
 * @param {Uint8Array} bytes
 * @param {import("../fields/store.js").Store | undefined} store undefined: no field is stored
 * @param {string | undefined} instead the field from which a vector is made where the object has none
 * @returns {Row} throws an Error with what is wrong
 */
export function parseRow(bytes, store, instead) {
  const { object, names, text } = parseObject(bytes, store?.takesSome === true);
  const idName = store?.idOfLines?.name;
  const id = idName === "id" ? null : toNumber(object.id ?? null);
  const vector = Array.isArray(object.vector) ? object.vector.map(toNumber) : object.vector;
  const { fields: all, names: others } = fieldsOf(object, names);
  const fieldOf = (/** @type {string} */ name) => (others.includes(name) ? all[name] : undefined);
  // JSON.parse takes the last of several fields of one name in silence. Nearly all objects name it once, and are not looked at again.
  if (vector !== undefined && text.split('"vector"', 3).length > 2 && namesOf(text).filter((name) => name === "vector").length > 1) throw new Error("it has two vectors");
  if (id !== null && typeof id !== "string" && !(Number.isInteger(id) && id >= 0)) throw new Error("an id is a text or a whole number from 0");
  if (vector === undefined && (instead === undefined || !others.includes(instead))) throw new Error(noVector(others, instead));
  if (vector !== undefined && !Array.isArray(vector)) throw new Error('its vector is no list: write "vector": [0.1, 0.2]');
  const wrong = vector?.find((/** @type {unknown} */ x) => typeof x !== "number" || !Number.isFinite(x));
  if (wrong === null) throw new Error("null in its vector, which is how NaN is often written: remove or repair the row");
  if (typeof wrong === "number") throw new Error("number out of range");
  if (wrong !== undefined) throw new Error(`invalid type: ${kindOf(wrong)}, expected f32`);
  const fields = Object.fromEntries(others.filter((name) => store?.takes(name)).map((name) => [name, fieldOf(name)]));
  checkStored(fields);
  const named = idName === undefined ? undefined : idName === "id" ? object.id : fieldOf(idName);
  return { id: id ?? undefined, vector, text: instead === undefined ? undefined : fieldOf(instead), fields, named, others };
}

/**
 * The fields of a row, and their names. They stand beside its id and vector, or all of them in an object `fields`, as `list` writes them.
 * @param {Record<string, any>} object
 * @param {string[]} names of its members
 * @returns {{ fields: Record<string, any>, names: string[] }}
 */
export function fieldsOf(object, names) {
  const others = names.filter((name) => name !== "id" && name !== "vector");
  const { fields } = object;
  const isAlone = others.length === 1 && others[0] === "fields" && fields !== null && typeof fields === "object" && !Array.isArray(fields);
  return isAlone ? { fields, names: Object.keys(fields) } : { fields: object, names: others };
}

/**
 * @param {Uint8Array} bytes
 * @param {boolean} exact whether whole numbers keep all their digits
 * @returns {{ object: Record<string, any>, names: string[], text: string }} `names`: of the fields, in order; throws an Error with what
 *   is wrong
 */
export function parseObject(bytes, exact) {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("not UTF-8: convert the file, for example with iconv");
  }
  /** @type {any} */
  let object;
  try {
    object = exact ? parseExact(text) : JSON.parse(text);
  } catch (error) {
    throw new Error(complaint(text, /** @type {Error} */ (error)));
  }
  if (object === null || typeof object !== "object" || Array.isArray(object)) throw new Error(`invalid type: ${kindOf(object)}, expected ${LIKE}`);
  const names = Object.keys(object);
  // JavaScript has whole numbers before other names.
  return { object, names: /^\d/.test(names[0]) ? [...new Set(namesOf(text))] : names, text };
}

/** @param {any} value of an id or a component, for which a double is enough */
function toNumber(value) {
  return typeof value === "bigint" ? Number(value) : value;
}

/**
 * @param {string[]} others
 * @param {string | undefined} instead
 */
function noVector(others, instead) {
  const names = others.length === 0 ? "none" : others.join(", ");
  if (instead !== undefined) return `no field "vector" and no field ${JSON.stringify(instead)} to embed (others: ${names}): name the field of the text with --embed-field`;
  return `no field "vector" (others: ${names}): rename the one that holds the vector`;
}

/** @param {unknown} value */
function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "sequence";
  if (typeof value === "string") return `string ${JSON.stringify(value)}`;
  if (typeof value === "object") return "map";
  return typeof value === "number" ? `${Number.isInteger(value) ? "integer" : "floating point"} \`${value}\`` : `${typeof value} \`${value}\``;
}

/**
 * The message for an object that could not be parsed.
 * @param {string} text
 * @param {Error} error
 */
function complaint(text, error) {
  const word = outsideTexts(text, /NaN|-?Infinity/y);
  if (word) return `${word} is not JSON (Python writes it so), and no component of a vector: remove or repair the row`;
  const end = lengthOfObject(text);
  if (end !== undefined && isJson(text.slice(0, end)) && text.slice(end).trim() !== "") return "more follows the object: write one object a line";
  const told = error.message.replace(/ in JSON at position.*| at position.*| \(line \d+.*/s, "").slice(0, 200);
  if (end === undefined && text.trimStart().startsWith("{")) return `EOF while parsing (${told}): the object does not end where its line does; write one object a line`;
  const [, column] = /position (\d+)/.exec(error.message) ?? [];
  return column === undefined ? told : `${told} (column ${Number(column) + 1})`;
}

/** @param {string} text */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The first match of a sticky pattern that is not within a text of JSON.
 * @param {string} json
 * @param {RegExp} pattern
 */
function outsideTexts(json, pattern) {
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "\\" && inText) at++;
    else if (json[at] === '"') inText = !inText;
    else if (!inText) {
      pattern.lastIndex = at;
      const [found] = pattern.exec(json) ?? [];
      if (found) return found;
    }
  }
  return undefined;
}

/**
 * Where the braces of the first object close; undefined if they do not.
 * @param {string} json
 */
function lengthOfObject(json) {
  let [inText, depth] = [false, 0];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "\\" && inText) at++;
    else if (json[at] === '"') inText = !inText;
    else if (!inText && json[at] === "{") depth++;
    else if (!inText && json[at] === "}" && --depth === 0) return at + 1;
  }
  return undefined;
}

/**
 * The names in an object, in order, also those that are there twice.
 * @param {string} json a valid object
 */
function namesOf(json) {
  const names = [];
  let depth = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token.endsWith(":")) names.push(JSON.parse(token.slice(0, -1)));
  }
  return names;
}
