// What a person can ask, how it is read from one line of text, and how it is answered.

import { sum } from "./reading/traffic.js";

const SHOWN = 10;
/** A random row is one of so many that are near a random vector. */
const DRAWN_FROM = 50;

/**
 * @typedef {string | number} Id
 * @typedef {{ kind: "rows", plus: Id[], minus: Id[] }} RowsQuery rows near a row, or near a sum of rows: king − man + woman
 * @typedef {{ kind: "vector", vector: ArrayLike<number>, except?: Id[], entry?: unknown }} VectorQuery `except` are its rows, no hits
 * @typedef {{ kind: "text" }} TextQuery what the page finds for the title
 * @typedef {{ kind: "random" }} RandomQuery
 * @typedef {(RowsQuery | VectorQuery | TextQuery | RandomQuery) & { title: string }} Query
 *
 * @typedef {{ vector: ArrayLike<number>, except: Id[], title: string, entry?: unknown }} Target what hits are near to; `entry` is the
 *   page's own
 * @typedef {(index: any, text: string) => Promise<Target | undefined>} Find
 *
 * @typedef {import("./reading/traffic.js").Account} Account
 * @typedef {object} Answer
 * @property {string} title
 * @property {{ id: Id, score: number, fields?: Record<string, unknown> }[]} hits
 * @property {number} ms of lookup and search
 * @property {Account} read what it took, in all
 * @property {number} lookedUp bytes of it that were read to find the rows of the query by their ids
 * @property {string} plan how the search went, for people
 * @property {Target} target
 * @property {object} [filter] that hits match
 */

/**
 * What the page is about.
 * @typedef {object} Site
 * @property {URL} index
 * @property {(url: URL, init: RequestInit) => Promise<Response>} [send] instead of fetch
 * @property {string} [name] the heading; unless given, the page has its own
 * @property {Query} [arrival] asked on arrival where the address names nothing; a random row or vector unless given
 * @property {string[]} [examples]
 * @property {Words} [words] what can be asked, where the page knows it: it is completed, and searched as it is typed
 * @property {import("./filter/panel.js").Narrow} [narrow] the page's own controls, instead of those for any index
 * @property {import("./view.js").Describe} [describe] what is written of a hit
 * @property {(answer: Answer, pick: (id: string) => void) => void} [onAnswer]
 *
 * @typedef {object} Words
 * @property {string} name of many
 * @property {() => Promise<void>} load
 * @property {(word: string) => boolean | undefined} has undefined as long as that is not known
 * @property {(start: string) => string[]} completions
 * @property {Find} find
 */

/**
 * Reads `king`, `king - man + woman`, `12`, `[0.1, -0.2, …]` or `0.1 -0.2 …`.
 * @param {string} text
 * @param {{ ids: "number" | "text", dim: number }} info
 * @returns {Query | { wrong: string } | undefined} nothing for an empty text
 */
export function parse(text, info) {
  const title = text.trim();
  if (!title) return undefined;
  const numbers = title.replace(/^\[|\]$/g, "").split(/[\s,;]+/).filter(Boolean).map(Number);
  if (numbers.length > 1 && numbers.every((value) => Number.isFinite(value))) {
    if (numbers.length !== info.dim) return { wrong: `This vector has ${numbers.length} components, those of the index have ${info.dim}.` };
    return { kind: "vector", vector: Float32Array.from(numbers), title: "a pasted vector" };
  }
  const [first, ...rest] = title.split(/\s+([-−+])\s+/);
  const terms = { plus: [first], minus: /** @type {string[]} */ ([]) };
  for (let i = 0; i < rest.length; i += 2) terms[rest[i] === "+" ? "plus" : "minus"].push(rest[i + 1]);
  if (info.ids === "text") return { kind: "rows", ...terms, title: title.replace(/\s-\s/g, " − ") };
  const wrong = [...terms.plus, ...terms.minus].find((id) => !/^\d+$/.test(id));
  if (wrong !== undefined) return { wrong: `“${wrong}” is no id of this index: its ids are numbers.` };
  return { kind: "rows", plus: terms.plus.map(Number), minus: terms.minus.map(Number), title };
}

/**
 * Looks the query's rows up, searches, and leaves them out of the hits. They have no fields yet.
 * @param {any} index
 * @param {import("./reading/traffic.js").Traffic} traffic of the index
 * @param {Query} query
 * @param {{ filter?: object, find?: Find }} [how] `find` is for texts
 * @returns {Promise<Answer | { missing: Id }>} `missing`: a row that is not in the index
 */
export async function answer(index, traffic, query, { filter, find } = {}) {
  const started = performance.now();
  const target = await resolve(index, query, find);
  if ("missing" in target) return target;
  const lookup = traffic.take();
  const options = { k: SHOWN + target.except.length, ...(filter !== undefined && { filter }) };
  const explained = await index.explain(target.vector, options);
  const ms = performance.now() - started;
  const hits = explained.hits.filter((/** @type {{ id: Id }} */ { id }) => !target.except.includes(id)).slice(0, SHOWN);
  return { title: target.title, hits, ms, read: sum(lookup, traffic.take()), lookedUp: lookup.bytes, plan: explained.plan, target, filter };
}

/**
 * The stored fields of the hits, which come in a wave more: hits can be shown without.
 * @param {any} index
 * @param {import("./reading/traffic.js").Traffic} traffic of the index
 * @param {Answer} answer that has fields then, and counts what was read for them
 * @returns {Promise<Account>} what was read for them
 */
export async function addFields(index, traffic, answer) {
  const started = performance.now();
  // The same search once more: all but the fields is here by now, and `get` would look the ids up.
  const { target, filter } = answer;
  const rows = await index.search(target.vector, { k: SHOWN + target.except.length, fields: true, ...(filter !== undefined && { filter }) });
  const fields = new Map(rows.map((/** @type {any} */ row) => [row.id, row.fields]));
  for (const hit of answer.hits) hit.fields = fields.get(hit.id);
  const read = traffic.take();
  answer.ms += performance.now() - started;
  answer.read = sum(answer.read, read);
  return read;
}

/** @param {any} info */
export const hasFields = ({ sections }) => sections.some((/** @type {{ name: string }} */ { name }) => name === "fields");

/**
 * @param {any} index @param {Query} query @param {Find} [find]
 * @returns {Promise<Target | { missing: Id }>}
 */
async function resolve(index, query, find) {
  const { title } = query;
  if (query.kind === "vector") return { vector: query.vector, except: query.except ?? [], title, entry: query.entry };
  if (query.kind === "text") return (await find?.(index, title)) ?? { missing: title };
  const rows = query.kind === "random" ? { plus: [await randomRow(index)], minus: [] } : query;
  if (query.kind === "random" && find) return (await find(index, String(rows.plus[0]))) ?? { missing: rows.plus[0] };
  const except = [...rows.plus, ...rows.minus];
  const vectors = await Promise.all(except.map((id) => lookUp(index, id)));
  const target = new Float32Array(index.info.dim);
  for (const [i, vector] of vectors.entries()) {
    if (!vector) return { missing: except[i] };
    const sign = i < rows.plus.length ? 1 : -1;
    vector.forEach((value, j) => (target[j] += sign * value));
  }
  return { vector: target, except, title: query.kind === "random" ? String(except[0]) : title };
}

/** A vector of a random direction, of length 1. @param {number} dim */
function randomVector(dim) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  const vector = Float32Array.from({ length: dim }, normal);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** @param {any} index @returns {Promise<Id>} */
async function randomRow(index) {
  const { ids, count, dim } = index.info;
  const guess = Math.floor(Math.random() * count);
  // Where the ids are not the rows' positions, or texts, a row is found by a search.
  if (ids === "number" && (await index.has(guess))) return guess;
  const near = await index.search(randomVector(dim), { k: Math.min(DRAWN_FROM, count) });
  return near[Math.floor(Math.random() * near.length)].id;
}

/** What to ask where nothing is asked: a row costs little to draw where ids are numbers. @param {any} info @returns {Query} */
export function arrivalOf({ ids, dim }) {
  return ids === "number" ? { kind: "random", title: "" } : { kind: "vector", vector: randomVector(dim), title: "a random vector" };
}

/** @param {any} index @param {Id} id @returns {Promise<Float32Array | undefined>} */
async function lookUp(index, id) {
  try {
    return await index.vector(id);
  } catch (error) {
    if (/** @type {any} */ (error)?.code === "unknown-id") return undefined;
    throw error;
  }
}
