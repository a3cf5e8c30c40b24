// `npx pagevec` is the native command line in another language: from each input of one table both make the same folder, byte for byte,
// or both refuse it with the same exit code, code and message.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { npx, native, run, skipNative as skip } from "./support/command-lines.mjs";
import { BAD, GOOD, TYPED, USAGE } from "./support/inputs.mjs";

const room = await mkdtemp(join(tmpdir(), "pagevec-both-"));
after(() => rm(room, { recursive: true }));
let rooms = 0;

/** A folder with these files. */
async function folderOf(files) {
  const folder = join(room, String(rooms++));
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** The files of a folder by their names, but the native lock. */
async function contents(folder) {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && entry.name !== ".lock");
  const paths = names.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return Object.fromEntries(await Promise.all(paths.sort().map(async (path) => [path.slice(folder.length), await readFile(path, "base64")])));
}

/** Content ids by the names of inputs. */
const built = new Map();
for (const { name, files, as, options = [] } of GOOD) {
  test(`built alike: ${name}`, { skip }, async () => {
    const cwd = await folderOf(files);
    const [ours, theirs] = await Promise.all([npx, native].map((program, i) => run(program, ["build", Object.keys(files)[0], ...options, "-o", `out${i}`, "--json"], { cwd })));
    for (const { code, stderr } of [ours, theirs]) assert.equal(code, 0, stderr);
    assert.deepEqual(await contents(join(cwd, "out0")), await contents(join(cwd, "out1")));
    assert.equal(ours.stderr, theirs.stderr, "warnings");
    const [own, other] = [ours, theirs].map(({ stdout }) => JSON.parse(stdout));
    for (const field of ["content_id", "parts", "generation", "segments", "index_rows", "replaced", "rows", "dim", "bytes", "bytes_per_vector", "fields", "field_bytes", "curve", "warnings", "old_segments", "pruned"]) assert.deepEqual(own[field], other[field], field);
    assert.ok(own.memory > 0, "the memory is told");
    built.set(name, own.content_id);
    if (as) assert.equal(own.content_id, built.get(as), as);
  });
}

for (const { name, files, input, folder, code, words, options, differs } of BAD) {
  test(`refused alike: ${name}`, { skip }, async () => {
    const cwd = await folderOf(files);
    if (folder) await mkdir(join(cwd, folder));
    const [ours, theirs] = await Promise.all([npx, native].map((program, i) => run(program, ["build", input, ...options, "-o", `out${i}`, "--json"], { cwd })));
    assert.equal(ours.code, theirs.code, `${ours.stderr}${theirs.stderr}`);
    const [own, other] = [ours, theirs].map(({ stdout }) => JSON.parse(stdout).error);
    assert.equal(own?.code, code, own?.message);
    assert.equal(other?.code, code, other?.message);
    for (const word of words) assert.ok(own.message.includes(word), `no ${word} in ${own.message}`);
    if (!differs && code !== undefined) assert.deepEqual([own.message, ours.stderr], [other.message, theirs.stderr]);
    const left = await readdir(cwd);
    if (code !== undefined) assert.deepEqual(left.sort(), [...Object.keys(files), ...(folder ? [folder] : [])].sort(), "nothing is written");
  });
}

for (const words of USAGE) {
  test(`refused alike: ${words.join(" ")}`, { skip }, async () => {
    const [ours, theirs] = await Promise.all([npx, native].map((program) => run(program, words, { cwd: room })));
    assert.deepEqual([ours.code, ours.stdout], [2, ""]);
    const message = ({ stderr }) => stderr.split("\n\nUsage:")[0].split("\n\nFor more")[0];
    assert.equal(message(ours), message(theirs));
  });
}

const numbered = GOOD.find(({ name }) => name === "rows.npy").files["rows.npy"];
const lines = (from, to, by, fields = () => ({})) => Array.from({ length: to - from }, (_, i) => `${JSON.stringify({ id: `w${from + i}`, vector: [from + i, by, 1, -2, 3].map((x) => x / 7), ...fields(from + i) })}\n`).join("");
const words = { "rows.npy": numbered, "words.txt": Array.from({ length: 120 }, (_, i) => `w${i}\n`).join(""), "second.jsonl": lines(100, 150, 1), "third.jsonl": lines(140, 160, 2) };
for (const [name, files, steps] of [
  ["rows that replace others", words, [["rows.npy", "--ids", "words.txt"], ["second.jsonl", "--append"], ["third.jsonl", "--append", "--no-graph"], ["third.jsonl", "--append", "--no-graph"]]],
  ["coarse codes, in parts", words, [["rows.npy", "--ids", "words.txt", "--codec", "pq4", "--exact", "f32", "--parts"], ["second.jsonl", "--append", "--codec", "pq4"]]],
  ["parts beside a file", words, [["rows.npy", "--ids", "words.txt", "--metric", "l2"], ["second.jsonl", "--append", "--parts=only", "--limit", "30"]]],
  ["rows with fields", { "more.jsonl": lines(0, 60, 1, (i) => ({ title: `T${i}` })), "later.jsonl": lines(50, 90, 2, (i) => ({ url: i, title: `N${i}` })), "plain.jsonl": lines(80, 95, 3) }, [["more.jsonl"], ["later.jsonl", "--append", "--store", "title"], ["plain.jsonl", "--append"]]],
  ["rows without ids", { "rows.npy": numbered }, [["rows.npy", "--metric", "dot"], ["rows.npy", "--append"], ["rows.npy", "--append", "--limit", "7"]]],
]) {
  test(`appended alike: ${name}`, { skip }, async () => {
    const cwd = await folderOf(files);
    for (const step of steps) {
      const [ours, theirs] = await Promise.all([npx, native].map((program, i) => run(program, ["build", ...step, "-o", `out${i}`, "--json"], { cwd })));
      assert.deepEqual([ours.code, ours.stderr.replaceAll("out0", "out1")], [theirs.code, theirs.stderr], step.join(" "));
      const [own, other] = [ours, theirs].map(({ stdout }) => JSON.parse(stdout));
      for (const field of ["content_id", "parts", "generation", "segments", "index_rows", "replaced", "rows", "bytes", "field_bytes"]) assert.equal(own[field], other[field], field);
      assert.deepEqual(await contents(join(cwd, "out0")), await contents(join(cwd, "out1")));
    }
    const own = await run(npx, ["verify", "out0", "--json"], { cwd });
    assert.ok(JSON.parse(own.stdout).ok, own.stderr);
  });
}

test("what contradicts an index is refused alike", { skip }, async () => {
  const cwd = await folderOf({ ...words, "narrow.jsonl": '{"id":"a","vector":[1,2]}\n' });
  for (const [i, program] of [npx, native].entries()) await run(program, ["build", "rows.npy", "--ids", "words.txt", "-o", `out${i}`], { cwd });
  const before = await contents(join(cwd, "out0"));
  for (const more of [["second.jsonl", "--metric", "l2"], ["second.jsonl", "--codec", "pq5"], ["second.jsonl", "--refine", "f16"], ["second.jsonl", "--exact", "f32"], ["rows.npy"], ["narrow.jsonl"], ["second.jsonl", "-o", "nowhere"], ["second.jsonl", "-o", "words.txt"]]) {
    const [ours, theirs] = await Promise.all([npx, native].map((program, i) => run(program, ["build", "--append", "--json", ...(more.includes("-o") ? [] : ["-o", `out${i}`]), ...more], { cwd })));
    const told = ({ code, stdout }) => [code, stdout.replaceAll("out0", "out1")];
    assert.deepEqual(told(ours), told(theirs), more.join(" "));
    assert.notEqual(ours.code, 0);
  }
  assert.deepEqual(await contents(join(cwd, "out0")), before, "nothing is written");
});

test("lines come through stdin", { skip }, async () => {
  const { files } = GOOD.find(({ name }) => name === "plain.jsonl");
  const cwd = await folderOf({});
  for (const [i, program] of [npx, native].entries()) assert.equal((await run(program, ["build", "-", "-o", `out${i}`], { cwd, stdin: files["plain.jsonl"] })).code, 0);
  assert.deepEqual(await contents(join(cwd, "out0")), await contents(join(cwd, "out1")));
});

test("each shows the fields that the other has stored", { skip }, async () => {
  const text = (i) => `{"id":"w${i}","vector":[${i},1,2],"title":"Ein\\nTitel","n":[18446744073709551615,-9007199254740993,1.5],"more":{"b":null,"1":"ä"}${i % 2 ? `,"odd":${i}` : ""}}\n`;
  const cwd = await folderOf({ "rows.jsonl": Array.from({ length: 30 }, (_, i) => text(i)).join(""), "more.jsonl": '{"id":"x","vector":[9,9,9],"title":"later"}\n{"id":"y","vector":[9,9,8]}\n' });
  const summaries = [];
  for (const [i, program] of [npx, native].entries()) {
    const { stdout } = await run(program, ["build", "rows.jsonl", "-o", `out${i}`], { cwd });
    summaries.push(/^fields .*$/m.exec(stdout)[0]);
    await run(program, ["build", "more.jsonl", "--append", "-o", `out${i}`], { cwd });
    await run(program, ["build", "rows.jsonl", "--no-store", "-o", `none${i}`], { cwd });
  }
  assert.match(summaries[0], /^fields +title, n, more, odd: [\d.]+ /);
  assert.equal(summaries[0], summaries[1]);
  for (const words of [
    ["search", "out0", "--id", "w7", "-k", "3", "--fields"],
    ["search", "out1", "--id", "w7", "-k", "3", "--fields", "--json"],
    ["search", "--fields", "odd,none,title", "out0", "--id", "w6", "--json"],
    ["search", "out1", "--fields=n", "--fields", "more", "--vector", "9,9,9", "--io", "pread"],
    ["search", "out0", "--vector-file", "more.jsonl", "--fields", "title", "--json"],
    ["search", "out0", "--id", "w7", "--json"],
    ["search", "none0", "--id", "w7", "--fields", "--json"],
    ["inspect", "out1"],
    ["inspect", "none1"],
  ]) {
    const [ours, theirs] = await Promise.all([npx, native].map((program) => run(program, words, { cwd })));
    const same = (text) => text.replace(/^kernels .*$/m, "").replace(/"segment":\d+,/g, "");
    assert.deepEqual([ours.code, same(ours.stdout), ours.stderr], [theirs.code, same(theirs.stdout), theirs.stderr], words.join(" "));
  }
  const { stdout } = await run(npx, ["search", "out0", "--id", "w7", "-k", "1", "--fields", "n"], { cwd });
  assert.match(stdout, /\n {14}n: \[18446744073709551615,-9007199254740993,1\.5\]\n$/);
  const { segments } = JSON.parse((await run(npx, ["inspect", "out0", "--json"], { cwd })).stdout);
  assert.deepEqual(segments.map(({ sections }) => sections.slice(-2).map(({ name }) => name)), [["field directory", "fields"], ["field directory", "fields"]]);
});

test("filters, counts and facets are the same", { skip }, async () => {
  const cwd = await folderOf({ ...TYPED, "some.txt": "wä\"3\nwä\"9\nwä\"27\n" });
  for (const [i, program] of [npx, native].entries()) await run(program, ["build", "typed.jsonl", "-o", `out${i}`], { cwd });
  await run(native, ["build", "typed.jsonl", "--no-store", "-o", "none0"], { cwd });
  const filters = ['{"pos":"n"}', '{"size":{"$gte":-20,"$lt":2.5},"sold":true}', '{"$not":{"tags":{"$in":["t1","t2"]}}}', '{"at":{"$gt":"2026-02-01"}}', '{"near":{"$geo":{"lat":0,"lon":0,"radius":9e6}}}', "{}", '{"pos":{"$in":[]}}'];
  const wrong = ['{"pso":"n"}', '{"size":"3"}', '{"size":{"$less":3}}', '{"text":"a"}', '{"size":null}', '{"size":9007199254740993}', '{"size":3,"size":4}', "null", "[]", "{pos: 3}", ""];
  for (const words of [
    ...[...filters, ...wrong].flatMap((filter) => [
      ["count", "out0", "--filter", filter],
      ["search", "out1", "--id", 'wä"5', "-k", "4", "--filter", filter, "--fields", "pos,size", "--json"],
      ["facets", "out0", "tags", "--filter", filter, "--json"],
    ]),
    ["count", "out1", "--json"],
    ["count", "out1"],
    ["inspect", "out0"],
    ["inspect", "none0"],
    ["search", "out0", "--vector", "0.1,0.2,0.3,-0.4,1", "--filter", filters[0], "--among", "some.txt", "--io", "pread"],
    ...["pos", "tags", "size", "price", "sold", "at", "code", "text", "near", "nothing"].flatMap((field) => [["facets", "out1", field], ["facets", "out0", field, "--limit", "3", "--json"]]),
  ]) {
    const [ours, theirs] = await Promise.all([npx, native].map((program) => run(program, words, { cwd })));
    const same = (text) => text.replaceAll('"segment":0,', "").replace(/^kernels .*$/m, "");
    assert.deepEqual([ours.code, same(ours.stdout), ours.stderr], [theirs.code, same(theirs.stdout), theirs.stderr], words.join(" "));
    assert.equal(ours.code !== 0, wrong.includes(words[words.indexOf("--filter") + 1]) || ["text", "near", "nothing"].includes(words[2]), words.join(" "));
  }
  const [own, other] = await Promise.all([npx, native].map(async (program) => JSON.parse((await run(program, ["inspect", "out1", "--json"], { cwd })).stdout).schema));
  assert.deepEqual(own, other);
  assert.deepEqual(own.map(({ name, type }) => [name, type]), [["at", "timestamp"], ["code", "integer"], ["near", "geo"], ["pos", "keyword"], ["price", "float"], ["size", "integer"], ["sold", "boolean"], ["tags", "keyword"], ["text", null]]);
  for (const program of [npx, native]) {
    const { stdout } = await run(program, ["eval", "out0", "--queries", "typed.jsonl", "--limit", "20", "--index", "flat", "--filter", filters[1], "--json"], { cwd });
    assert.equal(JSON.parse(stdout).recall, 1);
  }
});

test("rows are listed alike, and come back", { skip }, async () => {
  const cwd = await folderOf(TYPED);
  await run(native, ["build", "typed.jsonl", "--codec", "f16", "--metric", "l2", "-o", "out"], { cwd });
  for (const words of [
    [],
    ["--vectors", "--limit", "9"],
    ["--fields", "price,none,pos", "--filter", '{"pos":"n"}'],
    ["--sort-by", "price", "--descending", "--offset", "7", "--limit", "20"],
    ["--limit", "0"],
    ["--sort-by", "near"],
    ["--filter", '{"pso":1}', "-o", "none.jsonl"],
    ["--vectors", "-o", "nowhere/rows.jsonl"],
  ]) {
    const [ours, theirs] = await Promise.all([npx, native].map((program) => run(program, ["list", "out", ...words], { cwd })));
    const rows = ({ stdout }) => stdout.trimEnd().split("\n").filter(Boolean).map((line) => JSON.parse(line));
    assert.deepEqual([ours.code, rows(ours)], [theirs.code, rows(theirs)], words.join(" "));
    if (!words.includes("-o")) assert.equal(ours.stderr, theirs.stderr);
  }
  assert.deepEqual(await readdir(cwd), ["out", "typed.jsonl"], "no file of a failure is left");
  for (const [i, program] of [npx, native].entries()) {
    await run(program, ["list", "out", "--vectors", "-o", `rows${i}.jsonl`], { cwd });
    await run(program, ["build", `rows${i}.jsonl`, "--codec", "f16", "--metric", "l2", "-o", `back${i}`], { cwd });
  }
  assert.deepEqual(await contents(join(cwd, "back0")), await contents(join(cwd, "back1")));
  const listed = async (folder) => (await run(native, ["list", folder, "--vectors"], { cwd })).stdout.split("\n").sort();
  assert.deepEqual(await listed("back0"), await listed("out"), "ids, fields and vectors are as they were");
});

test("plans are the same", { skip }, async () => {
  const million = ["--rows", "1e6", "--dim", "768"];
  const all = [
    [...million, "--budget", "100MB"],
    [...million, "--budget", "1.5 GiB", "--refine", "f16"],
    [...million, "--budget", "8GB", "--metric", "l2"],
    [...million, "--budget", "300MB", "--codec", "pq96", "--ids", "text:12"],
    ["--rows", "1000", "--dim", "7", "--budget", "1MB"],
    ["--rows", "90000", "--dim", "100", "--budget", "50MB", "--payload", "keyword:1000,float,boolean,geo"],
  ];
  const wrong = [
    [...million, "--budget", "1MB"],
    [...million, "--budget", "0"],
    [...million, "--budget", "64MB", "--codec", "sq9"],
    [...million, "--budget", "64MB", "--codec", "quantum"],
    [...million, "--budget", "64MB", "--codec", "f32", "--refine", "sq8"],
    [...million, "--budget", "64MB", "--metric", "hamming"],
    [...million, "--budget", "64MB", "--payload", "keywrd:3"],
    [...million, "--budget", "64MB", "--payload", "float:3"],
    [...million, "--budget", "64MB", "--ids", "text:0"],
    ["--rows", "3e9", "--dim", "8", "--budget", "64MB"],
    ["--rows", "1", "--dim", "65536", "--budget", "64MB"],
  ];
  for (const words of [...all, ...wrong].flatMap((words) => [["plan", ...words], ["plan", ...words, "--json"]])) {
    const [ours, theirs] = await Promise.all([npx, native].map((program) => run(program, words, { cwd: room })));
    // Pointers of WebAssembly have half of the bytes, so places and the memory of a search take a little less there.
    const [own, other] = [ours, theirs].map(({ code, stdout, stderr }) => [code, stdout, stderr].join("\n"));
    const shape = (text) => text.replace(/[\d.]+/g, "#");
    assert.equal(shape(own), shape(other), words.join(" "));
    const [numbers, theirNumbers] = [own, other].map((text) => text.match(/\d+(\.\d+)?/g).map(Number));
    numbers.forEach((number, at) => assert.ok(Math.abs(number - theirNumbers[at]) <= theirNumbers[at] * 0.1, `${words.join(" ")}: ${number}, ${theirNumbers[at]}`));
    assert.equal(ours.code !== 0, wrong.some((some) => some.every((word, at) => words[at + 1] === word)), words.join(" "));
  }
});

test("each reads what the other has built", { skip }, async () => {
  const { files } = GOOD.find(({ name }) => name === "words");
  const cwd = await folderOf({ ...files, "some.txt": "w3\nw9\nw27\n" });
  for (const [i, program] of [npx, native].entries()) await run(program, ["build", "rows.npy", "--ids", "words.txt", "--parts", "-o", `out${i}`], { cwd });
  for (const words of [
    ["search", "out0", "--id", "w5", "-k", "3"],
    ["search", "out1", "--vector", "0.1,0.2,0.3,-0.4,1", "--index", "clusters"],
    ["search", "out0", "--vector-file", "rows.npy", "--json"],
    ["search", "out1", "--id", "w5", "--among", "some.txt"],
    ["search", "out1", "--id", "w5", "--exclude", "some.txt", "--io", "pread", "--memory-budget", "1MB"],
    ["search", "out0", "--id", "nobody"],
    ["search", "out0", "--vector", "1,x"],
    ["search", "out0", "--vector", "1,2"],
    ["search", "out0", "--id", "w1", "-k", "0"],
    ["inspect", "out0"],
    ["inspect", "nowhere"],
    ["inspect", "rows.npy"],
    ["verify", "nowhere"],
    ["verify", "."],
  ]) {
    const [ours, theirs] = await Promise.all([npx, native].map((program) => run(program, words, { cwd })));
    // Which SIMD kernels run differs, and hits of npx do not tell their segment.
    const same = (text) => text.replace(/^kernels .*$/m, "").replaceAll('"segment":0,', "");
    assert.deepEqual([ours.code, same(ours.stdout)], [theirs.code, same(theirs.stdout)], words.join(" "));
  }
  for (const program of [npx, native]) {
    for (const folder of ["out0", "out1"]) {
      const { ok, parts, count } = JSON.parse((await run(program, ["verify", folder, "--json"], { cwd })).stdout);
      assert.ok(ok && parts > 3 && count === 120);
    }
    const { stdout } = await run(program, ["eval", "out0", "--queries", "rows.npy", "--limit", "20", "--index", "flat", "--json"], { cwd });
    assert.equal(JSON.parse(stdout).recall, 1);
  }
});
