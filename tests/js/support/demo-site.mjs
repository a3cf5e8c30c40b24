// The demo's site, made as www/site.mjs makes it: the page, the explorer, the installed package, and the index that `cargo xtask demo`
// builds.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "pagevec";

const DIM = 100;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm", ".txt": "text/plain", ".json": "application/json" };

export const www = join(process.env.PAGEVEC_ROOT ?? fileURLToPath(new URL("../../..", import.meta.url)), "www");
const pkg = dirname(dirname(fileURLToPath(import.meta.resolve("pagevec"))));
const { madeForDemo, madeForNotes, modulesOf, pageOf } = await import(pathToFileURL(join(www, "site.mjs")).href);

export const dictionary = await import(pathToFileURL(join(www, "data/glosses/unpack.mjs")).href);

const cli = process.env.PAGEVEC_CLI;
export const skip = !cli && "PAGEVEC_CLI is not set";

/** The most frequent words and their vectors. */
export function wordVectors(count) {
  const words = readFileSync(join(www, "data/words.txt"), "utf8").split("\n", count);
  const rows = readFileSync(join(www, "data/words.f16.npy"));
  const start = 10 + rows.readUInt16LE(8);
  return { words, vectors: Float32Array.from({ length: count * DIM }, (_, i) => fromHalf(rows.readUInt16LE(start + 2 * i))) };
}

/** A segment of these words. */
export async function wordSegment(count) {
  const { words, vectors } = wordVectors(count);
  return build(vectors, { dim: DIM, ids: words, metric: "cosine", efConstruction: 60 });
}

/** The folder of the demo's index: built by the first file of tests that wants it, in their project, which is made anew for each run. */
function demoIndex() {
  const folder = resolve("demo-index");
  if (existsSync(join(folder, "index.json"))) return folder;
  dictionary.unpack("glosses.jsonl");
  execFileSync(cli, ["build", "glosses.jsonl", "--schema", join(www, "data/glosses/schema.json"), "--metric", "cosine", "--codec", "sq8", "-o", folder], { stdio: "ignore" });
  return folder;
}

/** @returns {(path: string) => { body: Uint8Array | string, type: string } | undefined} what lies at a path of the site */
export function demoSite() {
  const index = demoIndex();
  const folders = { "index/": index, "pkg/explorer/": join(www, "explorer"), "pkg/": pkg };
  const read = (path) => {
    const [prefix, folder] = Object.entries(folders).find(([start]) => path.startsWith(start)) ?? ["", www];
    return readFileSync(join(folder, path.slice(prefix.length)));
  };
  const text = (path) => String(read(path));
  const made = { "index.html": pageOf(text("pkg/explorer/index.html"), text("demo.html"), modulesOf(text)), ...madeForNotes(text), ...madeForDemo() };
  return (asked) => {
    const path = asked === "" || asked.endsWith("/") ? `${asked}index.html` : asked;
    try {
      return { body: made[path] ?? read(path), type: TYPES[extname(path)] ?? "application/octet-stream" };
    } catch {
      return undefined;
    }
  };
}

/** Compressed as static hosts do it: texts and wasm, but not what is read by ranges. */
export function compressed(served) {
  if (!served || !/html|javascript|css|svg|plain|wasm/.test(served.type)) return served;
  return { ...served, body: gzipSync(served.body), headers: { "content-encoding": "gzip" } };
}

function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : mantissa * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}

/** A fresh page; `problems` gathers what the console and the page complain about. */
export async function visit(browser, url, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  const problems = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(url);
  return { page, problems };
}

/** Waits for the answer to `title`. */
export async function answered(page, title) {
  const wanted = `Nearest to ${title}`;
  const there = (text) => document.querySelector("#results-title").textContent === text && document.querySelector("#answer:not([hidden])[aria-busy=false]") !== null;
  await page.waitForFunction(there, wanted, { timeout: 20_000 }).catch(async (error) => {
    assert.fail(`${error.message}: no answer to ${title} but ${await page.innerText("main")}`);
  });
}

/** Waits until what matches is counted for the answer that is shown. */
export const counted = (page) => page.waitForFunction(() => document.body.dataset.counted === document.body.dataset.answers, undefined, { timeout: 20_000 });

export const hits = (page) => page.$$eval(".hit .word", (words) => words.map((word) => word.textContent));
export const shown = async (page, id) => Number(await page.$eval(`#${id}`, (data) => data.value));
