// The folder of a collection in a browser (pkg/src/collection/dirs/opfs.js), in a worker and in a worker of that worker: the checks of
// every-folder-keeps-its-contract.test.mjs, the fence, a disk that is full, and handles that fail.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { launch, launchWithProfile, result, site, sources } from "../support/browser.mjs";
import { CHECKS } from "../support/folder-contract.mjs";

const browser = await launch();
const host = await site({ "/": { body: "<!doctype html>" }, ...(await sources()) });
after(() => Promise.all([browser.close(), host.close()]));
let context;
beforeEach(async () => (context = await browser.newContext()));
afterEach(() => context.close());

const PRELUDE = `
  import { OpfsDir } from "${host.url}/src/collection/dirs/opfs.js";
  import { MemoryDir } from "${host.url}/src/collection/dirs/memory.js";
  import { CHECKS } from "${host.url}/support/folder-contract.mjs";
  const root = await navigator.storage.getDirectory();
  const folders = new WeakMap();
  let last = 0;
  const at = async (folder, patience) => {
    const dir = await OpfsDir.open(folder, patience);
    folders.set(dir, folder);
    return dir;
  };
  const place = {
    fresh: async () => at(await root.getDirectoryHandle("folder-" + ++last, { create: true })),
    again: async (dir) => (dir.close(), at(folders.get(dir))),
  };
  const thrown = (action) => { try { action(); } catch (error) { return error; } throw new Error("nothing was thrown"); };
  const names = async (folder) => { const all = []; for await (const name of folder.keys()) all.push(name); return all.sort(); };
  const FIRST = ["manifest.a", "manifest.b", "wal-0", "wal-1"];
`;

/** What `code` returns in a worker of a new page, `deep` workers down. */
async function run(code, { deep = 1, page } = {}) {
  page ??= await context.newPage();
  await page.goto(`${host.url}/`);
  let source = `${PRELUDE}\n(async () => { ${code} })().catch((e) => ({ error: String(e.stack) })).then(postMessage);`;
  for (let i = 1; i < deep; i++) {
    source = `const made = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(source)}], { type: "text/javascript" })), { type: "module" }); made.onmessage = ({ data }) => postMessage(data);`;
  }
  await page.evaluate((text) => {
    const made = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })), { type: "module" });
    made.onmessage = ({ data }) => (window.result = data ?? null);
    made.onerror = ({ message }) => (window.result = { error: message });
  }, source);
  await page.waitForFunction(() => window.result !== undefined);
  const value = await result(page);
  assert.equal(value?.error, undefined, value?.error);
  return value;
}

for (const deep of [1, 2]) {
  test(`${deep === 1 ? "a worker" : "a worker of a worker"}: every check`, async () => {
    const failed = await run(`
      const failed = [];
      for (const [name, check] of Object.entries(CHECKS)) await check(place).catch((error) => failed.push(name + ": " + error.stack));
      return failed;`, { deep });
    assert.deepEqual(failed, []);
    assert.ok(Object.keys(CHECKS).length >= 6);
  });
}

test("memory does the same there", async () => {
  assert.deepEqual(await run(`
    const failed = [];
    const memory = { fresh: async () => new MemoryDir(), again: async (dir) => (dir.close(), dir) };
    for (const [name, check] of Object.entries(CHECKS)) await check(memory).catch((error) => failed.push(name + ": " + error.stack));
    return failed;`), []);
});

test("one writer has the fence; another waits for it, and is told when that takes too long", async () => {
  const told = await run(`
    const folder = await root.getDirectoryHandle("shared", { create: true });
    const first = await at(folder);
    const error = await at(folder, 60).catch((error) => error);
    const from = performance.now();
    const second = at(folder, 5000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    first.close();
    const dir = await second;
    const waited = performance.now() - from;
    dir.close();
    const third = await at(folder, 0);
    third.close();
    return { code: error.code, message: error.message, waited };`);
  assert.equal(told.code, "locked");
  assert.match(told.message, /manifest\.a.*another tab/);
  assert.ok(told.waited >= 95 && told.waited < 2000, `${told.waited} ms`);
});

test("a file that is ready is no file, and neither are strangers; an opening that fails gives all back", async () => {
  const told = await run(`
    const folder = await root.getDirectoryHandle("odd", { create: true });
    await folder.getFileHandle("notes.txt", { create: true });
    await folder.getDirectoryHandle("seg-7", { create: true });
    const failed = await at(folder, 0).catch((error) => error);
    await folder.removeEntry("seg-7");
    const dir = await at(folder, 0);
    const unready = thrown(() => dir.open("seg-9", "create"));
    const list = dir.list();
    const read = thrown(() => dir.open("seg-1", "read"));
    await dir.prepare(["seg-9", "seg-9"]);
    dir.open("seg-9", "create").write(new Uint8Array(3), 0);
    await dir.prepare(["seg-9"]);
    const then = dir.list();
    const held = await dir.discard("nothing");
    dir.close();
    return { failed: failed.code, unready: unready.kind, list, read: read.kind, then, names: await names(folder), FIRST };`);
  assert.deepEqual(
    { ...told, names: undefined, FIRST: undefined },
    { failed: "io", unready: "would-block", list: [], read: "not-found", then: [{ name: "seg-9", length: 3 }], names: undefined, FIRST: undefined },
  );
  assert.deepEqual(told.names, [...told.FIRST, "notes.txt", "seg-9"].sort());
});

test("a removal that is refused can be tried again, and a file of another worker is taken over", async () => {
  const told = await run(`
    const folder = await root.getDirectoryHandle("taken", { create: true });
    const dir = await at(folder);
    const other = await (await folder.getFileHandle("seg-3", { create: true })).createSyncAccessHandle();
    other.write(new Uint8Array(7));
    const refused = await dir.discard("seg-3").then(() => undefined, (error) => error.code);
    setTimeout(() => other.close(), 60);
    await dir.adopt("seg-3");
    const list = dir.list();
    await dir.discard("seg-3");
    const gone = (await names(folder)).includes("seg-3");
    dir.close();
    return { refused, list, gone };`);
  assert.deepEqual(told, { refused: "io", list: [{ name: "seg-3", length: 7 }], gone: false });
});

test("a quota that is used up is an error, and what was written before stays", async (t) => {
  const profile = await mkdtemp(join(tmpdir(), "pagevec-profile-"));
  const person = await launchWithProfile(profile);
  t.after(async () => (await person.close(), rm(profile, { recursive: true, force: true, maxRetries: 5 })));
  const page = await person.newPage();
  const cdp = await person.newCDPSession(page);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin: host.url, quotaSize: 4_000_000 });
  const told = await run(`
    const folder = await root.getDirectoryHandle("small", { create: true });
    const dir = await at(folder);
    const file = dir.open("wal-0", "create");
    file.write(new Uint8Array(50_000).fill(7), 0);
    file.flush();
    const write = thrown(() => file.write(new Uint8Array(20_000_000), 50_000));
    const truncate = thrown(() => file.truncate(20_000_000));
    const read = new Uint8Array(50_000);
    file.read(read, 0);
    dir.close();
    return { codes: [write.code, truncate.code, write.kind], message: write.message, same: read.every((one) => one === 7) };`, { page });
  assert.deepEqual(told.codes, ["quota", "quota", "quota"]);
  assert.match(told.message, /wal-0.*room/);
  assert.equal(told.same, true);
});

test("a short write, a count that is an error, and what handles throw are errors with a code", async () => {
  const told = await run(`
    const folder = await root.getDirectoryHandle("bad", { create: true });
    const dir = await at(folder);
    const file = dir.open("wal-0", "create");
    const proto = FileSystemSyncAccessHandle.prototype;
    const { write, read, flush, truncate } = proto;
    const codes = [];
    const attempt = (action) => { const error = thrown(action); codes.push(error.code + " " + error.kind); };
    for (const answer of [() => 5, () => 4294967288, () => 4294967291, () => { throw new DOMException("x", "QuotaExceededError"); }, () => { throw new DOMException("x", "InvalidStateError"); }]) {
      proto.write = answer;
      attempt(() => file.write(new Uint8Array(10), 0));
    }
    proto.write = write;
    proto.read = () => 4294967291;
    attempt(() => file.read(new Uint8Array(10), 0));
    proto.read = read;
    for (const name of ["flush", "truncate"]) {
      const own = proto[name];
      proto[name] = () => { throw new DOMException("x", "UnknownError"); };
      attempt(() => file[name](3));
      proto[name] = own;
    }
    dir.close();
    attempt(() => file.length());
    return codes;`);
  assert.deepEqual(told, ["quota quota", "quota quota", "io other", "quota quota", "io other", "io other", "io other", "io other", "io other"]);
});
