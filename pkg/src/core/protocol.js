// Everything that crosses into the WebAssembly modules and back. The other side is bindings/wasm/src/reader.rs and build.rs.
//
//   in                                                         out
//   frontLength: the head of a file, its length                bytes from 0 that opening needs
//   openReader: the front, a file's length, a budget           a reader
//   a task's begin: queries and SearchRequest, an id, nothing  a ticket, which names the operation in the core
//   step: a ticket                                             the extents to fetch, "done" or "wait"
//   deliver: an offset and bytes                               whether all of them were compared with a checksum
//   a task's take: a ticket                                    Answers, a vector, whether an id is there
//   build: rows, BuildRequest                                  the bytes of a file
//
// Session calls deliver, blockSize, setSpeculativeBytes and cancel of a reader directly, open.js frontLength and build.js build:
// they take and give plain numbers, bytes and the objects named here. No view of WebAssembly memory is held: what comes out is a copy.

/** The indexes by the numbers that `takeHits` gives; reader.rs has the same list. */
const INDEXES = /** @type {const} */ (["clusters", "hnsw", "flat"]);
/** The choices of an index by the numbers that `beginSearch` takes; reader.rs has the same list. */
const CHOICES = ["auto", "flat", "hnsw", "clusters"];

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {{ id: Id, score: number }} Hit a larger score is nearer
 * @typedef {import("./instances.js").Glue} Glue the exports of a search module
 * @typedef {InstanceType<Glue["Reader"]>} Reader one opened segment
 *
 * @typedef {{ k: number, ef?: number, index: string, probes?: number, recall?: number, rescore?: number }} SearchRequest
 * @typedef {import("../../wasm/build/pagevec_wasm.js").BuildOptions} BuildRequest
 *
 * @typedef {object} Answers
 * @property {Hit[][]} answers one list for each query, best first
 * @property {"clusters" | "hnsw" | "flat"} index which one answered
 * @property {number} distances computed on codes
 * @property {number} rescored rows ranked again on finer ones
 *
 * @typedef {object} Info
 * @property {number} count vectors
 * @property {number} dim components of a vector
 * @property {string} metric `cosine`, `dot` or `l2`
 * @property {string} codec of the codes that are searched
 * @property {string | undefined} refine codec of the finer rows that candidates are ranked by, where there are any
 * @property {string | undefined} exact codec of the rows that rank the best of those once more, where there are any
 * @property {boolean} graph whether there is an HNSW graph
 * @property {boolean} clusters whether there is a clustered index
 * @property {{ k: number, wanted: number, reached: number, cells: number, probes: number }[]} curve the recall that the
 *   clustered index reached for the `k` nearest when it was built, for each recall that may be wanted
 * @property {number} m links of a node; 0 without a graph
 * @property {number} efConstruction candidates looked at when the graph was built
 * @property {"number" | "text"} ids
 * @property {number} fileLength bytes
 * @property {string} fileId 32 hexadecimal digits, of options and input
 * @property {string | undefined} contentId 64 hexadecimal digits, from index.json; undefined without one
 * @property {{ name: string, offset: number, length: number, bytesPerVector: number }[]} sections of the file, in bytes
 * @property {number} memoryToOpen bytes
 * @property {string} kernels which SIMD kernels this module runs
 */

/**
 * Something that a session drives to its end: `begin` gives its ticket, `take` its result once `step` says `done`.
 * @template T
 * @typedef {{ begin: (reader: Reader) => number, take: (reader: Reader, ticket: number) => T }} Task
 */

/**
 * @param {Float32Array} queries row-major
 * @param {SearchRequest} options
 * @returns {Task<Answers>}
 */
export function searchTask(queries, options) {
  const { k, ef = NaN, index, probes = NaN, recall = NaN, rescore = NaN } = options;
  const numbers = Float64Array.of(k, ef, CHOICES.indexOf(index), probes, recall, rescore);
  return { begin: (reader) => reader.beginSearch(queries, numbers), take: takeAnswers };
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
  return { begin: (reader) => reader.beginFind(id), take: (reader, ticket) => reader.takePosition(ticket) !== undefined };
}

/** @returns {Task<void>} */
export function loadTask() {
  return { begin: (reader) => reader.beginLoad(), take: () => {} };
}

/**
 * @param {Glue} glue
 * @param {Uint8Array} front
 * @param {{ fileLength: number, memoryBudget: number }} options both in bytes
 * @returns {Reader}
 */
export function openReader(glue, front, options) {
  return new glue.Reader(front, options.fileLength, options.memoryBudget);
}

/**
 * @param {Reader} reader
 * @returns {Omit<Info, "contentId">}
 */
export function infoOf(reader) {
  return reader.info();
}

/**
 * @param {Reader} reader
 * @returns {{ resident: number, evictions: number }} bytes held, blocks dropped
 */
export function memoryOf(reader) {
  return reader.stats();
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
 * @returns {Answers}
 */
function takeAnswers(reader, ticket) {
  const [numbers, texts] = /** @type {[Float64Array, string[]]} */ (reader.takeHits(ticket));
  const [index, distances, rescored] = numbers;
  /** @type {Hit[][]} */
  const answers = [];
  for (let at = 3; at < numbers.length; ) {
    /** @type {Hit[]} */
    const hits = [];
    const count = numbers[at++];
    for (const end = at + 2 * count; at < end; at += 2) {
      const id = numbers[at];
      hits.push({ id: texts[id] ?? id, score: numbers[at + 1] });
    }
    answers.push(hits);
  }
  return { answers, index: INDEXES[index], distances, rescored };
}
