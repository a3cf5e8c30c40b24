// The page store in Chromium's origin private file system, over reloads, tabs, a full disk and a host that is gone.
import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, result, site } from "../support/browser.mjs";
import { fixture, near, smooth } from "../support/fixture.mjs";
import { serve } from "../support/server.mjs";

const f = await fixture({ count: 12_000, dim: 128, make: smooth, efConstruction: 40 });
const other = await fixture({ count: 12_000, dim: 128, make: smooth, efConstruction: 40, seed: 2 });
const ROWS = [7, 5000, 11_000];
const queries = JSON.stringify(ROWS.map((row) => [...near(f, row)]));

const browser = await launch();
after(() => browser.close());
let host, files, pages, context;
beforeEach(async () => {
  files = f.folder;
  host = await serve((path) => files[path]);
  // The page itself comes from a host that stays.
  pages = await site({ "/": { body: "<!doctype html>" } });
  context = await browser.newContext();
});
afterEach(() => Promise.all([context.close(), host.close(), pages.close()]));

/** What `code` returns in a page of its own, with `open`, `url` and `queries`. */
async function run(code, { page, path = "/words/", worker = false } = {}) {
  page ??= await context.newPage();
  const setting = `const { open } = await import(${JSON.stringify(pages.url + entry)}); const url = ${JSON.stringify(host.url)} + ${JSON.stringify(path)}; const queries = ${queries};`;
  const body = `(async () => { ${setting} ${code} })().catch((e) => ({ error: String(e.stack), code: e.code }))`;
  await page.goto(`${pages.url}/`);
  if (!worker) await page.addScriptTag({ type: "module", content: `window.result = await ${body};` });
  else {
    const source = `${body}.then(postMessage)`;
    await page.evaluate((text) => {
      const made = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })), { type: "module" });
      made.onmessage = ({ data }) => (window.result = data);
    }, source);
  }
  const value = await result(page);
  assert.equal(value.error, undefined, value.error);
  return value;
}

const VISIT = `
  const index = await open(url, typeof options === "undefined" ? {} : options);
  const hits = [];
  for (const query of queries) hits.push(await index.search(query));
  const stats = index.stats();
  await index.close();
  return { hits, stats };`;
const FILES = `
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("pagevec", { create: true });
  const names = [];
  for await (const name of folder.keys()) names.push(name);`;

const index = await open(f.bytes);
const expected = [];
for (const row of ROWS) expected.push(await index.search(near(f, row)));
await index.close();

for (const worker of [false, true]) {
  test(`${worker ? "in a worker" : "on a page"}: the second visit reads index.json alone, the third does without a host`, async () => {
    const first = await run(VISIT, { worker });
    assert.deepEqual(first.hits, expected);
    assert.equal(first.stats.store.off, undefined);
    host.reset();
    const second = await run(VISIT, { worker });
    assert.deepEqual(second.hits, expected);
    assert.deepEqual(host.log.map(({ range }) => range), [undefined]);
    assert.ok(host.bytes <= 60_000);
    assert.equal(second.stats.store.misses, 0);
    await host.close();
    const offline = await run(VISIT, { worker });
    assert.deepEqual(offline.hits, expected);
    assert.equal(offline.stats.bytes, 0);
  });
}

test("a reload keeps it, even when the page did not close the index", async () => {
  const page = await context.newPage();
  // It is written a while after the last search: until the files stay as they are.
  await run(`
    const index = await open(url);
    for (const query of queries) await index.search(query);
    const written = async () => { ${FILES} return names.filter((name) => name.endsWith(".pack")).join(); };
    for (let last; !last || last !== (await written()); ) (last = await written()), await new Promise((r) => setTimeout(r, 500));
    return {};`, { page });
  host.reset();
  assert.deepEqual((await run(VISIT, { page })).hits, expected);
  assert.deepEqual(host.log.map(({ range }) => range), [undefined]);
});

test("a segment's own URL", async () => {
  const path = `/words/${f.file}`;
  await run(VISIT, { path });
  host.reset();
  assert.deepEqual((await run(VISIT, { path })).hits, expected);
  assert.deepEqual(host.log.map(({ range }) => range), ["bytes=0-65535"]);
  await host.close();
  assert.deepEqual((await run(VISIT, { path })).hits, expected);
});

test("two tabs at once, one of them gone in the middle", async () => {
  const tabs = await Promise.all(Array.from({ length: 4 }, () => context.newPage()));
  const all = await Promise.all(tabs.slice(0, 3).map((page) => run(VISIT, { page })).concat(run(`const index = await open(url); await index.search(queries[0]); return {};`, { page: tabs[3] }).then(() => tabs[3].close())));
  for (const { hits, stats } of all.slice(0, 3)) {
    assert.deepEqual(hits, expected);
    assert.equal(stats.store.off, undefined);
  }
  host.reset();
  assert.deepEqual((await run(VISIT)).hits, expected);
  assert.deepEqual(host.log.map(({ range }) => range), [undefined]);
});

test("a file that another tab replaces while it is read, is read again", async () => {
  await run(VISIT);
  const replacing = `
    const { getFile } = FileSystemFileHandle.prototype;
    const replaced = new Set();
    FileSystemFileHandle.prototype.getFile = async function () {
      const file = await getFile.call(this);
      if (replaced.has(this.name)) return file;
      replaced.add(this.name);
      const writable = await this.createWritable();
      await writable.write(await file.arrayBuffer());
      await writable.close();
      const unreadable = await file.arrayBuffer().then(() => undefined, ({ name }) => name);
      if (unreadable !== "NotReadableError") throw new Error("the File is still read, so this tests nothing: " + unreadable);
      return file;
    };`;
  host.reset();
  const { hits, stats } = await run(replacing + VISIT);
  assert.deepEqual(hits, expected);
  assert.equal(stats.store.off, undefined);
  assert.equal(stats.store.misses, 0);
  assert.deepEqual(host.log.map(({ range }) => range), [undefined]);
});

test("damaged pages are fetched again, and mended", async () => {
  await run(VISIT);
  const damaged = await run(`${FILES}
    for (const name of names.filter((name) => name.endsWith(".pack"))) {
      const handle = await folder.getFileHandle(name);
      const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
      for (let at = bytes.length - 1; at > bytes.length / 3; at -= 50) bytes[at] ^= 4;
      const writable = await handle.createWritable();
      await writable.write(bytes);
      await writable.close();
    }
    return { names };`);
  assert.ok(damaged.names.length > 1);
  host.reset();
  assert.deepEqual((await run(VISIT)).hits, expected);
  assert.ok(host.requests > 1);
  host.reset();
  assert.deepEqual((await run(VISIT)).hits, expected);
  assert.equal(host.requests, 1);
});

test("a full disk turns it off, and nothing else", async () => {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin: pages.url, quotaSize: 20_000 });
  const { hits, stats } = await run(VISIT.replace("const stats", "while (!index.stats().store.off) await new Promise((r) => setTimeout(r, 5)); const stats"), { page });
  assert.deepEqual(hits, expected);
  assert.match(stats.store.off, /Quota/);
  const again = await run(VISIT, { page });
  assert.deepEqual(again.hits, expected);
});

test("the limit holds, and another content takes the place of the first", async () => {
  const options = `const options = { cache: { bytes: 150_000 } };`;
  await run(options + VISIT);
  const size = `${FILES} let bytes = 0; for (const name of names) if (name.endsWith(".pack")) bytes += (await (await folder.getFileHandle(name)).getFile()).size; return { bytes, names };`;
  const held = await run(size);
  assert.ok(held.bytes > 50_000 && held.bytes <= 150_000, `${held.bytes}`);
  files = other.folder;
  const replaced = await run(VISIT);
  assert.notDeepEqual(replaced.hits, expected);
  const now = await run(size);
  assert.deepEqual(now.names.filter((name) => held.names.includes(name) && name !== "uses"), []);
});

test("cache: false keeps nothing; headers neither, unless told; a folder is for Node", async () => {
  for (const options of ["{ cache: false }", "{ headers: {} }"]) {
    const { stats } = await run(`const options = ${options};` + VISIT);
    assert.equal(stats.store, undefined);
  }
  assert.deepEqual((await run(`${FILES} return { names };`)).names, []);
  const { code } = await run(`return open(url, { cache: { folder: "x" } }).catch(({ code }) => ({ code }));`);
  assert.equal(code, "argument");
});

test("where there is no file system of the origin", async () => {
  const { hits, stats } = await run(`Object.defineProperty(StorageManager.prototype, "getDirectory", { value: () => Promise.reject(new DOMException("private", "SecurityError")) });` + VISIT);
  assert.deepEqual(hits, expected);
  assert.match(stats.store.off, /SecurityError/);
});

test("codes and graph come behind the answers, but not to who saves data", async () => {
  const code = `
    const index = await open(url, { prefetch: "all", cache: false });
    await index.search(queries[0]);
    while (!["done", "off"].includes(index.stats().prefetch.state)) await new Promise((r) => setTimeout(r, 5));
    const { prefetch } = index.stats();
    const { index: by } = await index.explain(queries[1]);
    await index.close();
    return { prefetch, by };`;
  const loaded = await run(code);
  assert.deepEqual([loaded.prefetch.state, loaded.by], ["done", "hnsw"]);
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Emulation.setDataSaverOverride", { dataSaverEnabled: true });
  const spared = await run(code, { page });
  assert.deepEqual([spared.prefetch.state, spared.by], ["off", "clusters"]);
  assert.match(spared.prefetch.why, /saveData/);
});
