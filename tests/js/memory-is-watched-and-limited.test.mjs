// `index.on("memory")`, `setMemoryBudget`, `evict` and `memoryMap`: the levels in their order, what is done at each, and what is left.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, smallestBudget, smooth } from "./support/fixture.mjs";
import { internal } from "./support/internal.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture({ count: 4000, dim: 64, make: smooth, efConstruction: 40 });
const server = await serve(f.folder);
after(() => server.close());
const queries = Array.from({ length: 40 }, (_, i) => near(f, i * 99));
const least = await smallestBudget(f);
const options = { index: "clusters" };

const heldOf = ({ memory }) => Object.values(memory.parts).reduce((sum, { reserved }) => sum + reserved, 0);
const fileBytes = ({ memory: { parts } }) => parts.fronts.reserved + parts.sections.reserved + parts.slots.reserved;
async function opened(more = {}) {
  const index = await open(`${server.url}/words/`, { filters: true, ...more });
  const expected = await index.searchBatch(queries, options);
  return { index, expected };
}

for (const worker of [false, true]) {
  const where = worker ? "in a worker" : "in this thread";

  test(`a lower budget evicts, a higher one is filled again, and hits stay the same, ${where}`, async () => {
    const { index, expected } = await opened({ worker });
    const before = index.stats();
    const budget = least + 20_000;
    assert.ok(fileBytes(before) > budget, `${fileBytes(before)} is not more than ${budget}`);
    await index.setMemoryBudget(budget);
    const low = index.stats();
    assert.equal(low.memoryBudget, budget);
    assert.ok(fileBytes(low) <= budget && low.resident <= budget, `${fileBytes(low)} of ${budget}`);
    assert.ok(low.evictions > before.evictions);
    assert.ok(low.linearMemory <= before.linearMemory + (1 << 17), "less is held, so memory does not grow");
    for (let i = 0; i < queries.length; i++) assert.deepEqual(await index.search(queries[i], options), expected[i]);
    assert.deepEqual(await index.searchBatch(queries, options), expected);
    assert.ok(index.stats().resident <= budget && fileBytes(index.stats()) <= budget);
    assert.ok(index.stats().bytes > low.bytes, "it reads again what was evicted");

    await index.setMemoryBudget(2 * f.bytes.length);
    await index.load();
    await index.searchBatch(queries);
    server.reset();
    await index.searchBatch(queries);
    assert.equal(server.requests, 0, "all of it fits now");
    // What was held whole stays as long as it fits.
    await index.setMemoryBudget(2 * f.bytes.length - 1000);
    await index.searchBatch(queries, { index: "hnsw" });
    assert.equal(server.requests, 0);
    await index.close();
    await rejected(index.setMemoryBudget(budget), "closed");
  });

  test(`a budget that is too small is refused by the smallest that works, ${where}`, async () => {
    const { index, expected } = await opened({ worker, memoryBudget: "1MB" });
    const before = index.stats();
    const error = await rejected(index.setMemoryBudget(least - 1), "budget");
    assert.equal(Number(/at least (\d+)/.exec(error.message)[1]), least);
    assert.deepEqual(index.stats(), before, "nothing has changed");
    for (const wrong of [0, -1, 1.5, "much", undefined, {}]) await rejected(index.setMemoryBudget(wrong), "argument");
    await index.setMemoryBudget(least);
    assert.deepEqual(await index.searchBatch(queries, options), expected);
    await index.close();
  });

  test(`evict() drops what was not used lately first, and gives its memory back, ${where}`, async () => {
    const { index, expected } = await opened({ worker });
    const before = index.stats();
    const dropped = await index.evict(10_000);
    const some = index.stats();
    assert.ok(dropped >= 10_000 && dropped < 60_000, `${dropped} bytes`);
    assert.equal(before.resident - some.resident, dropped);
    assert.equal(some.memory.parts.scratch.reserved, 0, "searches allocate theirs anew");
    const all = await index.evict();
    const none = index.stats();
    assert.equal(some.resident - none.resident, all);
    assert.equal(none.resident, none.memory.parts.fronts.reserved, "the fronts alone");
    assert.deepEqual([none.memory.parts.slots.reserved, none.memory.parts.sections.reserved], [0, 0]);
    assert.equal(await index.evict("1MB"), 0);
    assert.deepEqual(await index.searchBatch(queries, options), expected);
    assert.ok(index.stats().linearMemory <= before.linearMemory, "the memory is used again");
    for (const wrong of [0, -1, "x", null]) await rejected(index.evict(wrong), "argument");
    await index.close();
  });

  test(`levels come in order as the budget falls, each with its actions, ${where}`, async () => {
    const { index, expected } = await opened({ worker });
    const events = [];
    const off = index.on("memory", (event) => events.push(event));
    // Each is a little smaller than the one before: what is held fills them more and more.
    for (let budget = 2 * heldOf(index.stats()); budget > least && events.at(-1)?.level !== "emergency"; budget = Math.floor(budget * 0.96)) {
      await index.setMemoryBudget(budget);
      await index.searchBatch(queries, options).catch(({ code }) => assert.equal(code, "budget"));
    }
    const seen = events.map(({ level }) => level);
    assert.deepEqual([...new Set(seen)].filter((level) => level !== "normal"), ["optimise", "preventive", "emergency"]);
    const of = (level) => events.find((event) => event.level === level);
    assert.deepEqual(of("optimise").actions, ["optimise"]);
    assert.deepEqual(of("preventive").actions, ["evict-unused"]);
    assert.deepEqual(of("emergency").actions, ["evict-caches", "limit-searches"]);
    assert.ok(of("preventive").evicted > 0 && of("emergency").evicted > 0);
    for (const { level, pressure, reason, held: now, budget } of events) {
      assert.equal(reason, "budget");
      assert.ok(Math.abs(pressure - now / budget) < 1e-9, level);
    }
    // It calms down by itself, and takes searches again.
    await until(() => events.at(-1).level !== "emergency");
    assert.ok(events.some(({ actions }) => actions.includes("accept-searches")));
    assert.deepEqual(await index.searchBatch(queries, options), expected);
    off();
    off();
    const count = events.length;
    await index.setMemoryBudget(least);
    await index.searchBatch(queries, options);
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(events.length, count, "nobody listens");
    await index.close();
  });
}

test("at the emergency level few searches run at once, others are refused", async () => {
  const { index } = await opened();
  const events = [];
  index.on("memory", (event) => events.push(event));
  await index.setMemoryBudget(Math.max(least, Math.ceil(heldOf(index.stats()) / 0.95)));
  await until(() => events.at(-1)?.actions.includes("limit-searches"));
  const all = await Promise.allSettled(queries.slice(0, 12).map((query) => index.search(query, options)));
  const refused = all.filter(({ reason }) => reason?.code === "budget");
  assert.equal(refused.length, 8, JSON.stringify(all.map(({ reason }) => reason?.code)));
  assert.match(refused[0].reason.message, /at most 4 searches/);
  await index.close();
});

test("a listener that throws stops nothing, and a wrong one is refused", async () => {
  const { index } = await opened();
  assert.throws(() => index.on("memry", () => {}), { code: "argument" });
  assert.throws(() => index.on("memory"), { code: "argument" });
  const [heard, uncaught] = [[], []];
  // What a listener throws is thrown anew in a microtask, which the test's runner would take for a failure of its own.
  const { queueMicrotask: real } = globalThis;
  globalThis.queueMicrotask = (task) => real(() => { try { task(); } catch (error) { uncaught.push(error.message); } });
  index.on("memory", () => { throw new Error("mine"); });
  index.on("memory", ({ level }) => heard.push(level));
  await index.setMemoryBudget(Math.max(least, Math.ceil(heldOf(index.stats()) / 0.85)));
  await until(() => heard.length > 0 && uncaught.length > 0);
  globalThis.queueMicrotask = real;
  assert.deepEqual(uncaught, heard.map(() => "mine"));
  await index.close();
  assert.throws(() => index.on("memory", () => {}), { code: "closed" });
});

test("the map has all that is held where it is, and tells once what was touched", async () => {
  const { index } = await opened();
  await index.memoryMap();
  await index.search(queries[3], options);
  const { linearMemory, stack, statics, heap, arenas } = await index.memoryMap();
  const stats = index.stats();
  assert.equal(linearMemory, stats.linearMemory);
  assert.ok(stack.length === statics.address && statics.address + statics.length <= heap.address && heap.address + heap.length === linearMemory);
  assert.ok(stack.used > 100 && stack.used < 64 * 1024, `a stack of ${stack.used} bytes`);
  const units = arenas.flatMap((arena) => arena.units);
  const sum = (all) => all.reduce((total, { length }) => total + length, 0);
  assert.equal(sum(units), stats.resident - stats.memory.parts.fronts.reserved);
  assert.equal(sum(arenas.flatMap(({ memory }) => memory)), stats.memory.parts.slots.reserved + stats.memory.parts.sections.reserved);
  for (const { memory, units, section } of arenas) {
    const inside = ({ address, length }) => memory.some((piece) => address >= piece.address && address + length <= piece.address + piece.length);
    assert.ok(units.every(inside), section);
    assert.ok(memory.every(({ address }) => address >= heap.address));
  }
  const touched = units.filter((unit) => unit.touched);
  assert.ok(touched.length > 0 && touched.length < units.length, `${touched.length} of ${units.length}`);
  assert.ok((await index.memoryMap()).arenas.every(({ units }) => units.every((unit) => !unit.touched)));
  await index.close();
});

test("what one query touches is what it reads when all is cold", async () => {
  const { index } = await opened();
  await index.evict();
  const before = index.stats().bytes;
  await index.search(queries[3], options);
  const { arenas } = await index.memoryMap();
  const units = arenas.flatMap((arena) => arena.units);
  const read = units.reduce((total, { length }) => total + length, 0);
  assert.ok(read <= index.stats().bytes - before, "requests that are joined read a little more");
  await index.close();
});

test("the ladder is the core's, on traces", async () => {
  const { Ladder } = await internal("engine/memory/levels.js");
  const { readFile } = await import("node:fs/promises");
  const lines = (await readFile(new URL("../fixtures/pressure-levels.txt", import.meta.url), "utf8")).trim().split("\n").filter((line) => !line.startsWith("#"));
  assert.ok(lines.length >= 40);
  let acted = 0;
  for (const line of lines) {
    const [pressures, levels, due] = line.split(" ");
    const ladder = new Ladder();
    let before = 0;
    pressures.split(",").forEach((text, at) => {
      const pressure = Number(text) / 1000;
      const acts = ladder.step(pressure, pressure - before, 1);
      before = pressure;
      assert.deepEqual([ladder.level, acts], [Number(levels[at]), due[at] === "1"], `step ${at} of ${line}`);
      acted += Number(acts);
    });
  }
  assert.ok(acted > 100, `${acted} actions`);
});
