// A page exports its collection, takes the rows of an index, and copies the collection, in whichever tab: what comes out is opened again.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchWithProfile, site } from "../support/browser.mjs";
import { segmented } from "../support/segments.mjs";

const words = await segmented({ segments: 2, rows: 1200, dim: 8, codec: "f32" });
const files = { "/": { body: '<!doctype html><link rel="icon" href="data:,">' }, ...words.folder };
const host = await site(files);
const profile = await mkdtemp(join(tmpdir(), "pagevec-profile-"));
let browser;
before(async () => (browser = await launchWithProfile(profile)));
after(async () => {
  await browser.close();
  await host.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** Two pages with the collection open, of which the second asks the first; `ask` runs an expression there. */
async function tabs(name) {
  const opened = [];
  for (let i = 0; i < 2; i++) {
    const page = await browser.newPage();
    await page.goto(`${host.url}/`);
    await page.evaluate(`(async () => {
      const { openCollection } = await import("/pagevec/dist/collection.js");
      Object.assign(window, { openCollection, open: (await import("/pagevec/dist/browser.js")).open });
      window.vector = (n) => Array.from({ length: 8 }, (_, i) => Math.sin(n * 12.9898 + i * 78.233));
      window.items = (from, to) => Array.from({ length: to - from }, (_, i) => ({ id: "a" + (from + i), vector: vector(from + i), fields: { n: from + i } }));
      window.rowsOf = async (notes) => { const all = []; for await (const { id, vector, fields } of notes.rows({ vectors: true })) all.push([id, [...vector], fields]); return all; };
      window.notes = await openCollection(${JSON.stringify(name)}, { dim: 8 });
    })()`);
    opened.push({ page, ask: (code) => page.evaluate(`(async () => (${code}))()`) });
  }
  assert.deepEqual(await Promise.all(opened.map(({ ask }) => ask("notes.stats().role"))), ["leader", "follower"]);
  return opened;
}

test("each tab exports an index, which a host serves and open() reads", async () => {
  const [leader, follower] = await tabs("exported");
  await leader.ask("notes.upsert(items(0, 300)).then(() => notes.flush()).then(() => notes.upsert(items(300, 400)))");
  for (const [i, { ask }] of [leader, follower].entries()) {
    const [name, bytes, manifest] = await ask(`(async () => {
      const { name, segment, manifest } = await notes.export();
      window.segment = segment;
      const base64 = await new Promise((resolve) => Object.assign(new FileReader(), { onload: ({ target }) => resolve(target.result) }).readAsDataURL(segment));
      return [name, base64.split(",")[1], await manifest.text()];
    })()`);
    files[`/exported-${i}/${name}`] = { body: Buffer.from(bytes, "base64"), type: "application/octet-stream" };
    files[`/exported-${i}/index.json`] = { body: manifest, type: "application/json" };
    await ask(`(async () => (window.indexes = [await open("/exported-${i}/", { cache: false }), await open(segment)], undefined))()`);
    const answers = (of) => ask(`${of}.search(vector(350), { k: 9, index: "flat", fields: true }).then((hits) => hits.map(({ id, fields }) => [id, fields]))`);
    const wanted = await answers("notes");
    assert.deepEqual(wanted[0], ["a350", { n: 350 }]);
    for (const index of ["indexes[0]", "indexes[1]"]) assert.deepEqual(await answers(index), wanted);
    assert.deepEqual(await ask("indexes.map(({ info }) => info.count)"), [400, 400]);
  }
});

test("each tab takes the rows of an index on a host, of a Blob, and of an export", async () => {
  const [leader, follower] = await tabs("imported");
  assert.deepEqual(await follower.ask("notes.import('/words/', { onProgress: (event) => (window.event = event) })"), { upserted: words.count });
  assert.equal(await follower.ask("event.phase"), "import");
  for (const { ask } of [leader, follower]) {
    assert.equal(await ask("notes.count"), words.count);
    assert.deepEqual(await ask(`notes.search(${JSON.stringify([...words.row(5)])}, { k: 1 }).then(([{ id }]) => id)`), words.ids[5]);
    assert.deepEqual(await ask("notes.import(fetch('/words/index.json').then((r) => r.blob())).catch((error) => error.code)"), "argument");
    assert.deepEqual(await ask("notes.import(new Blob(['no segment'])).catch((error) => error.code)"), "not-a-segment");
  }
  const phases = await follower.ask(`(async () => {
    const [imported, compacted] = [new Set(), new Set()];
    await Promise.all([notes.import("/words/", { onProgress: ({ phase }) => imported.add(phase) }), notes.compact({ onProgress: ({ phase }) => compacted.add(phase) })]);
    return [[...imported], compacted.size > 0, compacted.has("import")];
  })()`);
  assert.deepEqual(phases, [["import"], true, false], "each call is told of itself");
  const other = await leader.ask(`openCollection("again", { dim: 8 }).then(async (other) => [(await other.import(await notes.export())).upserted, other.count])`);
  assert.deepEqual(other, [words.count, words.count]);
});

test("each tab backs a collection up: as Blobs, and into a directory", async () => {
  const opened = await tabs("backed-up");
  await opened[1].ask("notes.upsert(items(0, 300)).then(() => notes.flush()).then(() => notes.upsert(items(200, 400))).then(() => notes.delete(['a7']))");
  for (const [i, { ask }] of opened.entries()) {
    const wanted = await ask("rowsOf(notes)");
    assert.equal(wanted.length, 399);
    const writing = ask("(async () => { for (let n = 0; n < 20; n++) await notes.upsert([{ id: 'same', vector: vector(1) }]); await notes.delete(['same']); })()");
    await ask("notes.backup()");
    await writing;
    assert.deepEqual(await ask(`notes.backup().then((from) => openCollection("restored-${i}", { from })).then(async (copy) => { const rows = await rowsOf(copy); await copy.close(); return rows; })`), wanted);
    assert.deepEqual(await ask(`openCollection("restored-${i}").then(rowsOf)`), wanted, "it stays");
    await ask(`(async () => {
      const root = await navigator.storage.getDirectory();
      window.directory = await (await root.getDirectoryHandle("pagevec-collections")).getDirectoryHandle("copied-${i}", { create: true });
      await notes.backup(directory);
    })()`);
    assert.deepEqual(await ask(`openCollection("copied-${i}", { create: false }).then(rowsOf)`), wanted);
    const imported = await ask(`openCollection("imported-backup-${i}", { dim: 8 }).then(async (other) => {
      const files = [];
      for await (const entry of directory.values()) if (entry.kind === "file") files.push(await entry.getFile());
      const found = [];
      for (const source of [await notes.backup(), files]) {
        await other.clear();
        found.push([(await other.import(source)).upserted, (await rowsOf(other)).map(([id, , fields]) => [id, fields]), (await other.search(vector(300), { k: 1 }))[0].id]);
      }
      await other.close();
      return found;
    })`);
    for (const found of imported) assert.deepEqual(found, [399, wanted.map(([id, , fields]) => [id, fields]), "a300"]);
    assert.equal(await ask("notes.backup(directory).catch((error) => error.code)"), "argument", "it takes the place of nothing");
    assert.equal(await ask("notes.backup('a path').catch((error) => error.code)"), "argument");
    for (const name of ["backed-up", `copied-${i}`]) assert.equal(await ask(`notes.backup().then((from) => openCollection("${name}", { from })).catch((error) => error.code)`), "argument");
  }
});
