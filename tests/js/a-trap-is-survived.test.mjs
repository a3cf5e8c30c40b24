import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

// Instances trap when told to: their exports are wrapped, before the first is made.
let trap;
let instances = 0;
/** Calls into an instance after it trapped. */
const late = [];
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  if (!instance.exports?.reader_step) return instance;
  instances += 1;
  let dead = false;
  const exports = {};
  for (const [name, value] of Object.entries(instance.exports)) {
    exports[name] = typeof value !== "function" ? value : (...args) => {
      if (dead) late.push(name);
      if (trap && name === trap.at) {
        const { kind } = trap;
        trap = undefined;
        dead = true;
        throw kind;
      }
      return value(...args);
    };
  }
  return { exports };
};

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());
afterEach(() => assert.deepEqual(late, [], "nothing calls into an instance that trapped"));

/** A request is under way. */
const sent = async () => {
  await until(() => server.now > 0);
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

test("indexes that share the instance go on: what they have under way is done in a new one", async () => {
  const [a, b, c] = [await open(f.bytes), await open(`${server.url}/words/`), await open(f.bytes)];
  const before = instances;
  server.delay = 30;
  const under = Promise.all([b.search(f.row(2)), b.has("word-9"), b.vector("word-3"), b.searchBatch([f.row(4), f.row(5)], { k: 1 })]);
  await sent();
  trapAt("reader_step");
  await rejected(a.search(f.row(1)), "trapped");
  const [hits, has, vector, batch] = await under;
  server.delay = 0;
  assert.deepEqual([hits[0].id, has, vector.length, batch.map(([{ id }]) => id)], ["word-2", true, f.dim, ["word-4", "word-5"]]);
  assert.equal(b.stats().queries, 3);
  // One that was idle begins anew with its next call, in the same new instance.
  assert.equal((await c.search(f.row(6)))[0].id, "word-6");
  assert.equal(instances, before + 1);
  // The one that trapped is alone from then on: it does not stop the others again.
  for (let again = 0; again < 3; again++) {
    assert.equal((await a.search(f.row(1)))[0].id, "word-1");
    await b.search(f.row(2));
    server.reset();
    trapAt("reader_takeHits");
    await rejected(a.search(f.row(1)), "trapped");
    assert.equal((await b.search(f.row(2)))[0].id, "word-2");
    assert.equal(server.requests, 0, "what it holds is still there");
  }
  await Promise.all([a.close(), b.close(), c.close()]);
});

test("a trap while others open: they are opened in a new instance", async () => {
  const a = await open(f.bytes);
  server.reset();
  server.delay = 30;
  const opening = Promise.all([open(`${server.url}/words/`), open(`${server.url}${f.file.replace(/^/, "/words/")}`)]);
  await until(() => server.requests >= 3); // their fronts are on the way
  trapAt("reader_step");
  await rejected(a.search(f.row(1)), "trapped");
  for (const index of await opening) {
    assert.equal((await index.search(f.row(8)))[0].id, "word-8");
    await index.close();
  }
  server.delay = 0;
  await a.close();
});

test("an index that is closed after another's trap stays closed", async () => {
  const [a, b] = [await open(f.bytes), await open(`${server.url}/words/`)];
  server.delay = 30;
  const search = rejected(b.search(f.row(2)), "closed");
  await sent();
  trapAt("reader_step");
  await rejected(a.search(f.row(1)), "trapped");
  await b.close();
  await search;
  server.delay = 0;
  await a.close();
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
