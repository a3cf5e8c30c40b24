// The folders that collections are kept in do the same: the file system, and memory. Those of browsers are tested by
// browser/every-folder-of-a-page-keeps-its-contract.test.mjs, by the same checks.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CHECKS } from "./support/folder-contract.mjs";
import { internal } from "./support/internal.mjs";

const skip = !process.env.PAGEVEC_ROOT && "PAGEVEC_ROOT is not set";
const { NodeDir } = skip ? {} : await internal("collection/dirs/node.js");
const { MemoryDir } = skip ? {} : await internal("collection/dirs/memory.js");
const root = mkdtempSync(join(tmpdir(), "pagevec-folders-"));
after(() => rmSync(root, { recursive: true }));

let last = 0;
const paths = new WeakMap();
const at = (path) => {
  const dir = NodeDir.open(path, true);
  paths.set(dir, path);
  return dir;
};
const PLACES = {
  "the file system": { fresh: async () => at(join(root, `new/${++last}`)), again: async (dir) => (dir.close(), at(paths.get(dir))) },
  memory: { fresh: async () => new MemoryDir(), again: async (dir) => (dir.close(), dir) },
};

for (const [place, how] of Object.entries(PLACES)) {
  for (const [name, check] of Object.entries(CHECKS)) test(`${place}: ${name}`, { skip }, () => check(how));
}

test("memory: a full disk is an error, and what is there stays", { skip }, () => {
  const dir = new MemoryDir(10);
  const file = dir.open("wal-0", "create");
  file.write(new Uint8Array(8).fill(1), 0);
  for (const write of [() => file.write(new Uint8Array(8), 8), () => file.truncate(11)]) {
    assert.throws(write, { code: "quota", kind: "quota" });
    assert.equal(file.length(), 8);
  }
  assert.equal(file.write(new Uint8Array(2), 8), 2);
});

test("the file system: a file in its place, a folder in the place of a file, and a closed file are errors with a path", { skip }, () => {
  const path = join(root, "file");
  writeFileSync(path, "");
  assert.throws(() => NodeDir.open(path, false), { code: "io", message: /file.*is a file/ });
  assert.throws(() => NodeDir.open(join(root, "nowhere"), false), { code: "io", kind: "not-found" });
  const dir = at(join(root, "odd"));
  NodeDir.open(join(root, "odd/seg-1"), true);
  assert.deepEqual(dir.list(), []);
  for (const access of ["read", "write"]) assert.throws(() => dir.open("seg-1", access), { code: "io", message: /seg-1/ });
  assert.throws(() => dir.open("seg-1", "create"), { kind: "already-exists" });
  const file = dir.open("seg-2", "create");
  file.close();
  file.close();
  assert.throws(() => file.length(), { code: "io", message: /closed/ });
  assert.deepEqual(readdirSync(join(root, "odd")), ["seg-1", "seg-2"]);
});
