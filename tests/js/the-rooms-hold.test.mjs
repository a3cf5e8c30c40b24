// The rooms of pkg/src hold: imports go down only, in code and in types; no files import each other in a circle; rooms and files
// stay small.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { test } from "node:test";

const { PAGEVEC_ROOT: root } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const src = root && join(root, "pkg/src");

/** Top to bottom. A room is a folder with those in it, or a file; rooms of one floor do not import each other. */
const FLOORS = [["cli", "entries"], ["browser.js", "node.js", "worker"], ["collection"], ["folder"], ["platform"], ["open.js"], ["plan"], ["index.js", "build.js"], ["engine"], ["store", "texts"], ["core"], ["requests"], ["sources"], ["search"], ["arguments.js"], ["options.js", "fields"], ["describe.js", "errors.js"]];
const FILES_OF_A_FOLDER = 9;
const LINES_OF_A_FILE = 300;

const roomOf = (path) => path.split("/")[0];
const floorOf = (room) => FLOORS.findIndex((rooms) => rooms.includes(room));

/** The files that `text` imports, at once or later, and those that its types name. */
function importsOf(path, text) {
  const found = { code: [], types: [] };
  for (const [, comment, target] of text.matchAll(/^( *(?:\/\/|\*|\/\*).*)$|(?:\bfrom |\bimport |\bimport\()"(\.[^"]+\.js)"/gm)) {
    if (target) found.code.push(target);
    for (const [, named] of (comment ?? "").matchAll(/import\("(\.[^"]+\.js)"\)/g)) found.types.push(named);
  }
  const resolve = (target) => posix.join(posix.dirname(path), target);
  return { code: found.code.map(resolve), types: found.types.map(resolve) };
}

/** What is wrong with the files: a map of their texts by path in pkg/src. */
function complaints(files) {
  const all = [];
  const graph = new Map();
  for (const [path, text] of files) {
    const { code, types } = importsOf(path, text);
    graph.set(path, code);
    const [here, floor] = [roomOf(path), floorOf(roomOf(path))];
    if (floor < 0) all.push(`${path} is in no room of FLOORS`);
    for (const target of [...code, ...types].filter((name) => !name.startsWith("../"))) {
      if (!files.has(target)) all.push(`${path} imports ${target}, which is not there`);
      else if (roomOf(target) !== here && floorOf(roomOf(target)) <= floor) all.push(`${path} imports ${target}, which is not below it`);
    }
    const lines = text.split("\n").length - 1;
    if (lines > LINES_OF_A_FILE) all.push(`${path} has ${lines} lines`);
  }
  for (const path of graph.keys()) if (reaches(graph, path, path)) all.push(`${path} is in a circle of imports`);
  const folders = Map.groupBy ? Map.groupBy(files.keys(), posix.dirname) : group(files.keys(), posix.dirname);
  for (const [folder, { length }] of folders) if (length > FILES_OF_A_FOLDER) all.push(`${folder} has ${length} files`);
  return all;
}

function group(names, by) {
  const groups = new Map();
  for (const name of names) groups.set(by(name), [...(groups.get(by(name)) ?? []), name]);
  return groups;
}

function reaches(graph, from, to) {
  const seen = new Set();
  const next = [...(graph.get(from) ?? [])];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    if (path === to) return true;
    if (!seen.has(path)) next.push(...(graph.get(seen.add(path) && path) ?? []));
  }
  return false;
}

test("pkg/src", { skip }, async () => {
  const names = (await readdir(src, { recursive: true })).map((name) => name.replaceAll("\\", "/")).filter((name) => name.endsWith(".js"));
  assert.ok(names.length > 30, `${names.length} files`);
  const files = new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(src, name), "utf8")])));
  assert.deepEqual(complaints(files), []);
  for (const room of FLOORS.flat()) assert.ok(names.some((name) => roomOf(name) === room), `${room} is gone: take it out of FLOORS`);
});

test("what is wrong is noticed", () => {
  const wrong = (files) => complaints(new Map(Object.entries({ "errors.js": "", "index.js": "", "core/a.js": "", "core/b.js": "", "store/s.js": "", "sources/s.js": "", ...files })));
  assert.deepEqual(wrong({}), []);
  assert.deepEqual(wrong({ "core/a.js": 'import { x } from "../errors.js";\nimport "./b.js";\n/** @type {import("../sources/s.js").S} */\n' }), []);
  assert.deepEqual(wrong({ "store/s.js": 'import { instantiate } from "../../wasm/filter/instance.js";\n' }), []);
  for (const files of [
    { "core/a.js": 'import { x } from "../index.js";\n' },
    { "core/a.js": 'import {\n  x,\n} from "../index.js";\n' },
    { "core/a.js": 'export * from "../index.js";\n' },
    { "core/a.js": 'const later = () => import("../index.js");\n' },
    { "core/a.js": '/** @type {import("../index.js").Index} */\n' },
    { "build.js": 'import "./index.js";\n' },
    { "errors.js": 'import "./nowhere.js";\n' },
    { "core/a.js": 'import "./b.js";\n', "core/b.js": 'import "./a.js";\n' },
    { "new.js": "" },
    { "core/a.js": "\n".repeat(301) },
    Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`core/${i}.js`, ""])),
  ]) assert.notDeepEqual(wrong(files), [], JSON.stringify(files));
});
