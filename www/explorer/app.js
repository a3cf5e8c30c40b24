// The page: opens an index, shows an answer on arrival, and answers what is asked, one query at a time.
import { asked, goTo } from "./filter/address.js";
import { any } from "./filter/panel.js";
import * as schema from "./filter/schema.js";
import { wire } from "./input.js";
import { open } from "./pagevec.js";
import { addFields, answer, arrivalOf, hasFields, parse } from "./query.js";
import * as panel from "./reading/panel.js";
import { Traffic } from "./reading/traffic.js";
import * as whole from "./reading/whole.js";
import * as view from "./view.js";

const { $ } = view;
const MEMORY_BUDGET = 128 * 2 ** 20;
/** A pause in typing after which a known word is searched. */
const PAUSE_MS = 300;
/** One letter is the beginning of too much. */
const LEAST_TYPED = 2;

/** @typedef {import("./query.js").Query} Query */
/** @typedef {import("./query.js").Site} Site */
/** @typedef {import("./reading/traffic.js").Account} Account */
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
/** What the answer that is shown is near to: it is asked again when the filter changes. @type {Query | undefined} */
let shown;
let narrow = any;
/** Ends the counting that is under way. */
let counting = new AbortController();
let uncounted = false;

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
  index = shown = undefined;
  counting.abort();
  const mine = (traffic = new Traffic(site.send));
  // What is read is kept for this visit only: the figures are those of a first visit.
  try {
    await old?.close();
    const opened = await open(site.index, { fetch: mine.fetch, memoryBudget: MEMORY_BUDGET, cache: false, onProgress: whole.progress });
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
  schema.show(index.info);
  narrow = site.narrow ?? any;
  $("narrow").hidden = schema.indexed(index.info).length === 0;
  document.body.toggleAttribute("data-own", site.narrow !== undefined);
  narrow.open(index.info, narrowed, recount);
  whole.open(index.info);
  ready();
  follow();
}

function ready() {
  view.showStatus(`${index.info.count.toLocaleString("en")} ${site.words?.name ?? "vectors"}`, "ready");
}

/** @param {Query} query */
function ask(query) {
  clearTimeout(pause);
  waiting = query;
  turn += 1;
  counting.abort();
  runWaiting();
}

/** Answers what waits, then counts what matches: counts never hold an answer up. */
async function runWaiting() {
  if (running || !index) return;
  running = true;
  while ((waiting || uncounted) && index) {
    const now = index;
    try {
      if (waiting) await runNext();
      else await countMatches();
    } catch (error) {
      // Another index may have been opened meanwhile, which closed this one.
      if (now === index) fail(error);
    }
  }
  running = false;
}

async function runNext() {
  const query = /** @type {Query} */ (waiting);
  waiting = undefined;
  try {
    await run(query, turn);
  } finally {
    // The first answer has the link to itself.
    site.words?.load();
  }
}

/** @param {any} error */
function fail(error) {
  if (error?.code !== "filter") return view.showFault(error);
  ready();
  narrow.refuse(error);
  view.markStale(true);
}

/** @param {Query} query @param {number} mine */
async function run(query, mine) {
  const now = index;
  view.showStatus("Searching…");
  const result = await answer(index, traffic, query, { filter: narrow.filter(), find: site.words?.find });
  if (now !== index) return;
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
  uncounted = true;
  shown = { kind: "vector", ...result.target };
  view.showNote("");
  view.markStale(false);
  const more = hasFields(index.info) && result.hits.length > 0;
  show(result, panel.show(result.read), more);
  performance.mark("answer");
  if (!more) return;
  const read = count(await addFields(index, traffic, result));
  if (mine === turn) show(result, panel.extend(read), false);
  else panel.add(read);
}

/** @param {import("./query.js").Answer} result @param {{ name: string, length: number, now: number }[]} sections @param {boolean} busy its texts are not here yet */
function show(result, sections, busy) {
  view.showHits(result, (id) => go(String(id)), site.describe);
  site.onAnswer?.(result, go);
  view.showFound(result, index.info.fileLength);
  view.showDetails(result, sections);
  $("answer").setAttribute("aria-busy", String(busy));
  if (!busy) document.body.dataset.answers = String(totals.searches);
}

/** Counts for the filter; whatever is asked meanwhile ends that. */
async function countMatches() {
  uncounted = false;
  if ($("narrow").hidden) return;
  const now = index;
  const { signal } = (counting = new AbortController());
  try {
    await narrow.count(now, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (now === index) {
      const read = count(traffic.take());
      panel.add(read), view.showCounted(read);
      document.body.dataset.counted = String(totals.searches);
    }
  }
}

/** The filter is another one: the address has it, and what is shown is asked again. */
function narrowed() {
  address(asked(location.hash).text, false);
  shown ? ask(shown) : follow();
}

function recount() {
  uncounted = true;
  runWaiting();
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
const address = (text, keep) => goTo({ text, filter: narrow.filter() }, keep);

/** Asks `text` as if it had been typed and sent. @param {string} text */
function go(text) {
  address(text, true);
  follow();
}

/** Asks what the address names, or shows the arrival. */
function follow() {
  if (!index) return;
  const { text, filter } = asked(location.hash);
  narrow.show(filter);
  $("query").value = text;
  suggest("");
  if (text) send(text);
  else ask(site.arrival ?? arrivalOf(index.info));
}

/** @param {string} text */
function send(text) {
  const query = queryOf(text);
  if (!query) return;
  const wrong = "wrong" in query ? query.wrong : unknownWord(query);
  if (!wrong) return ask(/** @type {Query} */ (query));
  turn += 1;
  waiting = undefined;
  nothing(wrong);
}

/** @param {string} text */
const queryOf = (text) => (site.words ? /** @type {Query} */ ({ kind: "text", title: text }) : parse(text, index.info));

/** What to say of a word that the page knows not to be in the index. @param {Query | { wrong: string }} query */
function unknownWord(query) {
  return "title" in query && site.words?.has(query.title) === false ? `“${query.title}” is not in the index.` : undefined;
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
  const known = site.words?.has(text);
  if (known === false) return nothing(`“${text}” is not in the index.`);
  if (!known) return;
  address(text, false);
  send(text);
}

/** Brings codes and graph here: later searches read nothing. Waits its turn like a query. */
async function loadAll() {
  if (running || !index) return;
  running = true;
  await whole.load(index);
  panel.add(count(traffic.take()));
  running = false;
  runWaiting();
}

$("query").addEventListener("input", typing);
$("form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const text = $("query").value.trim();
  if (index && text) go(site.words ? text.toLowerCase() : text);
});
$("again").addEventListener("click", () => start(site));
$("load").addEventListener("click", loadAll);
addEventListener("popstate", follow);
wire(start);
