// The page: opens an index, shows an answer on arrival, and answers what is asked, one query at a time.
import { open } from "./pagevec.js";
import { answer, arrivalOf, parse } from "./query.js";
import * as panel from "./reading/panel.js";
import { hostOf, Traffic } from "./reading/traffic.js";
import * as view from "./view.js";

const { $ } = view;
const MEMORY_BUDGET = 128 * 2 ** 20;
/** A pause in typing after which a known word is searched. */
const PAUSE_MS = 300;
/** One letter is the beginning of too much. */
const LEAST_TYPED = 2;

/** @typedef {import("./query.js").Query} Query */
/** @typedef {import("./reading/traffic.js").Account} Account */

/**
 * What the page is about.
 * @typedef {object} Site
 * @property {URL} index
 * @property {(url: URL, init: RequestInit) => Promise<Response>} [send] instead of fetch
 * @property {string} [name] the heading; unless given, the page has its own
 * @property {Query} [arrival] asked on arrival where the address names nothing; a random row or vector unless given
 * @property {string[]} [examples]
 * @property {{ load: () => Promise<void>, has: (word: string) => boolean | undefined, completions: (start: string) => string[] }} [words]
 *   the ids of the index, where the page knows them: they are completed, and searched as they are typed
 */

/** @type {Site} */
let site;
/** @type {any} */
let index;
let traffic = new Traffic();
let totals = { bytes: 0, requests: 0, searches: 0 };
/** The newest query that is not answered yet: while one runs, those before the newest are dropped. @type {Query | undefined} */
let waiting;
let running = false;
/** Counts what was asked or cleared, so that an answer which nobody waits for any more is not shown. */
let turn = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

/** @param {Site} given */
export async function start(given) {
  site = given;
  turn += 1;
  waiting = undefined;
  $("fault").hidden = true;
  view.showNothing();
  view.showNote("");
  view.showStatus("Opening the index…");
  const old = index;
  index = undefined;
  const mine = (traffic = new Traffic(site.send));
  // What is read is kept for this visit only: the figures are those of a first visit.
  try {
    await old?.close();
    const opened = await open(site.index, { fetch: mine.fetch, memoryBudget: MEMORY_BUDGET, cache: false, onProgress });
    if (mine !== traffic) return void opened.close();
    index = opened;
  } catch (error) {
    if (mine === traffic) view.showFault(error);
    return;
  }
  const opening = traffic.take();
  totals = { bytes: opening.bytes, requests: opening.requests, searches: 0 };
  panel.open(index.info, traffic.files, opening);
  if (site.name) view.showIndex(index.info, site.name);
  $("load").disabled = !index.info.graph;
  $("load-note").textContent = index.info.graph ? "" : "This index has no graph: there is nothing that would bring all of it at once.";
  ready();
  follow();
}

function ready() {
  view.showStatus(`${index.info.count.toLocaleString("en")} ${site.words ? "words" : "vectors"}`, "ready");
}

/** @param {Query} query */
function ask(query) {
  clearTimeout(pause);
  waiting = query;
  turn += 1;
  runWaiting();
}

async function runWaiting() {
  if (running || !index) return;
  running = true;
  while (waiting && index) {
    const [query, asked] = [waiting, index];
    waiting = undefined;
    try {
      await run(query, turn);
    } catch (error) {
      // Another index may have been opened meanwhile, which closed this one.
      if (asked === index) view.showFault(error);
    }
  }
  running = false;
  // The first answer has the link to itself.
  site.words?.load();
}

/** @param {Query} query @param {number} mine */
async function run(query, mine) {
  const asked = index;
  view.showStatus("Searching…");
  const result = await answer(index, traffic, query);
  if (asked !== index) return;
  $("fault").hidden = true;
  ready();
  if ("missing" in result) {
    panel.add(count(traffic.take()));
    if (mine === turn) nothing(`“${result.missing}” is not in the index.`);
    return;
  }
  totals.searches += 1;
  count(result.read);
  if (mine !== turn) return panel.add(result.read);
  const sections = panel.show(result.read);
  view.showNote("");
  view.markStale(false);
  view.showHits(result, (id) => go(String(id)));
  view.showFound(result, index.info.fileLength);
  view.showDetails(result, sections);
  document.body.dataset.answers = String(totals.searches);
  performance.mark("answer");
}

/** @param {Account} account */
function count(account) {
  totals.bytes += account.bytes;
  totals.requests += account.requests;
  view.showTotals(totals, index.stats());
  return account;
}

/** @param {string} note */
function nothing(note) {
  view.showNothing();
  view.showNote(note);
}

/** @param {string} text @param {boolean} keep gives it an entry of its own in the history */
function address(text, keep) {
  const url = text ? `#${encodeURIComponent(text)}` : location.pathname + location.search;
  if (keep) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}

/** Asks `text` as if it had been typed and sent. @param {string} text */
function go(text) {
  address(text, true);
  follow();
}

/** Asks what the address names, or shows the arrival. */
function follow() {
  if (!index) return;
  let text = "";
  try {
    text = decodeURIComponent(location.hash.slice(1));
  } catch {
    // A broken address is as none.
  }
  $("query").value = text;
  suggest("");
  if (text) send(text);
  else ask(site.arrival ?? arrivalOf(index.info));
}

/** @param {string} text */
function send(text) {
  const query = parse(text, index.info);
  if (!query) return;
  const wrong = "wrong" in query ? query.wrong : unknownWord(query);
  if (!wrong) return ask(/** @type {Query} */ (query));
  turn += 1;
  waiting = undefined;
  nothing(wrong);
}

/** What to say of a word that the page knows not to be in the index. @param {Query | { wrong: string }} query */
function unknownWord(query) {
  if (!("kind" in query) || query.kind !== "rows") return undefined;
  const word = [...query.plus, ...query.minus].find((term) => site.words?.has(String(term)) === false);
  return word === undefined ? undefined : `“${word}” is not in the index.`;
}

/** @param {string} typed */
function suggest(typed) {
  const completions = typed ? site.words?.completions(typed) ?? [] : [];
  const labels = completions.length || typed ? completions : site.examples ?? [];
  const random = typed ? [] : [{ label: site.words ? "a random word" : "a random row", pick: () => (address("", true), ($("query").value = ""), ask({ kind: "random", title: "" })) }];
  view.showChips([...labels.map((label) => ({ label, pick: () => go(label) })), ...random]);
}

/** While a person types: suggestions at once; after a pause the answer, or that there is none. */
function typing() {
  clearTimeout(pause);
  const text = $("query").value.trim().toLowerCase();
  // An answer that is under way is not of this text.
  turn += 1;
  waiting = undefined;
  suggest(text);
  view.showNote("");
  view.markStale(text !== "");
  if (text.length >= LEAST_TYPED && site.words && index) pause = setTimeout(() => paused(text), PAUSE_MS);
}

/** @param {string} text */
function paused(text) {
  const query = parse(text, index.info);
  if (!query || "wrong" in query || query.kind !== "rows") return;
  const wrong = unknownWord(query);
  if (wrong) return nothing(wrong);
  if (![...query.plus, ...query.minus].every((word) => site.words?.has(String(word)))) return;
  address(text, false);
  ask(query);
}

/** Brings codes and graph here: later searches read nothing. Waits its turn like a query. */
async function loadAll() {
  if (running || !index) return;
  running = true;
  $("load").disabled = true;
  try {
    await index.load();
    panel.add(count(traffic.take()));
    $("load-note").textContent = "All is here: searches read nothing more.";
  } catch (error) {
    $("load").disabled = false;
    $("load-note").textContent = /** @type {any} */ (error).message;
  }
  running = false;
  runWaiting();
}

function onProgress(/** @type {{ done: number, total: number }} */ { done, total }) {
  $("load-note").textContent = total ? `${Math.round((done / total) * 100)} %` : "";
}

/** @param {File | undefined} file */
function openFile(file) {
  if (!file) return;
  history.replaceState(null, "", location.pathname + location.search);
  start({ index: new URL(encodeURIComponent(file.name), "https://dropped.invalid/"), send: hostOf(file), name: file.name });
}

$("query").addEventListener("input", typing);
$("form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const text = $("query").value.trim();
  if (index && text) go(site.words ? text.toLowerCase() : text);
});
$("again").addEventListener("click", () => start(site));
$("load").addEventListener("click", loadAll);
$("file").addEventListener("change", () => {
  openFile($("file").files[0]);
  // The same file may be chosen again, as it may have been built again.
  $("file").value = "";
});
addEventListener("popstate", follow);
const dragging = (/** @type {boolean} */ over) => document.body.toggleAttribute("data-dragging", over);
addEventListener("dragover", (event) => {
  event.preventDefault();
  dragging(true);
});
addEventListener("dragleave", (event) => event.relatedTarget === null && dragging(false));
addEventListener("drop", (event) => {
  event.preventDefault();
  dragging(false);
  openFile(event.dataTransfer?.files[0]);
});
// The arrow keys lead from the field through the hits and back.
document.addEventListener("keydown", (event) => {
  const stops = [$("query"), ...document.querySelectorAll(".hit")];
  const at = stops.indexOf(document.activeElement);
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const next = at < 0 || step === 0 ? undefined : stops[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
});
