import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 6000, dim: 256, make: smooth, efConstruction: 40 });
const server = await serve(f.folder);
after(() => server.close());
const budget = Math.floor(f.bytes.length / 10);

test("the same hits as with room for all, one after another and at once; memory stays flat", async () => {
  const queries = Array.from({ length: 40 }, (_, i) => near(f, i * 150));
  const large = await open(f.bytes);
  const expected = await large.searchBatch(queries, { index: "clusters" });
  await large.close();

  const index = await open(`${server.url}/words/`, { memoryBudget: budget });
  const before = index.stats();
  for (let i = 0; i < queries.length; i++) assert.deepEqual(await index.search(queries[i]), expected[i]);
  assert.deepEqual(await Promise.all(queries.map((query) => index.search(query))), expected);
  assert.deepEqual(await index.searchBatch(queries), expected);
  const { resident, evictions, linearMemory } = index.stats();
  assert.ok(resident <= budget, `${resident} of ${budget}`);
  assert.ok(evictions > 0, "nothing was evicted: the budget was not small");
  for (let i = 0; i < 80; i++) await index.search(queries[i % 40]);
  const after = index.stats();
  assert.ok(after.linearMemory <= linearMemory, "memory stays flat");
  console.log(`# budget ${budget} of ${f.bytes.length}: resident ${after.resident}, linear memory ${before.linearMemory} to ${after.linearMemory}`);
  await index.close();
});
