import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { fixture } from "../support/fixture.mjs";
import { inParts } from "../support/parts.mjs";
import { serve } from "../support/server.mjs";

const f = await fixture();
const immutable = Object.fromEntries(
  Object.entries(inParts(f).folder).map(([path, file]) => [path, path.endsWith(".bin") ? { ...file, headers: { "cache-control": "public, max-age=31536000, immutable" } } : file]),
);
/** Of these, the first answer is damaged. */
const damaged = new Set();
const find = (path) => (damaged.delete(path) ? { ...immutable[path], body: immutable[path].body.map((byte) => byte ^ 1) } : immutable[path]);
const [browser, host] = await Promise.all([launch(), serve(find)]);
after(() => Promise.all([browser.close(), host.close()]));
const rows = [1, 700, 2500].map((i) => f.row(i));
const index = await open(f.bytes);
const expected = await Promise.all(rows.map((row) => index.search(row, { index: "clusters" })));
await index.close();

const SEARCH = `
  const { open } = await import(${JSON.stringify(entry)});
  const search = async () => {
    const index = await open(${JSON.stringify(`${host.url}/words/`)});
    const hits = [];
    for (const query of ${JSON.stringify(rows.map((row) => [...row]))}) hits.push(await index.search(query, { index: "clusters" }));
    await index.close();
    return hits;
  };`;

async function run(code) {
  const pages = await site(pageOf(SEARCH + code));
  const { page, errors } = await visit(browser, `${pages.url}/`);
  const value = await result(page);
  await page.close();
  await pages.close();
  return { value, errors };
}

test("parts from another origin, without a preflight; a revisit takes them from the browser's cache", async () => {
  host.reset();
  const { value, errors } = await run(`return [await search(), await search()];`);
  assert.deepEqual(value, [expected, expected], JSON.stringify(value));
  assert.deepEqual(errors, []);
  assert.ok(host.log.every(({ method, range }) => method === "GET" && range === undefined));
  const parts = host.log.filter(({ path }) => path.endsWith(".bin")).map(({ path }) => path);
  assert.equal(new Set(parts).size, parts.length, "each part was sent once for both visits");
  assert.equal(host.requests - parts.length, 2, "the manifest is asked for each time");
});

test("a part that lies damaged in the browser's cache is asked for past the cache", async () => {
  const front = Object.keys(immutable).find((path) => /\/0-\d+\.bin$/.test(path));
  for (const path of Object.keys(immutable)) if (path.endsWith(".bin") && path !== front) damaged.add(path);
  const { value } = await run(`return search();`);
  assert.deepEqual(value, expected);
});
