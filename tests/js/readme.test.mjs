// The README's examples run as they stand, and its table of errors has every code there is.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fixture, vectors } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const { PAGEVEC_ROOT: root, PAGEVEC_CLI: cli } = process.env;
const skip = !root && "PAGEVEC_ROOT is not set";
const readme = root ? await readFile(join(root, "README.md"), "utf8") : "";
const temporary = [];
after(() => Promise.all(temporary.map((path) => rm(path, { recursive: true, force: true }))));

/** The code block after `<!-- example: name -->`. */
function example(name) {
  const found = new RegExp(`<!-- example: ${name} -->\\n\`\`\`\\w+\\n([^]*?)\\n\`\`\``).exec(readme);
  assert.ok(found, `README.md has no example ${name}`);
  return found[1];
}

/** Runs the example as a module beside this file, where "pagevec" is found; resolves to the variables it leaves. */
async function run(code, given, left) {
  const file = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, `.readme-${temporary.length}.mjs`);
  temporary.push(file);
  const imports = code.match(/^import .*$/gm).join("\n");
  const body = code.replace(/^import .*$/gm, "");
  await writeFile(file, `${imports}\nexport default async ({ ${given.join()} }) => {\n${body}\nreturn { ${left.join()} };\n};\n`);
  return (await import(file)).default;
}

test("open", { skip }, async () => {
  const f = await fixture();
  const host = await serve(f.folder);
  const code = example("open").replace("https://example.org", host.url);
  const main = await run(code, ["vector"], ["hits", "bytes", "requests", "waves"]);
  const { hits, ...cost } = await main({ vector: f.row(5) });
  assert.equal(hits.length, 10);
  assert.equal(hits[0].id, f.ids[5]);
  assert.deepEqual(cost, { bytes: 0, requests: 0, waves: 0 }, "the second search finds everything in memory");
  await host.close();
});

test("build", { skip }, async () => {
  const main = await run(example("build"), ["nothing"], ["nearest"]);
  assert.equal((await main({})).nearest.id, "northeast");
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

test("every code has its line in the table of errors", { skip }, async () => {
  const table = readme.slice(readme.indexOf("\n## Errors"), readme.indexOf("\n## Hosting"));
  const rust = await readFile(join(root, "src/error.rs"), "utf8");
  const codes = new Set([...rust.matchAll(/=> "([a-z-]+)",/g)].map(([, code]) => code));
  for (const name of (await readdir(join(root, "pkg/src"), { recursive: true })).filter((file) => file.endsWith(".js"))) {
    const text = await readFile(join(root, "pkg/src", name), "utf8");
    for (const [, code] of text.matchAll(/new PagevecError\(\s*"([a-z-]+)"/g)) codes.add(code);
  }
  assert.ok(codes.size > 20, [...codes].join());
  const missing = [...codes].filter((code) => !table.includes(`\`${code}\``));
  assert.deepEqual(missing, []);
});

/** A NumPy 1.0 file of f32 rows. */
function npy(data, rows, columns) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11) + "\n";
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, "latin1");
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
