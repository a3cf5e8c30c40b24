// The examples of README.md and docs/ run as they stand, and the table of errors has every code there is and no other.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { open as openIndex } from "pagevec";
import { openCollection } from "pagevec/collection";
import { documents, example } from "./support/documents.mjs";
import { fixture, vectors } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const { PAGEVEC_ROOT: root, PAGEVEC_CLI: cli } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const temporary = [];
after(() => Promise.all(temporary.map((path) => rm(path, { recursive: true, force: true }))));

/** Runs the example as a module beside this file, where "pagevec" is found; resolves to the variables it leaves. */
async function run(code, given, left) {
  const file = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, `.readme-${temporary.length}.mjs`);
  temporary.push(file);
  const imports = (code.match(/^import .*$/gm) ?? []).join("\n");
  const body = code.replace(/^import .*$/gm, "");
  await writeFile(file, `${imports}\nexport default async ({ ${given.join()} }) => {\n${body}\nreturn { ${left.join()} };\n};\n`);
  return (await import(file)).default;
}

test("every block of JavaScript is an example that is run here or in embedding/", { skip }, async () => {
  const here = new URL("embedding/", import.meta.url);
  const files = [new URL(import.meta.url), ...(await readdir(here)).map((file) => new URL(file, here))];
  const run = (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n");
  for (const [name, text] of documents) {
    const blocks = [...text.matchAll(/(.*)\n```(?:js|mjs|javascript|ts)\n/g)];
    const names = blocks.map(([, before]) => /^<!-- example: (\w+) -->$/.exec(before)?.[1]);
    assert.deepEqual(names.filter((example) => !example || !run.includes(`example("${example}")`)), [], name);
  }
});

test("open", { skip }, async (t) => {
  const f = await fixture();
  const host = await serve(f.folder);
  t.after(() => host.close());
  const code = example("open").replace("https://example.org", host.url);
  const main = await run(code, ["vector"], ["hits", "like", "bytes", "requests"]);
  const { hits, like, ...cost } = await main({ vector: f.row(5) });
  assert.equal(hits.length, 10);
  assert.equal(hits[0].id, f.ids[5]);
  assert.ok(like.length === 10 && like.every(({ id }) => id !== f.ids[5]));
  assert.deepEqual(cost, { bytes: 0, requests: 0 }, "the second search finds everything in memory");
});

test("build", { skip }, async () => {
  const main = await run(example("build"), ["nothing"], ["nearest"]);
  assert.equal((await main({})).nearest.id, "northeast");
});

test("watched", { skip }, async () => {
  const f = await fixture();
  const index = await openIndex(f.bytes, { memoryBudget: "32MB" });
  const { off, stack, statics, heap, arenas } = await (await run(example("watched"), ["index"], ["off", "stack", "statics", "heap", "arenas"]))({ index });
  off();
  assert.ok(stack.used > 0 && statics.length > 0 && heap.reserved > 0 && arenas.length > 0);
  await index.close();
});

test("plan", { skip }, async () => {
  const { codec, graph, memoryBudget, resident, why } = await (await run(example("plan"), [], ["codec", "graph", "memoryBudget", "resident", "why"]))({});
  assert.deepEqual([codec, graph], ["sq8", false]);
  assert.ok(resident.total <= 1e8 && memoryBudget < 1e8 && why.length > 2);
});

test("collection", { skip }, async () => {
  const path = await mkdtemp(join(tmpdir(), "pagevec-readme-"));
  temporary.push(path);
  const vector = (seed) => Float32Array.from({ length: 384 }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
  const main = await run(example("collection"), ["path", "first", "second", "third"], ["hits", "row", "ids", "name", "segment", "manifest", "backup"]);
  const { hits, row, ids, name, segment, manifest, backup } = await main({ path: join(path, "notes"), first: vector(1), second: vector(2), third: vector(3) });
  assert.deepEqual(hits.map(({ id }) => id).sort(), ["a1", "a3"]);
  assert.deepEqual([hits[0].id, hits[0].fields], ["a1", { title: "On high mountains" }]);
  assert.deepEqual([row.vector.length, row.fields.title], [384, "On high mountains"]);
  assert.deepEqual(ids, ["a1", "a3"]);
  const index = await openIndex(segment);
  assert.deepEqual([index.info.count, (await index.search(vector(1), { k: 1 }))[0].id], [2, "a1"]);
  await index.close();
  assert.equal(JSON.parse(await manifest.text()).segments[0].file, name);
  const again = await openCollection(join(path, "again"), { from: backup });
  assert.deepEqual([again.count, await again.has("a3")], [2, true]);
  await again.close();
});

test("options", { skip }, async (t) => {
  const f = await fixture();
  const host = await serve(f.folder);
  t.after(() => host.close());
  const code = example("options").replace("https://example.org", host.url);
  const main = await run(code, ["vector"], ["few", "more", "resident", "cost"]);
  const { few, more, resident, cost } = await main({ vector: f.row(5) });
  assert.equal(few[0].id, f.ids[5]);
  assert.equal(more.length, 10);
  assert.ok(more.every(({ id }) => few.every((shown) => shown.id !== id)));
  assert.deepEqual(resident, few, "both indexes find the nearest rows of so small an index");
  assert.equal(cost.index, "hnsw");
  assert.equal(cost.requests, 0, "load brought what the graph needs");
});

test("command line", { skip: skip || (!cli && "PAGEVEC_CLI is not set") }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-readme-"));
  temporary.push(folder);
  const [count, dim] = [200, 8];
  await writeFile(join(folder, "vectors.npy"), npy(vectors(count, dim), count, dim));
  const words = ["king", ...Array.from({ length: count - 1 }, (_, i) => `word-${i}`)];
  await writeFile(join(folder, "words.txt"), `${words.join("\n")}\n`);
  const lines = example("cli").split("\n").map((line) => line.split(" "));
  assert.ok(lines.every(([tool]) => tool === "pagevec"));
  for (const [, ...args] of lines.filter(([, command]) => command !== "serve")) {
    const out = execFileSync(cli, args, { cwd: folder, encoding: "utf8" });
    if (args[0] === "search") assert.equal(out.trim().split("\n").length, 10);
  }
  const [, ...args] = lines.find(([, command]) => command === "serve");
  const server = spawn(cli, [...args, "--port", "0"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(server.stdout, "data");
  const url = /http:\S+/.exec(String(line))[0];
  assert.equal((await (await fetch(`${url}index.json`)).json()).segments[0].count, count);
  server.kill();
});

test("the table of errors has every code, and no other", { skip }, async () => {
  const table = documents.get("docs/errors.md").split("\n").filter((line) => line.startsWith("| `"));
  const listed = table.flatMap((line) => [...line.split("|")[1].matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));
  const codes = new Set();
  for (const [folder, pattern] of [
    ["src", /=> "([a-z-]+)",/g],
    ["bindings/cli/src", /(?:code: |=> )"([a-z-]+)"/g],
    ["pkg/src", /"([a-z-]+)"/g],
  ]) {
    for (const file of await readdir(join(root, folder), { recursive: true })) {
      if (folder === "src" ? file !== "error.rs" : folder === "bindings/cli/src" ? !file.endsWith("failure.rs") : !file.endsWith(".js")) continue;
      const text = await readFile(join(root, folder, file), "utf8");
      const found = folder === "pkg/src" ? text.matchAll(/new PagevecError\(\s*"([a-z-]+)"/g) : text.matchAll(pattern);
      for (const [, code] of found) codes.add(code);
    }
  }
  assert.ok(codes.size > 20, [...codes].join());
  assert.deepEqual(listed.toSorted(), [...codes].toSorted());
});

test("README names the stacks of the matrix and their versions, and counts as docs/bundlers.md does", { skip }, async () => {
  const section = /\n## Where it works\n([^]+?)\n## /.exec(documents.get("README.md"))[1];
  const rows = section.split("\n").filter((line) => /^\| [a-z ]+ \| (?!tested)/.test(line));
  const named = new Map(rows.flatMap((row) => row.split("|")[2].split(";")).map((stack) => {
    const [, name, versions] = /^ *(.+?)((?: [\d.]+,)* [\d.]+)? *$/.exec(stack);
    return [name, versions?.trim().split(", ") ?? []];
  }));
  const matrix = new Map();
  for (const { stack, major } of JSON.parse(await readFile(join(root, "tests/packaging/matrix.json"), "utf8"))) {
    const versions = matrix.get(stack) ?? [];
    matrix.set(stack, /^[\d.]+$/.test(major) && !versions.includes(major) ? [...versions, major] : versions);
  }
  assert.deepEqual(Object.fromEntries(named), Object.fromEntries(matrix));
  const [dated] = /^Measured on .*rows work.*$/m.exec(section);
  assert.ok(documents.get("docs/bundlers.md").includes(dated), dated);
});

/** A NumPy 1.0 file of f32 rows. */
function npy(data, rows, columns) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11) + "\n";
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, "latin1");
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
