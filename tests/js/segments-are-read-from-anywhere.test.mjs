// Several segments as files, in parts, as both on a host without ranges, in a folder of Node, and after a trap: the same hits.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { open } from "pagevec";
import { rejected } from "./support/fixture.mjs";
import { inParts } from "./support/parts.mjs";
import { segmented } from "./support/segments.mjs";
import { serve } from "./support/server.mjs";

// The instance traps at its next step when told to.
let trap = false;
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  if (!instance.exports?.reader_step) return instance;
  const step = (...args) => {
    if (!trap) return instance.exports.reader_step(...args);
    trap = false;
    throw new WebAssembly.RuntimeError("unreachable");
  };
  return { exports: { ...instance.exports, reader_step: step } };
};

const f = await segmented({ segments: 4, rows: 400, dim: 48 });
const queries = [3, 500, 1400].map((row) => f.row(row));

/** The folder with parts in the place of files, or beside them. */
function partsOf(beside) {
  const folder = { ...f.folder };
  const entries = f.segments.map(({ entry, bytes, info }) => {
    const parts = inParts({ file: entry.file, bytes, info, front: entry.front, manifest: { segments: [entry] } }, { beside });
    if (!beside) delete folder[`/words/${entry.file}`];
    Object.assign(folder, parts.folder);
    return parts.manifest.segments[0];
  });
  folder["/words/index.json"] = { body: JSON.stringify({ ...f.manifest, segments: entries }) };
  return folder;
}

async function searched(source, options) {
  const index = await open(source, options);
  const hits = [];
  for (const query of queries) hits.push(await index.search(query, { index: "clusters" }));
  const [id] = f.segments[0].dead;
  const stats = index.stats();
  hits.push(await index.has(id), await index.has("word-3"), await index.has("word-4"));
  await index.close();
  return { hits, stats };
}

const server = await serve(f.folder);
const { hits: wanted } = await searched(`${server.url}/words/`);
after(() => server.close());

test("the fixture has what it should", () => assert.deepEqual(wanted.slice(3), [true, false, true]));

test("in parts, without ranges", async () => {
  const host = await serve(partsOf(false));
  const { hits } = await searched(`${host.url}/words/`);
  assert.deepEqual(hits, wanted);
  assert.ok(host.log.every(({ range }) => range === undefined));
  await host.close();
});

for (const fault of ["ignore-range", "gzip", "not-satisfiable"]) {
  test(`as files and in parts, on a host with ${fault}`, async () => {
    const host = await serve(partsOf(true));
    Object.assign(host, { fault, only: /seg-\w+\.bin$/ });
    const { hits } = await searched(`${host.url}/words/`, { retries: 0 });
    assert.deepEqual(hits, wanted);
    await host.close();
  });
}

test("a host that ignores ranges and has no parts: small files are kept whole", async () => {
  const host = await serve(f.folder);
  Object.assign(host, { fault: "ignore-range", only: /seg-\w+\.bin$/ });
  const { hits, stats } = await searched(`${host.url}/words/`);
  assert.deepEqual(hits.slice(3), wanted.slice(3));
  assert.equal(stats.requests, 9, "index.json, four segments, four files of dead rows");
  await host.close();
});

async function onDisk(folder) {
  const root = await mkdtemp(join(tmpdir(), "pagevec-segments-"));
  after(() => rm(root, { recursive: true, force: true }));
  for (const [path, { body }] of Object.entries(folder)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), body);
  }
  return join(root, "words");
}

for (const parts of [false, true]) {
  test(`a folder of Node${parts ? ", in parts" : ""}`, async () => {
    const path = await onDisk(parts ? partsOf(false) : f.folder);
    for (const name of [path, join(path, "index.json")]) {
      const { hits, stats } = await searched(name);
      assert.deepEqual(hits, wanted);
      const read = f.segments.reduce((sum, { entry }) => sum + entry.front + entry.dead.length, 0);
      assert.ok(stats.requests > 8 && stats.bytes > read, JSON.stringify(stats));
    }
  });
}

test("a folder of Node where a file is gone or cut off", async () => {
  const path = await onDisk(f.folder);
  const [, second, third] = f.segments.map(({ entry }) => entry);
  await truncate(join(path, second.file), second.length - 1);
  assert.match((await rejected(open(path), "stale")).message, new RegExp(second.file));
  await unlink(join(path, third.dead.file));
  const index = await open(path, { degraded: true });
  assert.deepEqual(index.info.missing.map(({ file, error }) => [file, error.code]).sort(), [[second.file, "stale"], [third.file, "not-found"]].sort());
  assert.match(index.info.missing.find(({ file }) => file === third.file).error.message, new RegExp(basename(third.dead.file)));
  await index.close();
});

test("after a trap all segments are opened again, and those that were left out stay out", async () => {
  for (const [folder, missing] of [[f.folder, 0], [{ ...f.folder, [`/words/${f.segments[1].entry.file}`]: undefined }, 1]]) {
    const host = await serve(folder);
    const index = await open(`${host.url}/words/`, { degraded: true });
    const before = await index.search(queries[0], { index: "clusters" });
    trap = true;
    await rejected(index.search(queries[1]), "trapped");
    host.reset();
    assert.deepEqual(await index.search(queries[0], { index: "clusters" }), before);
    assert.deepEqual(new Set(host.log.map(({ path }) => path)).size, 2 * (4 - missing));
    await index.close();
    await host.close();
  }
});
