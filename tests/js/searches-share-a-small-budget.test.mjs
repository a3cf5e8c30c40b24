import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "pagevec";
import { fixture, near } from "./support/fixture.mjs";

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
