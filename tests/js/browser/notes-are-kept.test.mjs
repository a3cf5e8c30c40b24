// The notes app in a browser, as people have it: notes are written, found by meaning, edited and deleted, in several tabs and without a
// network, and are there after a reload. What the page draws is what the collection says.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, test } from "node:test";
import { open } from "pagevec";
import { launchWithProfile } from "../support/browser.mjs";
import { demoSite, shown, skip } from "../support/demo-site.mjs";
import { accessible, fits, PHONE } from "../support/page-checks.mjs";
import { serve } from "../support/server.mjs";
import { until } from "../support/until.mjs";

// Below a path of its own: nothing in the app may take the server's root for granted.
const BASE = "/some/where/";
const NOTES = [
  ["Sourdough", "Feed the starter with flour and water twice a day, bake on Saturday"],
  ["Boat trip", "We sail from the harbour to the islands if the wind is right"],
  ["Jazz night", "Trumpet and saxophone at the club on Friday, bring Anna"],
  ["Call Xiaoming", "about the zylofurt"],
];

let site, server, browser, profile;
before(() => {
  if (!skip) site = demoSite();
});
beforeEach(async () => {
  if (skip) return;
  server = await serve((path) => (path.startsWith(BASE) ? site(path.slice(BASE.length)) : undefined));
  profile = await mkdtemp(join(tmpdir(), "pagevec-profile-"));
  browser = await launchWithProfile(profile);
});
afterEach(async () => {
  await browser?.close();
  await server?.close();
  if (profile) await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** A page with the app, and what its console complains of. */
async function tab() {
  const page = await browser.newPage();
  const problems = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(`${server.url}${BASE}notes/`);
  await ready(page);
  return { page, problems };
}

const ready = (page) => page.waitForSelector('#status[data-state="ready"]', { timeout: 20_000 });
const titles = (page) => page.$$eval("#notes h3", (all) => all.map((title) => title.textContent));
const note = (title) => `#notes li:has(h3:has-text("${title}"))`;
const write = async (page, ...notes) => {
  for (const [title, text] of notes) {
    if (!(await page.isVisible("#title"))) await page.click("#editor-title");
    await page.fill("#title", title);
    await page.fill("#text", text);
    await page.press("#title", "Enter");
    await page.waitForSelector(note(title));
    await until(async () => (await page.inputValue("#title")) === "");
  }
};
/** What a search lists, once it is there. */
const find = async (page, query) => {
  await page.fill("#query", query);
  await page.waitForFunction((text) => document.querySelector("#found").textContent.includes(`near “${text}”`), query);
  return titles(page);
};

test("notes are found by what they are about, with the words that tell it marked, also after a reload", { skip }, async () => {
  const { page, problems } = await tab();
  assert.equal(await page.textContent("#found"), "None yet.");
  await write(page, ...NOTES);
  assert.deepEqual(await titles(page), NOTES.map(([title]) => title).reverse(), "the newest first");
  await until(async () => /^Saved in \d+ ms\. Not in the list of words: xiaoming, zylofurt\.$/.test(await page.textContent("#told")));

  for (const reloaded of [false, true]) {
    if (reloaded) await page.reload().then(() => ready(page));
    assert.equal(await page.textContent("#status"), "4 notes");
    assert.equal((await find(page, "ocean"))[0], "Boat trip");
    assert.ok(Number(await page.textContent(`${note("Boat trip")} .score`)) > 0.6);
    assert.deepEqual(await page.$$eval("#notes li:first-child mark", (all) => all.map((mark) => mark.textContent)), ["Boat"]);
    assert.equal((await find(page, "bread"))[0], "Sourdough");
    assert.equal((await find(page, "music"))[0], "Jazz night");
    assert.deepEqual(await find(page, "quantum"), []);
    assert.equal(await page.textContent("#found"), "Nothing near “quantum”");
    // A word that is in no list is found as it is written, and by its beginning.
    assert.deepEqual(await find(page, "zylofurt"), ["Call Xiaoming"]);
    assert.deepEqual(await find(page, "zylo"), ["Call Xiaoming"]);
    assert.equal(await page.textContent("#notes .score"), "has these letters");
  }
  assert.deepEqual(problems, []);
});

test("a note is edited, deleted and brought back", { skip }, async () => {
  const { page, problems } = await tab();
  await write(page, ...NOTES);
  await page.click(`${note("Boat trip")} >> text=Edit`);
  assert.equal(await page.textContent("#editor-title"), "Edit “Boat trip”");
  await write(page, ["Tax return", "The ministry of finance wants the form in March"]);
  assert.equal((await titles(page)).length, 4, "it took the place of the other");
  assert.ok(!(await find(page, "ocean")).includes("Tax return"), "what it was about is forgotten");
  assert.equal((await find(page, "government money"))[0], "Tax return");

  await page.click(`${note("Tax return")} >> text=Delete`);
  await page.waitForSelector(note("Tax return"), { state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "undo", "the keyboard is not lost");
  await page.keyboard.press("Enter");
  await page.waitForSelector(note("Tax return"));
  await page.click(`${note("Tax return")} >> text=Delete`);
  await page.waitForSelector(note("Tax return"), { state: "detached" });
  await page.reload().then(() => ready(page));
  assert.deepEqual((await titles(page)).sort(), ["Call Xiaoming", "Jazz night", "Sourdough"]);
  // Nothing is not a note.
  await page.click("#editor-title");
  await page.click("#save");
  assert.equal(await page.textContent("#told"), "Write something first.");
  assert.deepEqual(problems, []);
});

test("two tabs stay in step, and one goes on when the other is closed", { skip }, async () => {
  const [first, second] = [await tab(), await tab()];
  assert.match(await first.page.textContent("#role"), /^leads/);
  assert.match(await second.page.textContent("#role"), /^follows/);
  await write(second.page, NOTES[0]);
  await first.page.waitForSelector(note("Sourdough"));
  await find(first.page, "ocean");
  await write(second.page, NOTES[1]);
  await first.page.waitForSelector(`${note("Boat trip")} .score`);
  await until(async () => (await first.page.textContent("#status")) === "2 notes");

  // What one edits, the other changes: said, and nothing that was typed is lost.
  await second.page.click(`${note("Boat trip")} >> text=Edit`);
  await second.page.fill("#text", "typed but not saved");
  await first.page.click(`${note("Boat trip")} >> text=Delete`);
  await second.page.waitForSelector(note("Boat trip"), { state: "detached" });
  assert.match(await second.page.textContent("#told"), /Another tab has deleted the note/);
  assert.equal(await second.page.inputValue("#text"), "typed but not saved");

  await first.page.close();
  await until(async () => /^leads/.test(await second.page.textContent("#role")));
  await write(second.page, NOTES[2]);
  assert.equal((await find(second.page, "music"))[0], "Jazz night");
  assert.deepEqual([...first.problems, ...second.problems], []);
});

test("without a network notes are written and found, and the page opens again", { skip }, async () => {
  const { page } = await tab();
  await until(async () => (await page.textContent("#offline")) === "opens and searches without a network");
  await write(page, NOTES[0]);
  await server.close();
  assert.equal((await find(page, "bread"))[0], "Sourdough");
  await page.fill("#query", "");
  await write(page, NOTES[1]);
  await page.reload();
  await ready(page);
  assert.deepEqual(await titles(page), ["Boat trip", "Sourdough"]);
  assert.equal((await find(page, "ocean"))[0], "Boat trip");
  const again = await tab();
  assert.equal((await find(again.page, "flour"))[0], "Sourdough");
});

test("where the word vectors do not arrive, notes are listed and found by their letters", { skip }, async () => {
  // Where pages are not kept either, as a kept one has them.
  await browser.addInitScript(() => delete Navigator.prototype.serviceWorker);
  const first = await tab();
  assert.match(await first.page.textContent("#offline"), /needs its server$/);
  await write(first.page, NOTES[1]);
  await first.page.close();
  server.fault = "not-found";
  server.only = /table\.bin$/;
  const { page } = await tab();
  assert.deepEqual(await find(page, "harb"), ["Boat trip"]);
  assert.match(await page.textContent("#found"), /The word vectors are out of reach/);
  await page.click("#editor-title");
  await page.fill("#title", "Kept in the form");
  await page.press("#title", "Enter");
  await page.waitForSelector("#fault:not([hidden])");
  assert.equal(await page.textContent("#fault-code"), "code: embed");
  assert.equal(await page.inputValue("#title"), "Kept in the form");
  server.fault = undefined;
  await page.press("#title", "Enter");
  await until(async () => (await page.textContent("#status")) === "2 notes");
  assert.ok(await page.isHidden("#fault"));
});

test("the state that is drawn is that of the collection, and the export is an index", { skip }, async () => {
  const { page, problems } = await tab();
  await write(page, ...NOTES);
  const state = async () => Promise.all(["rows-memory", "rows-segments", "rows-dead", "files-count"].map((id) => shown(page, id)));
  const boxes = (id) => page.$$eval(`#${id} span`, (all) => all.map(({ className }) => className));
  await until(async () => String(await state()) === "4,0,0,0");
  assert.ok((await shown(page, "files-log")) > 0);
  assert.deepEqual([await boxes("rows"), await boxes("files")], [["now"], ["now"]]);

  await page.click('[data-action="flush"]');
  await until(async () => String(await state()) === "0,4,0,1");
  assert.ok((await shown(page, "files-segments")) > 0);
  await page.click(`${note("Sourdough")} >> text=Delete`);
  await until(async () => (await shown(page, "rows-dead")) === 1);
  assert.ok((await boxes("rows")).includes("dead"));
  await page.click('[data-action="compact"]');
  await until(async () => String(await state()) === "0,3,0,1");
  assert.match(await page.textContent("#kept"), /^in this browser/);
  assert.ok((await shown(page, "storage-quota")) > (await shown(page, "storage-usage")));

  const [download] = await Promise.all([page.waitForEvent("download"), page.click('[data-action="export"]')]);
  assert.equal(download.suggestedFilename(), "notes.bin");
  const index = await open(await readFile(await download.path()));
  assert.equal(index.info.count, 3);
  const rows = await index.search(new Float32Array(index.info.dim).fill(1), { k: 3, fields: true });
  assert.deepEqual(rows.map(({ fields }) => fields.title).sort(), ["Boat trip", "Call Xiaoming", "Jazz night"]);
  await index.close();
  assert.deepEqual(problems, []);
});

for (const colorScheme of ["light", "dark"]) {
  test(`the app fits a phone, and axe finds nothing (${colorScheme})`, { skip }, async () => {
    const { page, problems } = await tab();
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(PHONE.viewport);
    await accessible(page, "no notes");
    await write(page, ...NOTES, ["A_title_without_a_space_".repeat(8), "and a text_".repeat(60)]);
    await page.click('[data-action="flush"]');
    await until(async () => (await shown(page, "files-count")) === 1);
    await fits(page);
    await accessible(page, "notes");
    await page.click("main > details summary");
    await find(page, "ocean");
    await fits(page);
    await accessible(page, "hits");
    await page.evaluate(() => scrollTo(0, 0));
    const { y, height } = await page.locator("#notes li").first().boundingBox();
    assert.ok(y + height < PHONE.viewport.height, "the first hit is on the first screen");
    await page.click(`${note("Boat trip")} >> text=Edit`);
    await accessible(page, "a note that is edited");
    await page.click(`${note("Boat trip")} >> text=Delete`);
    await page.waitForSelector("#undo:not([hidden])");
    await accessible(page, "a deletion");
    assert.deepEqual(problems, []);
  });
}

test("the demo's page leads to it", { skip }, async () => {
  const page = await browser.newPage();
  await page.goto(server.url + BASE);
  await page.click('footer a[href="./notes/"]').then(() => ready(page));
  assert.equal(new URL(page.url()).pathname, `${BASE}notes/`);
});
