import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "pagevec";
import { fixture, near } from "./support/fixture.mjs";

const f = await fixture({ count: 3000, dim: 64 });
const PARTS = ["fronts", "sections", "slots", "places", "reading", "scratch", "operations"];

test("stats() say what is reserved, by part", async () => {
  const index = await open(f.bytes, { memoryBudget: f.bytes.length });
  const of = () => index.stats().memory;
  const before = of();
  assert.deepEqual(Object.keys(before.parts), PARTS);
  assert.equal(before.budget, f.bytes.length);
  assert.ok(before.parts.fronts.reserved > 0 && before.parts.places.reserved > 0);
  assert.deepEqual(before.parts.scratch, { reserved: 0, peak: 0 });

  for (let i = 0; i < 20; i++) await index.search(near(f, i * 10));
  const { budget, parts } = of();
  const held = parts.fronts.reserved + parts.sections.reserved + parts.slots.reserved;
  assert.ok(held >= index.stats().resident && held <= budget, `${held} of ${budget}`);
  assert.ok(parts.scratch.reserved > 0 && parts.operations.peak > 0);
  assert.equal(parts.operations.reserved, 0, "no search is under way");
  for (const name of PARTS) assert.ok(parts[name].peak >= parts[name].reserved, name);

  for (let i = 0; i < 200; i++) await index.search(near(f, (i % 20) * 10));
  assert.deepEqual(of().parts.scratch, parts.scratch, "memory that searches reuse stays");
  await index.close();
});
