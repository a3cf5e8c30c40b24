// A page on another origin: segments, dead rows, and the page store of each.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { oracle } from "../support/fixture.mjs";
import { segmented } from "../support/segments.mjs";
import { serve } from "../support/server.mjs";

const f = await segmented({ segments: 6, rows: 300, codec: "f32" });
const [browser, host] = await Promise.all([launch(), serve(f.folder)]);
after(() => Promise.all([browser.close(), host.close()]));
const rows = [5, 800, 1500];

test("hits are exact; the next visit asks for index.json alone", async () => {
  const pages = await site(pageOf(`
    const { open } = await import(${JSON.stringify(entry)});
    const index = await open(${JSON.stringify(`${host.url}/words/`)});
    const hits = [];
    for (const query of ${JSON.stringify(rows.map((row) => [...f.row(row)]))}) hits.push((await index.search(query, { index: "flat" })).map(({ id }) => id));
    const { count } = index.info;
    await index.close();
    return { hits, count };`));
  after(() => pages.close());
  const context = await browser.newContext();
  for (const requests of [undefined, 1]) {
    host.reset();
    const { page, errors } = await visit(context, `${pages.url}/`);
    assert.deepEqual(await result(page), { hits: rows.map((row) => oracle(f, f.row(row), 10)), count: f.count });
    assert.deepEqual(errors, []);
    assert.ok(host.log.every(({ method }) => method === "GET"), "nothing needs a preflight");
    if (requests) assert.equal(host.requests, requests, host.log.map(({ path }) => path).join());
    await page.close();
  }
  await context.close();
});
