// The demo page in a browser: it finds words, does word arithmetic, and shows exactly what the server sent.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build, open } from "pagevec";
import { chromium } from "playwright-core";
import { serve } from "../support/server.mjs";

// Below a path of its own: nothing in the page may take the server's root for granted.
const BASE = "/some/where/";
const DIM = 100;
const WORDS = 7000;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const www = join(process.env.PAGEVEC_ROOT ?? fileURLToPath(new URL("../../..", import.meta.url)), "www");
const pkg = dirname(dirname(fileURLToPath(import.meta.resolve("pagevec"))));

let server, browser, index;
before(async () => {
  index = await indexFolder();
  server = await serve((path) => (path.startsWith(BASE) ? find(path.slice(BASE.length)) : undefined));
  browser = await chromium.launch({ executablePath: process.env.CHROME, args: FLAGS });
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** `/index/`: the most frequent of the demo's words, built by the package. */
async function indexFolder() {
  const words = readFileSync(join(www, "data/words.txt"), "utf8").split("\n", WORDS);
  const rows = readFileSync(join(www, "data/words.f16.npy"));
  const start = 10 + rows.readUInt16LE(8);
  const matrix = Float32Array.from({ length: WORDS * DIM }, (_, i) => fromHalf(rows.readUInt16LE(start + 2 * i)));
  const bytes = await build(matrix, { dim: DIM, ids: words, metric: "cosine", efConstruction: 60 });
  const { info, ...opened } = await inspect(bytes);
  const { fileId, fileLength: length, count, dim, metric } = info;
  const file = `seg-${fileId}.bin`;
  const contentId = "0".repeat(64); // JS does not read it yet
  const manifest = { pagevec: 1, segments: [{ file, length, front: opened.front, contentId, fileId, count, dim, metric }] };
  return { "index/index.json": { body: JSON.stringify(manifest), type: "application/json" }, [`index/${file}`]: { body: bytes } };
}

async function inspect(bytes) {
  const opened = await open(bytes);
  const { info } = opened;
  await opened.close();
  return { info, front: info.memoryToOpen };
}

function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : mantissa * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}

function find(path) {
  if (path.startsWith("index/")) return index[path];
  const file = path.startsWith("pkg/") ? join(pkg, path.slice(4)) : join(www, path || "index.html");
  try {
    return { body: readFileSync(file), type: TYPES[extname(file)] ?? "application/octet-stream" };
  } catch {
    return undefined;
  }
}

/** A fresh page on the demo; `problems` gathers what the console and the page complain about. */
async function visit(hash = "") {
  server.reset();
  const page = await (await browser.newContext()).newPage();
  const problems = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(server.url + BASE + hash);
  return { page, problems };
}

const heading = (page, text) =>
  page.waitForFunction((wanted) => document.querySelector("#results-title").textContent === wanted, text);
const hits = (page) => page.$$eval(".hit .word", (words) => words.map((word) => word.textContent));
const shown = async (page, id) => Number(await page.$eval(`#${id}`, (data) => data.value));

/** What the server sent of the index: by its own log, not by what the client says. */
function sent() {
  const answers = server.log.filter(({ path }) => path.startsWith(`${BASE}index/`));
  const length = ({ path, range }) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    return range ? to - from + 1 : Buffer.byteLength(index[path.slice(BASE.length)].body);
  };
  return { requests: answers.length, bytes: answers.reduce((sum, answer) => sum + length(answer), 0) };
}

test("opening reads the front of the file only; a typed word finds its neighbours; the figures are the server's", async () => {
  const { page, problems } = await visit();
  await page.waitForSelector("body[data-ready]");
  assert.equal(await shown(page, "total-requests"), 2);
  assert.ok((await shown(page, "total-bytes")) < 200_000);
  assert.deepEqual(await hits(page), []);

  await page.type("#word", "king");
  await heading(page, "Nearest to king");
  const near = await hits(page);
  assert.equal(near.length, 10);
  assert.ok(near.includes("queen") && near.includes("prince"), near.join());
  assert.ok(!near.includes("king"));
  assert.equal(new URL(page.url()).hash, "#king");
  assert.deepEqual({ requests: await shown(page, "total-requests"), bytes: await shown(page, "total-bytes") }, sent());

  // All that this search needs was read by the one before.
  server.reset();
  await page.fill("#word", "queen");
  await heading(page, "Nearest to queen");
  await page.fill("#word", "king");
  await heading(page, "Nearest to king");
  const repeated = sent();
  server.reset();
  await page.fill("#word", "queen");
  await heading(page, "Nearest to queen");
  assert.deepEqual(sent(), { requests: 0, bytes: 0 }, `a repeated search read; the first time it read ${JSON.stringify(repeated)}`);
  assert.equal(await shown(page, "bytes"), 0);
  assert.ok((await shown(page, "distances")) > 0);
  assert.deepEqual(problems, []);
});

test("the first search reads few bytes by clusters; once all is loaded, searches walk the graph and read nothing", async () => {
  const { page, problems } = await visit("#ocean");
  await heading(page, "Nearest to ocean");
  assert.match(await page.textContent("#remark"), /nearest groups/);
  const whole = Buffer.byteLength(Object.values(index).reduce((a, b) => (b.body.length > a.length ? b.body : a), ""));
  assert.ok(sent().bytes * 4 < whole, `${sent().bytes} of ${whole} bytes for the first search`);

  await page.click("#load");
  await page.waitForFunction(() => document.querySelector("#load-note").textContent.startsWith("All is here"));
  assert.ok(sent().bytes * 2 > whole);
  server.reset();
  await page.fill("#word", "jazz");
  await heading(page, "Nearest to jazz");
  assert.match(await page.textContent("#remark"), /walked the graph and read nothing/);
  assert.deepEqual(sent(), { requests: 0, bytes: 0 });
  assert.deepEqual(problems, []);
});

test("king − man + woman is queen; pressing a hit searches it; the address keeps both", async () => {
  const { page, problems } = await visit();
  await page.waitForSelector("body[data-ready]");
  await page.click("#sum-form button");
  await heading(page, "Nearest to king − man + woman");
  const near = await hits(page);
  assert.ok(near.includes("queen"), near.join());
  for (const word of ["king", "man", "woman"]) assert.ok(!near.includes(word));
  await page.click(`.hit:has-text("queen")`);
  await heading(page, "Nearest to queen");
  await page.goBack();
  await heading(page, "Nearest to king − man + woman");

  const again = await visit("#king-man+woman");
  await heading(again.page, "Nearest to king − man + woman");
  assert.deepEqual(await hits(again.page), near);
  assert.deepEqual([...problems, ...again.problems], []);
});

test("a word that is not there is said to be so; a completion of it is searched meanwhile", async () => {
  const { page, problems } = await visit();
  await page.waitForSelector("body[data-ready]");
  await page.fill("#word", "xqzzt");
  await page.waitForFunction(() => document.querySelector("#note").textContent.includes("not in the index"));
  await page.fill("#word", "presiden");
  // The list of words arrives in its own time: type on until it is there.
  await page.waitForFunction(() => {
    document.querySelector("#word").dispatchEvent(new Event("input"));
    return document.querySelector("#completions").childElementCount > 0;
  });
  await heading(page, "Nearest to president");
  assert.deepEqual(problems, []);
});

test("a fault names its code and the page recovers from it", async () => {
  server.fault = "refuse";
  server.only = /index\.json$/;
  const { page } = await visit("#king");
  await page.waitForSelector("#fault:not([hidden])");
  assert.equal(await page.textContent("#fault-code"), "code: network");
  server.fault = undefined;
  await page.click("#again");
  await heading(page, "Nearest to king");
  assert.ok(await page.$eval("#fault", (fault) => fault.hidden));
});
