// Completions while a word is being typed. They come from the plain list of words beside the demo's
// vectors, most frequent first; the index is not asked. Without the list there are no completions.

/** @type {string[]} */
let words = [];

/** Fetches the list; call when nothing else is waiting for the network. */
export async function loadWords() {
  try {
    const response = await fetch(new URL("./data/words.txt", document.baseURI));
    if (response.ok) words = (await response.text()).trimEnd().split("\n");
  } catch {
    // Offline, or a page deployed without the list: the rest of the page does not need it.
  }
}

/** The most frequent words that begin with `start`, without `start` itself. @param {string} start */
export function completions(start, limit = 7) {
  /** @type {string[]} */
  const found = [];
  if (!start) return found;
  for (const word of words) {
    if (word.length > start.length && word.startsWith(start)) found.push(word);
    if (found.length === limit) break;
  }
  return found;
}
