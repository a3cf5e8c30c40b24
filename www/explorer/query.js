// What a person can ask, how it is written in the address bar, and how it is answered.

const SHOWN = 10;

/**
 * A word, or a − b + c. `word` may come with `instead`: a completion to show while the word is not known.
 * @typedef {{ kind: "word", word: string, instead?: string } | { kind: "sum", a: string, b: string, c: string }} Query
 */

/** The query as the address bar's fragment: `#king`, `#king-man+woman`. @param {Query} query */
export function toHash(query) {
  // A hyphen within a word is escaped, so that "-" always stands for minus.
  const part = (/** @type {string} */ text) => encodeURIComponent(text).replaceAll("-", "%2D");
  if (query.kind === "word") return `#${part(query.word)}`;
  return `#${part(query.a)}-${part(query.b)}+${part(query.c)}`;
}

/** @param {string} hash @returns {Query | undefined} nothing for an empty or broken fragment */
export function fromHash(hash) {
  try {
    const text = hash.replace(/^#/, "");
    const sum = /^([^-+]+)-([^-+]+)\+([^-+]+)$/.exec(text);
    if (!sum) return text ? { kind: "word", word: decodeURIComponent(text) } : undefined;
    const [a, b, c] = sum.slice(1).map(decodeURIComponent);
    return { kind: "sum", a, b, c };
  } catch {
    return undefined;
  }
}

/** @param {Query} query */
export function title(query) {
  return query.kind === "word" ? query.word : `${query.a} − ${query.b} + ${query.c}`;
}

/**
 * Answers one query: looks its words up, searches, and leaves the query's own words out of the hits.
 * Returns `missing` (a word that the index does not hold) instead of hits where that is so.
 * @param {any} index
 * @param {Query} query
 */
export async function answer(index, query) {
  const started = performance.now();
  const words = query.kind === "word" ? [query.word] : [query.a, query.b, query.c];
  const vectors = [];
  for (const word of words) {
    const vector = await lookUp(index, word);
    if (!vector) return { missing: word };
    vectors.push(vector);
  }
  const [a, b, c] = vectors;
  const target = b && c ? a.map((value, i) => value - b[i] + c[i]) : a;
  const explained = await index.explain(target, { k: SHOWN + words.length });
  const ms = performance.now() - started;
  const hits = explained.hits.filter((/** @type {{ id: string }} */ hit) => !words.includes(hit.id)).slice(0, SHOWN);
  return { hits, ms, distances: explained.distances, index: explained.index };
}

/** @param {any} index @param {string} word @returns {Promise<Float32Array | undefined>} */
async function lookUp(index, word) {
  try {
    return await index.vector(word);
  } catch (error) {
    if (/** @type {any} */ (error)?.code === "unknown-id") return undefined;
    throw error;
  }
}
