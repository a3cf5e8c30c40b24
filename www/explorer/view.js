// Everything that is written into the page except the picture of the file.
import { bytes, count, counted, milliseconds } from "./format.js";

/** @param {string} id @returns {any} the element; ids are those of index.html */
export const $ = (id) => document.getElementById(id);

const LOG_ROWS = 6;

/** What the sections of a segment hold, for people. */
const SECTION_NOTES = /** @type {Record<string, string>} */ ({
  "code parameters": "the scale of each dimension",
  codes: "the vectors, compact",
  "refine rows": "finer vectors for the last comparison",
  graph: "links between near vectors",
  cells: "groups of groups of words",
  leaves: "groups of words",
  lists: "a few bits of each number, and the words",
  ids: "the words",
  "id order": "to find a word",
});

const HOW = /** @type {Record<string, string>} */ ({
  clusters: "looked through the nearest groups",
  hnsw: "walked the graph",
  flat: "scanned every vector",
});

/** @param {string} text @param {string} [state] */
export function showStatus(text, state = "") {
  $("status").textContent = text;
  $("status").dataset.state = state;
}

/** @param {number | undefined} share 0 to 1; nothing hides the bar */
export function showProgress(share) {
  $("progress").hidden = share === undefined;
  if (share !== undefined) $("progress").value = share;
}

/** @param {unknown} error */
export function showFault(error) {
  const { code, message } = /** @type {any} */ (error ?? {});
  $("fault").hidden = false;
  $("fault-message").textContent = message || String(error);
  $("fault-code").textContent = code ? `code: ${code}` : "";
}

export function hideFault() {
  $("fault").hidden = true;
}

/** @param {string} text */
export function showNote(text) {
  $("note").textContent = text;
}

/**
 * A row of buttons. @param {string} id @param {string[]} labels @param {(label: string) => void} onPick
 */
export function showChips(id, labels, onPick) {
  $(id).replaceChildren(...labels.map((label) => button("chip", label, () => onPick(label))));
}

/** No search yet: the examples are offered. */
export function showEmpty() {
  $("results-title").textContent = "Try one of these";
  $("examples").hidden = false;
  $("results").replaceChildren();
  $("note").textContent = "";
}

/**
 * @param {string} title what was asked
 * @param {{ id: string, score: number }[]} hits
 * @param {(word: string) => void} onPick
 */
export function showHits(title, hits, onPick) {
  const hadFocus = $("results").contains(document.activeElement);
  $("results-title").replaceChildren("Nearest to ", element("em", "", title));
  $("examples").hidden = true;
  $("results").replaceChildren(...hits.map(({ id, score }) => {
    const bar = element("span", "bar");
    bar.style.setProperty("--share", String(Math.max(0, Math.min(1, score))));
    const row = button("hit", "", () => onPick(String(id)));
    row.append(element("span", "word", String(id)), bar, element("span", "score", score.toFixed(3)));
    row.setAttribute("aria-label", `${id}, score ${score.toFixed(3)}; search it`);
    const item = document.createElement("li");
    item.append(row);
    return item;
  }));
  // The hit that was pressed is gone: the keyboard goes on from the first of the new ones.
  if (hadFocus) $("results").querySelector("button")?.focus();
  $("spoken").textContent = `Nearest to ${title}: ${hits.slice(0, 5).map((hit) => hit.id).join(", ")}.`;
}

/**
 * @param {{ bytes: number, requests: number, waves: number, ms: number, distances: number, index: string }} cost
 */
export function showCost(cost) {
  write("bytes", cost.bytes, bytes(cost.bytes));
  write("requests", cost.requests, count(cost.requests));
  write("waves", cost.waves, count(cost.waves));
  write("ms", cost.ms, milliseconds(cost.ms));
  write("distances", cost.distances, count(cost.distances));
  const how = HOW[cost.index] ?? "searched";
  $("remark").textContent = cost.bytes
    ? `It ${how}; what was not here came over the network.`
    : `It ${how} and read nothing: all was here.`;
}

/** @param {{ bytes: number, requests: number, searches: number, resident: number, budget: number, memory: number }} totals */
export function showTotals(totals) {
  write("total-bytes", totals.bytes, bytes(totals.bytes));
  write("total-requests", totals.requests, counted(totals.requests, "request"));
  write("total-searches", totals.searches, counted(totals.searches, "search", "searches"));
  $("memory").textContent =
    `Held now: ${bytes(totals.resident)} of the file, of ${bytes(totals.budget)} allowed; WebAssembly memory ${bytes(totals.memory)}.`;
}

/** Adds a row on top; the row of the opening stays at the bottom. @param {{ what: string, bytes: number, requests: number, ms: number }} entry */
export function log(entry) {
  const row = document.createElement("tr");
  const head = element("th", "", entry.what);
  head.setAttribute("scope", "row");
  row.append(head, ...[bytes(entry.bytes), count(entry.requests), milliseconds(entry.ms)].map((text) => element("td", "", text)));
  const rows = $("log").children;
  $("log").prepend(row);
  if (rows.length > LOG_ROWS) rows[rows.length - 2].remove();
}

/**
 * @param {any} info @param {number} pageBytes
 */
export function showFile(info, pageBytes) {
  $("file-line").textContent =
    `${count(info.count)} vectors × ${info.dim}, ${info.codec}, ${info.metric}; ${bytes(info.fileLength)}. ` +
    `One cell is ${pageBytes / 1024} KiB; filled cells have been read.`;
  $("pages").setAttribute("aria-label",
    `Map of the index file, ${bytes(info.fileLength)} in ${Math.ceil(info.fileLength / pageBytes)} pages`);
  $("legend").replaceChildren(...info.sections.map((/** @type {any} */ section, /** @type {number} */ i) => {
    const item = element("li", `section-${i % 8}`);
    const note = SECTION_NOTES[section.name];
    item.append(element("b", "", section.name), ` ${bytes(section.length)}${note ? `, ${note}` : ""}`);
    return item;
  }));
}

/** @param {{ from: number, to: number, read: number, section: string } | undefined} cell */
export function showCell(cell) {
  $("cell").textContent = cell
    ? `${cell.section}: bytes ${count(cell.from)} to ${count(cell.to - 1)}, ` +
      (cell.read === 0 ? "not read" : cell.read < cell.to - cell.from ? "partly here" : "here")
    : "Point at a cell to see what it holds.";
}

/** @param {string} id @param {number} value @param {string} text */
function write(id, value, text) {
  $(id).value = String(value);
  $(id).textContent = text;
}

/** @param {string} name @param {string} className @param {string} [text] */
function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** @param {string} className @param {string} text @param {() => void} onClick */
function button(className, text, onClick) {
  const made = /** @type {HTMLButtonElement} */ (element("button", className, text));
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}
