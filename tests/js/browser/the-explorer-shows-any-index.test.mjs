// The explorer over indexes that it knows nothing of: the one that `pagevec serve` leads to, one of several segments, and a file that
// is dropped on the page. It fits a phone, and axe finds nothing in any of its states.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { build } from "pagevec";
import { launch } from "../support/browser.mjs";
import { answered, demoSite, hits, shown, skip, visit, wordSegment } from "../support/demo-site.mjs";
import { accessible, fits, PHONE } from "../support/page-checks.mjs";
import { serve } from "../support/server.mjs";

const cli = process.env.PAGEVEC_CLI;

const place = mkdtempSync(join(tmpdir(), "pagevec-explorer-"));
let browser, served, demo;
before(async () => {
  if (skip) return;
  browser = await launch();
  const site = demoSite();
  demo = await serve((path) => site(path.slice(1)));
  // Rows on a circle: a row's neighbours are the rows beside it.
  const rows = (from, to) => Array.from({ length: to - from }, (_, i) => JSON.stringify({ id: from + i, vector: [Math.cos((from + i) / 500), Math.sin((from + i) / 500)] })).join("\n");
  writeFileSync(join(place, "a.jsonl"), rows(0, 2000));
  writeFileSync(join(place, "b.jsonl"), rows(2000, 3000));
  const folder = join(place, "rows & more");
  execFileSync(cli, ["build", join(place, "a.jsonl"), "--codec", "f32", "-o", folder], { stdio: "ignore" });
  execFileSync(cli, ["build", join(place, "b.jsonl"), "--append", "--codec", "f32", "-o", folder], { stdio: "ignore" });
  const child = spawn(cli, ["serve", place, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  served = { url: /http:\S+/.exec(String(line))[0], kill: () => child.kill() };
});
after(async () => {
  served?.kill();
  await browser?.close();
  await demo?.close();
  rmSync(place, { recursive: true, force: true });
});

/** Waits for the answer to a row that was drawn by lot. */
const drawn = (page) => page.waitForFunction(() => /^Nearest to \d+$/.test(document.querySelector("#results-title").textContent) && !document.querySelector("#answer").hidden);

test("`pagevec serve` leads to the explorer, which answers on arrival, by id and by a pasted vector", { skip }, async () => {
  const { page, problems } = await visit(browser, `${served.url}rows%20&%20more/`);
  await drawn(page);
  assert.equal(await page.textContent("#title"), "rows & more");
  assert.match(await page.textContent("#lead"), /^3,000 vectors of 2 components, cosine, .+ in 2 segments\.$/);
  assert.equal((await hits(page)).length, 10);

  await page.fill("#query", "700");
  await page.press("#query", "Enter");
  await answered(page, "700");
  assert.deepEqual((await hits(page)).slice(0, 2).sort(), ["699", "701"]);
  // The second segment follows the first in the map.
  await page.fill("#query", "2500");
  await page.press("#query", "Enter");
  await answered(page, "2500");
  assert.deepEqual((await hits(page)).slice(0, 2).sort(), ["2499", "2501"]);
  const sizes = await Promise.all(["map-now", "map-before", "map-unread", "whole"].map((id) => shown(page, id)));
  assert.equal(sizes[0] + sizes[1] + sizes[2], sizes[3]);

  await page.fill("#query", `[${Math.cos(1)}, ${Math.sin(1)}]`);
  await page.press("#query", "Enter");
  await answered(page, "a pasted vector");
  assert.equal((await hits(page))[0], "500");
  await page.fill("#query", "1 2 3");
  await page.press("#query", "Enter");
  await page.waitForFunction(() => document.querySelector("#note").textContent.includes("has 3 components, those of the index have 2"));
  assert.ok(await page.isHidden("#answer"));
  await page.fill("#query", "99999");
  await page.press("#query", "Enter");
  await page.waitForFunction(() => document.querySelector("#note").textContent.includes("“99999” is not in the index"));
  await page.click(`#results .hit, #chips .chip:has-text("a random row")`);
  await drawn(page);
  assert.deepEqual(problems, []);
});

test("a file that is dropped on the page is searched there, and one that is no segment is named", { skip }, async () => {
  const { page, problems } = await visit(browser, demo.url);
  await answered(page, "ocean");
  // The demo counts by fields once it has answered.
  await page.waitForFunction(() => / requests?\.$/.test(document.querySelector("#counted").textContent));
  demo.reset();
  const drop = (name, bytes) => page.evaluate(async ([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, [name, Buffer.from(bytes).toString("base64")]);

  await drop("mine #1.bin", await wordSegment(1500));
  await page.waitForFunction(() => document.querySelector("#title").textContent === "mine #1.bin");
  await answered(page, "a random vector");
  assert.match(await page.textContent("#lead"), /^1,500 vectors of 100 components/);
  assert.ok((await shown(page, "bytes")) > 0);
  await page.fill("#query", "monday");
  await page.press("#query", "Enter");
  await answered(page, "monday");
  assert.ok((await hits(page)).includes("tuesday"));
  const sizes = await Promise.all(["map-now", "map-before", "map-unread", "whole"].map((id) => shown(page, id)));
  assert.equal(sizes[0] + sizes[1] + sizes[2], sizes[3]);
  assert.equal(demo.log.filter(({ path }) => path.includes("index/")).length, 0, "nothing left the machine, nothing was read of the demo's index");

  await drop("photo.bin", Buffer.alloc(5000, 7));
  await page.waitForSelector("#fault:not([hidden])");
  assert.equal(await page.textContent("#fault-code"), "code: not-a-segment");
  assert.match(await page.textContent("#fault-message"), /photo\.bin/);
  assert.ok(await page.isHidden("#answer"));
  await accessible(page, "a fault");
  // The file dialog does the same.
  await page.setInputFiles("#file", { name: "again.bin", mimeType: "", buffer: Buffer.from(await build([[0, 1], [1, 0], [0.6, 0.8]], { ids: ["north", "east", "northeast"] })) });
  await answered(page, "a random vector");
  assert.deepEqual((await hits(page)).sort(), ["east", "north", "northeast"]);
  assert.deepEqual(problems, []);
});

for (const colorScheme of ["light", "dark"]) {
  test(`the demo fits a phone, and axe finds nothing (${colorScheme})`, { skip }, async () => {
    const { page, problems } = await visit(browser, demo.url, { ...PHONE, colorScheme });
    await answered(page, "ocean");
    await fits(page);
    await accessible(page, "arrival");
    const { y } = await page.locator("#found").boundingBox();
    assert.ok(y < PHONE.viewport.height, "the large line is on the first screen");
    for (const details of await page.locator("details").all()) await details.evaluate((node) => (node.open = true));
    await fits(page);
    await accessible(page, "all details open");
    await page.fill("#query", "zzzz");
    await page.press("#query", "Enter");
    await page.waitForFunction(() => document.querySelector("#note").textContent !== "");
    await fits(page);
    await accessible(page, "an unknown word");
    assert.deepEqual(problems, []);
  });
}
