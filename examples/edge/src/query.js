// What a request may ask for. Unknown parameters are refused: a misspelt one would be ignored silently, and each spelling of a
// URL is cached on its own.

const LONGEST_TEXT = 500;
const MOST_HITS = 50;
const HITS = 10;

/**
 * @param {URLSearchParams} params
 * @returns {{ q: string, k: number } | string} what is wrong, if something is
 */
export function toQuery(params) {
  for (const name of params.keys()) {
    if (name !== "q" && name !== "k") return "the parameters are q and k: there are no others";
    if (params.getAll(name).length > 1) return `${name} is given more than once`;
  }
  const q = (params.get("q") ?? "").trim();
  if (q === "") return "q is missing: the text to search for";
  if (q.length > LONGEST_TEXT) return `q has ${q.length} characters: at most ${LONGEST_TEXT}`;
  const k = params.get("k") ?? String(HITS);
  if (!/^[1-9]\d?$/.test(k) || Number(k) > MOST_HITS) return `k must be a whole number from 1 to ${MOST_HITS}`;
  return { q, k: Number(k) };
}
