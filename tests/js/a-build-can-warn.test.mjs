// Warnings of the core reach `onWarning`, else the console. They are made here in the place of the core, by calling what it
// is given: which rows deserve one is a question for the tests of the core.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";

const given = [["codes-recall", "sq8 rows find 40 % of the ten nearest rows"], ["clusters-recall", "the clustered index finds 80.0 % of the 10 nearest rows"]];
const { instantiate } = WebAssembly;
let warnings = [];
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  const { build } = instance.exports;
  if (!build) return instance;
  const exports = { ...instance.exports };
  exports.build = (...args) => {
    for (const warning of warnings) args.at(-1).onWarning(...warning);
    return build(...args);
  };
  return { exports };
};
const rows = [[1, 0], [0, 1], [1, 1]];

/** What goes to the console meanwhile. */
async function consoled(action) {
  const { warn } = console;
  const lines = [];
  console.warn = (...line) => lines.push(line.join(" "));
  try {
    await action();
  } finally {
    console.warn = warn;
  }
  return lines;
}

test("onWarning is told, and the file is the same", async () => {
  warnings = [];
  const plain = await build(rows);
  warnings = given;
  const told = [];
  const lines = await consoled(async () => assert.deepEqual(await build(rows, { onWarning: (warning) => told.push(warning) }), plain));
  assert.deepEqual(told, given.map(([code, message]) => ({ code, message })));
  assert.deepEqual(lines, []);
});

test("without it the console is, once for each", async () => {
  warnings = given;
  assert.deepEqual(await consoled(() => build(rows)), given.map(([, message]) => `pagevec: ${message}`));
  warnings = [];
  assert.deepEqual(await consoled(() => build(rows)), []);
});

test("a listener that throws ends nothing, one that is no function is refused", async () => {
  warnings = given;
  const { queueMicrotask } = globalThis;
  const reported = [];
  globalThis.queueMicrotask = (report) => reported.push(report);
  const bytes = await build(rows, { onWarning: () => { throw new RangeError("mine"); } });
  globalThis.queueMicrotask = queueMicrotask;
  assert.ok(bytes.length > 0);
  assert.equal(reported.length, 2);
  for (const report of reported) assert.throws(report, RangeError);
  for (const onWarning of [5, "x", {}]) await rejected(build(rows, { onWarning }), "argument");
});
