// README's first steps, and nothing else, lead from an empty folder to a search of a thousand texts in a page: its blocks are written
// and run as they stand, with the packed tarball in place of the registry, and files of this machine in place of the CDN's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../support/browser.mjs";
import { example } from "../support/documents.mjs";
import { hosted, installTransformers, makeProject, skip } from "../support/model.mjs";
import { documents } from "../support/paraphrases.mjs";
import { serve } from "../support/server.mjs";

const { TARBALL, PAGEVEC_ROOT: root } = process.env;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const typeOf = (path) => TYPES[extname(path)] ?? (/transformers@[\d.]+$/.test(path) ? TYPES[".js"] : "application/octet-stream");
const CDN = "https://cdn.jsdelivr.net/npm/pagevec@";
/** README promises the first search after so many commands and lines of code. */
const STEPS = 10;

let folder, host, browser;
const sh = (command) => execFileSync("sh", ["-c", command], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

before(async () => {
  if (skip) return;
  folder = await makeProject();
  browser = await launch();
  host = await serve((path) => {
    const file = path.endsWith("/") ? `${path}index.html` : path;
    try {
      return { body: readFileSync(join(folder, file)), type: typeOf(file) };
    } catch {
      return undefined;
    }
  });
});
after(async () => {
  await browser?.close();
  await host?.close();
});

test("the steps are few", { skip: !root && "PAGEVEC_ROOT is not set" }, () => {
  const script = /<script type="module">\n([^]+)<\/script>/.exec(example("page"))[1];
  const lines = [example("install"), example("embed"), example("index"), script].flatMap((block) => block.trim().split("\n"));
  assert.ok(lines.length <= STEPS, `${lines.length} commands and lines`);
  assert.equal(example("page").split("\n").length, 8);
});

test("the package's README has the same steps", { skip: !root && "PAGEVEC_ROOT is not set" }, async () => {
  const steps = async (name) => /^## Search your texts in four steps\n[^]+?(?=^## )/m.exec(await readFile(join(root, name), "utf8"))[0];
  assert.equal((await steps("pkg/README.md")).replaceAll("](../", "]("), await steps("README.md"));
});

test("texts become an index", { skip }, async () => {
  const packages = example("install").replace(/^npm install /, "").split(" ");
  assert.deepEqual(packages, ["pagevec", "@huggingface/transformers"]);
  sh(`npm install --offline --no-audit --no-fund ${TARBALL}`);
  await installTransformers(folder);

  assert.deepEqual(Object.keys(JSON.parse(example("texts"))), Object.keys(documents[0]));
  await writeFile(join(folder, "docs.jsonl"), documents.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await writeFile(join(folder, "embed.mjs"), example("embed"));
  sh(example("index"));
  const { segments } = JSON.parse(await readFile(join(folder, "docs/index.json"), "utf8"));
  assert.equal(segments.length, 1);
  assert.equal(segments[0].count, 1000);
});

test("the page finds them by other words, and links to them", { skip, timeout: 120_000 }, async () => {
  await writeFile(join(folder, "index.html"), `${example("importmap")}\n${example("page")}`);
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", ({ message }) => problems.push(message));
  const unknown = [];
  await page.route((url) => url.origin !== host.url, async (route) => {
    const url = route.request().url();
    const { version } = JSON.parse(await readFile(join(folder, "node_modules/pagevec/package.json"), "utf8"));
    const own = url.startsWith(`${CDN}${version}/`) && join(folder, "node_modules/pagevec", url.slice(`${CDN}${version}/`.length));
    const body = own ? await readFile(own).catch(() => undefined) : await hosted(url);
    if (!body) unknown.push(url);
    await route.fulfill({ status: body ? 200 : 404, body: body ?? "", contentType: typeOf(url), headers: { "access-control-allow-origin": "*" } });
  });
  await page.goto(`${host.url}/`);
  await page.waitForFunction(() => document.querySelector("#query").onchange);
  for (const [query, title] of [["how long must yeast batter rest?", "Bread that rises"], ["why is the sea high twice a day?", "Tides"]]) {
    await page.fill("#query", query);
    await page.press("#query", "Enter");
    await page.waitForFunction((title) => document.querySelector("#hits a")?.textContent === title, title);
    const links = await page.$$eval("#hits a", (all) => all.map((link) => [link.textContent, link.getAttribute("href")]));
    assert.equal(links.length, 10);
    for (const [text, href] of links) assert.equal(documents.find((one) => one.title === text).url, href);
  }
  assert.deepEqual({ problems, unknown }, { problems: [], unknown: [] });
});
