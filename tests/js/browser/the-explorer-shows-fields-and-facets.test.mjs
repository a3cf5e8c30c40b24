// The explorer over an index with fields: their types and indexes, the values of a field with their counts, and a filter as JSON, whose
// faults are told where it is typed.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build, publish } from "pagevec";
import { launch } from "../support/browser.mjs";
import { answered, counted, demoSite, hits, skip, visit } from "../support/demo-site.mjs";
import { accessible, fits, PHONE } from "../support/page-checks.mjs";
import { facetsOf } from "../support/payload.mjs";
import { serve } from "../support/server.mjs";

const KINDS = ["fish", "bird", "fish", "insect", "fish", "bird", "odd \"kind\" <b>"];
/** Rows on a circle; the last have no kind. */
const fields = Array.from({ length: 2100 }, (_, i) => ({ ...(i < 2093 && { kind: KINDS[i % KINDS.length] }), weight: i % 50, note: `a note, number ${i}` }));

const place = mkdtempSync(join(tmpdir(), "pagevec-fields-"));
let browser, server;
before(async () => {
  if (skip) return;
  const rows = fields.map((_, i) => [Math.cos(i / 400), Math.sin(i / 400)]);
  await publish(join(place, "animals"), await build(rows, { fields, codec: "f32", schema: { kind: "keyword", weight: "integer" } }));
  await publish(join(place, "plain"), await build(rows.slice(0, 20), { codec: "f32" }));
  const site = demoSite();
  const own = (path) => (/^(animals|plain)\//.test(path) ? { body: readFileSync(join(place, path)), type: "application/octet-stream" } : undefined);
  server = await serve((path) => own(path.slice(1)) ?? site(path.slice(1)));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(place, { recursive: true, force: true });
});

const explore = (index, hash = "", options = {}) => visit(browser, `${server.url}/pkg/explorer/?index=/${index}/${hash}`, options);
const listed = (page) => page.$$eval("#facet-values label", (labels) => labels.map((label) => ({ value: label.querySelector("input").value, count: Number(label.querySelector("data").value) })));

/** Types a filter and applies it. */
async function apply(page, text) {
  await page.fill("#filter", text);
  await page.click("#filter-form button");
}

const matching = (page, text) => page.waitForFunction((wanted) => document.querySelector("#matches").textContent === wanted, text, { timeout: 20_000 });

test("fields are shown with their types, what is kept of them and the bytes of their indexes", { skip }, async () => {
  const { page, problems } = await explore("animals", "#700");
  await answered(page, "700");
  await page.click("#schema summary");
  const rows = await page.$$eval("#schema-rows tr", (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  assert.deepEqual(rows.map(([name, type]) => [name, type]).sort(), [["kind", "keyword"], ["note", "–"], ["weight", "integer"]]);
  const of = Object.fromEntries(rows.map(([name, ...cells]) => [name, cells]));
  assert.deepEqual(of.kind.slice(1, 4), ["indexed", "2,093", "2,093"]);
  assert.match(of.kind[4], /^[\d.]+ k?B$/);
  assert.match(of.note[1], /^stored only/);
  assert.match(await page.textContent("#schema-note"), /^All fields of 2,100 rows are stored, in [\d.]+ kB\./);
  // Hits have their fields.
  assert.match(await page.textContent(".hit .text"), /kind: .+ · weight: \d+ · note: a note, number (699|701)/);

  const plain = await explore("plain");
  await plain.page.waitForFunction(() => document.body.dataset.answers === "1");
  assert.ok(await plain.page.isHidden("#narrow"), "no field is indexed");
  assert.ok(await plain.page.isHidden("#schema"));
  assert.deepEqual([...problems, ...plain.problems], []);
});

test("values have the counts of the data; one that is checked goes into the filter, and the address keeps it", { skip }, async () => {
  const { page, problems } = await explore("animals", "#700");
  await answered(page, "700");
  await counted(page);
  assert.deepEqual(await page.$$eval("#facet-field option", (all) => all.map(({ value }) => value)), ["", "kind", "weight"]);
  assert.equal(await page.textContent("#counted"), "", "nothing was counted before a field is chosen");
  await page.selectOption("#facet-field", "kind");
  await page.waitForSelector("#facet-values label");
  assert.deepEqual(await listed(page), facetsOf(fields, "kind"));

  await page.check('#facet-values input[value="bird"]');
  await matching(page, "598 of 2,100 rows match.");
  assert.equal(fields.filter(({ kind }) => kind === "bird").length, 598);
  assert.equal(await page.inputValue("#filter"), '{"kind":{"$in":["bird"]}}');
  await apply(page, '{ "weight": { "$gte": 10, "$lt": 20 }, "kind": "bird" }');
  const kept = ({ weight }) => weight >= 10 && weight < 20;
  await matching(page, `${fields.filter((row) => kept(row) && row.kind === "bird").length} of 2,100 rows match.`);
  assert.deepEqual(await listed(page), facetsOf(fields.filter(kept), "kind"));
  assert.ok(await page.isChecked('#facet-values input[value="bird"]'));
  for (const id of await hits(page)) assert.ok(fields[id].kind === "bird" && kept(fields[id]), id);

  const again = await visit(browser, page.url());
  await answered(again.page, "700");
  assert.deepEqual(await hits(again.page), await hits(page));
  await apply(again.page, "");
  await again.page.waitForFunction(() => !location.hash.includes("filter"));
  assert.deepEqual([...problems, ...again.problems], []);
});

test("a filter that is wrong says where, and what to write instead; the answer before stays", { skip }, async () => {
  const { page, problems } = await explore("animals", "#700");
  await answered(page, "700");
  const near = await hits(page);
  const refused = async (text, message, code) => {
    await apply(page, text);
    await page.waitForFunction((wanted) => document.querySelector("#filter-message").textContent.includes(wanted), message);
    assert.equal(await page.textContent("#filter-code"), code);
    assert.equal(await page.getAttribute("#filter", "aria-invalid"), "true");
    assert.ok(await page.isHidden("#fault"));
    assert.deepEqual(await hits(page), near);
  };
  await refused('{ "kind": ', "This is not JSON", "");
  await refused('{ "kinds": "bird" }', "no row has a field of this name; did you mean kind?", "code: filter");
  await refused('{ "weight": { "$ge": 3 } }', "did you mean $gte?", "code: filter");
  await refused('{ "weight": "5" }', "at weight", "code: filter");
  await refused('{ "note": "x" }', "not indexed", "code: filter");
  await refused("[1]", "filter", "code: filter");
  await accessible(page, "a wrong filter");
  await apply(page, '{ "kind": "insect" }');
  await matching(page, "299 of 2,100 rows match.");
  assert.ok(await page.isHidden("#filter-error"));
  for (const id of await hits(page)) assert.equal(fields[id].kind, "insect");
  assert.deepEqual(problems, []);
});

for (const colorScheme of ["light", "dark"]) {
  test(`it fits a phone, and axe finds nothing (${colorScheme})`, { skip }, async () => {
    const { page, problems } = await explore("animals", "#700", { ...PHONE, colorScheme });
    await answered(page, "700");
    await page.selectOption("#facet-field", "kind");
    await page.waitForSelector("#facet-values label");
    for (const details of await page.locator("details").all()) await details.evaluate((node) => (node.open = true));
    await fits(page);
    await accessible(page, "fields and facets");
    assert.deepEqual(problems, []);
  });
}
