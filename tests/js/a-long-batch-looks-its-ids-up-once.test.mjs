// A batch is searched in parts of 64 rows. The ids of its options are looked up before the first, and once more only where what was
// found is gone: after a trap of the instance, or when another batch has taken its place.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

/** Numbers of a search's options without ids. */
const OPTIONS = 9;
/** Of each search that began: the reader, and how many numbers its options were: OPTIONS and one for each id; 1 for a selection. */
let begun = [];
let onTaken = () => {};
/** A reader that traps at its next step. */
let trapped;
// Exports are wrapped, before the first instance is made.
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const { exports } = await instantiate(module, imports);
  const { reader_beginSearch: begin, reader_step: step, reader_takeHits: take } = exports;
  return { exports: { ...exports,
    reader_beginSearch(reader, ...args) {
      begun.push([reader, args[3]]);
      return begin(reader, ...args);
    },
    reader_step(reader, ticket) {
      if (reader !== trapped) return step(reader, ticket);
      trapped = undefined;
      throw new WebAssembly.RuntimeError("unreachable");
    },
    reader_takeHits(...args) {
      onTaken();
      return take(...args);
    },
  } };
};

const f = await fixture({ count: 2000 });
const server = await serve(f.folder);
after(() => server.close());
beforeEach(() => void (begun = []));
const rows = f.matrix.slice(0, 150 * f.dim);
const among = f.ids.filter((_, row) => row % 3 === 0);
const exclude = f.ids.filter((_, row) => row % 7 === 0);
const sizes = () => begun.map(([, size]) => size);

/** What single searches find. */
async function expected(options) {
  const index = await open(f.bytes);
  const all = [];
  for (let row = 0; row < 150; row++) all.push(await index.search(f.row(row), options));
  await index.close();
  begun = [];
  return all;
}

test("in a batch of three parts; short batches and batches without a set need no look-up", async () => {
  const wanted = await expected({ among, exclude });
  const index = await open(f.bytes);
  assert.deepEqual(await index.searchBatch(rows, { among, exclude }), wanted);
  assert.deepEqual(sizes(), [OPTIONS + among.length + exclude.length, 1, 1, 1]);
  begun = [];
  await index.searchBatch(rows.slice(0, 64 * f.dim), { among });
  await index.searchBatch(rows, { exclude: [] });
  assert.deepEqual(sizes(), [OPTIONS + among.length, OPTIONS, OPTIONS, OPTIONS]);
  await index.close();
});

test("two batches at once take the place of each other's selection, and find the same", async () => {
  const wanted = [await expected({ among }), await expected({ exclude })];
  const index = await open(`${server.url}/words/`);
  assert.deepEqual(await Promise.all([index.searchBatch(rows, { among }), index.searchBatch(rows, { exclude })]), wanted);
  const again = sizes().filter((size) => size > 1).length;
  assert.ok(again > 2 && again <= 8, String(sizes()));
  await index.close();
});

test("a batch goes on in a new instance after another index stopped the one they shared", async () => {
  const options = { among, index: "clusters" };
  const wanted = await expected(options);
  const other = await open(f.bytes);
  await other.search(f.row(0));
  const [[reader]] = begun;
  const index = await open(`${server.url}/words/`);
  begun = [];
  let stopped;
  onTaken = () => {
    onTaken = () => {};
    trapped = reader;
    stopped = rejected(other.search(f.row(0)), "trapped");
  };
  assert.deepEqual(await index.searchBatch(rows, options), wanted);
  await stopped;
  const long = OPTIONS + among.length;
  const own = sizes().filter((size) => size !== OPTIONS);
  // The second part may have begun in the old instance.
  assert.deepEqual(own.filter((size) => size === long).length, 3, String(own));
  assert.deepEqual([own[0], own[1], own.at(-2), own.at(-1)], [long, 1, long, long]);
  await Promise.all([index.close(), other.close()]);
});
