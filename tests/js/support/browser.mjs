// Chromium on a page that serves the installed package's files as they are, without a bundler.
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const root = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
const TYPES = { ".bin": "application/octet-stream", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

/** The browser's entry, as package.json names it. */
export const entry = JSON.parse(await readFile(join(root, "package.json"), "utf8")).exports["."].browser.default.default.replace("./", "/pagevec/");

function program() {
  if (!process.env.CHROME) throw new Error("CHROME must name a Chromium: `cargo xtask test browser` sets it");
  return {
    executablePath: process.env.CHROME,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  };
}

export function launch() {
  return chromium.launch(program());
}

/** One context with a profile in this folder, as people have: what it stores is in files, where other contexts keep it in memory. */
export function launchWithProfile(folder) {
  return chromium.launchPersistentContext(folder, program());
}

/**
 * @param {Record<string, { body: string, type?: string }>} files besides the package, under /pagevec/
 * @param {string} [csp] for every answer
 */
export async function site(files, csp) {
  const cache = await packageFiles();
  const headers = csp ? { "content-security-policy": csp } : {};
  return serve((path) => {
    const file = files[path] ?? cache[path];
    return file && { type: TYPES[extname(path)] ?? "text/html", ...file, headers };
  });
}

/** By the path from which a page imports them. */
export async function packageFiles() {
  const out = {};
  for (const dir of ["dist", "wasm"]) {
    for (const name of await readdir(join(root, dir), { recursive: true })) {
      const type = TYPES[extname(name)];
      if (type) out[`/pagevec/${dir}/${name}`] = { body: await readFile(join(root, dir, name)), type };
    }
  }
  return out;
}

/** A page whose console must stay free of errors. */
export async function visit(browser, url) {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(url);
  return { page, errors };
}

/** A page that runs `code` as a module file of its own and keeps what it exports in `window.result`. */
export function pageOf(code) {
  return {
    "/": { body: `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>` },
    "/main.js": { body: `window.result = (async () => {\n${code}\n})().catch((e) => ({ error: { name: e.name, code: e.code, message: e.message } }));`, type: "text/javascript" },
  };
}

export const result = async (page) => (await page.waitForFunction(() => window.result), page.evaluate(() => window.result));

/** The sources of the package below /src/, for tests of what no export shows, and what tests and pages share below /support/. */
export async function sources() {
  const out = {};
  const tests = new URL(".", import.meta.url);
  for (const [at, dir] of [["/src/", join(process.env.PAGEVEC_ROOT, "pkg/src/")], ["/support/", tests.pathname]]) {
    for (const name of await readdir(dir, { recursive: true })) {
      if (/\.m?js$/.test(name)) out[at + name] = { body: await readFile(join(dir, name)), type: "text/javascript" };
    }
  }
  return out;
}
