// Puts the demo's site together: `node www/site.mjs PACKAGE INDEX WORDS SITE`, where PACKAGE has the explorer in it. The page is the
// explorer's, with the words' texts from demo.html, and it names all modules and the index at once: an import that the browser finds
// only after another has arrived costs a round trip.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const www = fileURLToPath(new URL(".", import.meta.url));
const OWN = ["demo.js", "words.js", "arrival.js", "data/README.md", "data/LICENSE"];
const ENTRY = "demo.js";
/** What the package loads at the first `explain`, which is the demo's first search. */
const CALLED = "pkg/dist/extras.js";
const FETCHED = ["pkg/wasm/search/pagevec_wasm_bg.wasm", "index/index.json"];

/**
 * The modules that the demo runs, by their paths in the site.
 * @param {(path: string) => string} read the text of a file of the site
 * @returns {string[]}
 */
export function modulesOf(read) {
  const found = new Set([ENTRY, CALLED]);
  for (const path of found) {
    // A comment may name a file too. What else is imported by a call is not wanted by the demo: the store, the builder.
    for (const [, target] of read(path).matchAll(/^(?:import|export)\b[^;"]*"(\.[^"]+\.js)"/gm)) found.add(posix.join(posix.dirname(path), target));
  }
  return [...found];
}

/**
 * The demo's index.html.
 * @param {string} explorer its index.html
 * @param {string} texts demo.html
 * @param {string[]} modules
 */
export function pageOf(explorer, texts, modules) {
  let page = explorer;
  const put = (/** @type {string | RegExp} */ old, /** @type {string} */ text) => {
    const changed = page.replace(old, () => text);
    if (changed === page) throw new Error(`the explorer's page has no ${old}`);
    page = changed;
  };
  for (const name of ["head", "lead", "foot"]) {
    const part = new RegExp(`<!-- ${name} -->[^]*<!-- /${name} -->`);
    put(part, /** @type {RegExpExecArray} */ (part.exec(texts))[0].replace(/<!--.*?-->\n?/g, "").trim());
  }
  const links = [
    ...modules.map((path) => `<link rel="modulepreload" href="./${path}">`),
    ...FETCHED.map((path) => `<link rel="preload" as="fetch" crossorigin href="./${path}">`),
  ];
  put('href="./style.css">', `href="./pkg/explorer/style.css">\n  ${links.join("\n  ")}`);
  put('src="./main.js"', `src="./${ENTRY}"`);
  put("Rows near a row: type its id, or paste a vector", "A word, or a sum: king − man + woman");
  put('<input id="query"', '<input id="query" placeholder="ocean"');
  return page;
}

/** @param {string} pkg @param {string} index @param {string} words @param {string} site */
export function assemble(pkg, index, words, site) {
  rmSync(site, { recursive: true, force: true });
  mkdirSync(join(site, "data"), { recursive: true });
  for (const name of OWN) if (existsSync(join(www, name))) cpSync(join(www, name), join(site, name));
  cpSync(words, join(site, "data/words.txt"));
  cpSync(index, join(site, "index"), { recursive: true });
  cpSync(pkg, join(site, "pkg"), { recursive: true });
  const text = (/** @type {string} */ path) => readFileSync(join(site, path), "utf8");
  const page = pageOf(text("pkg/explorer/index.html"), readFileSync(join(www, "demo.html"), "utf8"), modulesOf(text));
  writeFileSync(join(site, "index.html"), page);
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const [pkg, index, words, site] = argv.slice(2);
  assemble(pkg, index, words, site);
}
