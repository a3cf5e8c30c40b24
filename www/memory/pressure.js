// The budget, the level of pressure, and memory over time.
import { bytes, percent } from "../pkg/explorer/format.js";
import { Lines } from "./canvas.js";
import { $, element, write } from "./page.js";

const STEPS = 1000;
/** Levels that are listed. */
const LISTED = 60;
const DONE = /** @type {Record<string, string>} */ ({
  optimise: "gave back what searches reuse",
  "evict-unused": "dropped pages that were not used lately",
  "evict-caches": "dropped all pages of vectors and lists",
  "limit-searches": "takes four searches at once, no more",
  "accept-searches": "takes any number of searches again",
});

const lines = new Lines($("time"));
let range = { least: 1, most: 2 };
let heard = 0;

/** @param {number} least the smallest budget that works @param {number} most */
export function openBudget(least, most) {
  range = { least, most };
  $("budget").disabled = false;
}

/** Fine steps where there is little: each is a factor. */
export const budgetOfSlider = () => Math.round(range.least * (range.most / range.least) ** (Number($("budget").value) / STEPS));

/** @param {number} budget */
export function showBudget(budget) {
  $("budget").value = String(Math.round(STEPS * Math.log(budget / range.least) / Math.log(range.most / range.least)));
  $("budget").setAttribute("aria-valuetext", bytes(budget));
  $("budget-value").value = bytes(budget);
}

/** @param {any} stats @returns {number} */
export const heldOf = ({ memory }) => Object.values(memory.parts).reduce((total, { reserved }) => total + reserved, 0);

/** @param {any} stats */
export function showPressure(stats) {
  const held = heldOf(stats);
  const pressure = held / stats.memoryBudget;
  $("gauge").style.setProperty("--share", String(Math.min(1, pressure)));
  $("gauge").setAttribute("aria-valuenow", String(Math.round(100 * Math.min(1, pressure))));
  write("time-linear", stats.linearMemory);
  write("time-held", held);
  write("time-budget", stats.memoryBudget);
  lines.add({ linear: stats.linearMemory, held, limit: stats.memoryBudget });
  $("time-now").textContent = `Here and now: ${bytes(held)} of ${bytes(stats.memoryBudget)} are taken, which is ${percent(pressure)}; ${stats.evictions.toLocaleString("en")} pages were dropped so far. The program's memory itself never shrinks: what was given back is used again.`;
}

/** @param {string} level */
export function showLevel(level) {
  for (const item of $("levels").children) {
    if (item.dataset.level === level) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }
}

/** @param {any} event of the index */
export function showEvent({ level, actions, pressure, evicted }) {
  showLevel(level);
  if (heard++ === 0) $("events").replaceChildren();
  const did = actions.map((/** @type {string} */ action) => DONE[action] ?? action).join(", ");
  const text = ` at ${percent(pressure)}${did ? `: ${did}` : ""}${evicted > 0 ? ` (${bytes(evicted)})` : ""}`;
  const item = element("li", "", element("b", "", level), text);
  item.dataset.level = level;
  $("events").prepend(item);
  while ($("events").children.length > LISTED) $("events").lastElementChild.remove();
}
