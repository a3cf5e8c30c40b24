// What the page store's folder holds: how much, what goes first, and what of it is believed.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 6000, dim: 128, make: smooth, graph: false });
const server = await serve((path) => f.folder[`/words/${path.split("/").pop()}`]);
let folder;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "pagevec-store-"))));
after(() => server.close());

const packs = async () => (await readdir(folder)).filter((name) => name.endsWith(".pack"));
const size = async () => (await Promise.all((await packs()).map((name) => stat(join(folder, name))))).reduce((sum, { size }) => sum + size, 0);

/** @returns hits and stats of a visit that searches near some rows */
async function visit(rows, options = {}) {
  const index = await open(`${server.url}/words/`, { cache: { folder, ...options } });
  const hits = [];
  for (const row of rows) hits.push(await index.search(near(f, row)));
  const stats = index.stats();
  await index.close();
  return { hits, stats };
}

const expected = await (async () => {
  const index = await open(f.bytes);
  const hits = [await index.search(near(f, 7)), await index.search(near(f, 3000))];
  await index.close();
  return hits;
})();

test("more than the limit is never held, and the front stays", async () => {
  const bytes = 300_000;
  const held = [];
  for (let i = 0; i < 12; i++) {
    const { stats } = await visit([500 * i, 500 * i + 9], { bytes });
    assert.equal(stats.store.off, undefined);
    held.push(await size());
  }
  assert.ok(held.every((held) => held <= bytes), `${held}`);
  assert.ok(Math.max(...held) > bytes / 2, `${held}`);
  server.reset();
  await visit([], { bytes });
  assert.deepEqual(server.log.map(({ range }) => range), [undefined]);
});

test("what was not read for longest goes first", async () => {
  await visit([7]);
  const [front] = await packs(); // it holds the front, and stays
  const one = await size();
  await visit([3000]);
  const a = (await packs()).filter((name) => name !== front);
  await visit([1500]);
  const b = (await packs()).filter((name) => name !== front && !a.includes(name));
  assert.ok(a.length > 0 && b.length > 0);
  await visit([3000]); // read again: now b is the older one
  const before = await size();
  assert.ok(before > one);
  await visit([4500], { bytes: before + 20_000 });
  const left = await packs();
  assert.ok(b.some((name) => !left.includes(name)), "something had to go");
  assert.deepEqual(a.filter((name) => !left.includes(name)), [], "and was not what was read last");
  assert.ok(left.includes(front));
});

test("content that no URL is any more goes before all else", async () => {
  await visit([7]);
  const [pack] = await packs();
  const body = await readFile(join(folder, pack));
  const orphan = pack.replace(/^[0-9a-f]+/, "0123456789abcdef").replace(/\.[0-9a-z]+\.[0-9a-z]+\.pack$/, `.${(Date.now() + 1e6).toString(36)}.x.pack`);
  await writeFile(join(folder, orphan), body);
  await visit([3000], { bytes: (await size()) + 1000 });
  const left = await packs();
  assert.ok(!left.includes(orphan) && left.includes(pack) && left.length > 1, `${left}`);
});

test("damaged pages are fetched again, once, and mended", async () => {
  await visit([7, 3000]);
  for (const name of await packs()) {
    const body = await readFile(join(folder, name));
    for (let at = body.length - 1; at > body.length / 3; at -= 50) body[at] ^= 4; // behind the table: the front, lists, rows
    await writeFile(join(folder, name), body);
  }
  server.reset();
  const { hits, stats } = await visit([7, 3000]);
  assert.deepEqual(hits, expected);
  assert.ok(stats.store.misses > 0 && stats.store.off === undefined);
  assert.ok(server.requests > 1);
  server.reset();
  assert.deepEqual((await visit([7, 3000])).hits, expected);
  assert.equal(server.requests, 1, "mended");
});

test("each byte of the store may be wrong", async () => {
  await visit([7]);
  const kept = new Map(await Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))])));
  for (let i = 0; i < 40; i++) {
    for (const name of await readdir(folder)) await rm(join(folder, name));
    for (const [name, body] of kept) {
      const bad = Buffer.from(body);
      // The first places are those of tables and manifest, the others anywhere.
      const at = i < 20 ? i * 2 : Math.floor((bad.length * (i - 20)) / 20);
      if (at < bad.length) bad[at] ^= 1 << (i % 8);
      await writeFile(join(folder, name), bad);
    }
    assert.deepEqual((await visit([7])).hits, [expected[0]], `byte ${i}`);
  }
});

test("a torn pack, a missing pack and other files are no harm", async () => {
  await visit([7, 3000]);
  const [name] = await packs();
  await truncate(join(folder, name), 40);
  await writeFile(join(folder, "uses"), "{");
  await writeFile(join(folder, "other.txt"), "not ours");
  await writeFile(join(folder, name.replace(/[0-9a-z]+\.pack$/, "empty.pack")), "");
  assert.deepEqual((await visit([7, 3000])).hits, expected);
  server.reset();
  assert.deepEqual((await visit([7, 3000])).hits, expected);
  assert.equal(server.requests, 1);
  const index = await open(`${server.url}/words/`, { cache: { folder } });
  for (const pack of await packs()) await rm(join(folder, pack)); // as another tab's eviction does
  assert.deepEqual(await index.search(near(f, 7)), expected[0]);
  await index.close();
  assert.equal(await readFile(join(folder, "other.txt"), "utf8"), "not ours");
});

test("a page that the host damages is not kept", async () => {
  const lists = f.info.sections.find(({ name }) => name === "lists");
  const body = f.bytes.slice();
  for (let at = lists.offset; at < lists.offset + lists.length; at += 64) body[at] ^= 1;
  const good = f.folder[`/words/${f.file}`];
  f.folder[`/words/${f.file}`] = { body };
  const index = await open(`${server.url}/words/`, { cache: { folder } });
  server.reset();
  await assert.rejects(index.search(near(f, 7)), { code: "checksum" });
  await index.close();
  f.folder[`/words/${f.file}`] = good;
  assert.deepEqual((await visit([7])).hits, [expected[0]]);
});

test("several indexes at once over one folder", async () => {
  const all = await Promise.all([7, 3000, 7, 3000, 7, 3000].map((row) => visit([row])));
  all.forEach(({ hits, stats }, i) => {
    assert.deepEqual(hits, [expected[i % 2]]);
    assert.equal(stats.store.off, undefined);
  });
  server.reset();
  assert.deepEqual((await visit([7, 3000])).hits, expected);
  assert.equal(server.requests, 1);
});

test("many small packs become few, and nothing is lost", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => 150 * i);
  const most = [];
  for (const row of rows) {
    await visit([row]);
    most.push((await packs()).length);
  }
  assert.ok(Math.max(...most) >= 31 && most.some((count, i) => count < most[i - 1] - 20), `${most}`);
  server.reset();
  const { stats } = await visit(rows);
  assert.equal(server.requests, 1);
  assert.equal(stats.store.misses, 0);
});

test("closed while pages are written behind: they are there at the next visit", async () => {
  const index = await open(`${server.url}/words/`, { cache: { folder } });
  const hits = await index.search(near(f, 7));
  const closing = [index.close(), index.close()];
  await Promise.all(closing);
  const left = await readdir(folder);
  assert.ok(left.some((name) => name.endsWith(".pack")) && !left.some((name) => name.endsWith(".tmp")), `${left}`);
  server.reset();
  assert.deepEqual((await visit([7])).hits, [hits]);
  assert.equal(server.requests, 1);
});

test("what memory let go comes back from the store, not from the host", async () => {
  const index = await open(`${server.url}/words/`, { cache: { folder }, memoryBudget: 280_000 });
  for (const row of [7, 3000, 900, 5100, 2100, 4400]) await index.search(near(f, row));
  const before = index.stats();
  assert.ok(before.evictions > 0);
  assert.deepEqual(await index.search(near(f, 7)), expected[0]);
  const { bytes, store } = index.stats();
  assert.equal(bytes, before.bytes);
  assert.ok(store.bytes > before.store.bytes);
  await index.close();
});
