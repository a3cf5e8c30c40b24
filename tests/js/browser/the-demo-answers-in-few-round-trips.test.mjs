// The demo's first answer over a link like 4G (50 ms, 20 Mbit/s) by HTTP/2, to a visitor who has nothing of it yet: six round trips one
// after another and 700 kB, all that the page loads included. Text and wasm are compressed, as static hosts do it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../support/browser.mjs";
import { answered, compressed, demoSite, skip } from "../support/demo-site.mjs";
import { serveShaped } from "../support/shaped.mjs";

const ROUND_TRIPS = 6;
const BYTES = 700_000;
const VISITS = 5;

let server, browser;
before(async () => {
  if (skip) return;
  const site = demoSite();
  server = await serveShaped((path) => compressed(site(path.slice(1))), { protocol: "h2", link: { rtt: 50, mbit: 20 } });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** What was requested before the first answer: by the page's own list of its requests. */
function requestsOf() {
  const [{ startTime: answeredAt }] = performance.getEntriesByName("answer");
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const all = entries.map(({ name, startTime, responseEnd, encodedBodySize }) => ({ name, from: startTime, to: responseEnd, bytes: encodedBodySize }));
  return { answeredAt, requests: all.filter(({ from }) => from < answeredAt) };
}

/** The most requests that followed each other: each began when the one before had ended. No answer waits for the page's icon. */
function longestChain(requests) {
  const chain = [];
  for (const request of requests.filter(({ name }) => !name.endsWith(".svg")).sort((a, b) => a.to - b.to)) if (request.from >= (chain.at(-1)?.to ?? -1)) chain.push(request);
  return chain.map(({ name }) => name);
}

test("the first answer takes few round trips and few bytes", { skip }, async (t) => {
  const times = [];
  for (let visit = 0; visit < VISITS; visit++) {
    server.disconnect();
    server.reset();
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(server.url);
    await answered(page, "ocean");
    const { answeredAt, requests } = await page.evaluate(requestsOf);
    const chain = longestChain(requests);
    const bytes = requests.reduce((sum, request) => sum + request.bytes, 0);
    assert.ok(chain.length <= ROUND_TRIPS, `${chain.length} round trips:\n${chain.join("\n")}`);
    assert.ok(bytes <= BYTES, `${bytes} bytes`);
    // The browser's list has what the server sent: nothing came from a cache. The list of words and the counts may have begun by now.
    assert.ok(bytes <= server.bytes && requests.length > 40, `${requests.length} requests, ${bytes} of ${server.bytes} bytes`);
    times.push(answeredAt);
    if (visit === 0) t.diagnostic(`${requests.length} requests, ${chain.length} of them one after another, ${bytes} bytes`);
    await context.close();
  }
  const median = times.sort((a, b) => a - b)[VISITS >> 1];
  t.diagnostic(`first answer after ${Math.round(median)} ms, median of ${VISITS} (${times.map(Math.round).join(", ")})`);
});
