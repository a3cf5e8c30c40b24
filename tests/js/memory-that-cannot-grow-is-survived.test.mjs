// WebAssembly memory that may not grow further: the call that needs more fails with a typed error, the controller hears of it and makes
// room, and the index goes on.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, smooth } from "./support/fixture.mjs";
import { until } from "./support/until.mjs";

const f = await fixture({ count: 8000, dim: 96, make: smooth, efConstruction: 20 });
const module = await readFile(fileURLToPath(import.meta.resolve("pagevec/pagevec.wasm")));
const queries = Array.from({ length: 20 }, (_, i) => near(f, i * 150));
const options = { index: "clusters" };

/** The same module, whose memory has at most so many pages of 64 KiB more than it begins with. */
function limited(more) {
  let at = 8;
  const number = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = module[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const encoded = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...encoded(value >> 7)]);
  for (;;) {
    const start = at;
    const [id, length] = [module[at++], number()];
    if (id !== 5) {
      at += length;
      continue;
    }
    const [count, flags, least] = [number(), module[at++], number()];
    assert.deepEqual([count, flags], [1, 0], "one memory without a limit");
    const section = [1, 1, ...encoded(least), ...encoded(least + more)];
    return Buffer.concat([module.subarray(0, start), Buffer.from([5, section.length, ...section]), module.subarray(at)]);
  }
}

test("a call that needs more memory than there may be fails, and the index goes on", async () => {
  const whole = await open(f.bytes);
  const expected = await whole.searchBatch(queries, options);
  await whole.close();
  let failed = 0;
  // Wherever it fails: to open, to read, to load.
  for (const more of [1, 3, 6, 10, 14, 18, 24, 30]) {
    const index = await open(f.bytes, { wasm: limited(more) }).catch((error) => assert.ok(["out-of-memory", "trapped"].includes(error.code), error.stack));
    if (!index) continue;
    for (let again = 0; again < 3; again++) {
      const error = await index.load().then(() => undefined, (error) => error);
      if (error) assert.ok(["out-of-memory", "trapped"].includes(error.code), `${more} pages: ${error.stack}`);
      failed += error ? 1 : 0;
      await index.evict();
      for (const [i, query] of queries.entries()) {
        const hits = await index.search(query, options).catch((error) => assert.ok(["out-of-memory", "trapped"].includes(error.code), error.stack));
        if (hits) assert.deepEqual(hits, expected[i], `${more} pages`);
      }
    }
    await index.close();
  }
  assert.ok(failed > 0, "nothing failed: there was memory enough");
});

test("the controller hears of it, evicts all, and the same call may succeed then", async () => {
  const whole = await open(f.bytes);
  const expected = await whole.searchBatch(queries, options);
  await whole.close();
  const index = await open(f.bytes, { wasm: limited(40) });
  for (const [i, query] of queries.entries()) assert.deepEqual(await index.search(query, options), expected[i]);
  const events = [];
  index.on("memory", (event) => events.push(event));
  await index.memoryMap(); // the controller is at work by then
  await rejected(index.load(), "out-of-memory");
  await until(() => events.length > 0);
  const [{ level, reason, pressure, actions, evicted }] = events;
  assert.deepEqual({ level, reason, pressure, actions }, { level: "emergency", reason: "grow", pressure: 1, actions: ["evict-caches", "limit-searches"] });
  assert.ok(evicted > 0);
  for (const [i, query] of queries.entries()) assert.deepEqual(await index.search(query, options), expected[i]);
  await until(() => events.at(-1).level === "normal");
  await index.close();
});
