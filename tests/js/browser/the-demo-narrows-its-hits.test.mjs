// The demo's controls: what they leave is what the glosses themselves say, the hits change with them, and the address keeps them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../support/browser.mjs";
import { answered, counted, demoSite, dictionary, hits, shown, skip, visit } from "../support/demo-site.mjs";
import { accessible, fits, PHONE } from "../support/page-checks.mjs";
import { serve } from "../support/server.mjs";

let server, browser, glosses;
before(async () => {
  if (skip) return;
  const site = demoSite();
  server = await serve((path) => site(path.slice(1)));
  browser = await launch();
  glosses = dictionary.glosses();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** How many glosses have each value of a field, by the data. */
function countsOf(name, keep) {
  const counts = {};
  for (const gloss of glosses.filter(keep)) counts[gloss[name]] = (counts[gloss[name]] ?? 0) + 1;
  return counts;
}

/** The numbers beside the boxes of a field, without those that are none. */
const listed = (page, id) => page.$$eval(`#${id} label`, (labels) => Object.fromEntries(labels.map((label) => [label.querySelector("input").value, Number(label.querySelector("data").value)]).filter(([, count]) => count > 0)));

const matches = async (page) => Number(await page.$eval("#matches data", (data) => data.value));

/** Does something that narrows, and waits for the answer and its counts. */
async function changed(page, act) {
  const before = await page.evaluate(() => document.body.dataset.answers);
  await act();
  await page.waitForFunction((old) => document.body.dataset.answers !== old, before);
  await counted(page);
}

const checked = (page, field, value) => changed(page, () => page.check(`#${field} input[value="${value}"]`));

/** Moves an end of the slider, as a person does. */
const slid = (page, id, value) => changed(page, () => page.$eval(`#${id}`, (input, wanted) => {
  input.value = wanted;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}, String(value)));

/** The glosses that are shown, by their definitions. */
const shownGlosses = async (page) => (await page.$$eval(".hit .text", (all) => all.map((text) => text.textContent))).map((text) => glosses.filter(({ definition }) => definition === text));

test("counts are those of the data, under no filter, one and several", { skip }, async () => {
  const { page, problems } = await visit(browser, server.url);
  await answered(page, "ocean");
  await counted(page);
  const all = () => true;
  assert.equal(await matches(page), glosses.length);
  assert.deepEqual(await listed(page, "pos"), countsOf("pos", all));
  assert.deepEqual(await listed(page, "domain"), countsOf("domain", all));

  await checked(page, "pos", "v");
  const isVerb = ({ pos }) => pos === "v";
  assert.equal(await matches(page), glosses.filter(isVerb).length);
  // The other parts of speech can still be added.
  assert.deepEqual(await listed(page, "pos"), countsOf("pos", all));
  assert.deepEqual(await listed(page, "domain"), countsOf("domain", isVerb));
  assert.ok((await shownGlosses(page)).every((found) => found.some(isVerb)));
  assert.equal((await hits(page)).length, 10);

  await checked(page, "domain", "verb.motion");
  await checked(page, "domain", "verb.weather");
  await slid(page, "least", 2);
  await slid(page, "most", 3);
  assert.equal(await page.textContent("#range"), "2 to 3");
  const few = ({ word_count: words }) => words >= 2 && words <= 3;
  const domains = ["verb.motion", "verb.weather"];
  const isKept = (gloss) => isVerb(gloss) && domains.includes(gloss.domain) && few(gloss);
  assert.equal(await matches(page), glosses.filter(isKept).length);
  assert.deepEqual(await listed(page, "pos"), countsOf("pos", (gloss) => domains.includes(gloss.domain) && few(gloss)));
  assert.deepEqual(await listed(page, "domain"), countsOf("domain", (gloss) => isVerb(gloss) && few(gloss)));
  assert.ok((await shownGlosses(page)).every((found) => found.some(isKept)));
  await page.click("#details summary");
  assert.match(await page.textContent("#plan-filter"), /"word_count":\{"\$gte":2,"\$lte":3\}/);

  // The address has all of it; a word that is asked keeps it.
  const near = await hits(page);
  const again = await visit(browser, page.url());
  await answered(again.page, "ocean");
  await counted(again.page);
  assert.deepEqual(await hits(again.page), near);
  assert.equal(await matches(again.page), await matches(page));
  assert.deepEqual(await again.page.$$eval("#pos input:checked, #domain input:checked", (boxes) => boxes.map(({ value }) => value).sort()), ["v", ...domains].sort());
  assert.equal(await again.page.inputValue("#most"), "3");
  await again.page.click('#chips .chip:has-text("whisper")');
  await answered(again.page, "whisper");
  assert.ok((await shownGlosses(again.page)).every((found) => found.some(isKept)));

  await changed(page, () => page.click("#clear"));
  assert.equal(await matches(page), glosses.length);
  assert.equal(new URL(page.url()).hash, "");
  assert.deepEqual([...problems, ...again.problems], []);
});

test("one end of the slider moves the other; where nothing is left, that is said", { skip }, async () => {
  const { page, problems } = await visit(browser, server.url);
  await answered(page, "ocean");
  await counted(page);
  await slid(page, "least", 8);
  assert.equal(await page.textContent("#range"), "8 or more");
  assert.equal(await matches(page), glosses.filter(({ word_count: words }) => words >= 8).length);
  await slid(page, "most", 1);
  assert.deepEqual([await page.inputValue("#least"), await page.textContent("#range")], ["1", "1"]);
  assert.equal(await matches(page), glosses.filter(({ word_count: words }) => words === 1).length);
  // A motive that is an adverb there is none.
  await checked(page, "pos", "r");
  const filter = encodeURIComponent(JSON.stringify({ pos: { $in: ["r"] }, domain: { $in: ["noun.motive"] } }));
  const none = await visit(browser, `${server.url}#jazz&filter=${filter}`);
  await answered(none.page, "jazz");
  await counted(none.page);
  assert.deepEqual(await hits(none.page), []);
  assert.equal(await none.page.textContent("#no-hits"), "Nothing else matches the filter.");
  assert.equal(await matches(none.page), 0);
  await accessible(none.page, "no hits");
  assert.deepEqual([...problems, ...none.problems], []);
});

test("nothing is counted before the first answer is there", { skip }, async () => {
  const { page } = await visit(browser, server.url);
  await answered(page, "ocean");
  await counted(page);
  assert.ok((await shown(page, "total-bytes")) > (await shown(page, "bytes")));
  assert.match(await page.textContent("#counted"), /^To count, [\d.]+ [kM]?B were read in \d+ requests?\.$/);
  // What was read to count is in the map, in the colour of what was read before.
  const sizes = await Promise.all(["map-now", "map-before", "map-unread", "whole"].map((id) => shown(page, id)));
  assert.equal(sizes[0] + sizes[1] + sizes[2], sizes[3]);
});

for (const colorScheme of ["light", "dark"]) {
  test(`the controls fit a phone, work by keys, and axe finds nothing (${colorScheme})`, { skip }, async () => {
    const { page, problems } = await visit(browser, server.url, { ...PHONE, colorScheme });
    await answered(page, "ocean");
    await counted(page);
    assert.ok(!(await page.$eval("#choices", ({ open }) => open)), "on a phone the answer comes first");
    await page.focus("#choices summary");
    await page.keyboard.press("Enter");
    await fits(page);
    await accessible(page, "open controls");
    await page.keyboard.press("Tab");
    await changed(page, () => page.keyboard.press("Space"));
    assert.deepEqual(await page.$$eval("#pos input:checked", (boxes) => boxes.length), 1);
    assert.ok(await page.evaluate(() => document.activeElement.matches("#pos input")), "the focus stays");
    await page.focus("#least");
    await changed(page, () => page.keyboard.press("ArrowRight"));
    assert.equal(await page.textContent("#range"), "2 to 8 or more");
    await fits(page);
    await accessible(page, "a filter");
    assert.deepEqual(problems, []);
  });
}
