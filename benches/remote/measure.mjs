// The measurements: what a reader pays, step by step; a whole visit; how little memory is enough; that memory stays flat.
import { recall } from "./sets.mjs";

/**
 * @typedef {{ bytes: number, requests: number, waves: number, milliseconds: number }} Cost as the server counted it
 * @typedef {() => Promise<import("./clients.mjs").Client>} Fresh
 */

/**
 * Opens, then searches one query after another, each run with other queries; a few runs go on to the last.
 * @param {Awaited<ReturnType<typeof import("../../tests/js/support/shaped.mjs").serveShaped>>} host
 * @param {Fresh} fresh
 * @param {{ count: number, truth: any }} set
 * @param {{ runs: number, long: number, last: number }} size
 */
export async function journeys(host, fresh, set, { runs, long, last }) {
  const steps = { open: [], first: [], second: [], late: [] };
  const searches = [];
  const memory = { open: 0, first: 0, last: 0 };
  let unequal = 0;
  for (let run = 0; run < runs; run++) {
    host.disconnect();
    const client = await fresh();
    const opened = await counted(host, () => client.call("open"));
    steps.open.push(opened.cost);
    memory.open = Math.max(memory.open, opened.value.stats.linearMemory);
    for (let i = 0; i < (run < long ? last : 2); i++) {
      const number = (run * last + i) % set.count;
      const { cost, value } = await counted(host, () => client.call("search", number));
      if (cost.bytes !== value.bytes || cost.requests !== value.requests) unequal += 1;
      const name = i === 0 ? "first" : i === 1 ? "second" : i >= last - 10 ? "late" : undefined;
      if (name) steps[name].push({ ...cost, waves: value.waves });
      searches.push({ number, ids: value.ids });
      const when = i === 0 ? "first" : "last";
      memory[when] = Math.max(memory[when], value.stats.linearMemory);
    }
    await client.call("close");
    await client.end();
  }
  const means = Object.fromEntries(Object.entries(steps).map(([name, costs]) => [name, mean(costs)]));
  return { ...means, recall: recall(searches, set.truth), searches: searches.length, memory, unequal };
}

/**
 * A page that is visited for the first time: itself, the package as its files are, the index, the first hits.
 * @param {any} host serves all of them
 * @param {import("playwright-core").Browser} browser
 * @param {{ count: number, dim: number, queries: Float32Array }} set
 * @param {number} runs
 */
export async function visits(host, browser, set, runs) {
  const costs = [];
  for (let run = 0; run < runs; run++) {
    const number = (run * 17) % set.count;
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.addInitScript((query) => (window.query = query), [...set.queries.subarray(number * set.dim, (number + 1) * set.dim)]);
    host.reset();
    await page.goto(host.url, { waitUntil: "commit" });
    await page.waitForFunction(() => window.milliseconds);
    costs.push({ milliseconds: await page.evaluate(() => window.milliseconds), bytes: host.bytes, requests: host.requests, waves: host.waves });
    await context.close();
  }
  return mean(costs);
}

/**
 * The same queries under several budgets, of which the first is the largest.
 * @param {any} host
 * @param {Fresh} fresh
 * @param {{ count: number, truth: any }} set
 * @param {{ sizes: (codes: number) => number[], queries: number }} size budgets, for a section of codes of so many bytes
 */
export async function budgets(host, fresh, set, { sizes, queries }) {
  const rows = [];
  const before = await fresh();
  const codes = await codesOf(before);
  await before.end();
  for (const memoryBudget of sizes(codes)) {
    const share = memoryBudget / codes;
    host.disconnect();
    const client = await fresh();
    try {
      const { value: opened } = await counted(host, () => client.call("open", { memoryBudget }));
      const [searches, costs] = [[], []];
      let stats = opened.stats;
      for (let number = 0; number < Math.min(queries, set.count); number++) {
        const { cost, value } = await counted(host, () => client.call("search", number));
        costs.push({ ...cost, waves: value.waves });
        searches.push({ number, ids: value.ids });
        stats = value.stats;
      }
      const { resident, evictions, linearMemory } = stats;
      // The first half warms up what a budget can hold.
      const later = mean(costs.slice(costs.length >> 1));
      rows.push({ share, memoryBudget, recall: recall(searches, set.truth), all: mean(costs), later, resident, evictions, linearMemory });
    } catch (error) {
      if (error.code !== "budget") throw error;
      rows.push({ share, memoryBudget, refused: error.message });
    }
    await client.end();
  }
  return { codes, queries: Math.min(queries, set.count), rows };
}

async function codesOf(client) {
  const { info } = await client.call("open");
  await client.call("close");
  return info.sections.find(({ name }) => name === "codes").length;
}

/**
 * Thousands of queries under a small budget.
 * @param {Fresh} fresh
 * @param {{ memoryBudget: number, queries: number, limit: number }} size
 */
export async function flat(fresh, { memoryBudget, queries, limit }) {
  const client = await fresh();
  const { stats: opened } = await client.call("open", { memoryBudget });
  const early = await client.call("many", queries / 10);
  const late = await client.call("many", queries - queries / 10);
  await client.end();
  const memory = { open: opened.linearMemory, early: early.linearMemory, late: late.linearMemory };
  const holds = late.linearMemory === early.linearMemory && late.linearMemory <= limit && late.resident <= memoryBudget;
  return { memoryBudget, queries: late.queries, limit, memory, resident: late.resident, evictions: late.evictions, bytes: late.bytes / late.queries, holds };
}

/** @returns {Promise<{ value: any, cost: Cost }>} */
async function counted(host, action) {
  host.reset();
  const from = performance.now();
  const value = await action();
  const milliseconds = value?.milliseconds ?? performance.now() - from;
  const { bytes, requests, waves } = host;
  return { value, cost: { bytes, requests, waves, milliseconds } };
}

/** Means; of times the median. */
function mean(costs) {
  const of = (key) => costs.reduce((sum, cost) => sum + cost[key], 0) / costs.length;
  const times = costs.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const most = Math.max(...costs.map(({ bytes }) => bytes));
  return { bytes: of("bytes"), requests: of("requests"), waves: of("waves"), milliseconds: times[times.length >> 1], mostBytes: most };
}
