// The demo page: opens the index beside it and answers what is typed, one query at a time.
import { open } from "./pagevec.js";
import { PagePicture } from "./pages.js";
import { answer, fromHash, title, toHash } from "./query.js";
import * as view from "./view.js";
import { completions, loadWords } from "./words.js";

const { $ } = view;
const MEMORY_BUDGET = 128 * 2 ** 20;
const EXAMPLES = ["ocean", "jazz", "quantum", "tuesday", "king − man + woman", "paris − france + japan", "uncle − man + woman"];

/** @typedef {import("./query.js").Query} Query */

const picture = new PagePicture($("pages"));
const totals = { bytes: 0, requests: 0, searches: 0 };
/** What the open index had read when it was last asked. */
let counted = { bytes: 0, requests: 0, waves: 0 };
/** @type {any} */
let index;
/** The newest query that is not answered yet: while one runs, those before the newest are dropped. @type {Query | undefined} */
let waiting;
let running = false;
let wanted = false;

/** Opens the index, or opens it again after a fault. */
async function start() {
  view.hideFault();
  view.showStatus("Opening the index…");
  picture.forget();
  const started = performance.now();
  try {
    await index?.close();
    index = await open(new URL("./index/", document.baseURI), { memoryBudget: MEMORY_BUDGET, onFetch, onProgress });
  } catch (error) {
    index = undefined;
    fail(error);
    return;
  }
  const info = index.info;
  $("load").disabled = false;
  $("load-note").textContent = "";
  picture.show(info);
  view.showFile(info, picture.pageBytes);
  counted = { bytes: 0, requests: 0, waves: 0 };
  view.log({ what: "opening", ...count(), ms: performance.now() - started });
  view.showProgress(undefined);
  ready();
  document.body.dataset.ready = "true";
  runWaiting();
}

/** Brings codes and graph here: later searches read nothing. Waits its turn like a query. */
async function loadAll() {
  if (running || !index) return;
  running = true;
  $("load").disabled = true;
  $("load-note").textContent = "Loading…";
  const started = performance.now();
  try {
    await index.load();
    view.log({ what: "the whole index", ...count(), ms: performance.now() - started });
    $("load-note").textContent = "All is here: searches read nothing more.";
    ready();
  } catch (error) {
    $("load").disabled = false;
    $("load-note").textContent = "";
    fail(error);
  }
  view.showProgress(undefined);
  running = false;
  runWaiting();
}

function ready() {
  view.showStatus(`${index.info.count.toLocaleString("en")} words, ready`, "ready");
}

/** Every range that arrives, in the order of arrival. */
function onFetch(/** @type {{ offset: number, length: number }} */ { offset, length }) {
  picture.touch(offset, length);
}

function onProgress(/** @type {{ done: number, total: number }} */ { done, total }) {
  view.showProgress(total ? done / total : 0);
}

/** @param {Query} query */
function ask(query) {
  waiting = query;
  wanted = true;
  runWaiting();
}

/** Back to the examples; an answer that is still under way is not shown. */
function clear() {
  waiting = undefined;
  wanted = false;
  view.showEmpty();
}

async function runWaiting() {
  if (running || !index) return;
  running = true;
  while (waiting && index) {
    const query = waiting;
    waiting = undefined;
    try {
      await run(query);
    } catch (error) {
      fail(error);
    }
    view.showProgress(undefined);
  }
  running = false;
}

/** @param {Query} query */
async function run(query) {
  if (totals.searches === 0) view.showStatus("First search…");
  let asked = query;
  let result = await answer(index, asked);
  let note = "";
  if (result.missing && query.kind === "word" && query.instead) {
    asked = { kind: "word", word: query.instead };
    note = `“${query.word}” is not in the index; this is “${query.instead}”.`;
    result = await answer(index, asked);
  }
  if (result.hits) totals.searches += 1;
  const news = count();
  view.hideFault();
  ready();
  if (!wanted) return;
  if (result.missing !== undefined) {
    view.showNote(`“${result.missing}” is not in the index.`);
    return;
  }
  view.showNote(note);
  view.showHits(title(asked), result.hits, (word) => go({ kind: "word", word }));
  const cost = { ...result, ...news };
  view.showCost(cost);
  view.log({ what: title(asked), ...cost });
}

/** What was read since the last count: by one query, as they run one after another. Also brings the totals up to date. */
function count() {
  const { bytes, requests, waves, resident, memoryBudget, linearMemory } = index.stats();
  const news = { bytes: bytes - counted.bytes, requests: requests - counted.requests, waves: waves - counted.waves };
  counted = { bytes, requests, waves };
  totals.bytes += news.bytes;
  totals.requests += news.requests;
  view.showTotals({ ...totals, resident, budget: memoryBudget, memory: linearMemory });
  return news;
}

/** @param {unknown} error */
function fail(error) {
  view.showFault(error);
  view.showStatus("Stopped", "fault");
  view.showProgress(undefined);
}

/** Goes to a query as to a new page: it gets its own entry in the history. @param {Query} query */
function go(query) {
  history.pushState(null, "", toHash(query));
  follow();
}

/** Fills the fields from the address and asks. */
function follow() {
  const query = fromHash(location.hash);
  if (!query) {
    $("word").value = "";
    offer("");
    clear();
    return;
  }
  if (query.kind === "word") $("word").value = query.word;
  else for (const name of /** @type {const} */ (["a", "b", "c"])) $(name).value = query[name];
  if (query.kind === "sum") $("word").value = "";
  offer(query.kind === "word" ? query.word : "");
  ask(query);
}

/** @param {string} start @returns {string[]} what was offered */
function offer(start) {
  const words = completions(start);
  view.showChips("completions", words, (word) => go({ kind: "word", word }));
  return words;
}

const typed = (/** @type {string} */ id) => $(id).value.trim().toLowerCase();

$("word").addEventListener("input", () => {
  const word = typed("word");
  const [instead] = offer(word);
  history.replaceState(null, "", word ? toHash({ kind: "word", word }) : location.pathname + location.search);
  if (word) ask({ kind: "word", word, instead });
  else clear();
});
$("word-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  if (typed("word")) go({ kind: "word", word: typed("word") });
});
$("sum-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const [a, b, c] = ["a", "b", "c"].map(typed);
  if (a && b && c) go({ kind: "sum", a, b, c });
  else view.showNote("Word arithmetic needs three words.");
});
$("again").addEventListener("click", () => start().then(follow));
$("load").addEventListener("click", loadAll);
addEventListener("popstate", follow);

// The arrow keys lead from the field through the hits and back.
document.addEventListener("keydown", (event) => {
  const stops = [$("word"), ...document.querySelectorAll(".hit")];
  const at = stops.indexOf(document.activeElement);
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const next = at < 0 || step === 0 ? undefined : stops[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
});

for (const name of ["pointermove", "pointerdown"]) {
  $("pages").addEventListener(name, (/** @type {PointerEvent} */ event) => {
    view.showCell(picture.at(event.offsetX, event.offsetY));
  });
}
$("pages").addEventListener("pointerleave", () => view.showCell(undefined));

view.showChips("examples", EXAMPLES, (label) => {
  const [a, b, c] = label.split(/ [−+] /);
  go(c ? { kind: "sum", a, b, c } : { kind: "word", word: a });
});
follow();
start().then(loadWords);
