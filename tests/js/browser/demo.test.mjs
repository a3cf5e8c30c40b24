// The demo page in a browser: it answers on arrival, finds the senses of words, and says exactly what the server sent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../support/browser.mjs";
import { answered, counted, demoSite, dictionary, hits, shown, skip, visit as visitUrl, www } from "../support/demo-site.mjs";
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
const wordsAreHere = (page) => page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name, responseEnd }) => name.endsWith("lemmas.txt") && responseEnd > 0));
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
  assert.ok(near.some((name) => /^sea\b|, sea\b/.test(name)) && !near.includes("ocean"), near.join(" | "));
  // Definitions come with the hits.
  const glosses = dictionary.glosses();
  const texts = await page.$$eval(".hit .text", (all) => all.map((text) => text.textContent));
  near.forEach((name, i) => assert.ok(glosses.some(({ words, definition }) => words.join(", ") === name && definition === texts[i]), `${name}: ${texts[i]}`));

  const opening = 2; // index.json and the front
  const count = Number(/^(\d+) requests/.exec(await page.textContent("#more"))[1]);
  const search = sent().ranges.slice(opening, opening + count).reduce((sum, [from, to]) => sum + to - from, 0);
  assert.equal(await shown(page, "bytes"), search);
  await counted(page);
  const { bytes, requests } = sent();
  assert.equal(await shown(page, "total-bytes"), bytes);
  assert.equal(await shown(page, "total-requests"), requests);
  assert.match(await page.textContent("#counted"), new RegExp(` ${requests - opening - count} requests?\\.$`));
  const line = (await page.innerText("#found")).replace(/\s+/g, " ");
  assert.match(line, /^found in [\d.,]+ ms, [\d.]+ kB of [\d.]+ MB \([\d.]+ %\)$/);
  assert.equal(await shown(page, "share"), search / (await shown(page, "whole")));
  // The vector is in the page: nothing was looked up by its id.
  assert.doesNotMatch(await page.textContent("#more"), /look up/);
  const { ARRIVAL } = await import(new URL("arrival.js", `file://${www}/`));
  const row = glosses.findIndex(({ id }) => id === ARRIVAL.id);
  assert.deepEqual(ARRIVAL.vector, [...dictionary.vectors()[row]]);
  for (const [name, value] of Object.entries(ARRIVAL.fields)) assert.deepEqual(value, glosses[row][name]);
  assert.deepEqual(problems, []);
});

test("one letter searches nothing; a pause after a known word does; an unknown one leaves no answer of another", { skip }, async () => {
  const { page, problems } = await visit();
  await answered(page, "ocean");
  await counted(page);
  await wordsAreHere(page);
  server.reset();
  await page.type("#query", "k");
  await page.waitForTimeout(800);
  assert.deepEqual(sent().requests, 0, "the first letter was searched");
  assert.ok((await page.locator("#chips .chip").allTextContents()).every((word) => word.startsWith("k")));

  await page.type("#query", "ing");
  await answered(page, "king");
  const near = await hits(page);
  assert.ok(near.some((name) => /\b(queen|monarch|prince|king)\b/.test(name)), near.join(" | "));
  assert.equal(decodeURIComponent(new URL(page.url()).hash), "#king");
  assert.match(await page.textContent("#more"), /to look up “king”/);
  await counted(page);

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

test("a word has its senses, the most common first; one of them is searched when it is picked, and the address keeps it", { skip }, async () => {
  const { page, problems } = await visit("#bank");
  await answered(page, "bank");
  const all = dictionary.glosses().filter(({ words }) => words.includes("bank"));
  const senses = [...all].sort((a, b) => b.uses - a.uses).slice(0, 8);
  const listed = () => page.$$eval(".sense .text", (all) => all.map((text) => text.textContent));
  assert.deepEqual((await listed()).map((text) => all.find(({ definition }) => definition === text)?.uses), senses.map(({ uses }) => uses));
  assert.equal(await page.textContent('.sense[aria-pressed="true"] .text'), senses[0].definition);

  await page.click(".sense >> nth=1");
  await page.waitForFunction((text) => document.querySelector('.sense[aria-pressed="true"] .text').textContent === text, senses[1].definition);
  assert.equal((await listed()).length, senses.length, "the others stay");
  const near = await hits(page);
  const again = await visit(new URL(page.url()).hash);
  await answered(again.page, senses[1].words[0]);
  assert.deepEqual(await hits(again.page), near);
  const nowhere = await visit("#nothing.n.99");
  await note(nowhere.page, "“nothing.n.99” is not in the index");
  // A capital is found by small letters, also before the list is here.
  const paris = await visit("#paris");
  await answered(paris.page, "paris");
  assert.match(await paris.page.textContent(".sense .word"), /Paris/);
  assert.deepEqual([...problems, ...again.problems, ...nowhere.problems, ...paris.problems], []);
});

test("a search that was made before reads nothing, and the line says so", { skip }, async () => {
  const { page, problems } = await visit("#bread");
  await answered(page, "bread");
  const [first] = await hits(page);
  await page.click("#results .hit");
  await answered(page, first.split(", ")[0]);
  await counted(page);
  server.reset();
  await page.goBack();
  await answered(page, "bread");
  assert.deepEqual(sent().ranges, []);
  assert.equal(await shown(page, "bytes"), 0);
  assert.match(await page.textContent("#more"), /Nothing was requested/);
  assert.match(await page.textContent("#caption"), /nothing new/);
  assert.ok(await page.isDisabled("#replay"));
  assert.deepEqual(problems, []);
});

test("the whole index can be brought here: then searches read little", { skip }, async () => {
  const { page, problems } = await visit();
  await answered(page, "ocean");
  await counted(page);
  await page.click("#session summary");
  await page.click("#load");
  await page.waitForFunction(() => document.querySelector("#load-note").textContent.startsWith("All is here"));
  server.reset();
  await page.click(`#chips .chip:has-text("jazz")`);
  await answered(page, "jazz");
  await page.click("#details summary");
  assert.match(await page.textContent("#plan"), /hnsw/);
  assert.ok((await shown(page, "bytes")) < 300_000, "more than the word and the texts of the hits");
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
