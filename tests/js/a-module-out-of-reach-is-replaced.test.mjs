// Where a bundler moved the scripts of the package and not its WebAssembly modules, the modules come from scripts that have them
// inside; where those are gone too, the error names what was asked for and what to do.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { fixture } from "./support/fixture.mjs";

const require = createRequire(import.meta.url);
const root = dirname(require.resolve("pagevec/package.json"));
const f = await fixture({ count: 300, dim: 8 });

/** A copy of the package, changed by `change`; what its entry for Node, or `entry`, exports. */
async function copy(change, entry = "dist/node.js") {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
  after(() => rm(folder, { recursive: true }));
  await cp(root, folder, { recursive: true });
  await change((name) => join(folder, name));
  return entry.endsWith(".cjs") ? require(join(folder, entry)) : import(pathToFileURL(join(folder, entry)));
}

const MODULES = ["filter", "build"].map((which) => `wasm/${which}/pagevec_wasm_bg.wasm`);
const gone = (names) => (path) => Promise.all(names.map((name) => rm(path(name))));

async function works({ open, build }) {
  const index = await open(f.bytes);
  assert.equal((await index.search(f.row(7), { k: 1 }))[0].id, "word-7");
  await index.close();
  assert.ok((await build([[0, 1], [1, 0]])).length > 0);
}

test("modules that are not there", async () => works(await copy(gone(MODULES))));

test("a page in the place of the modules", async () => {
  const page = "<!doctype html><title>Welcome</title>";
  await works(await copy((path) => Promise.all(MODULES.map((name) => writeFile(path(name), page)))));
});

test("neither modules nor scripts with them inside: the URL and the remedy are named", async () => {
  const { open, build } = await copy(gone([...MODULES, "dist/inlined-filter.js", "dist/inlined-build.js"]));
  await assert.rejects(open(f.bytes), ({ code, message }) => code === "wasm" && /file:\/\/\S+wasm\/filter\/pagevec_wasm_bg\.wasm: ENOENT/.test(message) && /import "pagevec\/inline"/.test(message));
  await assert.rejects(build([[0, 1]]), ({ code, message }) => code === "wasm" && /wasm\/build\/pagevec_wasm_bg\.wasm/.test(message) && !/inline/.test(message));
});

test("pagevec/inline needs no other file", async () => {
  const others = ["browser", "node", "core", "store", "static", "build", "builder", "inlined-filter"].map((name) => `dist/${name}.js`);
  const { open } = await copy(gone([...MODULES, ...others]), "dist/inline.js");
  const index = await open(f.bytes);
  assert.equal((await index.search(f.row(7), { k: 1 }))[0].id, "word-7");
  await index.close();
});

test("require() gives one file, which needs the modules only", async () => {
  const others = ["browser", "node", "core", "store", "static", "build", "builder", "inline"].map((name) => `dist/${name}.js`);
  await works(await copy(gone(others), "dist/commonjs.cjs"));
});
