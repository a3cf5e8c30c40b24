// Preloaded by the test runner (`--import`): a test that took longer than 60 s fails. A test that hangs is ended by its own
// `timeout`. The runner's --test-timeout will not do: in Node 20 it limits a file, not a test.
import { afterEach, beforeEach } from "node:test";

const LIMIT = 60_000;
const starts = new WeakMap();
beforeEach((test) => void starts.set(test, performance.now()));
afterEach((test) => {
  const took = performance.now() - starts.get(test);
  if (took > LIMIT) throw new Error(`it took ${Math.round(took)} ms, more than ${LIMIT}: make it faster`);
});
