import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const manifest = createRequire(import.meta.url).resolve("pagevec/package.json");
const root = dirname(manifest);
const json = JSON.parse(await readFile(manifest, "utf8"));
const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name));

test("no dependencies, no install scripts, ESM, free of side effects", () => {
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "scripts"]) assert.equal(json[field], undefined, field);
  assert.equal(json.type, "module");
  assert.equal(json.sideEffects, false);
});

test("no eval, no shared memory", async () => {
  for (const file of files.filter((name) => /\.c?js$/.test(name))) {
    assert.doesNotMatch(await readFile(file, "utf8"), /\beval\(|new Function\b|\bSharedArrayBuffer\b|Atomics\./, file);
  }
});

test("every export exists, with its types", async () => {
  const targets = JSON.stringify(json.exports).match(/"\.\/[^"]+\/[^"]+"/g).map((text) => JSON.parse(text));
  assert.ok(targets.length >= 4);
  for (const target of [...targets, ...Object.values(json.bin)]) assert.ok(files.includes(join(root, target)), target);
});

test("a page loads two scripts at once; other entries import() nothing to search, or nothing at all", async () => {
  const text = (name) => readFile(join(root, "dist", name), "utf8");
  const imports = (code) => [...code.matchAll(/\bfrom"(\.[^"]+)"/g)].map(([, path]) => path);
  const later = (code) => [...code.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, path]) => path);
  assert.deepEqual(imports(await text("browser.js")), ["./core.js"]);
  assert.deepEqual(imports(await text("core.js")), []);
  assert.deepEqual(later(await text("browser.js")).sort(), ["./builder.js", "./extras.js", "./inlined-build.js", "./inlined-filter.js", "./inlined-search.js", "./opfs-store.js", "./web-worker.js"]);
  assert.deepEqual(imports(await text("static.js")).sort(), ["./core.js", "./few.js", "./remote.js", "./store.js"]);
  assert.deepEqual(later(await text("static.js")), ["./builder.js"]);
  for (const name of ["core.js", "build.js", "inline.js", "workerd.js", "edge-light.js", "few.js", "remote.js", "store.js"]) assert.deepEqual(later(await text(name)), [], name);
  // Bundlers refuse a worker that starts itself, and some make one file of it.
  const worker = await text("worker-browser.js");
  assert.deepEqual([imports(worker), later(worker)], [[], []]);
  assert.doesNotMatch(worker, /new Worker\(/);
});

test("collections are scripts of their own, and edge runtimes are told that they keep no files", async () => {
  const text = (name) => readFile(join(root, "dist", name), "utf8");
  const imports = (code) => [...code.matchAll(/\bfrom"(\.[^"]+)"/g)].map(([, path]) => path).sort();
  assert.deepEqual(imports(await text("collection.js")), ["./core.js", "./remote.js", "./rows.js"]);
  for (const name of ["collection-worker.js", "collection-edge.js"]) assert.doesNotMatch(await text(name), /\bimport\(|\bfrom"/, name);
  const { openCollection, PagevecError } = await import(join(root, "dist/collection-edge.js"));
  await assert.rejects(openCollection("notes", { dim: 3 }), (error) => error instanceof PagevecError && error.code === "unsupported");
});

test("integrity.json has the digest of every script and module", async () => {
  const digests = JSON.parse(await readFile(join(root, "dist/integrity.json"), "utf8"));
  const scripts = files.filter((name) => /dist\/[^/]+\.c?js$|\.wasm$/.test(name.replaceAll("\\", "/")));
  assert.ok(scripts.length >= 10);
  for (const file of scripts) {
    const digest = createHash("sha384").update(await readFile(file)).digest("base64");
    assert.equal(digests[relative(root, file).replaceAll("\\", "/")], `sha384-${digest}`, file);
  }
});

test("the licences are in it", () => {
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) assert.ok(files.includes(join(root, name)), name);
});

test("the modules compile under their names", async () => {
  for (const name of ["search", "filter", "build", "collection"]) {
    assert.ok(WebAssembly.validate(await readFile(join(root, `wasm/${name}/pagevec_wasm_bg.wasm`))), name);
  }
});
