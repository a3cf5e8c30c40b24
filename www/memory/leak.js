// Thousands of searches in slices, so that the page stays alive, and the memory after each slice.
import { bytes, count, counted, seconds } from "../pkg/explorer/format.js";
import { Lines } from "./canvas.js";
import { $, breathe } from "./page.js";
import { heldOf } from "./pressure.js";

/** Unless the address says another number: `?searches=500`. */
const SEARCHES = Math.max(100, Number(new URLSearchParams(location.search).get("searches")) || 10_000);
/** Searches of a slice, in one call; and different ones, which are asked again and again. */
const SLICE = 25;
const DIFFERENT = 100;
const WASM_PAGE = 65_536;

const lines = new Lines($("leak-chart"), 2, 1000);
let stopped = false;

/** Vectors between those of words, so that all are near something. @param {Float32Array[]} bases @param {number} from */
function between(bases, from) {
  const dim = bases[0].length;
  const all = new Float32Array(SLICE * dim);
  for (let row = 0; row < SLICE; row++) {
    const number = (from + row) % DIFFERENT;
    const [a, b] = [bases[number % bases.length], bases[(7 * number + 3 + Math.floor(number / bases.length)) % bases.length]];
    const part = ((number * 37) % 100) / 100;
    for (let i = 0; i < dim; i++) all[row * dim + i] = a[i] + part * b[i];
  }
  return all;
}

export function stopLeakRun() {
  stopped = true;
}

/** @param {any} index @param {Float32Array[]} bases */
export async function leakRun(index, bases) {
  stopped = false;
  lines.clear();
  const options = { k: 10, index: "clusters" };
  // Before it is measured all pages come that the searches need.
  for (let done = 0; done < 2 * DIFFERENT && !stopped; done += SLICE) {
    $("leak-note").textContent = "Fetching what these searches need…";
    await index.searchBatch(between(bases, done), options);
    await breathe();
  }
  $("leak-note").textContent = "Searching…";
  const [before, start] = [index.stats(), performance.now()];
  let done = 0;
  let highest = before.linearMemory;
  while (done < SEARCHES && !stopped) {
    await index.searchBatch(between(bases, done), options);
    done += SLICE;
    const stats = index.stats();
    highest = Math.max(highest, stats.linearMemory);
    if (done % (4 * SLICE) === 0) lines.add({ linear: stats.linearMemory, held: heldOf(stats) });
    $("leak-progress").value = done / SEARCHES;
    await breathe();
  }
  const after = index.stats();
  const pages = (highest - before.linearMemory) / WASM_PAGE;
  const took = (performance.now() - start) / 1000;
  $("leak-note").dataset.pages = String(pages);
  $("leak-note").textContent = `${stopped ? "Stopped after " : ""}${count(done)} searches in ${seconds(took)}: the program's memory grew by ${counted(pages, "page")} of 64 KiB, and is ${bytes(after.linearMemory)}.`;
  $("leak-chart").setAttribute("aria-label", `Memory during ${count(done)} searches: ${bytes(before.linearMemory)} before, ${bytes(after.linearMemory)} after, ${bytes(highest)} at the most`);
  $("leak-now").textContent = `Here and now: a search that forgot a single kilobyte would have taken ${bytes(1000 * done)} more.`;
}
