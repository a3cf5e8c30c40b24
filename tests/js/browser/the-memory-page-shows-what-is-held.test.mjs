// The page of memory in a browser: what it draws is what the index says, the budget really evicts, a working set larger than the budget
// thrashes, and a long run of searches takes no memory.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../support/browser.mjs";
import { demoSite, shown, skip, visit as visitUrl } from "../support/demo-site.mjs";
import { accessible, fits, PHONE } from "../support/page-checks.mjs";
import { serve } from "../support/server.mjs";

// Below a path of its own: nothing in the page may take the server's root for granted.
const BASE = "/some/where/";

let server, browser;
before(async () => {
  if (skip) return;
  const site = demoSite();
  server = await serve((path) => (path.startsWith(BASE) ? site(path.slice(BASE.length)) : undefined));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

async function visit(options = {}) {
  const { page, problems } = await visitUrl(browser, `${server.url}${BASE}memory/?searches=400`, options);
  await searched(page, "ocean");
  return { page, problems };
}
const idle = (page) => page.waitForFunction(() => document.body.dataset.busy === undefined, undefined, { timeout: 40_000 });
const searched = async (page, word) => {
  await page.waitForFunction((wanted) => document.body.dataset.searched === wanted, word, { timeout: 20_000 });
  await idle(page);
};
const part = (page, name) => page.$eval(`[data-part="${name}"] data`, (data) => Number(data.value));

/** How many pixels of a picture have the colour that the page's style calls so. */
const pixels = (page, id, name) => page.evaluate(async ([canvasId, colour]) => {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const canvas = document.querySelector(canvasId);
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  context.fillStyle = getComputedStyle(canvas).getPropertyValue(`--${colour}`).trim();
  const wanted = context.fillStyle.match(/\w\w/g).map((hex) => parseInt(hex, 16));
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) count += Number(data[i] === wanted[0] && data[i + 1] === wanted[1] && data[i + 2] === wanted[2] && data[i + 3] === 255);
  return count;
}, [id, name]);

/** Moves the slider of the budget by the keyboard, as people who use no mouse do. */
async function slide(page, key, times = 1) {
  await page.focus("#budget");
  for (let i = 0; i < times; i++) await page.keyboard.press(key);
  await idle(page);
}

test("it opens, searches, and draws the stack, the heap, and the pages that the search used", { skip }, async () => {
  const { page, problems } = await visit();
  assert.match(await page.textContent("#answer"), /sea/);
  const [stack, lists, rows, touched, free] = [await part(page, "stack"), await part(page, "lists"), await part(page, "rows"), await part(page, "now"), await part(page, "free")];
  assert.ok(stack > 1000 && stack < 65_536, `a stack of ${stack} bytes`);
  assert.ok(lists > 0 && rows > 0 && free > 0 && touched > 0);
  const linear = await shown(page, "time-linear");
  const parts = await page.$$eval("#linear-legend li:not([data-part=now]) data", (all) => all.map((data) => Number(data.value)));
  assert.equal(parts.reduce((sum, value) => sum + value), linear, "the parts are all of the memory");
  for (const name of ["statics", "lists", "rows", "now", "free", "room"]) assert.ok((await pixels(page, "#linear", name)) > 0, name);
  assert.ok((await pixels(page, "#time", "held")) > 0 && (await pixels(page, "#time", "limit")) > 0);
  // What the search used is told apart from what others used.
  const used = await shown(page, "pages-touched");
  assert.ok(used > 0 && used < await shown(page, "pages-here"));
  server.reset();
  await page.click("text=bread");
  await searched(page, "bread");
  assert.ok(server.requests > 0);
  server.reset();
  await page.click("text=bread");
  await idle(page);
  assert.equal(server.requests, 0);
  assert.match(await page.textContent("#answer"), /nothing had to come/);
  assert.match(await page.textContent("#pages-now"), /no page fault/);
  assert.deepEqual(problems, []);
});

test("the slider evicts as it moves, and the levels come in their order as the budget falls", { skip }, async () => {
  const { page, problems } = await visit();
  for (const word of ["bread", "music", "winter"]) {
    await page.click(`text=${word}`);
    await searched(page, word);
  }
  const before = { here: await shown(page, "pages-here"), held: await shown(page, "time-held"), linear: await shown(page, "time-linear"), budget: await shown(page, "time-budget") };
  await slide(page, "End");
  assert.ok((await shown(page, "time-budget")) > before.budget);
  // Step by step down to the smallest.
  const end = Number(await page.$eval("#budget", (slider) => slider.max));
  for (let at = end; at > 0; at -= 40) {
    await page.$eval("#budget", (slider, value) => {
      slider.value = String(value);
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }, at);
    await idle(page);
    if (await page.$('#events [data-level="emergency"]')) break;
  }
  await slide(page, "Home");
  const after = { here: await shown(page, "pages-here"), held: await shown(page, "time-held"), linear: await shown(page, "time-linear"), budget: await shown(page, "time-budget") };
  assert.ok(after.budget < before.budget && after.here <= after.budget, JSON.stringify({ before, after }));
  assert.ok(after.here < before.here && after.held < before.held, JSON.stringify({ before, after }));
  assert.ok(after.linear <= before.linear + 4 * 65_536, "less is held, so memory does not grow");
  await page.waitForFunction(() => document.querySelector("#events [data-level]"));
  const levels = (await page.$$eval("#events [data-level]", (all) => all.map(({ dataset }) => dataset.level))).reverse();
  const up = [...new Set(levels)].filter((level) => level !== "normal");
  const order = ["optimise", "preventive", "emergency"];
  assert.ok(up.length > 0, levels.join());
  assert.deepEqual(up, order.filter((level) => up.includes(level)), levels.join());
  assert.deepEqual(problems, []);
});

test("the same search reads less each time: cold, warm, hot", { skip }, async () => {
  const { page, problems } = await visit();
  server.reset();
  await page.click("#heat");
  await idle(page);
  const values = await page.$$eval("[data-heat]", (rows) => rows.map((row) => [...row.querySelectorAll("data")].map((data) => Number(data.value))));
  const [[cold, requests], [warm], [hot, none]] = values;
  assert.ok(cold > warm && warm > 0 && hot === 0, JSON.stringify(values));
  assert.ok(requests > 0 && none === 0);
  assert.match(await page.textContent("#heat-note"), /found the same/);
  assert.deepEqual(problems, []);
});

test("six words that fit are read once; under the smallest budget they are read again and again", { skip }, async () => {
  const { page, problems } = await visit();
  const budget = await shown(page, "time-budget");
  await page.click("#thrash");
  await idle(page);
  const read = Object.fromEntries(await page.$$eval("[data-round]", (all) => all.map(({ dataset, value }) => [dataset.round, Number(value)])));
  assert.deepEqual([read["roomy-2"], read["roomy-3"]], [0, 0]);
  assert.ok(read["small-2"] > read["roomy-1"] / 2 && read["small-3"] > read["roomy-1"] / 2, JSON.stringify(read));
  assert.equal(await shown(page, "time-budget"), budget, "the budget is as it was");
  assert.deepEqual(problems, []);
});

test("a long run of searches takes no page of memory, can be stopped, and the page stays alive", { skip }, async () => {
  const { page, problems } = await visit();
  await page.click("#leak");
  await page.waitForSelector("#leak-stop:not([hidden])");
  await idle(page);
  assert.equal(await page.$eval("#leak-note", ({ dataset }) => dataset.pages), "0", await page.textContent("#leak-note"));
  assert.match(await page.textContent("#leak-note"), /^400 searches/);
  assert.ok((await pixels(page, "#leak-chart", "linear")) > 0);
  // Stopped by the keyboard: the focus is on the button.
  await page.press("#leak", "Enter");
  await page.waitForFunction(() => document.activeElement?.id === "leak-stop");
  await page.keyboard.press("Enter");
  await idle(page);
  assert.match(await page.textContent("#leak-note"), /^Stopped after/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "leak");
  assert.deepEqual(problems, []);
});

for (const [what, options] of Object.entries({ "a wide screen": {}, "a phone, in dark colours": { ...PHONE, colorScheme: "dark" } })) {
  test(`axe finds nothing, and it fits ${what}`, { skip }, async () => {
    const { page, problems } = await visit(options);
    await page.click("#heat");
    await idle(page);
    await slide(page, "Home");
    await accessible(page, what);
    await fits(page);
    assert.deepEqual(problems, []);
  });
}
