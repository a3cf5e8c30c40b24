// The page of memory: opens the demo's index under a budget, and shows after each step what is in memory.
import { bytes, counted, milliseconds } from "../pkg/explorer/format.js";
import { open } from "../pkg/explorer/pagevec.js";
import { leakRun, stopLeakRun } from "./leak.js";
import { $, element, showFault } from "./page.js";
import { openPictures, showMap } from "./pictures.js";
import { budgetOfSlider, openBudget, showBudget, showEvent, showLevel, showPressure } from "./pressure.js";
import { coldWarmHot, thrash } from "./runs.js";

const START = 6e6;
const WORDS = ["ocean", "bread", "music", "winter", "king", "fear", "city", "tree", "doctor", "gold", "law", "milk"];
/** Words of the run that thrashes. */
const WORKING_SET = 6;
const SEARCH = { k: 5, index: "clusters", fields: ["words"] };

/** @type {any} */
let index;
/** @type {Map<string, Float32Array>} */
const vectors = new Map();
let least = 0;
let busy = false;
/** The budget that the slider asks for while another is being set. @type {number | undefined} */
let wanted;
let chosen = WORDS[0];

async function start() {
  index = await open(new URL("../index/", import.meta.url), { memoryBudget: START, filters: true, cache: false });
  openPictures(index.info);
  least = await index.setMemoryBudget(1).catch((/** @type {any} */ error) => Number(/at least (\d+)/.exec(error.message)?.[1]));
  openBudget(least, index.info.fileLength);
  showBudget(START);
  showLevel("normal");
  await Promise.all(WORDS.map(async (word) => vectors.set(word, await index.vector(`${word}.n.01`))));
  $("words").replaceChildren(...WORDS.map(chip));
  index.on("memory", showEvent);
  for (const id of ["evict", "heat", "thrash", "leak"]) $(id).disabled = false;
  $("status").textContent = `${index.info.count.toLocaleString("en")} glosses`;
  $("status").dataset.state = "ready";
  await search(chosen);
}

/** @param {string} word */
function chip(word) {
  const button = /** @type {HTMLButtonElement} */ (element("button", "chip", word));
  button.type = "button";
  button.addEventListener("click", () => alone(() => search(word)));
  return button;
}

/** @param {string} word */
async function search(word) {
  chosen = word;
  for (const button of $("words").children) button.setAttribute("aria-pressed", String(button.textContent === word));
  await index.memoryMap(); // what was touched before is told now, not after the search
  const { hits, bytes: read, requests, milliseconds: took } = await index.explain(vectors.get(word), SEARCH);
  const found = [...new Set(hits.map((/** @type {any} */ { fields }) => fields.words[0]))].filter((name) => name !== word);
  const { touched } = await refresh();
  const faults = read > 0 ? `${bytes(read)} had to come, in ${counted(requests, "request")}` : "nothing had to come";
  $("answer").textContent = `${found.join(", ")}: ${milliseconds(took)}, ${faults}.`;
  $("pages-now").textContent = `Here and now: “${word}” used ${counted(touched, "page")}; ${read > 0 ? `page faults brought ${bytes(read)} of it from the host.` : "all of them were in memory: no page fault."}`;
  document.body.dataset.searched = word;
}

/** Shows what is in memory now. */
async function refresh() {
  const map = await index.memoryMap();
  const stats = index.stats();
  showPressure(stats);
  return showMap(map, stats);
}

/** One thing at a time: what is pressed meanwhile is not heard. @param {() => Promise<void>} action */
async function alone(action) {
  if (busy) return;
  busy = true;
  document.body.dataset.busy = "";
  try {
    await action();
  } catch (error) {
    showFault(error);
  } finally {
    busy = false;
    delete document.body.dataset.busy;
    if (wanted !== undefined) void alone(setBudget);
  }
}

/** Sets the newest budget that was asked for; those between are skipped. */
async function setBudget() {
  while (wanted !== undefined) {
    const budget = wanted;
    wanted = undefined;
    await index.setMemoryBudget(budget);
    await refresh();
  }
}

$("budget").addEventListener("input", () => {
  wanted = budgetOfSlider();
  $("budget-value").value = bytes(wanted);
  $("budget").setAttribute("aria-valuetext", bytes(wanted));
  void alone(setBudget);
});

$("evict").addEventListener("click", () => alone(async () => {
  await index.evict();
  await refresh();
  $("answer").textContent = "All pages are forgotten: the next search brings its own again.";
}));

$("heat").addEventListener("click", () => alone(() => coldWarmHot(index, /** @type {Float32Array} */ (vectors.get(chosen)), async () => void (await refresh()))));

$("thrash").addEventListener("click", () => alone(async () => {
  const some = WORDS.slice(0, WORKING_SET).map((word) => /** @type {Float32Array} */ (vectors.get(word)));
  await thrash(index, some, { roomy: Math.max(index.stats().memoryBudget, index.info.fileLength), small: least }, async () => void (await refresh()));
  showBudget(index.stats().memoryBudget);
}));

$("leak").addEventListener("click", () => alone(async () => {
  $("leak-stop").hidden = $("leak-progress").hidden = false;
  $("leak-stop").focus();
  const was = index.stats().memoryBudget;
  try {
    // With room for all that they need: what is asked here is whether memory is lost, not whether it is short.
    await index.setMemoryBudget(2 * index.info.fileLength);
    await leakRun(index, [...vectors.values()]);
  } finally {
    const hadFocus = document.activeElement === $("leak-stop");
    $("leak-stop").hidden = $("leak-progress").hidden = true;
    if (hadFocus) $("leak").focus();
    await index.setMemoryBudget(was);
    await refresh();
  }
}));
$("leak-stop").addEventListener("click", stopLeakRun);

start().catch(showFault);
