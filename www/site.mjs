// Puts the demo's site together: `node www/site.mjs PACKAGE INDEX SITE`, where PACKAGE has the explorer in it. The page is the
// explorer's, with the dictionary's texts from demo.html, and it names all modules and the index at once: an import that the browser finds
// only after another has arrived costs a round trip. Beside it are notes/, an app that keeps notes in a collection, and memory/, which shows the memory
// of the demo's index.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { lemmas } from "./data/glosses/unpack.mjs";
import { tableOf } from "./notes/words/table.mjs";

const www = fileURLToPath(new URL(".", import.meta.url));
const OWN = ["demo.js", "dictionary.js", "controls.js", "arrival.js", "data/README.md", "data/LICENSE", "data/glosses/README.md", "data/glosses/LICENSE"];
const ENTRY = "demo.js";
/** The notes app: its page and the script of its collection's worker begin what it loads. */
const NOTES = { entries: ["notes/main.js", "notes/worker.js"], others: ["notes/", "notes/style.css", "pkg/explorer/style.css", "pkg/explorer/favicon.svg", "pkg/wasm/collection/pagevec_wasm_bg.wasm"] };
const TABLE = "notes/words/table.bin";
/** What the package loads at the first `explain`, which is the demo's first search. */
const CALLED = "pkg/dist/extras.js";
const FETCHED = ["pkg/wasm/search/pagevec_wasm_bg.wasm", "index/index.json"];

/**
 * The modules that scripts run, by their paths in the site.
 * @param {(path: string) => string} read the text of a file of the site
 * @param {string[]} entries those of the demo unless given
 * @returns {string[]}
 */
export function modulesOf(read, entries = [ENTRY, CALLED]) {
  const found = new Set(entries);
  for (const path of found) {
    // A comment may name a file too. What is imported by a call is not wanted on arrival: the store, the builder.
    for (const [, target] of read(path).matchAll(/(?:^|;)(?:import|export)\b[^;"]*"(\.[^"]+\.js)"/gm)) found.add(posix.join(posix.dirname(path), target));
  }
  return [...found];
}

/**
 * What is made for the notes app: its table of word vectors, and the list of all files that it needs, by which it opens offline.
 * @param {(path: string) => string} read the text of a file of the site
 * @returns {Record<string, Uint8Array | string>} by path in the site
 */
export function madeForNotes(read) {
  const files = [...NOTES.others, TABLE, ...modulesOf(read, NOTES.entries)].map((path) => posix.relative("notes", path) || "./");
  return { [TABLE]: tableOf(new URL("data/", import.meta.url)), "notes/files.json": `${JSON.stringify(files, null, 2)}\n` };
}

/** What is made for the demo: the words that can be asked. @returns {Record<string, string>} by path in the site */
export const madeForDemo = () => ({ "data/lemmas.txt": `${lemmas().join("\n")}\n` });

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
  for (const name of ["head", "lead", "controls", "entry", "foot"]) {
    const part = new RegExp(`<!-- ${name} -->[^]*<!-- /${name} -->`);
    put(part, /** @type {RegExpExecArray} */ (part.exec(texts))[0].replace(/<!--.*?-->\n?/g, "").trim());
  }
  const links = [
    ...modules.map((path) => `<link rel="modulepreload" href="./${path}">`),
    ...FETCHED.map((path) => `<link rel="preload" as="fetch" crossorigin href="./${path}">`),
  ];
  put('href="./style.css">', `href="./pkg/explorer/style.css">\n  ${links.join("\n  ")}`);
  put('src="./main.js"', `src="./${ENTRY}"`);
  put("Rows near a row: type its id, or paste a vector", "A word");
  put('<input id="query"', '<input id="query" placeholder="ocean"');
  return page;
}

/** @param {string} pkg @param {string} index @param {string} site */
export function assemble(pkg, index, site) {
  rmSync(site, { recursive: true, force: true });
  mkdirSync(join(site, "data/glosses"), { recursive: true });
  for (const name of OWN) if (existsSync(join(www, name))) cpSync(join(www, name), join(site, name));
  for (const app of ["notes", "memory"]) cpSync(join(www, app), join(site, app), { recursive: true, filter: (path) => !path.endsWith(".mjs") });
  cpSync(index, join(site, "index"), { recursive: true });
  cpSync(pkg, join(site, "pkg"), { recursive: true });
  const text = (/** @type {string} */ path) => readFileSync(join(site, path), "utf8");
  const page = pageOf(text("pkg/explorer/index.html"), readFileSync(join(www, "demo.html"), "utf8"), modulesOf(text));
  writeFileSync(join(site, "index.html"), page);
  for (const [path, content] of Object.entries({ ...madeForNotes(text), ...madeForDemo() })) writeFileSync(join(site, path), content);
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const [pkg, index, site] = argv.slice(2);
  assemble(pkg, index, site);
}
