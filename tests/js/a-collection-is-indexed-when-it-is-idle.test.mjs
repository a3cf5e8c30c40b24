// Rows that no graph has get one when nothing is written for two seconds. The clock is moved by hand: nothing waits for it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openCollection } from "pagevec/collection";
import { until } from "./support/until.mjs";

const root = mkdtempSync(join(tmpdir(), "pagevec-idle-"));
after(() => rmSync(root, { recursive: true }));

const vector = (seed) => Array.from({ length: 4 }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
const items = (from, to) => Array.from({ length: to - from }, (_, i) => ({ id: from + i, vector: vector(from + i) }));

test("rows get a graph when nothing is written", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_000_000 });
  const notes = await openCollection(join(root, "notes"), { dim: 4 });
  t.after(() => notes.close());
  const second = async () => {
    t.mock.timers.tick(1000);
    await notes.sync(); // what the tick began is done before it
    return notes.stats();
  };
  await notes.upsert(items(0, 1023));
  for (let i = 0; i < 10; i++) assert.equal((await second()).memoryRows, 1023, "too few");
  await notes.upsert(items(1023, 1024));
  assert.equal((await second()).memoryRows, 1024, "written a second ago");
  await until(async () => (await second()).unindexed === 0);
  const { memoryRows, segments, count } = notes.stats();
  assert.deepEqual([memoryRows, segments, count], [0, 1, 1024]);
  assert.equal((await notes.search(vector(700), { k: 1 }))[0].id, 700);
  await notes.upsert(items(5, 6));
  const stats = notes.stats();
  assert.deepEqual([stats.memoryRows, stats.memoryDead, stats.dead], [1, 0, 1], "live rows of the memory, and dead ones of segments");
});
