// What a collection does with the fields of its rows: changes, counts, facets, and rows that are filtered and sorted.
import { describe } from "../../describe.js";
import { badArgument, reading } from "../../errors.js";
import { checkOptions, toInteger, toSignal } from "../../options.js";
import { filterOf, toFilter } from "../../search/filter.js";
import { toFacets } from "../../search/options.js";
import { toIdList, toJson } from "../arguments.js";
import { PAGE, readRows, rowsOf, signalOf, toRead } from "./calls.js";

/**
 * @typedef {import("./calls.js").Link} Link
 * @typedef {import("./calls.js").RowOptions} RowOptions
 * @typedef {import("./calls.js").StoredRow} StoredRow
 * @typedef {import("./calls.js").Wanted} Wanted
 * @typedef {import("../../arguments.js").Id} Id
 * @typedef {import("../../arguments.js").IdList} IdList
 * @typedef {import("../../index.js").CallOptions} CallOptions
 *
 * @typedef {object} Updated
 * @property {number} updated rows whose fields were changed
 * @property {Id[]} missing ids that no row has: nothing was changed for them
 */

/**
 * @param {Link} link
 * @param {unknown} ids one, or several
 * @param {unknown} fields for all of them, or an array of one object for each
 * @param {CallOptions | undefined} options
 * @returns {Promise<Updated>}
 */
export async function update({ state, call }, ids, fields, options) {
  const isOne = typeof ids === "string" || typeof ids === "number";
  const list = reading(() => toIdList(isOne ? [ids] : ids, state));
  const changes = reading(() => toChanges(fields, list.length));
  const signal = signalOf("update()", options);
  if (list.length === 0) return { updated: 0, missing: [] };
  const { updated, missing } = await call({ call: "update", ids: list, fields: changes }, signal);
  return { updated, missing };
}

/**
 * @param {unknown} fields
 * @param {number} rows
 * @returns {string[]} JSON, with null for what is to be removed
 */
function toChanges(fields, rows) {
  if (!Array.isArray(fields)) return new Array(rows).fill(toChange(fields, 0));
  if (fields.length !== rows) throw badArgument(`update(): ${fields.length} changes for ${rows} ids: give one object for all, or one for each`);
  return fields.map(toChange);
}

/**
 * @param {unknown} fields
 * @param {number} row
 */
function toChange(fields, row) {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) throw badArgument(`update(): the fields of row ${row} must be an object, not ${describe(fields)}`);
  return toJson(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? null])), row);
}

/**
 * @param {Link} link
 * @param {unknown} filter
 * @param {CallOptions | undefined} options
 * @returns {Promise<number>}
 */
export async function countMatching(link, filter, options) {
  const json = reading(() => toFilter(filter));
  return link.call({ call: "count", filter: json }, signalOf("countMatching()", options));
}

/**
 * @param {Link} link
 * @param {unknown} field
 * @param {object | undefined} options
 * @returns {Promise<{ value: any, count: number }[]>}
 */
export async function facets(link, field, options) {
  const { signal, ...wanted } = reading(() => toFacets(field, options));
  return link.call({ call: "facets", ...wanted }, signal);
}

/**
 * The page that options of `rows()` ask for; undefined: all rows, in the order of their ids.
 * @param {RowOptions | undefined} options
 * @param {{ ids?: "number" | "text" }} facts
 * @returns {{ wanted: Wanted, query: import("../messages.js").PageQuery | undefined }}
 */
export function toListed(options, facts) {
  const { filter: _, sortBy, descending = false, offset = 0, limit, signal, ...others } = checkOptions("rows()", options, ["vectors", "fields", "filter", "sortBy", "descending", "offset", "limit", "signal"]);
  if (sortBy !== undefined && typeof sortBy !== "string") throw badArgument(`rows(): sortBy must be the name of a field, not ${describe(sortBy)}`);
  if (typeof descending !== "boolean") throw badArgument(`rows(): descending must be true or false, not ${describe(descending)}`);
  const filter = filterOf(options);
  const wanted = { ...toRead("rows()", [], others, facts), signal: toSignal(signal) };
  const isAll = filter === undefined && sortBy === undefined && offset === 0 && limit === undefined;
  const query = { filter, sortBy, descending, offset: toInteger(offset, "offset", 0), limit: limit === undefined ? undefined : toInteger(limit, "limit", 0) };
  return { wanted, query: isAll ? undefined : query };
}

/**
 * Which rows there are, and their order, is found out at once, with the first of them; the others are read as somebody asks for more.
 * @param {Link} link
 * @param {Wanted} wanted
 * @param {import("../messages.js").PageQuery} query
 * @returns {AsyncGenerator<StoredRow[], void>}
 */
export async function* listed(link, wanted, query) {
  const { vectors, names, signal } = wanted;
  /** @type {{ ids: Id[] } & import("./calls.js").Answer} */
  const { ids, ...first } = await link.call({ call: "page", query, first: PAGE, vectors, fields: names === true || names.length > 0 }, signal);
  yield rowsOf(link, ids.slice(0, PAGE), first, wanted).filter((row) => row !== undefined);
  for (let at = PAGE; at < ids.length; at += PAGE) {
    // A row may be deleted meanwhile.
    yield (await readRows(link, toIdList(ids.slice(at, at + PAGE), {}), wanted)).filter((row) => row !== undefined);
  }
}
