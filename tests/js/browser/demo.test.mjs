// The demo page in a browser: it answers on arrival, finds words, does word arithmetic, and says exactly what the server sent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../support/browser.mjs";
import { answered, demoSite, hits, shown, skip, visit as visitUrl, wordVectors, www } from "../support/demo-site.mjs";
import { serve } from "../support/server.mjs";

// Below a path of its own: nothing in the page may take the server's root for granted.
const BASE = "/some/where/";

let server, browser, site;
before(async () => {
  if (skip) return;
  site = demoSite();
  server = await serve((path) => (path.startsWith(BASE) ? site(path.slice(BASE.length)) : undefined));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const visit = (hash = "", options = {}) => (server.reset(), visitUrl(browser, server.url + BASE + hash, options));
const wordsAreHere = (page) => page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name, responseEnd }) => name.endsWith("words.txt") && responseEnd > 0));
const note = (page, text) => page.waitForFunction((wanted) => document.querySelector("#note").textContent.includes(wanted), text);

/** The ranges that the server sent of the index, by its own log, not by what the client says. */
function sent() {
  const answers = server.log.filter(({ path }) => path.startsWith(`${BASE}index/`));
  const ranges = answers.map(({ path, range }) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    return range ? [Number(from), Number(to) + 1] : [0, Buffer.byteLength(site(path.slice(BASE.length)).body)];
  });
  return { requests: ranges.length, bytes: ranges.reduce((sum, [from, to]) => sum + to - from, 0), ranges };
}

test("a visitor finds an answer on arrival, and the one large line says what the server sent for it", { skip }, async () => {
  const { page, problems } = await visit();
  await answered(page, "ocean");
  const near = await hits(page);
  assert.equal(near.length, 10);
  assert.ok(near.includes("sea") && near.includes("coast") && !near.includes("ocean"), near.join());

  const opening = 2; // index.json and the front
  const { bytes, requests } = sent();
  const search = sent().ranges.slice(opening).reduce((sum, [from, to]) => sum + to - from, 0);
  assert.equal(await shown(page, "bytes"), search);
  assert.equal(await shown(page, "total-bytes"), bytes);
  assert.equal(await shown(page, "total-requests"), requests);
  const line = (await page.innerText("#found")).replace(/\s+/g, " ");
  assert.match(line, /^found in [\d.,]+ ms, [\d.]+ kB of [\d.]+ MB \([\d.]+ %\)$/);
  assert.equal(await shown(page, "share"), search / (await shown(page, "whole")));
  // The vector is in the page: nothing was looked up by its id.
  assert.doesNotMatch(await page.textContent("#more"), /look up/);
  const { ARRIVAL } = await import(new URL("arrival.js", `file://${www}/`));
  const { words, vectors } = wordVectors(5000);
  const row = words.indexOf(ARRIVAL.word) * ARRIVAL.vector.length;
  ARRIVAL.vector.forEach((value, i) => assert.ok(Math.abs(value - vectors[row + i]) < 2e-4 * Math.max(1, Math.abs(value)), `component ${i}`));
  assert.deepEqual(problems, []);
});

test("one letter searches nothing; a pause after a known word does; an unknown one leaves no answer of another", { skip }, async () => {
  const { page, problems } = await visit();
  await answered(page, "ocean");
  await wordsAreHere(page);
  server.reset();
  await page.type("#query", "k");
  await page.waitForTimeout(800);
  assert.deepEqual(sent().requests, 0, "the first letter was searched");
  assert.ok((await page.locator("#chips .chip").allTextContents()).every((word) => word.startsWith("k")));

  await page.type("#query", "ing");
  await answered(page, "king");
  const near = await hits(page);
  assert.ok(near.includes("queen") && near.includes("prince") && !near.includes("king"), near.join());
  assert.equal(decodeURIComponent(new URL(page.url()).hash), "#king");
  assert.match(await page.textContent("#more"), /to look up “king” by id/);
  assert.equal(await shown(page, "bytes"), sent().bytes);

  server.reset();
  await page.type("#query", "zzq");
  await note(page, "“kingzzq” is not in the index");
  assert.ok(await page.isHidden("#answer"));
  assert.deepEqual(await hits(page), []);
  assert.equal(sent().requests, 0);
  // What it might have been is offered.
  assert.ok((await page.locator("#chips .chip").allTextContents()).includes("king"));
  // What is not typed to its end is neither searched nor called unknown at once, and sending it says what it is.
  await page.fill("#query", "qqqq");
  await page.press("#query", "Enter");
  await note(page, "“qqqq” is not in the index");
  assert.deepEqual(problems, []);
});

test("a search that was made before reads nothing, and the line says so", { skip }, async () => {
  const { page, problems } = await visit("#queen");
  await answered(page, "queen");
  await page.click(`#results .hit:has-text("princess")`);
  await answered(page, "princess");
  server.reset();
  await page.goBack();
  await answered(page, "queen");
  assert.deepEqual(sent().requests, 0);
  assert.equal(await shown(page, "bytes"), 0);
  assert.match(await page.textContent("#more"), /Nothing was requested/);
  assert.match(await page.textContent("#caption"), /nothing new/);
  assert.ok(await page.isDisabled("#replay"));
  assert.deepEqual(problems, []);
});

test("king − man + woman is queen; the address keeps it; pressing a hit searches it", { skip }, async () => {
  const { page, problems } = await visit();
  await answered(page, "ocean");
  await page.click(`#chips .chip:has-text("king − man + woman")`);
  await answered(page, "king − man + woman");
  const near = await hits(page);
  assert.ok(near.includes("queen"), near.join());
  for (const word of ["king", "man", "woman"]) assert.ok(!near.includes(word));

  const again = await visit(new URL(page.url()).hash);
  await answered(again.page, "king − man + woman");
  assert.deepEqual(await hits(again.page), near);
  await again.page.click(`#results .hit:has-text("queen")`);
  await answered(again.page, "queen");
  assert.deepEqual([...problems, ...again.problems], []);
});

test("the whole index can be brought here: then searches read nothing", { skip }, async () => {
  const { page, problems } = await visit();
  await answered(page, "ocean");
  await page.click("#session summary");
  await page.click("#load");
  await page.waitForFunction(() => document.querySelector("#load-note").textContent.startsWith("All is here"));
  server.reset();
  await page.click(`#chips .chip:has-text("jazz")`);
  await answered(page, "jazz");
  await page.click("#details summary");
  assert.match(await page.textContent("#plan"), /hnsw/);
  assert.ok((await shown(page, "bytes")) < 20_000, "more than the look-up of an id");
  assert.deepEqual(problems, []);
});

test("a fault names its code and the page recovers from it", { skip }, async () => {
  server.fault = "refuse";
  server.only = /index\.json$/;
  const { page } = await visitUrl(browser, server.url + BASE + "#king");
  await page.waitForSelector("#fault:not([hidden])");
  assert.equal(await page.textContent("#fault-code"), "code: network");
  server.fault = undefined;
  await page.click("#again");
  await answered(page, "king");
  assert.ok(await page.isHidden("#fault"));
});
