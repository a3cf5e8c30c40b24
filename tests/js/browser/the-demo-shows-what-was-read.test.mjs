// The demo's map has the bytes that the server sent, in three colours, wave by wave; its comparison of links follows from them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../support/browser.mjs";
import { answered, counted, demoSite, shown, skip, visit } from "../support/demo-site.mjs";
import { serve } from "../support/server.mjs";

let server, browser;
before(async () => {
  if (skip) return;
  const site = demoSite();
  server = await serve((path) => site(path.slice(1)));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** The ranges of the segment that were sent since the last reset. */
const ranges = () => server.log.flatMap(({ range }) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  return from === undefined ? [] : [[Number(from), Number(to) + 1]];
});

/** What was sent of the segment by now, once counts are there: to open it, to search, to count. */
async function told(page) {
  await counted(page);
  const all = ranges();
  const search = Number(/^(\d+) requests/.exec(await page.textContent("#more"))[1]);
  const counts = Number(/ (\d+) requests?\.$/.exec(await page.textContent("#counted"))[1]);
  const opening = all.length - search - counts;
  return { opening: all.slice(0, opening), search: all.slice(opening, opening + search), counts: all.slice(opening + search) };
}

const sizeOf = (some) => some.reduce((sum, [from, to]) => sum + to - from, 0);

/** How many bytes are in one of the ranges. */
function covered(pairs) {
  let [sum, end] = [0, 0];
  for (const [from, to] of [...pairs].sort((a, b) => a[0] - b[0])) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

const legend = async (page) => ({ now: await shown(page, "map-now"), before: await shown(page, "map-before"), unread: await shown(page, "map-unread") });

/** The colours of the map's pixels, as the page's style names them, and the one at a byte of the file. */
const painted = (page, offset = 0) => page.evaluate(async (at) => {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const canvas = document.querySelector("#map");
  // A copy, as the page's own canvas is not meant to be read.
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const names = new Map();
  for (const name of ["now", "before", "unread"]) {
    context.save();
    context.fillStyle = getComputedStyle(canvas).getPropertyValue(`--${name}`).trim();
    const [r, g, b] = context.fillStyle.match(/\w\w/g).map((hex) => parseInt(hex, 16));
    context.restore();
    names.set([r, g, b].join(), name);
  }
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  const counts = { now: 0, before: 0, unread: 0, other: 0 };
  const nameAt = (i) => names.get([data[i], data[i + 1], data[i + 2]].join());
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) counts[nameAt(i) ?? "other"] += 1;
  const whole = Number(document.querySelector("#whole").value);
  const lines = Math.floor((canvas.clientHeight + 3) / 12);
  const place = (at / whole) * lines;
  const line = Math.floor(place);
  const y = Math.round((line * 12 + 4) * (height / canvas.clientHeight));
  const x = Math.min(width - 1, Math.floor((place - line) * width));
  return { counts, at: nameAt(4 * (y * width + x)) };
}, offset);

test("the three colours are bytes that were sent now, sent before, and not sent", { skip }, async () => {
  server.reset();
  const { page, problems } = await visit(browser, server.url);
  await answered(page, "ocean");
  const whole = await shown(page, "whole");
  const { opening, search, counts } = await told(page);
  assert.deepEqual(await legend(page), { now: covered(search), before: covered([...opening, ...counts, ...search]) - covered(search), unread: whole - covered([...opening, ...search, ...counts]) });

  const largest = search.reduce((most, range) => (range[1] - range[0] > most[1] - most[0] ? range : most));
  const middle = (largest[0] + largest[1]) / 2;
  const picture = await painted(page, middle);
  assert.equal(picture.at, "now", JSON.stringify(picture));
  assert.equal((await painted(page, 10)).at, "before");
  const pixels = picture.counts.now + picture.counts.before + picture.counts.unread;
  const drawn = picture.counts.now / pixels;
  // A read of a few bytes is drawn two pixels wide, so the picture may have somewhat more, never less.
  assert.ok(drawn > 0.9 * (covered(search) / whole) && drawn < covered(search) / whole + 0.05, `${drawn} of the pixels, ${covered(search) / whole} of the bytes`);

  // The counts bring the module with filters, whose session may read again what the first one held.
  await counted(page);
  server.reset();
  await page.click(`#chips .chip:has-text("jazz")`);
  await answered(page, "jazz");
  await counted(page);
  const again = ranges().some(([from, to]) => from <= middle && middle < to);
  assert.equal((await painted(page, middle)).at, again ? "now" : "before", "what the first search read was read before the second");
  const { now, before, unread } = await legend(page);
  assert.equal(now + before + unread, whole);
  assert.equal(unread, whole - covered([...opening, ...search, ...counts, ...ranges()]));
  assert.deepEqual(problems, []);
});

test("the waves are replayed from none to all, and add up to the search", { skip }, async () => {
  server.reset();
  const { page, problems } = await visit(browser, server.url);
  await answered(page, "ocean");
  await counted(page);
  const all = await legend(page);
  const waves = Number(await page.getAttribute("#wave", "max"));
  assert.ok(waves >= 2 && waves <= 8, `${waves} waves`);
  const seen = [];
  for (let wave = 0; wave <= waves; wave++) {
    await page.fill("#wave", String(wave));
    seen.push((await legend(page)).now);
    const caption = wave === 0 ? /^before the search$/ : new RegExp(`^wave ${wave} of ${waves}: .+ in \\d+ requests?, most of it `);
    assert.match(await page.textContent("#caption"), caption);
  }
  assert.equal(seen[0], 0);
  assert.equal(seen.at(-1), all.now);
  seen.slice(1).forEach((bytes, i) => assert.ok(bytes > seen[i], `wave ${i + 1} brings something: ${seen}`));

  await page.click("#replay");
  assert.equal((await legend(page)).now, 0);
  for (const bytes of seen.slice(1)) await page.waitForFunction((wanted) => Number(document.querySelector("#map-now").value) === wanted, bytes);
  assert.deepEqual(await legend(page), all);
  assert.deepEqual(problems, []);
});

test("the wait over a link follows from the bytes and waves that the first answer took", { skip }, async () => {
  server.reset();
  const { page, problems } = await visit(browser, server.url);
  await answered(page, "ocean");
  const { opening, search } = await told(page);
  const whole = await shown(page, "whole");
  const bytes = Buffer.byteLength(demoSite()("index/index.json").body) + sizeOf(opening) + sizeOf(search);
  // index.json, the front, and the waves of the search follow each other.
  const waves = 2 + Number(await page.getAttribute("#wave", "max"));
  const links = { "3g": [200, 2], "4g": [50, 20], fibre: [10, 200] };
  assert.equal(await page.inputValue("#links input:checked"), "4g");
  for (const [name, [rttMs, mbits]] of Object.entries(links)) {
    await page.check(`#links input[value="${name}"]`);
    const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${name}: ${actual}, not ${expected}`);
    near(await shown(page, "race-pagevec"), (waves * rttMs) / 1e3 + (bytes * 8) / (mbits * 1e6));
    near(await shown(page, "race-whole"), rttMs / 1e3 + (whole * 8) / (mbits * 1e6));
  }
  // Later searches do not change what the first answer took.
  const before = await shown(page, "race-pagevec");
  await page.click(`#chips .chip:has-text("jazz")`);
  await answered(page, "jazz");
  assert.equal(await shown(page, "race-pagevec"), before);
  assert.deepEqual(problems, []);
});
