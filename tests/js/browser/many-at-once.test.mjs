// What a page has of everything is bounded: requests under way (Chromium fails what goes beyond some thousands) and
// WebAssembly instances (the 125th found no room).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { fixture, smooth } from "../support/fixture.mjs";

const f = await fixture({ count: 2500, dim: 64, make: smooth, graph: false, efConstruction: 40 });
const small = await fixture({ count: 200, dim: 16, seed: 5 });
const browser = await launch();
after(() => browser.close());

/** Runs code in a page where `open`, `build` and `PagevecError` are, and the index lies at /words/, a small one at /small/. */
async function inPage(code) {
  const renamed = Object.entries(small.folder).map(([path, file]) => [path.replace("/words/", "/small/"), file]);
  const pages = await site({ ...f.folder, ...Object.fromEntries(renamed), ...pageOf(`const { open, build, PagevecError } = await import(${JSON.stringify(entry)});\n${code}`) });
  const { page, errors } = await visit(browser, `${pages.url}/`);
  const out = await result(page);
  await page.close();
  await pages.close();
  assert.deepEqual(errors, []);
  return { out, most: pages.most };
}

for (const count of [400, 2000]) {
  test(`${count} searches at once`, { timeout: 300_000 }, async () => {
    const queries = Array.from({ length: count }, (_, i) => [...f.row((i * 389) % f.count)]);
    const { out, most } = await inPage(`
      const queries = ${JSON.stringify(queries)};
      const index = await open("words/", { cache: false });
      return (await Promise.all(queries.map((query) => index.search(query, { k: 3, index: "clusters" })))).map((hits) => hits.map(({ id }) => id));`);
    const whole = await open(f.bytes);
    const wanted = await whole.searchBatch(queries, { k: 3, index: "clusters" });
    assert.deepEqual(out, wanted.map((hits) => hits.map(({ id }) => id)));
    assert.ok(most <= 6, `${most} requests at once, over HTTP/1.1`);
    await whole.close();
  });
}

test("500 indexes are open and answer; closed, they leave room; the builder has its own", { timeout: 300_000 }, async () => {
  const { out } = await inPage(`
    const query = ${JSON.stringify([...small.row(7)])};
    const all = [];
    for (let i = 0; i < 10; i++) all.push(...(await Promise.all(Array.from({ length: 50 }, () => open("small/", { cache: false })))));
    const first = await Promise.all(all.map((index) => index.search(query, { k: 1 })));
    const built = (await build([[0, 1], [1, 0]])).length > 0;
    const memory = all.map((index) => index.stats().linearMemory);
    await Promise.all(all.map((index) => index.close()));
    const again = await Promise.all(Array.from({ length: 500 }, () => open("small/", { cache: false })));
    const ids = (await Promise.all(again.map((index) => index.search(query, { k: 1 })))).map(([hit]) => hit.id);
    const after = again[0].stats().linearMemory;
    await Promise.all(again.map((index) => index.close()));
    return { first: first.map(([hit]) => hit.id), built, memory, ids, after };`);
  assert.equal(out.error, undefined, JSON.stringify(out.error));
  assert.deepEqual(new Set(out.first), new Set(["word-7"]));
  assert.deepEqual([out.first.length, out.ids.length, out.built], [500, 500, true]);
  assert.deepEqual(new Set(out.ids), new Set(["word-7"]));
  // One instance for all of them.
  assert.equal(new Set(out.memory).size, 1);
  assert.ok(out.memory[0] <= 256 << 20, `${out.memory[0]} bytes for 500 indexes of ${small.bytes.length}`);
  assert.ok(out.after <= out.memory[0] + (1 << 20), `${out.after} bytes after as many more, ${out.memory[0]} before`);
});
