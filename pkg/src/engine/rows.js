// All rows of an index, read page by page while somebody asks for more; and the task that reads a page, which is not in
// core/protocol.js, as few pages read rows.
import { badArgument, closed, reading, throwIfAborted, typed } from "../errors.js";
import { readFields, toFieldNames } from "../fields/json.js";
import { checkOptions, toInteger, toSignal } from "../options.js";
import { filterOf } from "../search/filter.js";

/** Rows of a page, and ids where nothing else is wanted. */
const ROWS = 500;
const IDS = 10_000;
/** Bytes of the vectors of a page, about. */
const VECTORS = 1 << 20;
/** More rows than any index has. */
const MOST = 2 ** 32 - 1;

/**
 * @typedef {import("./engine.js").Engine} Engine
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../core/protocol.js").Reader} Reader
 * @typedef {import("../fields/json.js").Fields} Fields
 *
 * @typedef {object} PageRequest
 * @property {number[]} from segment and position of the row with which it begins; the first row is at 0, 0
 * @property {number} count rows at most
 * @property {boolean} vectors whether they are wanted
 * @property {import("../fields/json.js").FieldNames} [fields] those that are wanted; undefined: none
 * @property {Sorted} [sorted] where not all rows are read as they are stored; `from` has no meaning then
 *
 * @typedef {object} Sorted
 * @property {string | undefined} filter JSON
 * @property {string | undefined} sortBy
 * @property {boolean} descending
 * @property {number} offset
 *
 * @typedef {object} RowPage
 * @property {string[] | Float64Array} ids of the rows
 * @property {Float32Array} vectors one after another; empty where they are not wanted
 * @property {(Fields | undefined)[]} fields of each row, undefined for a row that has none; empty where they are not wanted
 * @property {number[] | undefined} next with which the next page begins; undefined after the last
 *
 * @typedef {object} StoredRow
 * @property {Id} id of the row
 * @property {Float32Array} [vector] as stored: quantized unless finer rows are kept, and of about unit length under cosine
 * @property {Fields} [fields] of the row; not there for a row without fields
 */

/**
 * @template {object} [Schema=Fields]
 * @typedef {object} RowOptions
 * @property {boolean} [vectors] whether rows have their vector, false unless given
 * @property {boolean | readonly import("../search/schema.js").FieldName<Schema>[]} [fields] true for all, which is the default, or names
 * @property {import("../search/schema.js").Filter<Schema>} [filter] only rows that match
 * @property {import("../search/schema.js").FieldName<Schema>} [sortBy] an indexed field, of any type but places: rows come from its least value
 *   on, texts by their bytes, and those without one last
 * @property {boolean} [descending] from the greatest value on
 * @property {number} [offset] so many of the rows are left out
 * @property {number} [limit] so many rows at most
 * @property {AbortSignal} [signal] ends the call with `aborted`
 */

/**
 * @param {Engine} engine
 * @param {RowOptions | undefined} options
 * @returns {AsyncGenerator<StoredRow, void>}
 */
export async function* rowsOf(engine, options) {
  const { vectors, fields, signal, sorted, limit } = reading(() => toWanted(options, engine.info));
  const { dim } = engine.info;
  const count = vectors ? Math.max(1, Math.min(ROWS, Math.floor(VECTORS / (4 * dim)))) : ROWS;
  for await (const page of sorted ? sortedPages(engine, { count, vectors, fields }, sorted, limit, signal) : pages(engine, { count, vectors, fields }, signal, limit)) {
    for (const [at, id] of page.ids.entries()) {
      checkGoing(engine, signal);
      const own = page.fields[at];
      yield { id, ...(vectors && { vector: page.vectors.slice(at * dim, (at + 1) * dim) }), ...(own && { fields: own }) };
    }
  }
}

/**
 * @param {Engine} engine
 * @param {{ signal?: AbortSignal } | undefined} options
 * @returns {AsyncGenerator<Id, void>}
 */
export async function* idsOf(engine, options) {
  const signal = reading(() => toSignal(checkOptions("ids()", options, ["signal"]).signal));
  for await (const page of pages(engine, { count: IDS, vectors: false }, signal)) {
    for (const id of page.ids) {
      checkGoing(engine, signal);
      yield id;
    }
  }
}

/**
 * @param {Engine} engine
 * @param {Omit<PageRequest, "from">} wanted
 * @param {AbortSignal | undefined} signal
 * @param {number} [limit]
 */
async function* pages(engine, wanted, signal, limit = MOST) {
  /** @type {number[] | undefined} */
  let from = [0, 0];
  for (let left = limit; from && left > 0; ) {
    /** @type {PageRequest} */
    const request = { ...wanted, count: Math.min(wanted.count, left), from };
    const page = await typed(() => engine.rows(request, signal));
    yield page;
    left -= page.ids.length;
    from = page.next;
  }
}

/**
 * @param {Engine} engine
 * @param {Omit<PageRequest, "from">} wanted
 * @param {Sorted} sorted
 * @param {number} limit
 * @param {AbortSignal | undefined} signal
 */
async function* sortedPages(engine, wanted, sorted, limit, signal) {
  for (let done = 0; done < limit; ) {
    /** @type {PageRequest} */
    const request = { ...wanted, count: Math.min(wanted.count, limit - done), from: [0, 0], sorted: { ...sorted, offset: Math.min(sorted.offset + done, MOST) } };
    const page = await typed(() => engine.rows(request, signal));
    yield page;
    done += page.ids.length;
    if (page.ids.length < request.count) return;
  }
}

/**
 * Rows of a page that was read are not given any more once the index is closed, or the call aborted.
 * @param {Engine} engine
 * @param {AbortSignal | undefined} signal
 */
function checkGoing(engine, signal) {
  if (engine.closed) throw closed();
  throwIfAborted(signal);
}

/**
 * @param {RowOptions | undefined} options
 * @param {import("../core/info.js").Info} info
 */
function toWanted(options, { sections }) {
  const { vectors = false, fields = sections.some(({ name }) => name === "fields"), signal, sortBy, descending = false, offset = 0, limit } = checkOptions("rows()", options, ["vectors", "fields", "filter", "sortBy", "descending", "offset", "limit", "signal"]);
  if (sortBy !== undefined && typeof sortBy !== "string") throw badArgument("rows(): sortBy must be the name of a field");
  if (typeof descending !== "boolean") throw badArgument("rows(): descending must be true or false");
  const filter = filterOf(options);
  const all = filter === undefined && sortBy === undefined && offset === 0;
  const sorted = all ? undefined : { filter, sortBy, descending, offset: toInteger(offset, "offset", 0) };
  if (typeof vectors !== "boolean") throw badArgument("vectors must be true or false");
  return { vectors, fields: toFieldNames(fields), signal: toSignal(signal), sorted, limit: limit === undefined ? MOST : toInteger(limit, "limit", 0) };
}

/**
 * @param {PageRequest} page
 * @returns {import("../core/protocol.js").Task<RowPage>}
 */
export function rowsTask({ from: [segment, position], count, vectors, fields = [], sorted }) {
  const wantsFields = fields === true || fields.length > 0;
  return {
    filters: sorted !== undefined,
    begin: (reader) => (sorted ? reader.beginPage(sorted.filter, sorted.sortBy, Float64Array.of(sorted.offset, count, Number(sorted.descending), Number(vectors), Number(wantsFields))) : reader.beginRows(segment, position, count, vectors, wantsFields)),
    take: (reader, ticket) => {
      const [numbers, texts, lines, all, next] = /** @type {[Float64Array, string[], string[], Float32Array, Float64Array]} */ (reader.takeRows(ticket));
      const read = (/** @type {string} */ json) => (json === "{}" ? undefined : readFields(json, fields));
      return { ids: texts.length > 0 ? texts : numbers, vectors: all, fields: lines.map(read), next: next.length > 0 ? [...next] : undefined };
    },
  };
}
