import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "pagevec";
import { fixture, near } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

// Rows to rescore with, and a budget far below the file: slots are evicted, searches wait for room.
const f = await fixture({ count: 6001, dim: 64, codec: "binary", refine: "f16", graph: false });

test("the right hits, in bounded memory", async () => {
  const whole = await open(f.bytes);
  const queries = Array.from({ length: 60 }, (_, i) => near(f, i * 100));
  const expected = await whole.searchBatch(queries);
  await whole.close();

  const smallest = await smallestBudget();
  const index = await open(f.bytes, { memoryBudget: smallest });
  const answers = await Promise.all(queries.map((query) => index.search(query)));
  assert.deepEqual(answers, expected);
  assert.deepEqual(await index.searchBatch(queries), expected);
  const { resident, evictions, linearMemory, queries: counted } = index.stats();
  assert.equal(counted, 120);
  assert.ok(resident <= smallest + f.front, `${resident} of ${smallest}`);
  assert.ok(evictions > 0, "nothing was evicted: the budget was not small");

  for (let i = 0; i < 300; i++) await index.search(queries[i % 60]);
  assert.ok(index.stats().linearMemory <= linearMemory + (1 << 18), "memory stays flat");
  await index.close();
});

/** From the error itself, which says what is needed. */
async function smallestBudget() {
  const error = await open(f.bytes, { memoryBudget: f.front + 64 }).catch((e) => e);
  assert.equal(error.code, "budget");
  return Number(/at least (\d+)/.exec(error.message)[1]);
}

test("at the edge sixteen searches are under way at once, and the others wait", async () => {
  const server = await serve(f.folder);
  const most = async (searches) => {
    const index = await open(`${server.url}/words/`, { connection: "edge" });
    await Promise.all(Array.from({ length: searches }, (_, i) => index.search(near(f, i * 50))));
    const { peak } = index.stats().memory.parts.operations;
    await index.close();
    return peak;
  };
  const one = await most(1);
  const all = await most(100);
  await server.close();
  // A step reserves the most that it may need; what a search keeps that waits for bytes is a small part of it: 248 kB of sixteen,
  // 560 to 1,570 kB of a hundred.
  assert.ok(all - one <= 0.75 * one, `${all} bytes of searches under way, ${one} of one`);
});
