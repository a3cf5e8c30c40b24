// Everything that is written into the page except the map of the file.
import { bytes, count, counted, milliseconds, percent, seconds } from "./format.js";
import { LINKS, secondsOver } from "./reading/race.js";

/** @param {string} id @returns {any} the element; ids are those of index.html */
export const $ = (id) => document.getElementById(id);

/** What the sections of a segment hold, for people. */
const NOTES = /** @type {Record<string, string>} */ ({
  "code parameters": "the scale of each component",
  codes: "the vectors, compact",
  "refine rows": "finer vectors, to rank hits by",
  "exact rows": "exact vectors, to rank hits by",
  graph: "links between near vectors",
  cells: "groups of groups of vectors",
  leaves: "groups of vectors",
  lists: "a few bits of each vector, by group",
  ids: "the ids",
  "id order": "to find an id",
  fields: "what is stored beside the vectors",
  "field directory": "to find stored fields",
  checksums: "to check what arrives",
});

/** Letters of a hit's fields. */
const LONGEST = 300;

/** @typedef {import("./query.js").Answer} Answer */

/** @param {string} text @param {"" | "ready" | "fault"} [state] */
export function showStatus(text, state = "") {
  $("status").textContent = text;
  $("status").dataset.state = state;
}

/** @param {unknown} error */
export function showFault(error) {
  const { code, message } = /** @type {any} */ (error ?? {});
  $("fault").hidden = false;
  $("fault-message").textContent = message || String(error);
  $("fault-code").textContent = code ? `code: ${code}` : "";
  showStatus("Stopped", "fault");
}

/** @param {string} text */
export function showNote(text) {
  $("note").textContent = text;
}

/** @param {{ label: string, pick: () => void }[]} chips */
export function showChips(chips) {
  $("chips").replaceChildren(...chips.map(({ label, pick }) => button("chip", label, pick)));
}

/** No answer: what was asked last has none. */
export function showNothing() {
  $("answer").hidden = true;
  $("results").replaceChildren();
}

/** The answer on the page is not of what is typed by now. @param {boolean} stale */
export function markStale(stale) {
  $("answer").toggleAttribute("data-stale", stale);
}

/** @param {any} info @param {string} name */
export function showIndex(info, name) {
  $("title").textContent = name;
  const parts = info.segments.length === 1 ? "" : ` in ${counted(info.segments.length, "segment")}`;
  $("lead").textContent = `${count(info.count)} vectors of ${count(info.dim)} components, ${info.metric}, ${info.codec}; ${bytes(info.fileLength)}${parts}.`;
}

/** The one large line, and what it leaves out. @param {Answer} answer @param {number} fileLength */
export function showFound({ ms, read, lookedUp, title }, fileLength) {
  write("ms", ms, milliseconds(ms));
  write("bytes", read.bytes, bytes(read.bytes));
  write("whole", fileLength, bytes(fileLength));
  write("share", read.bytes / fileLength, percent(read.bytes / fileLength));
  const { requests, waves } = read;
  const how = requests === 0 ? "Nothing was requested: all of it was here." : `${counted(requests, "request")}, in ${counted(waves.length, "wave")} one after another.`;
  const found = lookedUp ? ` ${bytes(lookedUp)} of it to look up “${title}”.` : "";
  $("more").textContent = how + found;
}

/**
 * What is written of a hit: its name, a few words on its kind, and a text.
 * @typedef {(hit: Answer["hits"][number]) => { name: string, kind?: string, text?: string }} Describe
 */

/** @param {Answer} answer @param {(id: string | number) => void} onPick @param {Describe} [describe] */
export function showHits({ title, hits, filter }, onPick, describe = anyHit) {
  const hadFocus = $("results").contains(document.activeElement);
  $("results-title").replaceChildren("Nearest to ", element("em", "", title));
  $("no-hits").hidden = hits.length > 0;
  $("no-hits").textContent = filter ? "Nothing else matches the filter." : "There is nothing else in the index.";
  const scores = hits.map(({ score }) => score);
  const [best, worst] = [Math.max(...scores), Math.min(...scores)];
  $("results").replaceChildren(...hits.map((hit) => {
    const bar = element("span", "bar");
    // Cosines lie below 1; other metrics have no such scale, so their bars compare the hits shown.
    const share = best <= 1 && worst >= 0 ? hit.score : (hit.score - worst) / (best - worst || 1);
    bar.style.setProperty("--share", String(0.04 + 0.96 * Math.max(0, share)));
    const { name, kind, text } = describe(hit);
    const row = button("hit", "", () => onPick(hit.id));
    row.append(element("span", "word", name), bar, element("span", "score", hit.score.toFixed(3)));
    if (kind) row.append(element("span", "kind", kind));
    if (text) row.append(element("span", "text", text));
    const item = document.createElement("li");
    item.append(row);
    return item;
  }));
  // The hit that was pressed is gone: the keyboard goes on from the first of the new ones.
  if (hadFocus) $("results").querySelector("button")?.focus();
  $("answer").hidden = false;
}

/** The title among the stored fields, where there is one, and the others. @type {Describe} */
function anyHit({ id, fields = {} }) {
  const title = ["title", "name", "label", "text"].find((name) => typeof fields[name] === "string" && fields[name]);
  const others = Object.entries(fields).filter(([name, value]) => name !== title && value !== null);
  const text = others.map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(" · ");
  return { name: title ? String(fields[title]) : String(id), text: text.slice(0, LONGEST) };
}

/** @param {{ now: number, before: number, unread: number }} sizes */
export function showSizes(sizes) {
  for (const [name, value] of Object.entries(sizes)) write(`map-${name}`, value, bytes(value));
}

/** @param {number} shown @param {import("./reading/traffic.js").Wave[]} waves @param {string} section that most of the last wave was read of */
export function showWave(shown, waves, section) {
  const slider = $("wave");
  slider.max = String(waves.length);
  slider.value = String(shown);
  $("replay").disabled = slider.disabled = waves.length === 0;
  const { bytes: read, requests } = waves[shown - 1] ?? {};
  const text = shown === 0 ? "before the search" : `wave ${shown} of ${waves.length}: ${bytes(read)} in ${counted(requests, "request")}, most of it ${NOTES[section] ?? section}`;
  $("caption").textContent = waves.length === 0 ? "This search read nothing new." : text;
  slider.setAttribute("aria-valuetext", $("caption").textContent);
}

/**
 * The wait for the first answer, beside that for the whole file.
 * @param {string} name of a link @param {{ waves: number, bytes: number }} first @param {number} fileLength
 */
export function showRace(name, first, fileLength) {
  const link = LINKS[name];
  const [ours, whole] = [secondsOver(link, first), secondsOver(link, { waves: 1, bytes: fileLength })];
  const longest = Math.max(ours, whole);
  for (const [id, value] of /** @type {[string, number][]} */ ([["race-pagevec", ours], ["race-whole", whole]])) {
    write(id, value, seconds(value));
    $(`${id}-bar`).style.setProperty("--share", String(value / longest));
  }
  $("race-note").textContent =
    `${link.name} here: ${link.rttMs} ms a round trip, ${link.mbits} Mbit/s. pagevec: ${counted(first.waves, "round trip")}, ${bytes(first.bytes)}, the opening too; ` +
    `everything: one, ${bytes(fileLength)}. Counted in this page; what a link adds of its own is left out.`;
}

/** @param {Answer} answer @param {{ name: string, length: number, now: number }[]} sections */
export function showDetails({ plan, filter }, sections) {
  $("plan").textContent = `${plan}.`;
  $("plan-filter").textContent = filter ? `Filter: ${JSON.stringify(filter)}` : "No filter.";
  $("sections").replaceChildren(...sections.map(({ name, length, now }) => {
    const row = document.createElement("tr");
    const head = element("th", "", name);
    head.setAttribute("scope", "row");
    if (NOTES[name]) head.append(" ", element("small", "", NOTES[name]));
    row.append(head, element("td", "", bytes(length)), element("td", "", now ? bytes(now) : "–"));
    return row;
  }));
}

/** @param {{ bytes: number, requests: number, searches: number }} totals @param {any} stats */
export function showTotals(totals, { resident, memoryBudget, linearMemory }) {
  write("total-bytes", totals.bytes, bytes(totals.bytes));
  write("total-requests", totals.requests, counted(totals.requests, "request"));
  write("total-searches", totals.searches, counted(totals.searches, "search", "searches"));
  $("memory").textContent = `Held now: ${bytes(resident)} of the file, of ${bytes(memoryBudget)} allowed; WebAssembly memory ${bytes(linearMemory)}.`;
}

/** What it took to count what matches. @param {{ bytes: number, requests: number }} read */
export function showCounted({ bytes: read, requests }) {
  $("counted").textContent = requests ? `To count, ${bytes(read)} were read in ${counted(requests, "request")}.` : "";
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
