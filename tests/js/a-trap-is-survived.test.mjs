import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());

// Instances of this file's own indexes trap when told to: their exports are wrapped.
let trap;
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  if (!(instance instanceof WebAssembly.Instance)) return instance;
  const exports = {};
  for (const [name, value] of Object.entries(instance.exports)) {
    exports[name] = typeof value !== "function" ? value : (...args) => {
      if (trap && name === trap.at) {
        const { kind } = trap;
        trap = undefined;
        throw kind;
      }
      return value(...args);
    };
  }
  return { instance: { exports }, module };
};

const trapAt = (at, kind = new WebAssembly.RuntimeError("unreachable")) => {
  trap = { at, kind };
};

for (const at of ["reader_step", "reader_deliver", "reader_beginSearch", "reader_takeHits"]) {
  test(`in ${at}: everyone under way hears of it, the next call starts anew`, async () => {
    const index = await open(`${server.url}/words/`);
    server.delay = 10;
    trapAt(at);
    const all = await Promise.allSettled([index.search(f.row(1)), index.search(f.row(2)), index.has("word-3")]);
    server.delay = 0;
    assert.equal(trap, undefined, "the trap was sprung");
    assert.ok(all.some(({ reason }) => reason?.code === "trapped"));
    for (const { reason } of all) if (reason) assert.equal(reason.code, "trapped", reason.stack);
    const [one, two] = await Promise.all([index.search(f.row(1)), index.search(f.row(2))]);
    assert.deepEqual([one[0].id, two[0].id], ["word-1", "word-2"]);
    await index.close();
  });
}

test("a stack overflow counts as one", async () => {
  const index = await open(f.bytes);
  trapAt("reader_step", new RangeError("Maximum call stack size exceeded"));
  const error = await rejected(index.search(f.row(1)), "trapped");
  assert.ok(error.cause instanceof RangeError);
  assert.equal((await index.search(f.row(1)))[0].id, "word-1");
  await index.close();
});

test("another index is not touched", async () => {
  const [a, b] = await Promise.all([open(f.bytes), open(f.bytes)]);
  trapAt("reader_step");
  await rejected(a.search(f.row(1)), "trapped");
  assert.equal((await b.search(f.row(1)))[0].id, "word-1");
  await Promise.all([a.close(), b.close()]);
});

test("at the opening, and closed while it starts anew", async () => {
  trapAt("reader_new");
  await rejected(open(f.bytes), "trapped");
  const index = await open(`${server.url}/words/`);
  trapAt("reader_step");
  await rejected(index.search(f.row(1)), "trapped");
  server.delay = 20;
  const search = rejected(index.search(f.row(1)), "closed");
  await index.close();
  server.delay = 0;
  await search;
});
