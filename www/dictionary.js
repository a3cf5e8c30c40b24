// The words of the demo: completed and recognised as they are typed, from the plain list beside the vectors, most frequent first. The
// index is not asked.

/** @type {string[]} */
let words = [];
/** @type {Set<string> | undefined} */
let known;

/** @type {Promise<void> | undefined} */
let loading;

/** Fetches the list, once; called when nothing else is waiting for the network. */
export const load = () => (loading ??= fetchWords());

async function fetchWords() {
  try {
    const response = await fetch(new URL("./data/words.txt", import.meta.url));
    if (!response.ok) return;
    words = (await response.text()).trimEnd().split("\n");
    known = new Set(words);
  } catch {
    // Offline, or a page deployed without the list: words are searched when they are sent.
  }
}

/** Undefined while the list is not here. @param {string} word */
export const has = (word) => known?.has(word);

/**
 * The most frequent words that begin as the last term of `typed` does, in its place; as much of it does, where it begins none.
 * @param {string} typed
 */
export function completions(typed, limit = 6) {
  const [, before = "", last = ""] = /^(.*\s)?(\S*)$/.exec(typed) ?? [];
  if (words.length === 0) return [];
  for (let start = last; start; start = start.slice(0, -1)) {
    const found = words.filter((word) => word !== last && word.startsWith(start)).slice(0, limit);
    if (found.length > 0 || has(last)) return found.map((word) => before + word);
  }
  return [];
}
