import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
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
  for (const file of files.filter((name) => /\.js$/.test(name))) {
    assert.doesNotMatch(await readFile(file, "utf8"), /\beval\(|new Function\b|\bSharedArrayBuffer\b|Atomics\./, file);
  }
});

test("every export exists, with its types", async () => {
  const targets = JSON.stringify(json.exports).match(/"\.\/[^"]+\/[^"]+"/g).map((text) => JSON.parse(text));
  assert.ok(targets.length >= 4);
  for (const target of [...targets, ...Object.values(json.bin)]) assert.ok(files.includes(join(root, target)), target);
});

test("the modules compile under their names", async () => {
  for (const name of ["search", "build"]) {
    assert.ok(WebAssembly.validate(await readFile(join(root, `wasm/${name}/pagevec_wasm_bg.wasm`))), name);
  }
});
