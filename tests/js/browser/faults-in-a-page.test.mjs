// What a page sees of a fault differs from Node: redirects are opaque, CORS hides headers, a page can be offline.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, pageOf, result, site, visit } from "../support/browser.mjs";
import { fixture } from "../support/fixture.mjs";
import { serve } from "../support/server.mjs";

const f = await fixture();
const [browser, host] = await Promise.all([launch(), serve(f.folder)]);
after(() => Promise.all([browser.close(), host.close()]));
const query = JSON.stringify([...f.row(9)]);
const warm = await open(f.bytes);
const wanted = await warm.search(f.row(9), { index: "clusters" });
await warm.close();

/** A page with an open index; `search()` in it gives hits or a code. */
async function page(t, { other = false, ...options }) {
  const folder = other ? `${host.url}/words/` : "words/";
  const pages = await site({
    ...f.folder,
    ...pageOf(`
      const { open } = await import(${JSON.stringify(entry)});
      window.unhandled = [];
      addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
      const index = await open(${JSON.stringify(folder)}, ${JSON.stringify(options)});
      window.search = () => index.search(${query}, { index: "clusters" }).catch(({ code, message }) => ({ code, message }));`),
  });
  const { page } = await visit(browser, `${pages.url}/`);
  await result(page);
  t.after(async () => {
    const unhandled = await page.evaluate(() => window.unhandled);
    await page.close();
    await pages.close();
    host.fault = undefined;
    assert.deepEqual(unhandled, []);
  });
  return { page, server: other ? host : pages, search: () => page.evaluate(() => search()) };
}

const HURRIED = { timeoutMs: 700, retries: 1 };
// fault -> what a search gives, the options, and whether the index lies at another origin
const CASES = [
  ["302 elsewhere", "redirect", {}],
  ["302 elsewhere", "redirect", { headers: { "x-api-key": "k" } }],
  ["308 here", "redirect", { headers: { "x-api-key": "k" } }],
  ["308 here", "hits", {}],
  ["not-modified", "status", {}],
  ["unauthorized", "forbidden", {}],
  ["stall", "timeout", HURRIED],
  ["stall-body", "timeout", { ...HURRIED, other: true }],
  ["drip", "timeout", { ...HURRIED, other: true }],
  ["retry-after 1000000000", "network", { ...HURRIED, other: true }],
  ["reset", "network", { other: true }],
  ["refuse", "network", {}],
  ["gzip", "network", { other: true }], // Chromium asks for ranges unencoded, and refuses what is encoded all the same
  ["chunked", "hits", { other: true }],
  ["twice", "hits", {}],
  ["etag-each-its-own", "hits", {}],
  ["replaced", "checksum", {}],
  ["ignore-range", "hits", { other: true }],
  ["html", "not-a-segment", { other: true }],
];
for (const [fault, outcome, options] of CASES) {
  test(`${fault}: ${outcome}${options.other ? ", at another origin" : ""}${options.headers ? ", with headers" : ""}; usable after it`, { timeout: 60_000 }, async (t) => {
    const { server, search } = await page(t, options);
    Object.assign(server, { fault, times: Infinity, only: /bin$/, elsewhere: host.url });
    const got = await search();
    server.fault = undefined;
    if (outcome === "hits") assert.deepEqual(got, wanted);
    else assert.equal(got.code, outcome, JSON.stringify(got));
    assert.deepEqual(await search(), wanted);
  });
}

test("offline: network, and online again the hits", { timeout: 60_000 }, async (t) => {
  const { page: tab, search } = await page(t, {});
  await tab.context().setOffline(true);
  assert.equal((await search()).code, "network");
  await tab.context().setOffline(false);
  assert.deepEqual(await search(), wanted);
});

test("a slow answer is asked for once more", { timeout: 60_000 }, async (t) => {
  const { server, search } = await page(t, { other: true, hedge: 50, retries: 0 });
  Object.assign(server, { fault: "stall", times: 1, only: /bin$/ });
  assert.deepEqual(await search(), wanted);
  server.fault = undefined;
});
