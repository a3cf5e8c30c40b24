// What searches read of the file: the map in three colours, its waves one by one, and how long the first answer takes over a link.
import * as view from "../view.js";
import { FileMap } from "./map.js";

const { $ } = view;
const WAVE_MS = 650;

/** @typedef {import("./extents.js").Extents} Extents */
/** @typedef {import("./traffic.js").Account} Account */
/** @typedef {import("./traffic.js").Wave} Wave */

const map = new FileMap($("map"));
/** @type {any} */
let info;
/** Names of the segments' files, in the order in which they follow each other in the map. @type {string[]} */
let files = [];
/** All that was read, and what of it was before the answer that is shown. @type {Extents} */
let all = [];
/** @type {Extents} */
let before = [];
/** Of the answer that is shown. @type {Wave[]} */
let waves = [];
/** What the first answer took, the opening too. */
let first = { waves: 0, bytes: 0 };
let answers = 0;

/** Another index. @param {any} facts its info @param {string[]} names @param {Account} opening */
export function open(facts, names, opening) {
  info = facts;
  files = names;
  map.open(info);
  all = extentsOf(opening.waves);
  first = { waves: opening.waves.length, bytes: opening.bytes };
  answers = 0;
}

/** Something was read that is not of the answer shown: the map has it in the colour of what was read before. @param {Account} account */
export function add(account) {
  take(account);
  before = [...before, ...extentsOf(account.waves)];
  if (answers > 0 && account.bytes > 0) showWaves(Number($("wave").value));
}

/** @param {Account} account */
function take({ waves: others, bytes }) {
  all = [...all, ...extentsOf(others)];
  if (answers === 0) first = { waves: first.waves + others.length, bytes: first.bytes + bytes };
}

/** @param {Account} read for the answer that is shown now @returns what was read of each section */
export function show(read) {
  before = all;
  take(read);
  waves = read.waves;
  answers += 1;
  showWaves(waves.length);
  showRace();
  return map.sections;
}

/** Another wave of the answer that is shown. @param {Account} read @returns what was read of each section */
export function extend(read) {
  answers -= 1;
  take(read);
  answers += 1;
  waves = [...waves, ...read.waves];
  showWaves(waves.length);
  showRace();
  return map.sections;
}

/** @param {number} number of the waves of the search that are shown */
function showWaves(number) {
  map.show([], extentsOf(waves.slice(Math.max(0, number - 1), number)));
  const [largest] = map.sections.sort((a, b) => b.now - a.now);
  map.show(before, extentsOf(waves.slice(0, number)));
  view.showSizes(map.sizes);
  view.showWave(number, waves, largest?.name ?? "");
}

/** Shows the waves one after another, slower than they came. */
function replay() {
  const shown = waves;
  const step = (/** @type {number} */ number) => {
    if (shown !== waves) return;
    showWaves(number);
    if (number < waves.length) setTimeout(step, WAVE_MS, number + 1);
  };
  step(0);
}

function showRace() {
  const link = /** @type {HTMLInputElement} */ (document.querySelector("#links input:checked")).value;
  if (answers > 0) view.showRace(link, first, info.fileLength);
}

/** Where reads lie in the map: there, segments follow each other. What is not of a segment lies nowhere. @param {Wave[]} some @returns {Extents} */
function extentsOf(some) {
  const { segments } = info;
  const base = (/** @type {string} */ file) => (segments.length === 1 && !file.endsWith(".json") && !file.startsWith("dead-") ? 0 : segments[files.indexOf(file)]?.base);
  return some.flatMap(({ reads }) => reads.flatMap(({ file, offset, length }) => {
    const from = base(file);
    return from === undefined ? [] : [/** @type {[number, number]} */ ([from + offset, from + offset + length])];
  }));
}

$("replay").addEventListener("click", replay);
$("wave").addEventListener("input", () => showWaves(Number($("wave").value)));
$("links").addEventListener("change", showRace);
$("map").addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
  $("map").title = map.at(event.offsetX, event.offsetY)?.name ?? "header";
});
