// Chromium over HTTP/1.1 and HTTP/2 from the server of `cargo xtask bench remote`: the bench measures what it says.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { entry, launch, packageFiles } from "../support/browser.mjs";
import { fixture, smooth } from "../support/fixture.mjs";
import { serveShaped } from "../support/shaped.mjs";

const f = await fixture({ count: 7000, dim: 128, make: smooth, efConstruction: 40 });
const files = { ...(await packageFiles()), ...f.folder, "/": { body: `<!doctype html><link rel="icon" href="data:,">`, type: "text/html" } };
const browser = await launch();
after(() => browser.close());

const expected = await (async () => {
  const index = await open(f.bytes);
  const hits = await index.search(f.row(9), { index: "clusters" });
  await index.close();
  return hits;
})();

async function search(protocol, rtt) {
  // No limit but the browser's own.
  const server = await serveShaped((path) => files[path], { protocol, link: { rtt }, connections: Infinity, counted: /^\/words\// });
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(server.url);
  const seen = await page.evaluate(
    async ([entry, query]) => {
      const { open } = await import(entry);
      const index = await open(new URL("/words/", location.href));
      const opened = index.stats();
      const answer = await index.explain(Float32Array.from(query), { index: "clusters" });
      const [{ nextHopProtocol }] = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/words/"));
      return { opened, answer, stats: index.stats(), protocol: nextHopProtocol };
    },
    [entry, [...f.row(9)]],
  );
  await context.close();
  await server.close();
  assert.deepEqual(seen.answer.hits, expected);
  assert.deepEqual([seen.stats.requests, seen.stats.bytes], [server.requests, server.bytes]);
  return { ...seen, server };
}

test("over HTTP/2 a wave is one round trip, however many requests it has", async () => {
  const { answer, protocol, server } = await search("h2", 300);
  assert.equal(protocol, "h2");
  assert.equal(server.waves, 2 + answer.waves, "two for opening");
  assert.ok(answer.requests > 6 && server.atOnce > 6, `${answer.requests} requests, ${server.atOnce} at once`);
  assert.ok(answer.milliseconds >= 300 * answer.waves - 10, `${answer.milliseconds} ms`);
});

test("over HTTP/1.1 the browser has six connections", async () => {
  const { answer, protocol, server } = await search("h1", 20);
  assert.equal(protocol, "http/1.1");
  assert.ok(answer.requests > 6, `${answer.requests} requests`);
  assert.equal(server.atOnce, 6);
});
