// Waiting for what a test needs, never for a time.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** Waits until `condition()` is true, or a promise of it. Fails after 20 s, so that no test hangs. */
export async function until(condition) {
  const from = performance.now();
  while (!(await condition())) {
    if (performance.now() - from > 20_000) assert.fail(`still not true after 20 s: ${condition}`);
    await pause(2);
  }
}

/** Waits until `count()` has stayed the same for 100 ms: what goes on has come to where it waits. */
export async function steady(count) {
  for (let last; last !== (last = count()); ) await pause(100);
}
