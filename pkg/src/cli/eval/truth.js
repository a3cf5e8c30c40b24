// The truth: the exact nearest rows, from a file, or from an exact scan in f64 over the vectors that the index was built from, or over
// the rows that it stores.
import { input, usage } from "../failure.js";
import { linesOf, parseId } from "../input/ids.js";
import { integersOf, openNpy } from "../input/npy.js";
import { readVectors } from "../input/vectors.js";
import { kthScores, scorer } from "./scan.js";
import { toFiltered } from "../source.js";

/**
 * @typedef {string | number} Id
 * @typedef {import("../../index.js").Index} Index
 *
 * @typedef {object} Truth
 * @property {string} told a description of it
 * @property {(query: number, vector: Float32Array, hits: { id: Id }[]) => Promise<number>} recall
 *
 * @typedef {{ ids: Id[], of: (id: Id) => Promise<Float32Array> }} Rows vectors by id
 */

/**
 * @param {Index} index
 * @param {Float32Array[]} queries
 * @param {import("../arguments.js").Parsed} parsed
 * @param {import("../progress.js").Progress} progress
 * @returns {Promise<Truth>}
 */
export async function truthOf(index, queries, parsed, progress) {
  const { info } = index;
  const matching = parsed.filter === undefined ? undefined : new Set(await allIds(index, queries, toFiltered(parsed.filter)));
  const wanted = Math.min(parsed.k, matching?.size ?? info.count);
  const names = parsed["truth-ids"] === undefined ? undefined : linesOf(parsed["truth-ids"]);
  if (names && names.length !== info.count) throw input(parsed["truth-ids"], `${names.length} ids where the index has ${info.count}`);
  if (parsed.truth !== undefined && matching) throw input(parsed.truth, "has the nearest of all rows: leave --truth out, so that those that match are scanned");
  if (parsed.truth !== undefined) {
    const near = known(parsed.truth, info, queries.length, wanted, names);
    return { told: parsed.truth, recall: async (query, _, hits) => share(hits.slice(0, wanted).filter(({ id }) => near[query].has(id)).length, wanted) };
  }
  const all = parsed.base === undefined ? await stored(index, queries) : await given(parsed.base, info, names, progress);
  const rows = matching ? { ...all, ids: all.ids.filter((id) => matching.has(id)) } : all;
  const told = parsed.base === undefined ? `exact scan of the stored ${info.exact ?? info.refine ?? info.codec} rows` : `exact scan of ${parsed.base}`;
  const least = await kthScores(rows.ids.length, (i) => rows.of(rows.ids[i]), info.metric, queries, wanted, progress);
  const score = scorer(info.metric);
  return {
    told,
    async recall(query, vector, hits) {
      let found = 0;
      for (const { id } of hits.slice(0, wanted)) {
        if (score(vector, await rows.of(id)) >= least[query] - 1e-9 * Math.max(1, Math.abs(least[query]))) found += 1;
      }
      return share(found, wanted);
    },
  };
}

/**
 * @param {number} found
 * @param {number} wanted
 */
function share(found, wanted) {
  return wanted === 0 ? 1 : found / wanted;
}

/**
 * The id of an input row, by its number.
 * @param {string} path for messages
 * @param {import("../../core/info.js").Info} info
 * @param {string[] | undefined} names
 * @returns {(row: number) => Id}
 */
function namer(path, info, names) {
  if (!names && info.ids === "text") throw usage("the ids of this index are text: give its ids file with --truth-ids");
  return (row) => {
    const name = names?.[row];
    const id = name === undefined ? row : parseId(name, info.ids);
    if (id === undefined) throw input(path, `${JSON.stringify(name)} is no number`);
    return id;
  };
}

/**
 * For each query the ids of its nearest rows, from a file of row numbers.
 * @param {string} path
 * @param {import("../../core/info.js").Info} info
 * @param {number} queries
 * @param {number} wanted
 * @param {string[] | undefined} names
 * @returns {Set<Id>[]}
 */
function known(path, info, queries, wanted, names) {
  const name = namer(path, info, names);
  const npy = openNpy(path);
  try {
    const { rows, columns } = npy;
    if (rows < queries || columns < wanted) throw input(path, `${rows} x ${columns} row numbers, wanted ${queries} x ${wanted}: lower --limit or -k`);
    const numbers = integersOf(npy, queries);
    return Array.from({ length: queries }, (_, query) => {
      const nearest = numbers.slice(query * columns, query * columns + wanted);
      if (nearest.some((row) => row < 0 || row >= info.count)) throw input(path, "it names rows that the index does not have: it is for other vectors");
      return new Set(nearest.map(name));
    });
  } finally {
    npy.file.close();
  }
}

/**
 * The vectors the index was built from.
 * @param {string} path
 * @param {import("../../core/info.js").Info} info
 * @param {string[] | undefined} names
 * @param {import("../progress.js").Progress} progress
 * @returns {Promise<Rows>}
 */
async function given(path, info, names, progress) {
  const { data, dim, rows, ids: own } = await readVectors(path, Infinity, progress);
  if (rows !== info.count || dim !== info.dim) throw input(path, `${rows} rows of ${dim} components, the index has ${info.count} of ${info.dim}: give the file it was built from`);
  /** @type {Id[]} */
  const ids = own && !names ? own : Array.from({ length: rows }, (_, row) => row).map(namer(path, info, names));
  const places = new Map(ids.map((id, row) => [id, row]));
  return {
    ids,
    async of(id) {
      const row = places.get(id);
      if (row === undefined) throw input(path, `it has no row of the id ${JSON.stringify(id)}: give the file the index was built from`);
      return data.subarray(row * dim, (row + 1) * dim);
    },
  };
}

/**
 * The rows that the index stores.
 * @param {Index} index
 * @param {Float32Array[]} queries
 * @returns {Promise<Rows>}
 */
async function stored(index, queries) {
  return { ids: await allIds(index, queries, {}), of: (id) => index.vector(id) };
}

/**
 * The ids of the rows that the index stores, or of those that match: from a search for all rows.
 * @param {Index} index
 * @param {Float32Array[]} queries
 * @param {ReturnType<typeof toFiltered>} filtered
 * @returns {Promise<Id[]>}
 */
async function allIds(index, queries, filtered) {
  const hits = await index.search(queries[0], { k: Math.max(1, index.info.count), index: "flat", rescore: 0, ...filtered });
  return hits.map(({ id }) => id);
}
