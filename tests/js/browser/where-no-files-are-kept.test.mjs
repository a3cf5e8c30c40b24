// Browsers that keep no files: the collection is in memory, says so and why, and another tab has its own. A file system that is there and
// fails is an error: an empty collection never takes the place of one that could not be read.
import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";
import { launch, result, site } from "../support/browser.mjs";

const REFUSES = (name) => `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("no", "${name}"));`;
/** What is another way there, and what `stats().why` says of it. */
const MEMORY = {
  "a private window that refuses its file system": [REFUSES("SecurityError"), /refuses.*SecurityError/],
  "a browser without one": ["delete StorageManager.prototype.getDirectory;", /no private file system/],
  "one without files for workers": ["delete FileSystemFileHandle.prototype.createSyncAccessHandle;", /no private file system/],
  "an insecure page": ['Object.defineProperty(globalThis, "isSecureContext", { value: false });', /secure context/],
};
const worker = (number, patch) => ({
  [`/worker-${number}.js`]: { body: `import "/patch-${number}.js"; import "/pagevec/dist/collection-worker.js";`, type: "text/javascript" },
  [`/patch-${number}.js`]: { body: patch, type: "text/javascript" },
});
const patches = [...Object.values(MEMORY).map(([patch]) => patch), REFUSES("UnknownError")];

const browser = await launch();
const host = await site({ "/": { body: '<!doctype html><link rel="icon" href="data:,">' }, ...Object.assign({}, ...patches.map((patch, number) => worker(number, patch))) });
after(() => Promise.all([browser.close(), host.close()]));
let context;
beforeEach(async () => (context = await browser.newContext()));
afterEach(() => context.close());

async function run(code, number) {
  const page = await context.newPage();
  await page.goto(`${host.url}/`);
  const options = number === undefined ? "{ dim: 2, memory: true }" : `{ dim: 2, worker: () => new Worker("/worker-${number}.js", { type: "module" }) }`;
  await page.addScriptTag({ type: "module", content: `
    const { openCollection } = await import("/pagevec/dist/collection.js");
    window.result = await (async () => { const notes = await openCollection("notes", ${options}); ${code} })().catch(({ code, message }) => ({ code, message })) ?? null;` });
  return result(page);
}

const USE = `
  await notes.upsert([{ id: "a", vector: [1, 0] }, { id: "b", vector: [0, 1] }]);
  await notes.flush();
  await notes.compact();
  const [{ id }] = await notes.search([0.1, 1]);
  const { persistent, why, role, count } = notes.stats();
  return { id, persistent, why, role, count, persisted: await notes.persist() };`;

for (const [number, [name, [, why]]] of Object.entries(MEMORY).entries()) {
  test(`${name}: rows are in memory, and stats() says why`, async () => {
    const used = await run(USE, number);
    assert.match(used.why, why);
    assert.deepEqual({ ...used, why: undefined }, { id: "b", persistent: false, why: undefined, role: undefined, count: 2, persisted: false });
    assert.deepEqual(await run("return { count: notes.count };", number), { count: 0 }, "another tab has its own");
  });
}

test("memory: true keeps it there, where files could be kept", async () => {
  assert.match((await run(USE)).why, /memory: true/);
  assert.equal(await (await context.newPage()).goto(`${host.url}/`).then((answer) => answer.status()), 200);
});

test("a file system that fails is an error, not an empty collection", async () => {
  const { code, message } = await run(USE, patches.length - 1);
  assert.equal(code, "io");
  assert.match(message, /UnknownError.*memory: true/);
});
