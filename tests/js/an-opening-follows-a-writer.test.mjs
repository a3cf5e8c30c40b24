// A writer may merge and prune after index.json was read: `open` reads it once more where a file is gone, and opens what it lists then.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { oracle, rejected } from "./support/fixture.mjs";
import { segmented } from "./support/segments.mjs";
import { serve } from "./support/server.mjs";

const MANIFEST = "/words/index.json";
const old = await segmented({ segments: 3, rows: 150, codec: "f32", seed: 1, generation: 4 });
const merged = await segmented({ segments: 1, rows: 450, codec: "f32", seed: 2, generation: 5 });
let find;
const server = await serve((path) => find(path));
after(() => server.close());
const url = `${server.url}/words/`;
const manifestsRead = () => server.log.filter(({ path }) => path === MANIFEST).length;

/** Until index.json was read `times` times, the folder has the old one; `gone` of its files are removed by then. */
function writerAfter(times, gone) {
  server.reset();
  find = (path) => {
    const before = manifestsRead() <= times;
    if (path === MANIFEST) return (before ? old : merged).folder[path];
    return merged.folder[path] ?? (gone.includes(path) ? undefined : old.folder[path]);
  };
}

const files = Object.keys(old.folder).filter((path) => path !== MANIFEST);
const [{ entry }] = old.segments;
for (const [told, gone] of Object.entries({ "all files": files, "one segment": [`/words/${entry.file}`], "dead rows": [`/words/${entry.dead.file}`] })) {
  for (const degraded of [false, true]) {
    test(`${told} of the older index are gone, degraded: ${degraded}`, async () => {
      writerAfter(1, gone);
      const index = await open(url, { degraded });
      assert.deepEqual([index.info.generation, index.info.count, index.info.missing], [5, merged.count, undefined]);
      const query = merged.row(77);
      assert.deepEqual((await index.search(query, { k: 10, index: "flat" })).map(({ id }) => id), oracle(merged, query, 10));
      assert.equal(manifestsRead(), 2);
      await index.close();
    });
  }
}

test("a file is missing, and index.json lists it still", async () => {
  writerAfter(Infinity, [`/words/${entry.file}`]);
  const error = await rejected(open(url), "not-found");
  assert.match(error.message, new RegExp(entry.file));
  assert.equal(manifestsRead(), 2, "it was read again, once");
  const index = await open(url, { degraded: true });
  assert.deepEqual([index.info.generation, index.info.missing.map(({ file }) => file)], [4, [entry.file]]);
  await index.close();
});

test("what is newer is held against `expect` too", async () => {
  writerAfter(1, files);
  const error = await rejected(open(url, { expect: { generation: 6 } }), "stale");
  assert.match(error.message, /generation 4/, "the older one is refused before it is opened");
  writerAfter(1, files);
  const index = await open(url, { expect: { generation: 4 } });
  assert.equal(index.info.generation, 5);
  await index.close();
});
