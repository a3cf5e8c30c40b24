// What the calls of a collection ask of its host, and how they read what it answers.
import { toMatrix, toQuery } from "../../arguments.js";
import { badArgument, PagevecError, reading } from "../../errors.js";
import { pickFields, readFields } from "../../fields/json.js";
import { checkOptions, toSignal } from "../../options.js";
import { toGet, toSearch } from "../../search/options.js";
import { toTexts } from "../../texts/embed.js";
import { embedTexts } from "../../texts/vectors.js";
import { checkVectors, lastOfEach, toIdList, toRows } from "../arguments.js";

/** Rows that `rows()` reads at a time. */
export const PAGE = 500;

/**
 * @typedef {import("../../arguments.js").Id} Id
 * @typedef {import("../../arguments.js").IdList} IdList
 * @typedef {import("../../core/protocol.js").Hit} Hit
 * @typedef {import("../../fields/json.js").Fields} Fields
 * @typedef {import("../../texts/embed.js").Embedder} Embedder
 *
 * @typedef {object} ChangeEvent what happened to rows: one event for each batch, once it is durable. When another tab takes over, one
 *   may come twice
 * @property {number} sequence rises with each change
 * @property {Id[]} upserted ids of the rows
 * @property {Id[]} deleted those that were asked to be
 * @property {boolean} cleared whether all rows were deleted
 * @property {"this" | "other"} origin whether this object made the change, or another one, here or in another tab
 *
 * @typedef {object} CompactProgress
 * @property {string} phase of the merge
 * @property {number} done of `total`
 * @property {number} total how much the phase has to do
 *
 * @typedef {object} CompactOptions
 * @property {(event: CompactProgress) => void} [onProgress] called while segments are merged
 * @property {AbortSignal} [signal] ends it with `aborted`; what is merged by then stays so
 *
 * @typedef {import("../../index.js").RowOptions} RowOptions
 * @typedef {import("../../index.js").StoredRow} StoredRow
 *
 * @typedef {object} Link to the host of a collection
 * @property {(call: import("../messages.js").Call | import("../messages.js").ImportCall, signal?: AbortSignal, onProgress?: (event: CompactProgress) => void) => Promise<any>} call
 * @property {import("../messages.js").State} state as the host told it last
 * @property {import("../../sources/resolve.js").OpenPath} openPath where paths can be imported
 * @property {(to: unknown, signal: AbortSignal | undefined) => Promise<void>} backupInto writes a backup to where the platform has folders
 * @property {() => Promise<boolean>} persist
 * @property {() => Promise<void>} close
 *
 * @typedef {(change: ChangeEvent) => void} OnChange
 * @typedef {{ vectors: boolean, names: import("../../fields/json.js").FieldNames, signal: AbortSignal | undefined }} Wanted of rows
 * @typedef {{ found: Uint8Array, vectors?: Float32Array, fields?: (string | null)[] }} Answer what a host has of some ids
 */

/**
 * @param {{ link: Link, embedder: Embedder | undefined }} open
 * @param {[first: unknown, second: unknown, third: unknown]} given
 * @returns {Promise<{ upserted: number }>}
 */
export async function upsert({ link: { state, call }, embedder }, given) {
  const { dim } = state;
  const { texts, signal, ...rows } = reading(() => toRows(...given, state));
  if (texts.of.length > 0) {
    const data = await vectorsOf(embedder, texts.of, dim, signal);
    texts.at.forEach((row, i) => rows.vectors.set(data.subarray(i * dim, (i + 1) * dim), row * dim));
  }
  checkVectors(rows.vectors, state);
  if (rows.ids.length === 0) return { upserted: 0 };
  const { upserted } = await call({ call: "upsert", ...lastOfEach(rows, dim) }, signal);
  return { upserted };
}

/**
 * @param {Link} link
 * @param {Embedder | undefined} embedder
 * @param {unknown} query
 * @param {import("../../search/options.js").SearchOptions} [options]
 * @returns {Promise<Hit[]>}
 */
export async function search(link, embedder, query, options) {
  const { dim } = link.state;
  const { request, signal } = reading(() => toSearch(options, Infinity));
  const wanted = reading(() => toQuery(query, dim));
  if ("id" in wanted) return (await find(link, new Float32Array(0), { ...request, id: wanted.id }, signal))[0];
  const queries = "text" in wanted ? await vectorsOf(embedder, [wanted.text], dim, signal) : wanted;
  return (await find(link, queries, request, signal))[0];
}

/**
 * @param {Link} link
 * @param {Embedder | undefined} embedder
 * @param {unknown} matrix
 * @param {import("../../search/options.js").SearchOptions} [options]
 * @returns {Promise<Hit[][]>}
 */
export async function searchBatch(link, embedder, matrix, options) {
  const { dim } = link.state;
  const { request, signal } = reading(() => toSearch(options, Infinity));
  if (Array.isArray(matrix) && matrix.length === 0) return [];
  const rows = reading(() => (Array.isArray(matrix) && typeof matrix[0] === "string" ? toTexts(matrix, "text") : toMatrix(matrix, dim).data));
  return find(link, rows instanceof Float32Array ? rows : await vectorsOf(embedder, rows, dim, signal), request, signal);
}

/**
 * @param {Link} link
 * @param {Float32Array<ArrayBuffer>} queries
 * @param {ReturnType<typeof toSearch>["request"] & { id?: Id }} request
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Hit[][]>}
 */
async function find(link, queries, { offset, minScore = -Infinity, exclude, among, ...request }, signal) {
  const lists = { ...(exclude && { exclude: [...exclude] }), ...(among && { among: [...among] }) };
  /** @type {Hit[][]} */
  const answers = await link.call({ call: "search", queries, request: { ...request, ...lists } }, signal);
  const { fields: names } = request;
  const page = answers.map((hits) => hits.slice(offset).filter(({ score }) => score >= minScore));
  // The host gives all fields of a row.
  return names === undefined || names === true ? page : page.map((hits) => hits.map((hit) => ({ ...hit, fields: pickFields(hit.fields ?? {}, names) })));
}

/**
 * @param {string} call
 * @param {unknown} ids
 * @param {RowOptions | undefined} options
 * @param {{ ids?: "number" | "text" }} facts
 * @returns {Wanted & { list: IdList }}
 */
export function toRead(call, ids, options, facts) {
  const { vectors = false, ...others } = checkOptions(call, options, ["vectors", "fields", "signal"]);
  if (typeof vectors !== "boolean") throw badArgument("vectors must be true or false");
  const { names, signal } = toGet([], others);
  return { list: toIdList(ids, facts), vectors, names, signal };
}

/**
 * @param {Link} link
 * @param {IdList} ids
 * @param {Wanted} wanted
 * @returns {Promise<(StoredRow | undefined)[]>}
 */
export async function readRows(link, ids, { vectors, names, signal }) {
  if (ids.length === 0) return [];
  const wantsFields = names === true || names.length > 0;
  return rowsOf(link, ids, await link.call({ call: "get", ids, vectors, fields: wantsFields }, signal), { vectors, names, signal });
}

/**
 * @param {Link} link
 * @param {ArrayLike<Id>} ids
 * @param {Answer} answer
 * @param {Wanted} wanted
 * @returns {(StoredRow | undefined)[]}
 */
export function rowsOf(link, ids, answer, { vectors, names }) {
  const { dim } = link.state;
  return Array.from(ids, (id, at) => {
    if (!answer.found[at]) return undefined;
    const json = answer.fields?.[at];
    return { id, ...(vectors && { vector: answer.vectors?.slice(at * dim, (at + 1) * dim) }), ...(json && { fields: readFields(json, names) }) };
  });
}

/**
 * @param {Link} link
 * @param {Wanted} wanted
 * @returns {AsyncGenerator<StoredRow[], void>} pages of all rows, by id
 */
export async function* pages(link, wanted) {
  /** @type {Id | null} */
  let after = null;
  for (;;) {
    /** @type {Id[]} */
    const ids = await link.call({ call: "ids", after, limit: PAGE }, wanted.signal);
    if (ids.length === 0) return;
    after = ids[ids.length - 1];
    // Rows may be deleted between the two calls.
    yield (await readRows(link, toIdList(ids, {}), wanted)).filter((row) => row !== undefined);
  }
}

/**
 * @param {Embedder | undefined} embedder
 * @param {string[]} texts
 * @param {number} dim
 * @param {AbortSignal | undefined} signal
 */
async function vectorsOf(embedder, texts, dim, signal) {
  if (!embedder) throw badArgument("texts need `embed`: openCollection(…, { embed: async (texts) => vectors })");
  return (await embedTexts(embedder.embed, texts, dim, signal)).data;
}

/** @returns {PagevecError} */
export function closed() {
  return new PagevecError("closed", "the collection is closed: call openCollection() again");
}

/**
 * @param {string} call
 * @param {import("../../index.js").CallOptions | undefined} options
 */
export function signalOf(call, options) {
  return reading(() => toSignal(checkOptions(call, options, ["signal"]).signal));
}
