// Waiting for what a test needs, never for a time.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** Waits until `condition()` is true, or a promise of it. Fails after `most` milliseconds, so that no test hangs. */
export async function until(condition, most = 20_000) {
  const from = performance.now();
  while (!(await condition())) {
    if (performance.now() - from > most) assert.fail(`still not true after ${most / 1000} s: ${condition}`);
    await pause(2);
  }
}

/** Waits until `count()` has stayed the same for 100 ms: what goes on has come to where it waits. */
export async function steady(count) {
  for (let last; last !== (last = count()); ) await pause(100);
}
