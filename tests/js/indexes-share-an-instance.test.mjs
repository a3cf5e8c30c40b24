import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "pagevec";
import { fixture } from "./support/fixture.mjs";

const f = await fixture({ count: 400, dim: 16 });
const { instantiate } = WebAssembly;
let instances = 0;
WebAssembly.instantiate = (...args) => ((instances += 1), instantiate(...args));

test("10,000 times opened, searched and closed, the memory stays as it is", { timeout: 120_000 }, async () => {
  instances = 0;
  let warm;
  for (let i = 0; i < 10_000; i++) {
    const index = await open(f.bytes);
    if (i % 7 === 0) assert.equal((await index.search(f.row(i % f.count), { k: 1 }))[0].id, `word-${i % f.count}`);
    const { linearMemory } = index.stats();
    warm ??= i === 50 ? linearMemory : undefined;
    if (i > 50) assert.equal(linearMemory, warm, `after ${i}`);
    await index.close();
  }
  assert.equal(instances, 0, "the instance of the fixture was there");
});

test("the same with hundreds open at a time, in another order", { timeout: 120_000 }, async () => {
  let warm;
  for (let round = 0; round < 6; round++) {
    const all = await Promise.all(Array.from({ length: 300 }, () => open(f.bytes)));
    const hits = await Promise.all(all.map((index, i) => index.search(f.row(i), { k: 1 })));
    assert.deepEqual(hits.map(([{ id }]) => id), all.map((_, i) => `word-${i}`));
    const { linearMemory } = all[0].stats();
    if (round > 0) assert.ok(linearMemory <= (warm ??= linearMemory), `${linearMemory} bytes in round ${round}, ${warm} before`);
    for (let i = 0; i < all.length; i++) await all[(i * 97) % all.length].close();
  }
});

test("each keeps its own memory budget, and what it holds", async () => {
  const [a, b] = [await open(f.bytes, { memoryBudget: 200_000 }), await open(f.bytes)];
  await Promise.all([a, b].map((index) => index.search(f.row(3), { index: "clusters" })));
  assert.equal(a.stats().linearMemory, b.stats().linearMemory);
  assert.deepEqual([a.stats().memoryBudget, b.stats().memoryBudget], [200_000, 64 << 20]);
  assert.ok(a.stats().resident <= 200_000);
  await a.close();
  assert.equal((await b.search(f.row(4), { k: 1 }))[0].id, "word-4");
  await b.close();
});

test("small files share, whatever their budgets", async () => {
  instances = 0;
  const all = await Promise.all(Array.from({ length: 4 }, () => open(f.bytes, { memoryBudget: 2 ** 31 })));
  assert.equal(instances, 0);
  await Promise.all(all.map((index) => index.close()));
});
