// What leaves a collection, and what comes to one: an export is an index that any host serves; all rows of an index are taken, from
// wherever it is; a backup is a collection with the same rows, also while the first is being written.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { open, publish } from "pagevec";
import { openCollection } from "pagevec/collection";
import { near, oracle, rejected } from "./support/fixture.mjs";
import { segmented } from "./support/segments.mjs";
import { serve } from "./support/server.mjs";

const root = mkdtempSync(join(tmpdir(), "pagevec-in-and-out-"));
after(() => rmSync(root, { recursive: true }));
let last = 0;
const folder = () => join(root, `c${++last}`);
const { PAGEVEC_CLI: cli } = process.env;

const vector = (seed, dim = 8) => Array.from({ length: dim }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
const items = (from, to) => Array.from({ length: to - from }, (_, i) => ({ id: `a${from + i}`, vector: vector(from + i), fields: { n: from + i } }));

async function opened(t, path = folder(), options = {}) {
  const notes = await openCollection(path, { dim: 8, ...options });
  t.after(() => notes.close());
  return notes;
}

/** All rows, as they are stored. */
async function rowsOf(notes) {
  const rows = [];
  for await (const { id, vector, fields } of notes.rows({ vectors: true })) rows.push([id, [...vector], fields]);
  return rows;
}

/** A collection of 900 rows in two segments and memory, some of them replaced and deleted. */
async function lived(t, options) {
  const notes = await opened(t, undefined, options);
  await notes.upsert(items(0, 500));
  await notes.flush();
  await notes.upsert(items(400, 800));
  await notes.delete(["a7", "a401"]);
  await notes.flush();
  await notes.upsert([...items(800, 900), { id: "a9", vector: vector(2000), fields: { moved: true } }]);
  return notes;
}

test("an export is an index that a host serves and open() reads, with the answers of the collection", async (t) => {
  const notes = await lived(t);
  const events = [];
  const { name, segment, manifest, ...more } = await notes.export({ onProgress: (event) => events.push(event) });
  assert.deepEqual(more, {});
  assert.match(name, /^seg-[0-9a-f]{32}\.bin$/);
  assert.ok(segment instanceof Blob && manifest instanceof Blob && events.length > 0);
  assert.equal(notes.count, 898, "it stays as it is");
  const host = await serve({ [`/site/${name}`]: { body: new Uint8Array(await segment.arrayBuffer()) }, "/site/index.json": { body: await manifest.text() } });
  t.after(() => host.close());
  for (const source of [`${host.url}/site/`, segment]) {
    const index = await open(source);
    assert.equal(index.info.count, 898);
    for (const seed of [3, 7, 9, 401, 750, 850, 2000]) {
      const how = { k: 20, index: "flat", fields: true };
      const wanted = await notes.search(vector(seed), how);
      const found = await index.search(vector(seed), how);
      assert.deepEqual(found.map(({ id, fields }) => [id, fields]), wanted.map(({ id, fields }) => [id, fields]));
      found.forEach(({ score }, i) => assert.ok(Math.abs(score - wanted[i].score) < 1e-6));
    }
    await index.close();
  }
  const { generation } = JSON.parse(await manifest.text());
  await notes.upsert(items(900, 901));
  assert.ok(JSON.parse(await (await notes.export()).manifest.text()).generation > generation, "it rises with each change");
  await rejected(notes.export({ signal: AbortSignal.abort() }), "aborted");
});

test("an export has graph and clusters, and the codes of the collection", async (t) => {
  const notes = await opened(t);
  await notes.upsert(items(0, 2500));
  await notes.delete(["a7"]);
  const index = await open((await notes.export()).segment);
  t.after(() => index.close());
  assert.deepEqual([index.info.count, index.info.graph, index.info.clusters], [2499, true, true]);
  const how = { index: "flat", fields: true };
  const [exported, own] = [await index.search(vector(9), how), await notes.search(vector(9), how)];
  assert.deepEqual(exported.map(({ id, score, fields }) => ({ id, score, fields })), own);
});

test("the command line finds an export sound, and its ids true", { skip: !cli && "PAGEVEC_CLI is not set" }, async (t) => {
  const notes = await lived(t, { embed: Object.assign(async () => [], { model: "made-up" }) });
  const { name, segment, manifest } = await notes.export();
  const path = folder();
  mkdirSync(path);
  writeFileSync(join(path, name), new Uint8Array(await segment.arrayBuffer()));
  writeFileSync(join(path, "index.json"), await manifest.text());
  execFileSync(cli, ["verify", path], { stdio: "pipe" });
  assert.equal(JSON.parse(await manifest.text()).segments[0].model, "made-up");
  // The same bytes get the same name and ids when they are published.
  const { contentId, path: published } = await publish(folder(), new Uint8Array(await segment.arrayBuffer()));
  assert.ok(published.endsWith(name) && JSON.parse(await manifest.text()).segments[0].contentId === contentId);
});

test("an export of no rows is an index of none", async (t) => {
  const { segment } = await (await opened(t)).export();
  const index = await open(segment);
  assert.equal(index.info.count, 0);
  await index.close();
});

test("all live rows of an index come to a collection, from a URL, a path and bytes", async (t) => {
  const f = await segmented({ segments: 3, rows: 1100, dim: 8, codec: "f32", metric: "l2" });
  const host = await serve(f.folder);
  t.after(() => host.close());
  const path = folder();
  mkdirSync(path);
  for (const [file, { body }] of Object.entries(f.folder)) writeFileSync(join(path, file.replace("/words/", "")), body);
  for (const source of [`${host.url}/words/`, new URL(`${host.url}/words/index.json`), path]) {
    const notes = await opened(t, undefined, { metric: "l2", refine: "f32" });
    const events = [];
    assert.deepEqual(await notes.import(source, { onProgress: (event) => events.push(event) }), { upserted: f.count });
    assert.deepEqual(events.at(-1), { phase: "import", done: 1112, total: 1112 });
    assert.equal(notes.count, f.count);
    const rows = await notes.get(f.ids, { vectors: true });
    rows.forEach(({ vector, fields }, i) => assert.deepEqual([[...vector], fields], [[...f.row(i)], undefined]));
    assert.equal(await notes.has(f.segments[2].dead[0]), false);
  }
  const one = await opened(t, undefined, { metric: "l2" });
  const { bytes, ids } = f.segments[0];
  for (const source of [bytes, new Blob([bytes]), bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), `${host.url}/words/${f.segments[0].entry.file}`]) {
    assert.deepEqual(await one.import(source), { upserted: ids.length });
  }
  assert.equal(one.count, ids.length, "rows are replaced");
});

test("what one collection exports another takes, with its fields", async (t) => {
  const notes = await lived(t, { refine: "f32" });
  const other = await opened(t, undefined, { refine: "f32" });
  assert.deepEqual(await other.import(await notes.export()), { upserted: 898 });
  const [found, wanted] = [await rowsOf(other), await rowsOf(notes)];
  assert.deepEqual(found.map(([id, , fields]) => [id, fields]), wanted.map(([id, , fields]) => [id, fields]));
  // They are made of unit length once more.
  found.forEach(([, vector], i) => vector.forEach((x, at) => assert.ok(Math.abs(x - wanted[i][1][at]) < 1e-6)));
});

test("an index that does not fit, or is damaged, is refused, and so is what is neither rows nor an index", async (t) => {
  const notes = await lived(t);
  const { segment } = await notes.export();
  await rejected((await opened(t, undefined, { metric: "l2" })).import(segment), "argument");
  await rejected((await opened(t, undefined, { dim: 9 })).import(segment), "dimension");
  await rejected((await opened(t, undefined, { ids: "number" })).import(segment), "argument");
  const bytes = new Uint8Array(await segment.arrayBuffer());
  const damaged = bytes.map((byte, i) => (i === bytes.length - 40 ? byte ^ 255 : byte));
  const other = await opened(t);
  await assert.rejects(other.import(damaged), ({ code }) => ["checksum", "corrupt"].includes(code));
  for (const [source, code] of [["/nowhere/at/all", "not-found"], [new Uint8Array(99), "not-a-segment"], [5, "argument"], [{}, "argument"], [undefined, "argument"], [{ segment: 5 }, "argument"]]) await rejected(other.import(source), code);
  await rejected(other.import(segment, { signal: AbortSignal.abort() }), "aborted");
  await rejected(other.import(segment, { headers: 5 }), "argument");
});

test("an import that is ended keeps the rows before", async (t) => {
  const notes = await opened(t);
  await notes.upsert(items(0, 2500));
  const { segment } = await notes.export();
  const other = await opened(t);
  const controller = new AbortController();
  await rejected(other.import(segment, { signal: controller.signal, onProgress: ({ done }) => done === 2000 && controller.abort() }), "aborted");
  assert.equal(other.count, 2000);
  assert.deepEqual(await other.import(segment), { upserted: 2500 });
});

test("a backup is a collection with the same rows: in a folder, and of Blobs", async (t) => {
  const notes = await lived(t);
  const wanted = await rowsOf(notes);
  const path = folder();
  assert.equal(await notes.backup(path), undefined);
  assert.deepEqual(readdirSync(path).filter((name) => name.startsWith("wal") || name === "lock"), []);
  if (cli) execFileSync(cli, ["collection", "verify", path], { stdio: "pipe" });
  const { files } = await notes.backup();
  assert.match(files.map(({ name }) => name).join(" "), /^(seg-\d+ )+manifest\.b$/);
  for (const [at, options] of [[path, {}], [folder(), { from: { files } }], ["in memory", { from: { files }, memory: true }]]) {
    const copy = await openCollection(at, { dim: 8, ...options });
    assert.deepEqual(await rowsOf(copy), wanted);
    await copy.upsert(items(1000, 1010));
    assert.equal(copy.count, 908);
    await copy.close();
  }
  assert.equal(notes.count, 898);
  const again = await openCollection(path);
  assert.equal(again.count, 898 + 10);
  await again.close();
});

/** The files below a folder, as a page gets them of `<input webkitdirectory>`. */
const picked = (path, top) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => Object.defineProperty(new File([readFileSync(join(parentPath, name))], name), "webkitRelativePath", { value: [top, relative(path, join(parentPath, name))].join("/") }));

test("a backup's rows come to another collection, beside those that it has", async (t) => {
  const notes = await lived(t);
  const wanted = await rowsOf(notes);
  const path = folder();
  await notes.backup(path);
  const backup = await notes.backup();
  const plain = backup.files.map(({ name, blob }) => new File([blob], name));
  for (const source of [backup, backup.files, plain, picked(path, "copy"), [...picked(path, "home/copy"), new File(["x"], "other.txt")]]) {
    const other = await opened(t);
    await other.upsert([{ id: "a0", vector: vector(77) }, { id: "own", vector: vector(78) }]);
    const events = [];
    assert.deepEqual(await other.import(source, { onProgress: (event) => events.push(event) }), { upserted: 898 });
    assert.deepEqual(events.at(-1), { phase: "import", done: 898, total: 898 });
    assert.equal(other.count, 899);
    const rows = (await rowsOf(other)).filter(([id]) => id !== "own");
    assert.deepEqual(rows.map(([id, , fields]) => [id, fields]), wanted.map(([id, , fields]) => [id, fields]));
    rows.forEach(([, row], i) => row.forEach((x, at) => assert.ok(Math.abs(x - wanted[i][1][at]) < 0.02)));
    for (const seed of [3, 9, 401, 850]) {
      const [first] = await notes.search(vector(seed), { k: 1, fields: true });
      const [found] = await other.search(vector(seed), { k: 1, fields: true });
      assert.deepEqual([found.id, found.fields], [first.id, first.fields]);
    }
  }
});

test("a backup that does not fit or is not whole is refused, and the collection stays as it is", async (t) => {
  const notes = await lived(t);
  const { files } = await notes.backup();
  const other = await opened(t);
  await rejected((await opened(t, undefined, { metric: "l2" })).import({ files }), "argument");
  await rejected((await opened(t, undefined, { dim: 9 })).import({ files }), "dimension");
  await rejected((await opened(t, undefined, { ids: "number" })).import({ files }), "argument");
  await rejected(other.import({ files: files.slice(0, -1) }), "argument");
  await assert.rejects(other.import({ files: files.slice(1) }), ({ name }) => name === "PagevecError");
  await assert.rejects(other.import({ files: files.map(({ name, blob }) => ({ name, blob: blob.slice(0, -9) })) }), ({ name }) => name === "PagevecError");
  await rejected(other.import({ files: [...files, { name: "wal-1", blob: new Blob(["x"]) }] }), "argument");
  await rejected(other.import({ files }, { signal: AbortSignal.abort() }), "aborted");
  assert.equal(other.count, 0);
  const controller = new AbortController();
  const big = await opened(t);
  await big.upsert(items(0, 2500));
  await rejected(other.import(await big.backup(), { signal: controller.signal, onProgress: ({ done }) => done === 1000 && controller.abort() }), "aborted");
  assert.equal(other.count, 1000, "rows before stay");
});

test("all files of an index folder are one source: with dead rows, in parts, below other folders", async (t) => {
  const f = await segmented({ segments: 3, rows: 1100, dim: 8, codec: "f32", metric: "l2" });
  const path = folder();
  mkdirSync(path);
  for (const [file, { body }] of Object.entries(f.folder)) writeFileSync(join(path, file.replace("/words/", "")), body);
  const parts = folder();
  const { bytes } = f.segments[0];
  await publish(parts, bytes, { form: "parts" });
  for (const [source, count] of [[picked(path, "words"), f.count], [picked(parts, "a/words"), f.segments[0].ids.length], [picked(path, "words").filter(({ name }) => name === f.segments[0].entry.file), f.segments[0].ids.length]]) {
    const notes = await opened(t, undefined, { metric: "l2", refine: "f32" });
    assert.deepEqual(await notes.import(source), { upserted: count });
    assert.equal(notes.count, count);
    const [id] = f.segments[0].ids;
    const rows = await notes.get([id], { vectors: true });
    assert.equal(rows.length, 1);
  }
  const notes = await opened(t, undefined, { metric: "l2" });
  const all = picked(path, "words");
  await rejected(notes.import(all.filter(({ name }) => name === "index.json")), "not-found");
  await rejected(notes.import(all.map((file) => (file.name.endsWith(".bin") ? new File([file.slice(0, -1)], file.name) : new File([file], file.name)))), "stale");
  await rejected(notes.import(all.filter(({ name }) => name !== "index.json")), "argument");
  await rejected(notes.import([new File(["{"], "index.json")]), "manifest");
  await rejected(notes.import([...all, 5]), "argument");
  assert.equal(notes.count, 0);
  assert.deepEqual(await notes.import([]), { upserted: 0 });
});

test("a backup that is made while rows are written has all rows before one and none after it", async (t) => {
  const notes = await opened(t);
  await notes.upsert(items(0, 100));
  let acked = 100;
  let going = true;
  const writing = (async () => {
    while (going) {
      await notes.upsert(items(acked, acked + 3));
      acked += 3;
    }
  })();
  for (let round = 0; round < 5; round++) {
    const before = acked;
    const path = folder();
    const [{ files }] = await Promise.all([notes.backup(), notes.backup(path), notes.flush()]);
    for (const options of [{}, { from: { files }, memory: true }]) {
      const copy = await openCollection(path, { dim: 8, ...options });
      const ids = new Set((await rowsOf(copy)).map(([id]) => id));
      assert.ok(ids.size >= before && (ids.size - 100) % 3 === 0, `${ids.size} rows, ${before} were acknowledged before`);
      for (let n = 0; n < ids.size; n++) assert.ok(ids.has(`a${n}`), `a${n} of ${ids.size}`);
      await copy.close();
    }
  }
  going = false;
  await writing;
  assert.equal(notes.count, acked);
});

test("a backup takes the place of nothing", async (t) => {
  const notes = await lived(t);
  const backup = await notes.backup();
  const path = folder();
  await (await openCollection(path, { dim: 8 })).close();
  const before = readFileSync(join(path, "manifest.b"));
  await rejected(notes.backup(path), "argument");
  await rejected(openCollection(path, { from: backup }), "argument");
  assert.deepEqual(readFileSync(join(path, "manifest.b")), before);
  await rejected(openCollection(notes.name, { from: backup }), "locked");
  for (const to of [5, "", {}, null]) await rejected(notes.backup(to), "argument");
  for (const from of [5, {}, { files: [] }, { files: [{ name: "../x", blob: new Blob(["x"]) }] }, { files: [{ name: "seg-0", blob: "x" }] }]) await rejected(openCollection(folder(), { dim: 8, from }), "argument");
  for (const options of [{ readOnly: true }, { degraded: true }, { create: false }]) await rejected(openCollection(folder(), { from: backup, ...options }), "argument");
  await rejected(openCollection(folder(), { from: backup, dim: 9 }), "dimension");
  await rejected(notes.backup(undefined, { signal: AbortSignal.abort() }), "aborted");
  assert.equal((await notes.get(["a9"]))[0].fields.moved, true);
});

test("a damaged backup is refused, and leaves nothing in the way of a whole one", async (t) => {
  const { files } = await (await lived(t)).backup();
  const path = folder();
  const cut = files.map(({ name, blob }) => ({ name, blob: blob.slice(0, blob.size - 9) }));
  for (const broken of [cut, files.slice(1), files.slice(0, -1)]) {
    await assert.rejects(openCollection(path, { from: { files: broken } }), ({ name }) => name === "PagevecError");
    assert.deepEqual(readdirSync(path).filter((name) => /^(seg|manifest\.b)/.test(name)), []);
  }
  assert.equal((await opened(t, path, { from: { files } })).count, 898);
});

test("a search of an import finds what a scan of its rows does", async (t) => {
  const f = await segmented({ segments: 2, rows: 1500, dim: 24, seed: 5 });
  const host = await serve(f.folder);
  t.after(() => host.close());
  const notes = await opened(t, undefined, { dim: 24 });
  await notes.import(`${host.url}/words/`);
  await notes.compact();
  let found = 0;
  for (let i = 0; i < 50; i++) {
    const query = near(f, i * 31);
    const wanted = oracle(f, query, 10);
    found += (await notes.search(query, { k: 10 })).filter(({ id }) => wanted.includes(id)).length;
  }
  assert.ok(found >= 450, `recall ${found / 500}`);
});
