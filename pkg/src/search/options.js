// The options of searches, checked and copied before anything awaits.
import { toIdList } from "../arguments.js";
import { describe } from "../describe.js";
import { badArgument } from "../errors.js";
import { toFieldNames } from "../fields/json.js";
import { checkOptions, toChoice, toInteger, toSignal } from "../options.js";
import { filterOf } from "./filter.js";

const KNOWN = /** @type {const} */ (["k", "offset", "minScore", "ef", "index", "recall", "probes", "rescore", "filter", "exclude", "among", "fields", "signal"]);
const CHOICES = /** @type {const} */ (["auto", "flat", "hnsw", "clusters"]);
/** Values that `facets` gives where it is not told how many. */
const FACETS = 100;

/**
 * @typedef {import("../fields/json.js").Fields} Fields
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../arguments.js").IdList} IdList
 * @typedef {typeof CHOICES[number]} IndexChoice
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=import("./schema.js").Wanted<Schema>]
 * @typedef {object} SearchOptions
 * @property {number} [k] how many hits, 10 unless given; an index with fewer vectors gives all of them
 * @property {number} [offset] how many of the best hits are left out, for the pages of a list: hits `offset` to `offset + k`. They are
 *   found as the last of `offset + k`
 * @property {number} [minScore] hits with a smaller score are left out
 * @property {number} [ef] candidates that HNSW keeps: more finds more and is slower; at least `k`
 * @property {IndexChoice} [index] which index answers, `auto` unless given: the graph once it is in memory (or if it is small),
 *   until then the clusters, which read the fewest bytes of a file that stays on its host
 * @property {number} [recall] the part of the true nearest that the clusters should find, above 0 and at most 1, 0.95 unless
 *   given. How many lists that takes was measured when the index was built; values from 0.8 to 0.99 make a difference
 * @property {number} [probes] how many lists the clusters scan, in place of `recall`
 * @property {number} [rescore] candidates that are ranked again, on finer rows or by the query in floats, where the codes alone
 *   do not rank well: more finds more and, in a file that stays on its host, reads more; at least `k`,
 *   or 0: ranked by the codes alone
 * @property {import("./schema.js").Filter<Schema>} [filter] conditions on the fields of rows, such as `{ price: { $lt: 50 } }`: only rows
 *   that match may be hits. `{}` matches all
 * @property {readonly Id[] | ArrayLike<number>} [exclude] ids of rows that are no hits
 * @property {readonly Id[] | ArrayLike<number>} [among] ids of the only rows that may be hits: with none of them there are no hits. A
 *   row that is also in `exclude` is no hit. An id that no row has ends the search with `unknown-id`
 * @property {Names} [fields] the stored fields that hits have: true for all, or names. They are read once the hits are known, in one
 *   wave. A row has of these names those that it was built with
 * @property {AbortSignal} [signal] ends the search with `aborted`
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=import("./schema.js").Wanted<Schema>]
 * @typedef {object} GetOptions
 * @property {Names} [fields] true for all, which is the default, or names
 * @property {AbortSignal} [signal] ends the call with `aborted`
 */

/**
 * @template {object} [Schema=Fields]
 * @typedef {object} FacetOptions
 * @property {import("./schema.js").Filter<Schema>} [filter] only rows that match are counted
 * @property {number} [limit] how many values at most, those with the most rows; 100 unless given
 * @property {AbortSignal} [signal] ends the call with `aborted`
 */

/**
 * @param {object | undefined} options
 * @param {number} count vectors in the index
 * @returns the options of `searchTask`, and the signal
 */
export function toSearch(options, count) {
  return checked(checkOptions("search()", /** @type {SearchOptions | undefined} */ (options), KNOWN), count);
}

/**
 * @param {object | undefined} options of `searchBatch`
 * @param {number} count
 */
export function toBatch(options, count) {
  const known = checkOptions("searchBatch()", /** @type {SearchOptions & { arrays?: boolean } | undefined} */ (options), [...KNOWN, "arrays"]);
  const { arrays = false } = known;
  if (typeof arrays !== "boolean") throw badArgument("arrays must be true or false");
  return { arrays, ...checked(known, count) };
}

/**
 * @param {Partial<SearchOptions>} options
 * @param {number} count
 */
function checked(options, count) {
  const { k = 10, offset = 0, minScore, ef, index = "auto", recall, probes, rescore, fields, signal, exclude, among } = options;
  const most = Math.max(count, 1);
  // Hits of earlier pages are found again, as those of this one are the next best.
  const hits = Math.min(toInteger(k, "k") + toInteger(offset, "offset", 0), most);
  if (minScore !== undefined && !(typeof minScore === "number" && Number.isFinite(minScore))) throw badArgument("minScore must be a number");
  const candidates = (/** @type {unknown} */ value, /** @type {string} */ name) => (value === undefined ? undefined : Math.min(Math.max(toInteger(value, name), hits), most));
  if (recall !== undefined && !(typeof recall === "number" && recall > 0 && recall <= 1)) {
    throw badArgument("recall must be a number above 0 and at most 1");
  }
  const request = {
    k: hits,
    offset,
    minScore,
    ef: candidates(ef, "ef"),
    index: toChoice(index, CHOICES, "index"),
    recall,
    probes: probes === undefined ? undefined : Math.min(toInteger(probes, "probes"), 2 ** 31),
    rescore: rescore === 0 ? 0 : candidates(rescore, "rescore"),
    fields: toFieldNames(fields),
    filter: filterOf(options),
    ...toRows(exclude, among),
  };
  return { request, signal: toSignal(signal) };
}

/**
 * @param {unknown} ids
 * @param {object | undefined} options
 */
export function toGet(ids, options) {
  const { fields = true, signal } = checkOptions("get()", /** @type {GetOptions | undefined} */ (options), ["fields", "signal"]);
  return { list: toIdList(ids, "ids"), names: toFieldNames(fields) ?? [], signal: toSignal(signal) };
}

/**
 * @param {unknown} field
 * @param {object | undefined} options
 */
export function toFacets(field, options) {
  const { limit = FACETS, signal } = checkOptions("facets()", /** @type {FacetOptions | undefined} */ (options), ["filter", "limit", "signal"]);
  if (typeof field !== "string") throw badArgument(`facets(): the field is ${describe(field)}; it must be a name`);
  return { field, filter: filterOf(options), limit: Math.min(toInteger(limit, "limit"), 2 ** 31), signal: toSignal(signal) };
}

/**
 * @param {unknown} exclude
 * @param {unknown} among
 * @returns {{ exclude?: IdList, among?: IdList }}
 */
function toRows(exclude, among) {
  const copy = (/** @type {unknown} */ ids, /** @type {string} */ name) => (ids === undefined ? undefined : toIdList(ids, name));
  const without = copy(exclude, "exclude");
  const only = copy(among, "among");
  if (without?.length && only?.length && typeof without[0] !== typeof only[0]) {
    throw badArgument(`among[0] is ${describe(only[0])}, but exclude[0] is ${describe(without[0])}: use one kind`);
  }
  return { exclude: without, among: only };
}
