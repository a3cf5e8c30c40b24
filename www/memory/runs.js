// The same search cold, warm and hot; and a working set that fits the budget, and one that does not.
import { bytes, counted, milliseconds } from "../pkg/explorer/format.js";
import { $, breathe, data, element } from "./page.js";

const ROUNDS = 3;
const SEARCH = { k: 10, index: "clusters" };

/**
 * @param {any} index @param {ArrayLike<number>} vector
 * @param {() => Promise<void>} show is called after each search
 */
export async function coldWarmHot(index, vector, show) {
  const forget = {
    cold: () => index.evict(),
    // Of what the search needs, which is all that is here by now.
    warm: () => index.evict(Math.max(1, Math.ceil((index.stats().resident - index.stats().memory.parts.fronts.reserved) / 2))),
    hot: () => {},
  };
  /** @type {Record<string, any>} */
  const found = {};
  for (const [heat, prepare] of Object.entries(forget)) {
    await prepare();
    const account = (found[heat] = await index.explain(vector, SEARCH));
    const cells = document.querySelectorAll(`[data-heat="${heat}"] td`);
    const { bytes: read, requests, waves, milliseconds: took } = account;
    cells[0].replaceChildren(data(read, bytes(read)));
    [requests, waves].forEach((value, at) => cells[at + 1].replaceChildren(data(value, String(value))));
    cells[3].replaceChildren(data(took, milliseconds(took)));
    await show();
    await breathe();
  }
  const same = JSON.stringify(found.cold.hits) === JSON.stringify(found.hot.hits);
  $("heat-note").textContent = `${same ? "All three found the same. " : ""}Hot was ${Math.max(1, Math.round(found.cold.milliseconds / Math.max(0.1, found.hot.milliseconds)))} times as fast as cold, as nothing had to come: ${bytes(found.cold.bytes)} were here already.`;
}

/**
 * Searches all vectors again and again, under a budget with room for what they need, then under the smallest.
 * @param {any} index @param {ArrayLike<number>[]} vectors @param {{ roomy: number, small: number }} budgets @param {() => Promise<void>} show
 */
export async function thrash(index, vectors, budgets, show) {
  const before = index.stats().memoryBudget;
  /** @type {Record<string, { read: number, ms: number }[]>} */
  const rounds = { roomy: [], small: [] };
  try {
    for (const kind of /** @type {("roomy" | "small")[]} */ (["roomy", "small"])) {
      await index.setMemoryBudget(budgets[kind]);
      await index.evict();
      for (let round = 0; round < ROUNDS; round++) {
        const [from, start] = [index.stats().bytes, performance.now()];
        for (const vector of vectors) {
          await index.search(vector, SEARCH);
          await show();
        }
        rounds[kind].push({ read: index.stats().bytes - from, ms: performance.now() - start });
        showRounds(rounds, budgets);
      }
    }
  } finally {
    await index.setMemoryBudget(before);
    await show();
  }
  const again = (/** @type {{ read: number }[]} */ of) => of.slice(1).reduce((total, { read }) => total + read, 0);
  const [roomy, small] = [again(rounds.roomy), again(rounds.small)];
  $("thrash-note").textContent = `${counted(vectors.length, "word")}, searched again twice: with ${bytes(budgets.roomy)} that read ${bytes(roomy)}, with ${bytes(budgets.small)} it read ${bytes(small)}, though nothing was asked that had not been asked before.`;
}

/** @param {Record<string, { read: number, ms: number }[]>} rounds @param {Record<string, number>} budgets */
function showRounds(rounds, budgets) {
  const most = Math.max(1, ...Object.values(rounds).flat().map(({ read }) => read));
  $("rounds").replaceChildren(...Object.entries(rounds).flatMap(([kind, all]) => all.flatMap(({ read }, at) => {
    const bar = element("span", "bar");
    bar.style.setProperty("--share", String(read / most));
    const value = data(read, bytes(read));
    value.dataset.round = `${kind}-${at + 1}`;
    return [element("dt", kind, `${bytes(budgets[kind])}, round ${at + 1}`), element("dd", kind, bar, value)];
  })));
}
