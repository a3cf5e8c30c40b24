// Several tabs have one collection: one of them leads and owns the files, all write and search. Tabs are real pages, which are closed,
// reloaded and killed. What was acknowledged is there afterwards, and the next leader is there at once.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { launchWithProfile, site } from "../support/browser.mjs";
import { until } from "../support/until.mjs";

/** A worker that hangs for so many milliseconds, when told. */
const HANGS = `import "/hang.js"; import "/pagevec/dist/collection-worker.js";`;
const HANG = `addEventListener("message", ({ data }) => { for (const until = performance.now() + (data.hang ?? 0); performance.now() < until; ); });`;
const host = await site({
  "/": { body: '<!doctype html><link rel="icon" href="data:,">' },
  "/hangs.js": { body: HANGS, type: "text/javascript" },
  "/hang.js": { body: HANG, type: "text/javascript" },
});
after(() => host.close());
let browser, profile;
beforeEach(async () => {
  profile = await mkdtemp(join(tmpdir(), "pagevec-profile-"));
  browser = await launchWithProfile(profile);
});
afterEach(async () => {
  await browser.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** A page with the collection open. `ask` runs an expression of `notes` there. */
async function tab({ name = "notes", options = "{ dim: 4 }", page } = {}) {
  page ??= await browser.newPage();
  await page.goto(`${host.url}/`);
  await page.evaluate(`(async () => {
    const { openCollection } = await import("/pagevec/dist/collection.js");
    window.vector = (n) => [1, n, n * n, Math.sin(n)];
    window.item = (n, by) => ({ id: n, vector: vector(n), fields: { by } });
    window.events = [];
    window.acked = [];
    window.failed = [];
    window.notes = await openCollection(${JSON.stringify(name)}, ${options});
    notes.on("change", (event) => events.push(event));
    // Writes without a pause, and keeps what was acknowledged.
    window.write = async (from, count) => {
      for (let n = from; n < from + count; n++) {
        const from = performance.now();
        await notes.upsert([item(n, "w")]).then(() => acked.push(n), (error) => failed.push([n, error.code, error.message]));
        window.longest = Math.max(window.longest ?? 0, performance.now() - from);
      }
      return acked.length;
    };
  })()`);
  const ask = (code) => page.evaluate(`(async () => (${code}))()`);
  return { page, ask, role: () => ask("notes.stats().role") };
}

/** Ends a page as a crash does. */
async function kill(page) {
  const session = await browser.newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => {}); // nobody answers
  await crashed;
}

const leaders = async (tabs) => {
  const roles = await Promise.all(tabs.map(({ role }) => role()));
  return tabs.filter((_, i) => roles[i] === "leader");
};

test("all tabs write and search one collection, and are told of each change", async () => {
  const tabs = [await tab(), await tab(), await tab()];
  assert.equal((await leaders(tabs)).length, 1);
  await Promise.all(tabs.map(({ ask }, i) => ask(`notes.upsert([item(${i}, "tab ${i}")])`)));
  for (const { ask } of tabs) {
    await until(() => ask("notes.count === 3 && events.length === 3"));
    assert.deepEqual(await ask("notes.search(vector(2), { k: 1, fields: true }).then(([{ id, fields }]) => [id, fields.by])"), [2, "tab 2"]);
  }
  assert.deepEqual(await Promise.all(tabs.map(({ ask }) => ask("events.map(({ upserted, origin }) => [upserted[0], origin]).sort()"))), tabs.map((_, tab) => tabs.map((_, row) => [row, row === tab ? "this" : "other"])));
  // What one tab was told is seen by the others at once.
  await tabs[1].ask("notes.delete([0])");
  assert.equal(await tabs[2].ask("notes.has(0)"), false);
  await assert.rejects(tabs[2].ask("notes.search({ id: 0 })"), /no row/);
  await tabs[2].ask("notes.compact()");
  assert.equal(await tabs[0].ask("notes.search(vector(1), { k: 5 }).then((hits) => hits.length)"), 2);
});

test("a leader that is closed is replaced at once, and nothing that was acknowledged is lost", async (t) => {
  const tabs = [await tab(), await tab(), await tab()];
  const [leader] = await leaders(tabs);
  const others = tabs.filter((one) => one !== leader);
  const writing = Promise.all(others.map(({ ask }, i) => ask(`write(${1000 * (i + 1)}, 150)`)));
  await until(async () => (await others[0].ask("acked.length")) > 20);
  await leader.page.close();
  assert.deepEqual(await writing, [150, 150]);
  for (const { ask } of others) assert.deepEqual(await ask("failed"), []);
  // The longest that a write took, which is the one that was sent to a leader that was no more.
  const took = Math.max(...(await Promise.all(others.map(({ ask }) => ask("longest")))));
  for (const { ask } of others) assert.equal(await ask("notes.count"), 300);
  t.diagnostic(`replaced in ${took.toFixed(0)} ms`);
  assert.ok(took < 2000, `${took} ms`);
});

test("leaders that are closed, reloaded and killed in turn lose no acknowledged write, and there is one at a time", { timeout: 55_000 }, async () => {
  let tabs = [await tab(), await tab(), await tab()];
  const acked = new Set();
  let next = 0;
  for (const way of ["close", "kill", "reload", "kill", "close"]) {
    const [leader, ...more] = await leaders(tabs);
    assert.ok(leader, "someone leads");
    assert.deepEqual(more, [], "and nobody else");
    const others = tabs.filter((one) => one !== leader);
    const before = await Promise.all(others.map(({ ask }) => ask("acked.length")));
    const writing = others.map(({ ask }) => ask(`write(${(next += 1000)}, 60)`));
    // The leader writes too; what it acknowledged is read before it ends.
    await leader.ask(`void write(${(next += 1000)}, 1000)`);
    await until(async () => (await others[0].ask("acked.length")) > before[0] + 10);
    for (const n of await leader.ask("acked")) acked.add(n);
    if (way === "kill") await kill(leader.page);
    else await leader.page[way]();
    await Promise.all(writing);
    for (const { ask } of others) {
      for (const n of await ask("acked")) acked.add(n);
      assert.deepEqual(await ask("failed"), [], way);
    }
    const [again] = [way === "reload" ? await tab({ page: leader.page }) : await tab()];
    tabs = [...others, again];
    const missing = await again.ask(`(async (ids) => { const rows = await notes.get(ids); return ids.filter((_, i) => !rows[i]); })(${JSON.stringify([...acked])})`);
    assert.deepEqual(missing, [], `after ${way}`);
    await until(async () => (await leaders(tabs)).length === 1);
  }
  assert.ok(acked.size > 300, `${acked.size} acknowledged writes`);
});

test("a tab that opens another kind of collection under the same name is refused, and disturbs nobody", async () => {
  const first = await tab();
  for (const [options, code] of [["{ dim: 5 }", "dimension"], ['{ dim: 4, metric: "l2" }', "argument"]]) {
    await assert.rejects(tab({ options }), (error) => error.message.includes(code === "dimension" ? "dim is 5" : "metric"));
  }
  await assert.rejects(tab({ name: "other", options: "{ create: false }" }), /no collection "other"/);
  await assert.rejects(tab({ name: "other", options: "{}" }), /dim/);
  assert.equal(await first.ask("notes.upsert([item(1)]).then(({ upserted }) => upserted)"), 1);
  const second = await tab({ options: "{}" });
  assert.equal(await second.ask("notes.dim"), 4);
  await (await tab({ name: "other" })).ask("notes.close()");
});

test("a close() of the leader hands over; what it left is found by whoever opens it later", async () => {
  const tabs = [await tab(), await tab()];
  const [leader] = await leaders(tabs);
  const [other] = tabs.filter((one) => one !== leader);
  await leader.ask("notes.upsert([item(1), item(2)])");
  await leader.ask("notes.close()");
  await assert.rejects(leader.ask("notes.has(1)"), /closed/);
  assert.equal(await other.ask("notes.has(1)"), true);
  assert.equal(await other.role(), "leader");
  await other.ask("notes.close()");
  const later = await tab({ options: "{ create: false }" });
  assert.equal(await later.ask("notes.has(2)"), true);
});

test("a compact() that its leader cannot finish is finished by the next", async () => {
  const tabs = [await tab(), await tab()];
  const [leader] = await leaders(tabs);
  const [other] = tabs.filter((one) => one !== leader);
  for (let i = 0; i < 3; i++) await other.ask(`notes.upsert(Array.from({ length: 2000 }, (_, n) => item(${i} * 2000 + n))).then(() => notes.flush())`);
  await other.ask("void (window.compacted = notes.compact().then(() => notes.stats().segments, (error) => error.code))");
  await leader.ask("notes.close()");
  assert.equal(await other.ask("compacted"), 1);
  assert.deepEqual(await other.ask("[notes.stats().role, notes.count]"), ["leader", 6000]);
});

test("a hidden leader hands over to a tab that is visible", async () => {
  const tabs = [await tab(), await tab()];
  const [leader] = await leaders(tabs);
  const [other] = tabs.filter((one) => one !== leader);
  // Pages of a browser without a window are all visible: this one says that it is not.
  await leader.ask(`(Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true }), document.dispatchEvent(new Event("visibilitychange")))`);
  await until(async () => (await other.role()) === "leader");
  assert.equal(await leader.ask("notes.upsert([item(5)]).then(() => notes.stats().role)"), "follower");
  assert.equal(await other.ask("notes.has(5)"), true);
});

test("a leader that is frozen hands over before", async () => {
  const tabs = [await tab(), await tab()];
  const [leader] = await leaders(tabs);
  const [other] = tabs.filter((one) => one !== leader);
  await leader.ask("notes.upsert([item(1)])");
  await leader.ask(`document.dispatchEvent(new Event("freeze"))`);
  await until(async () => (await other.role()) === "leader");
  assert.equal(await other.ask("notes.upsert([item(2)]).then(() => notes.has(1))"), true);
  // It does not wait for the lock until it is awake, as it would keep it from all others; what it asks is answered by who leads.
  const waiting = await other.ask("navigator.locks.query().then(({ pending }) => pending.length)");
  await leader.ask(`document.dispatchEvent(new Event("resume"))`);
  assert.equal(waiting, 0);
  assert.deepEqual(await leader.ask("Promise.all([notes.has(2), notes.count])"), [true, 2]);
});

test("a leader that hangs is robbed of the lock, and gives the files back when it wakes", { timeout: 55_000 }, async (t) => {
  const first = await tab({ options: `{ dim: 4, worker: () => (window.worker = new Worker("/hangs.js", { type: "module" })) }` });
  const other = await tab();
  assert.equal(await first.role(), "leader");
  await other.ask("notes.upsert([item(1)])");
  await first.ask("worker.postMessage({ hang: 13_000 })");
  const from = performance.now();
  assert.equal(await other.ask("notes.upsert([item(2)]).then(({ upserted }) => upserted)"), 1);
  await until(async () => (await other.role()) === "leader");
  const took = performance.now() - from;
  t.diagnostic(`replaced after ${(took / 1000).toFixed(1)} s`);
  // Its files are free only when it wakes, so nobody could be sooner.
  assert.ok(took > 12_000 && took < 25_000, `${took} ms`);
  assert.deepEqual(await first.ask("Promise.all([notes.has(1), notes.has(2), notes.count, notes.stats().role])"), [true, true, 2, "follower"]);
});

test("a worker that ends is replaced by the next call, and the page keeps what it had", async () => {
  const { ask } = await tab({ options: `{ dim: 4, worker: () => (window.worker = new Worker("/pagevec/dist/collection-worker.js", { type: "module" })) }` });
  await ask("notes.upsert([item(1)])");
  await ask("(worker.terminate(), worker.onerror(new ErrorEvent('error', { message: 'it was ended' })))");
  await ask("notes.upsert([item(2)])");
  assert.deepEqual(await ask("Promise.all([notes.has(1), notes.has(2), notes.count])"), [true, true, 2]);
});

test("rows that wait for an index get one when nothing is written for a while, also where tabs come and go", async () => {
  const first = await tab();
  await first.ask("notes.upsert(Array.from({ length: 1500 }, (_, n) => item(n)))");
  // Whoever leads next waits anew.
  const second = await tab();
  await first.page.close();
  await until(() => second.ask("notes.stats().role === 'leader' && notes.stats().unindexed === 0"));
  assert.deepEqual(await second.ask("[notes.stats().segments, notes.stats().failed ?? null, notes.count]"), [1, null, 1500]);
});

test("segments are merged by a worker of the worker", async () => {
  const { ask } = await tab();
  for (let i = 0; i < 4; i++) await ask(`notes.upsert([item(${i}), item(${i + 100})]).then(() => notes.flush())`);
  await ask("notes.compact({ onProgress: (event) => (window.progress ??= []).push(event) })");
  assert.deepEqual(await ask("[notes.stats().segments, notes.stats().unindexed, progress.length > 0]"), [1, 0, true]);
  assert.equal(await ask("notes.count"), 8);
  assert.ok((await ask("navigator.storage.getDirectory().then((root) => root.getDirectoryHandle('pagevec-collections')).then((all) => all.getDirectoryHandle('notes')).then(async (folder) => { let n = 0; for await (const [name, handle] of folder.entries()) if (name.startsWith('seg-') && (await handle.getFile()).size > 0) n++; return n; })")) === 1, "the inputs were removed");
});
