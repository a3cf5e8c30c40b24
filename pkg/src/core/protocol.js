// Everything that crosses into the WebAssembly modules and back. The other side is bindings/wasm/src/reader.rs and build.rs.
//
//   in                                                         out
//   frontLength: the head of a file, its length                bytes from 0 that opening needs
//   openReader: fronts and dead rows of segments, a budget      a reader
//   basesOf, factsOf: a reader                                 where its segments begin, facts of one
//   a task's begin: queries or an id, SearchRequest; an id; …  a ticket, which names the operation in the core
//   step: a ticket                                             the extents to fetch, "done" or "wait"
//   deliver: an offset and bytes                               whether all of them were compared with a checksum
//   a task's take: a ticket                                    Answers, a Selection, a vector, fields, rows, Facets, a count, …
//   build: rows, BuildRequest                                  the bytes of a file
//
// The task that reads rows is in engine/rows.js. Session calls deliver, blockSize, setSpeculativeBytes and cancel of a reader directly, open.js frontLength and build.js build:
// they take and give plain numbers, bytes and the objects named here. No view of WebAssembly memory is held: what comes out is a copy.
import { readFields } from "../fields/json.js";
import { join } from "../sources/source.js";

/** The indexes by the numbers that `takeHits` gives; results.rs has the same list. */
const INDEXES = /** @type {const} */ (["clusters", "hnsw", "flat", "listed", "mixed"]);
/** The choices of an index by the numbers that `beginSearch` takes; reader.rs has the same list. */
const CHOICES = ["auto", "flat", "hnsw", "clusters"];

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../fields/json.js").Fields} Fields
 * @typedef {import("../fields/json.js").FieldNames} FieldNames
 * @typedef {import("../search/schema.js").Hit} Hit
 * @typedef {import("../search/schema.js").Facet} Facet
 *
 * @typedef {import("./instances.js").Glue} Glue the exports of a search module
 * @typedef {InstanceType<Glue["Reader"]>} Reader opened segments
 *
 * @typedef {import("../arguments.js").IdList} IdList
 * @typedef {{ k: number, ef?: number, index: string, probes?: number, recall?: number, rescore?: number, fields?: FieldNames, filter?: string, exclude?: IdList, among?: IdList }} SearchRequest `filter`: JSON
 * @typedef {{ reader: Reader, ticket: number }} Selection the rows of a SearchRequest, which a reader keeps
 * @typedef {import("../../wasm/build/pagevec_wasm.js").BuildOptions} BuildRequest
 *
 * @typedef {typeof INDEXES[number]} IndexName `listed`: few rows may be hits, and all of them were ranked by the finest rows; `mixed`:
 *   different indexes answered for different segments
 *
 * @typedef {object} Effort
 * @property {IndexName} index which one answered
 * @property {number} distances computed on codes
 * @property {number} rescored rows ranked again on finer ones
 *
 * @typedef {Effort & { answers: Hit[][], segments: Effort[] }} Answers `answers`: one list for each query, best first
 */

/**
 * Something that a session drives to its end: `begin` gives its ticket, `take` its result once `step` says `done`.
 * @template T
 * @typedef {{ begin: (reader: Reader) => number, take: (reader: Reader, ticket: number) => T, filters?: boolean }} Task with `filters`,
 *   it needs a module that has them
 */

/**
 * @param {Float32Array | { id: Id }} query vectors, row-major, or the id of a row
 * @param {SearchRequest} options
 * @param {Selection} [selection] of the same options
 * @returns {Task<Answers>}
 */
export function searchTask(query, options, selection) {
  const take = (/** @type {Reader} */ reader, /** @type {number} */ ticket) => takeAnswers(reader, ticket, options.fields);
  const filters = options.filter !== undefined;
  if ("id" in query) return { begin: (reader) => reader.beginSimilar(query.id, ...encode(options)), take, filters };
  // A reader that was made after a trap, or that keeps another selection by now, selects them again.
  const selected = (/** @type {Reader} */ reader) => (selection?.reader === reader ? reader.beginSearch(query, Float64Array.of(selection.ticket)) : undefined);
  return { begin: (reader) => selected(reader) ?? beginSearch(reader, query, options), take, filters };
}

/**
 * Looks up the ids of the options and evaluates their filter, for several searches.
 * @param {SearchRequest} options
 * @returns {Task<Selection>}
 */
export function selectTask(options) {
  return { begin: (reader) => beginSearch(reader, new Float32Array(), options), take: (reader, ticket) => ({ reader, ticket }), filters: options.filter !== undefined };
}

/**
 * @param {Reader} reader
 * @param {Float32Array} queries
 * @param {SearchRequest} options
 * @returns {number}
 */
function beginSearch(reader, queries, options) {
  return /** @type {number} */ (reader.beginSearch(queries, ...encode(options)));
}

/**
 * The options as one array of numbers, NaN for what is not given, and all texts as one: each id that crossed alone would cost a call.
 * @param {SearchRequest} options
 * @returns {[Float64Array, string | undefined, string | undefined]}
 */
function encode({ k, ef = NaN, index, probes = NaN, recall = NaN, rescore = NaN, fields, filter, exclude = [], among }) {
  const ids = [...exclude, ...(among ?? [])];
  const texts = typeof ids[0] === "string" ? /** @type {string[]} */ (ids) : undefined;
  const numbers = texts?.map((id) => id.length) ?? /** @type {number[]} */ (ids);
  return [new Float64Array([k, ef, CHOICES.indexOf(index), probes, recall, rescore, Number(fields !== undefined), exclude.length, among?.length ?? NaN, ...numbers]), texts?.join(""), filter];
}

/**
 * @param {Id} id
 * @returns {Task<Float32Array>}
 */
export function vectorTask(id) {
  return { begin: (reader) => reader.beginVector(id), take: (reader, ticket) => reader.takeVector(ticket) };
}

/**
 * @param {Id} id
 * @returns {Task<boolean>} whether there is such an id
 */
export function findTask(id) {
  return { begin: (reader) => reader.beginFind(id), take: (reader, ticket) => reader.takeFound(ticket) };
}

/**
 * @param {IdList} ids
 * @param {FieldNames} names
 * @returns {Task<(Fields | undefined)[]>} undefined for an id that no row has
 */
export function fieldsTask(ids, names) {
  const take = (/** @type {Reader} */ reader, /** @type {number} */ ticket) => /** @type {(string | undefined)[]} */ (reader.takeFields(ticket));
  return {
    begin: (reader) => reader.beginFields(Array.from(/** @type {ArrayLike<Id>} */ (ids))),
    take: (...done) => take(...done).map((json) => (json === undefined ? undefined : readFields(json, names))),
  };
}

/**
 * @param {string | undefined} filter JSON; undefined: all rows
 * @returns {Task<number>} rows that match
 */
export function countTask(filter) {
  return { begin: (reader) => reader.beginCount(filter), take: (reader, ticket) => reader.takeCount(ticket), filters: filter !== undefined };
}

/**
 * @typedef {object} Facets
 * @property {number} distinct values of the field that rows have, those beyond the limit too
 * @property {Facet[]} values those with the most rows, at most `limit`
 */

/**
 * @param {string} field
 * @param {{ filter?: string, limit: number }} options
 * @returns {Task<Facets>}
 */
export function facetsTask(field, { filter, limit }) {
  return {
    filters: true,
    begin: (reader) => reader.beginFacets(field, filter, limit),
    take: (reader, ticket) => {
      const [[distinct, ...counts], values] = /** @type {[Float64Array, Facet["value"][]]} */ (reader.takeFacets(ticket));
      return { distinct, values: values.map((value, at) => ({ value, count: counts[at] })) };
    },
  };
}

/** @returns {Task<void>} */
export function loadTask() {
  return { begin: (reader) => reader.beginLoad(), take: () => {} };
}

/**
 * @param {Glue} glue
 * @param {{ length: number, front: Uint8Array, dead: Uint8Array }[]} segments `length` of the file; `dead` is empty where there are none
 * @param {number} memoryBudget bytes
 * @returns {Reader}
 */
export function openReader(glue, segments, memoryBudget) {
  const pieces = segments.flatMap(({ front, dead }) => (dead.length > 0 ? [front, dead] : [front]));
  const lengths = segments.flatMap(({ length, front, dead }) => [length, front.length, dead.length]);
  const bytes = join(pieces, pieces.reduce((sum, piece) => sum + piece.length, 0));
  return new glue.Reader(bytes, Float64Array.from(lengths), memoryBudget);
}

/**
 * @param {Reader} reader
 * @returns {Float64Array} the offset at which each segment begins, in all that the reader asks for
 */
export function basesOf(reader) {
  return reader.bases();
}

/**
 * @param {Reader} reader
 * @param {number} segment
 * @returns {import("./info.js").Facts}
 */
export function factsOf(reader, segment) {
  const { schema, ...facts } = reader.info(segment);
  // Entries, as a name may be `__proto__`.
  return { ...facts, schema: Object.fromEntries(schema.map((/** @type {any} */ { name, ...field }) => [name, field])) };
}

/** What memory is for, as `Part` of the core has it, as far as an index has it. */
const PARTS = ["fronts", "sections", "slots", "places", "reading", "scratch", "operations"];

/**
 * @typedef {object} PartMemory
 * @property {number} reserved bytes now
 * @property {number} peak the most bytes that there were at once
 *
 * @typedef {Record<string, PartMemory>} Parts
 */

/**
 * @param {Reader} reader
 * @returns {{ resident: number, evictions: number, parts: Parts }} bytes held, blocks dropped, what is reserved
 */
export function memoryOf(reader) {
  const { resident, evictions, memory } = reader.stats();
  const parts = PARTS.map((name, at) => [name, { reserved: memory[2 * at], peak: memory[2 * at + 1] }]);
  return { resident, evictions, parts: Object.fromEntries(parts) };
}

/**
 * @param {Reader} reader
 * @param {number} ticket
 * @returns {import("../sources/source.js").Extent[] | "done" | "wait"} the extents to deliver before the next step, by
 *   offset; `wait`: until other operations give memory back
 */
export function step(reader, ticket) {
  const pairs = reader.step(ticket);
  return pairs === null ? "done" : pairs === undefined ? "wait" : toExtents(pairs);
}

/**
 * @param {ArrayLike<number>} pairs offset, length, offset, length, …
 * @returns {import("../sources/source.js").Extent[]} by offset
 */
export function toExtents(pairs) {
  const extents = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) extents.push({ offset: pairs[i], length: pairs[i + 1] });
  return extents.sort((a, b) => a.offset - b.offset);
}

/**
 * @param {Reader} reader
 * @param {number} ticket
 * @param {FieldNames} [names]
 * @returns {Answers}
 */
function takeAnswers(reader, ticket, names) {
  const [numbers, texts, lines] = /** @type {[Float64Array, string[], string[]]} */ (reader.takeHits(ticket));
  let next = 0;
  const effort = (/** @type {number} */ at) => ({ index: INDEXES[numbers[at]], distances: numbers[at + 1], rescored: numbers[at + 2] });
  const first = 4 + 3 * numbers[3];
  /** @type {Effort[]} */
  const segments = [];
  for (let at = 4; at < first; at += 3) segments.push(effort(at));
  /** @type {Hit[][]} */
  const answers = [];
  for (let at = first; at < numbers.length; ) {
    /** @type {Hit[]} */
    const hits = [];
    const count = numbers[at++];
    for (const end = at + 2 * count; at < end; at += 2) {
      const id = numbers[at];
      hits.push({ id: texts[id] ?? id, score: numbers[at + 1], ...(names && { fields: readFields(lines[next++], names) }) });
    }
    answers.push(hits);
  }
  const all = effort(0);
  return { ...all, answers, segments: segments.length > 0 ? segments : [all] };
}
