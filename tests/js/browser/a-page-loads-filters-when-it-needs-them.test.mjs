// In a browser: a page that only searches requests one module; its first filter requests the one with filters, once, in the page's
// thread and in a worker, and the hits are those of an index that had filters from the start.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { fixture } from "../support/fixture.mjs";
import { rowsOf } from "../support/payload.mjs";
import { serve } from "../support/server.mjs";

const COUNT = 1200;
const f = await fixture({ count: COUNT, fields: rowsOf(COUNT, 3) });
const [browser, host] = await Promise.all([launch(), serve(f.folder)]);
after(() => Promise.all([browser.close(), host.close()]));
const filter = { colour: { $in: ["red", "green"] }, size: { $gte: -20 } };
const index = await open(f.bytes);
const plain = await index.search(f.row(3), { index: "clusters" });
const filtered = await index.search(f.row(3), { index: "clusters", filter });
const count = await index.count(filter);
await index.close();

const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src *; img-src data:; worker-src 'self'";

for (const options of ["{}", "{ worker: true }", "{ filters: true }", "{ filters: true, worker: true }"]) {
  test(`open(url, ${options})`, async () => {
    const pages = await site(
      { "/so-far": { body: "" }, ...pageOf(`
        const { open } = await import(${JSON.stringify(entry)});
        const index = await open(${JSON.stringify(`${host.url}/words/`)}, ${options});
        const query = ${JSON.stringify([...f.row(3)])};
        const filter = ${JSON.stringify(filter)};
        const search = (filter) => index.search(query, { index: "clusters", ...(filter && { filter }) });
        const before = await search();
        await fetch("/so-far");
        const [filtered, count, during] = await Promise.all([search(filter), index.count(filter), search()]);
        const afterwards = await search();
        await index.close();
        return { before, filtered, count, during, afterwards };`) },
      CSP,
    );
    const { page, errors } = await visit(browser, `${pages.url}/`);
    const value = await result(page);
    const log = pages.log.map(({ path }) => path);
    const modules = (paths) => paths.filter((path) => path.endsWith(".wasm")).map((path) => path.split("/").at(-2));
    const at = log.indexOf("/so-far");
    await page.close();
    await pages.close();
    assert.deepEqual(value, { before: plain, filtered, count, during: plain, afterwards: plain });
    assert.deepEqual(errors, []);
    const both = options.includes("filters") ? [["filter"], []] : [["search"], ["filter"]];
    assert.deepEqual([modules(log.slice(0, at)), modules(log.slice(at))], both);
  });
}
