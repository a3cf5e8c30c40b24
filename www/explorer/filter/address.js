// What the page's address names behind its #: the text that is asked, and the filter as JSON.

const FILTER = "&filter=";

/** @typedef {{ text: string, filter: object | undefined }} Asked */

/** @param {string} hash a broken one names nothing @returns {Asked} */
export function asked(hash) {
  try {
    const [text, json] = hash.replace(/^#/, "").split(FILTER, 2).map(decodeURIComponent);
    return { text, filter: json ? JSON.parse(json) : undefined };
  } catch {
    return { text: "", filter: undefined };
  }
}

/** @param {Asked} asked @returns {string} empty where nothing is asked */
export function hashOf({ text, filter }) {
  const narrowed = filter === undefined ? "" : FILTER + encodeURIComponent(JSON.stringify(filter));
  return text || narrowed ? `#${encodeURIComponent(text)}${narrowed}` : "";
}

/** @param {Asked} asked @param {boolean} keep gives it an entry of its own in the history */
export function goTo(asked, keep) {
  const url = hashOf(asked) || location.pathname + location.search;
  if (keep) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}
