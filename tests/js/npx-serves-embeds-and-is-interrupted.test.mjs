// What `npx pagevec` does beside building what the native command line builds: it embeds texts, takes the next port, shows help, and
// leaves nothing when it is interrupted.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { open } from "pagevec";
import { native, npx, run, skipNative, start } from "./support/command-lines.mjs";
import { npyFile } from "./support/inputs.mjs";

const cwd = await mkdtemp(join(tmpdir(), "pagevec-npx-"));
after(() => rm(cwd, { recursive: true }));
const write = (name, text) => writeFile(join(cwd, name), text);
const pagevec = (...words) => run(npx, words, { cwd });
const COMMANDS = ["build", "search", "eval", "inspect", "verify", "serve"];

test("help has the options and examples of the native command line", { skip: skipNative }, async () => {
  const own = await pagevec("--help");
  for (const command of COMMANDS) {
    assert.match(own.stdout, new RegExp(`^  ${command} `, "m"));
    const [ours, theirs] = await Promise.all([npx, native].map((program) => run(program, [command, "--help"])));
    assert.equal(ours.code, 0);
    const options = (text) => new Set([...text.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name));
    assert.deepEqual([...options(theirs.stdout)].filter((name) => !options(ours.stdout).has(name)), [], command);
    const examples = (text) => [...text.split("Examples:\n")[1].matchAll(/^ +(pagevec .*)$/gm)].map(([, line]) => line);
    // Parquet is read natively alone.
    const missing = examples(theirs.stdout).filter((line) => !line.includes(".parquet") && !examples(ours.stdout).includes(line));
    assert.deepEqual(missing, [], command);
  }
  assert.deepEqual(await pagevec("help", "search"), await pagevec("search", "-h"));
  assert.match((await pagevec("--version")).stdout, /^pagevec \d+\.\d+\.\d+/);
});

test("what only the native command line has is refused with its name", async () => {
  const { code, stderr } = await pagevec("merge", "x");
  assert.equal(code, 2);
  assert.match(stderr, /native command line/);
});

test("texts are embedded in batches, and rows that have a vector are not", async () => {
  const texts = Array.from({ length: 150 }, (_, i) => ({ id: `t${i}`, ...(i === 70 ? { vector: [0, 0, 1] } : { text: `text ${i}` }), page: i }));
  await write("texts.jsonl", texts.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const vector = "(text) => [Math.cos(Number(text.split(' ')[1])), Math.sin(Number(text.split(' ')[1])), 0]";
  await write("embed.mjs", `const of = ${vector};\nexport default async (texts) => { console.error(texts.length); return texts.map(of); };\n`);
  const { code, stderr } = await pagevec("build", "texts.jsonl", "--embed", "./embed.mjs", "-o", "texts");
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "64\n64\n21\n");
  const index = await open(join(cwd, "texts"));
  assert.equal(index.info.count, 150);
  assert.equal((await index.search([Math.cos(99), Math.sin(99), 0]))[0].id, "t99");
  assert.equal((await index.search([0, 0, 1]))[0].id, "t70");
  const wanted = ["t0", "t69", "t70", "t71", "t149"];
  assert.deepEqual(await index.get(wanted), wanted.map((id) => ({ id, fields: id === "t70" ? { page: 70 } : { text: `text ${id.slice(1)}`, page: Number(id.slice(1)) } })), "the text is stored like other fields");
  await index.close();
  const told = await pagevec("build", "texts.jsonl", "--embed", "./embed.mjs", "--store", "page", "-o", "pages", "--json");
  assert.deepEqual(JSON.parse(told.stdout).fields, ["page"]);

  const flat = "Float32Array.from(texts.flatMap(of))";
  for (const [name, returned] of Object.entries({ flat, tensor: `({ data: ${flat}, dims: [texts.length, 3] })` })) {
    await write(`${name}.mjs`, `const of = ${vector};\nexport const embed = (texts) => ${returned};\nembed.model = "angles";\n`);
    assert.equal((await pagevec("build", "texts.jsonl", "--embed", `${name}.mjs`, "-o", name)).code, 0);
    const files = (folder) => readdir(join(cwd, folder)).then((names) => names.filter((file) => file.endsWith(".bin")));
    assert.deepEqual(await files(name), await files("texts"), "the same vectors, however they are returned");
    assert.equal(JSON.parse(await readFile(join(cwd, name, "index.json"), "utf8")).segments[0].model, "angles");
  }
  const other = await pagevec("build", "texts.jsonl", "--embed", "flat.mjs", "--model", "other", "-o", "other");
  assert.match(other.stderr, /"other".*"angles": name one/);
});

test("a module that does not embed is named with what to do", async () => {
  await write("one.jsonl", '{"text":"a"}\n{"text":"b"}\n');
  for (const [source, exit, words] of [
    ["export const other = 1;", 2, ["embed", "async (texts)"]],
    ["export default async () => { throw new Error('no key') };", 1, ["no key"]],
    ["export default async () => [[1, 2]];", 1, ["gave 1 vectors for 2 texts"]],
    ["export default async () => 5;", 1, ["gave a number for 2 texts"]],
    ["export default async (texts) => texts.map(() => 'x');", 1, ["number[]"]],
    ["export default async (texts) => texts.map((_, i) => Array(2 + i).fill(1));", 1, ["line 2", "3 components"]],
    ["export default }", 1, ["could not be loaded"]],
  ]) {
    await write("bad.mjs", source);
    const { code, stderr } = await pagevec("build", "one.jsonl", "--embed", "bad.mjs", "-o", "bad");
    assert.equal(code, exit, stderr);
    for (const word of words) assert.ok(stderr.includes(word), `no ${word} in ${stderr}`);
  }
  const missing = await pagevec("build", "one.jsonl", "--embed", "bad.mjs", "--embed-field", "title", "-o", "bad");
  assert.match(missing.stderr, /bad\.mjs|--embed-field/);
  await write("good.mjs", "export default (texts) => texts.map(() => [1, 2]);");
  assert.match((await pagevec("build", "one.jsonl", "--embed", "good.mjs", "--embed-field", "title", "-o", "bad")).stderr, /line 1: no field "vector" and no field "title".*--embed-field/);
});

test("an interrupt leaves nothing", async () => {
  const [rows, dim] = [20_000, 32];
  let state = 1;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
  await write("many.npy", npyFile("<f4", `(${rows}, ${dim})`, Buffer.from(Float32Array.from({ length: rows * dim }, random).buffer)));
  const before = (await readdir(cwd)).sort();
  const child = start(npx, ["build", "many.npy", "-o", "never"], { cwd });
  child.stderr.setEncoding("utf8");
  let told = "";
  child.stderr.on("data", (text) => (told += text));
  setTimeout(() => child.kill("SIGINT"), 1500);
  const [code] = await once(child, "close");
  assert.deepEqual([code, told], [1, "pagevec: interrupted: nothing was written to never\n"]);
  assert.deepEqual((await readdir(cwd)).sort(), before);
});

test("serve answers ranges, and takes the next port where none is named", async () => {
  await write("data.bin", Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251)));
  const blocker = createServer().listen(8787, "127.0.0.1").on("error", () => {}); // or another has it
  const child = start(npx, ["serve", "."], { cwd });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  try {
    const [, url, port] = /serving \. at (http:\/\/127\.0\.0\.1:(\d+)\/)/.exec(line);
    assert.notEqual(port, "8787");
    const reply = await fetch(`${url}data.bin`, { headers: { range: "bytes=10-19" } });
    assert.deepEqual([reply.status, reply.headers.get("content-range"), reply.headers.get("access-control-allow-origin")], [206, "bytes 10-19/1000", "*"]);
    assert.deepEqual([...new Uint8Array(await reply.arrayBuffer())], Array.from({ length: 10 }, (_, i) => 10 + i));
    const taken = await pagevec("serve", ".", "--port", port);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /another program uses this port; use another --port/);
  } finally {
    child.kill();
    blocker.close();
  }
});

test("the name of a model is kept in index.json; rows of another model are not appended", async () => {
  await write("named.jsonl", '{"id":"a","vector":[1,0]}\n{"id":"b","vector":[0,1]}\n');
  await write("more.jsonl", '{"id":"c","vector":[1,1]}\n');
  const models = async () => JSON.parse(await readFile(join(cwd, "named/index.json"), "utf8")).segments.map(({ model }) => model);
  assert.equal((await pagevec("build", "named.jsonl", "--model", "two", "-o", "named")).code, 0);
  assert.deepEqual(await models(), ["two"]);
  const { code, stderr } = await pagevec("build", "more.jsonl", "--append", "--model", "three", "-o", "named");
  assert.equal(code, 2);
  assert.match(stderr, /model "three", but the index of "two"/);
  assert.equal((await pagevec("build", "more.jsonl", "--append", "-o", "named")).code, 0);
  assert.deepEqual(await models(), ["two", "two"]);
  assert.equal((await pagevec("build", "named.jsonl", "--model", "", "-o", "other")).code, 2);
});

test("serve shows an index in the explorer", async () => {
  await write("few.jsonl", '{"id":"a","vector":[1,0]}\n{"id":"b","vector":[0,1]}\n');
  assert.equal((await pagevec("build", "few.jsonl", "-o", "few")).code, 0);
  const child = start(npx, ["serve", "few", "--port", "0"], { cwd });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  try {
    const url = /http:\S+/.exec(line)[0];
    const moved = await fetch(url, { redirect: "manual" });
    assert.deepEqual([moved.status, moved.headers.get("location")], [307, "/_pagevec/explorer/?index=/"]);
    const page = await fetch(url);
    assert.deepEqual([page.status, page.headers.get("content-type")], [200, "text/html"]);
    for (const [, name] of (await page.text()).matchAll(/(?:src|href)="([^":#]+\.(?:js|mjs|css|svg))"/g)) assert.equal((await fetch(new URL(name, page.url))).status, 200, name);
    for (const path of ["_pagevec/package.json", "_pagevec/explorer/nowhere.js", "nowhere/"]) assert.equal((await fetch(url + path)).status, 404, path);
  } finally {
    child.kill();
  }
});
