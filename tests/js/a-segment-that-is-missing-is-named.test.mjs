// A segment that cannot be opened ends the opening with an error that names it; with `degraded` the others are searched without it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { oracle, rejected } from "./support/fixture.mjs";
import { segmented } from "./support/segments.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await segmented({ segments: 4, rows: 200, codec: "f32" });
let files = f.folder;
const server = await serve((path) => files[path]);
after(() => server.close());
const url = `${server.url}/words/`;
const third = f.segments[2].entry;
const path = `/words/${third.file}`;
const deadPath = `/words/${third.dead.file}`;
const flipped = (bytes, at) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

/** What the index is without its third segment. */
const rest = (() => {
  const live = new Map();
  f.segments.forEach(({ ids, matrix, dead }, i) => {
    if (i === 2) return;
    ids.forEach((id, row) => dead.includes(id) || live.set(id, matrix.subarray(row * f.dim, (row + 1) * f.dim)));
  });
  return { ids: [...live.keys()], matrix: Float32Array.from([...live.values()].flatMap((row) => [...row])), count: live.size, dim: f.dim };
})();

const faults = {
  "the segment is not there": ["not-found", { [path]: undefined }, third.file],
  "its dead rows are not there": ["not-found", { [deadPath]: undefined }, third.dead.file],
  "its front is damaged": ["checksum", { [path]: { body: flipped(f.segments[2].bytes, third.front - 3) } }, third.file],
  "its first bytes are another file's": ["not-a-segment", { [path]: { body: new Uint8Array(third.length).fill(60) } }, third.file],
  "it is another segment": ["stale", { [path]: { body: f.segments[1].bytes } }, third.file],
  "its dead rows are damaged": ["checksum", { [deadPath]: { body: flipped(f.folder[deadPath].body, 30) } }, third.file],
  "its dead rows are those of another segment": ["checksum", { [deadPath]: { body: f.folder[`/words/${f.segments[3].entry.dead.file}`].body } }, third.dead.file],
  "its dead rows are cut off": ["stale", { [deadPath]: { body: f.folder[deadPath].body.slice(0, -1) } }, third.dead.file],
};

for (const [name, [code, change, named]] of Object.entries(faults)) {
  test(name, async () => {
    files = { ...f.folder, ...change };
    const error = await rejected(open(url, { retries: 0 }));
    if (name !== "it is another segment" && !name.includes("another segment")) assert.equal(error.code, code, error.message);
    assert.match(error.message, new RegExp(`${named}|${third.file}`));
    const index = await open(url, { retries: 0, degraded: true });
    const [missing, ...more] = index.info.missing;
    assert.equal(missing.file, third.file);
    assert.deepEqual([missing.error.code, missing.error.message, more.length], [error.code, error.message, 0]);
    assert.equal(index.info.count, rest.count);
    assert.equal(index.info.segments.length, 3);
    for (const row of [0, 333, rest.count - 1]) {
      const query = rest.matrix.subarray(row * f.dim, (row + 1) * f.dim);
      assert.deepEqual((await index.search(query, { k: 10, index: "flat" })).map(({ id }) => id), oracle(rest, query, 10));
    }
    await index.close();
    files = f.folder;
  });
}

test("several are missing, and only one is left", async () => {
  const left = f.segments[1];
  files = { "/words/index.json": f.folder["/words/index.json"], [`/words/${left.entry.file}`]: { body: left.bytes }, [`/words/${left.entry.dead.file}`]: f.folder[`/words/${left.entry.dead.file}`] };
  const index = await open(url, { degraded: true });
  assert.deepEqual(index.info.missing.map(({ file }) => file).sort(), f.segments.filter((one) => one !== left).map(({ entry }) => entry.file).sort());
  assert.equal(index.info.count, left.ids.length - left.dead.length);
  const id = left.ids.find((one) => !left.dead.includes(one));
  assert.equal(await index.has(id), true);
  assert.equal(await index.has(left.dead[0]), false);
  await index.close();
  files = { "/words/index.json": f.folder["/words/index.json"] };
  await rejected(open(url, { degraded: true }), "not-found");
  files = f.folder;
});

test("degraded is no excuse for what is wrong with the call, and says nothing where nothing is missing", async () => {
  const index = await open(url, { degraded: true });
  assert.equal(index.info.missing, undefined);
  await index.close();
  await rejected(open(url, { degraded: true, memoryBudget: 1000 }), "budget");
  await rejected(open(url, { degraded: "yes" }), "argument");
  await rejected(open(url, { degraded: true, signal: AbortSignal.abort() }), "aborted");
  const manifest = { ...f.manifest, segments: [...f.manifest.segments.slice(0, 3), { ...f.manifest.segments[3], dim: 31 }] };
  files = { ...f.folder, "/words/index.json": { body: JSON.stringify(manifest) } };
  await rejected(open(url, { degraded: true }), "manifest");
  files = f.folder;
});

test("where one fails the requests for the others end", async () => {
  server.reset();
  Object.assign(server, { fault: "stall", only: new RegExp(f.segments[0].entry.file) });
  files = { ...f.folder, [path]: undefined };
  await rejected(open(url), "not-found");
  await until(() => server.now === 0);
  assert.ok(server.aborted >= 1);
  Object.assign(server, { fault: undefined, only: /./ });
  files = f.folder;
});

test("an abort ends the reads of all", async () => {
  server.reset();
  Object.assign(server, { fault: "stall", only: /bin$/ });
  const abort = new AbortController();
  const opening = rejected(open(url, { signal: abort.signal }), "aborted");
  await until(() => server.now === 8);
  abort.abort("enough");
  assert.equal((await opening).cause, "enough");
  await until(() => server.now === 0);
  Object.assign(server, { fault: undefined, only: /./ });
});

test("bytes that are damaged later name their segment", async () => {
  const index = await open(url);
  const lists = f.segments[2].info.sections.find(({ name }) => name === "codes");
  const damaged = f.segments[2].bytes.map((byte, i) => (i >= lists.offset && i < lists.offset + lists.length ? byte ^ 1 : byte));
  files = { ...f.folder, [path]: { body: damaged } };
  const error = await rejected(index.search(f.row(0), { index: "flat" }), "checksum");
  assert.match(error.message, new RegExp(third.file));
  files = f.folder;
  assert.deepEqual((await index.search(f.row(0), { k: 10, index: "flat" })).map(({ id }) => id), oracle(f, f.row(0), 10));
  await index.close();
});
