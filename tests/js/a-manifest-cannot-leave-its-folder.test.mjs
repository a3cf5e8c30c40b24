import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 500 });
let manifest = "";
const server = await serve((path) => (path === "/words/index.json" ? { body: manifest } : f.folder[path]));
after(() => server.close());

const entry = f.manifest.segments[0];
const dead = { file: "dead-1.bin", length: 40, count: 3, contentId: "d".repeat(64) };
const second = { ...entry, file: "seg-2.bin", contentId: "2".repeat(64) };
const listing = (...segments) => JSON.stringify({ pagevec: 2, generation: 1, segments });
const withDead = (change) => listing({ ...entry, dead: { ...dead, ...change } });
const withSecond = (change) => listing(entry, { ...second, ...change });
const withEntry = (change) => JSON.stringify({ pagevec: 1, segments: [{ ...entry, ...change }] });

async function refused(text, code = "manifest") {
  manifest = text;
  server.reset();
  const error = await rejected(open(`${server.url}/words/`), code);
  return { error, requests: server.requests };
}

for (const file of ["../secret.bin", "/etc/passwd", "http://evil.example/x.bin", "//evil.example/x", "a/b.bin", "..", ".", "", "x?y", "x#y", "x y", "%2e%2e", "a".repeat(129), 7, null]) {
  test(`file ${JSON.stringify(file)?.slice(0, 40)}`, async () => {
    const { requests } = await refused(withEntry({ file }));
    assert.equal(requests, 1, "nothing but the manifest was fetched");
  });
}

for (const file of ["../dead.bin", "/etc/passwd", "a/b", "..", "", "%2e%2e", 7, null, undefined]) {
  test(`a file of dead rows ${JSON.stringify(file)}`, async () => {
    const { error, requests } = await refused(withDead({ file }));
    assert.match(error.message, /`dead\.file` must be a plain name/);
    assert.equal(requests, 1);
  });
}

test("an error about one of several segments names it", async () => {
  for (const [change, told] of [
    [{ contentId: entry.contentId }, /seg-2\.bin is listed twice/],
    [{ file: entry.file }, new RegExp(`${entry.file} is listed twice`)],
    [{ dim: 47 }, /seg-2\.bin has dim 47, the first segment has 48/],
    [{ metric: "l2" }, /seg-2\.bin has metric l2, the first segment has cosine/],
    [{ length: 0 }, /segment 1 \(seg-2\.bin\): `length` must be/],
    [{ fileId: "x" }, /segment 1 \(seg-2\.bin\): `fileId` must be/],
    [{ file: undefined, parts: { folder: "..", cuts: [[0, 9]] } }, /segment 1: `parts\.folder` must be/],
    [{ dead: { ...dead, count: 501 } }, /segment 1 \(seg-2\.bin\): dead-1\.bin has 501 dead rows of 500/],
    [{ dead: { ...dead, contentId: "d" } }, /segment 1 \(seg-2\.bin\): `dead\.contentId` must be/],
  ]) {
    const { error, requests } = await refused(withSecond(change));
    assert.match(error.message, told);
    assert.equal(requests, 1);
  }
});

for (const [name, text] of Object.entries({
  "empty": "",
  "not JSON": "{",
  "null": "null",
  "an array": "[]",
  "no version": JSON.stringify({ segments: [entry] }),
  "a newer version": JSON.stringify({ pagevec: 3, segments: [entry] }),
  "no segments": JSON.stringify({ pagevec: 1, segments: [] }),
  "two segments": JSON.stringify({ pagevec: 1, segments: [entry, entry] }),
  "a null segment": JSON.stringify({ pagevec: 1, segments: [null] }),
  "length of text": withEntry({ length: "12" }),
  "length below 0": withEntry({ length: -1 }),
  "front beyond the file": withEntry({ front: entry.length + 1 }),
  "a fraction": withEntry({ front: 1.5 }),
  "dim 0": withEntry({ dim: 0 }),
  "no contentId": withEntry({ contentId: "xyz" }),
  "version 2 without a generation": JSON.stringify({ pagevec: 2, segments: [entry] }),
  "a generation below 0": JSON.stringify({ pagevec: 2, generation: -1, segments: [entry] }),
  "version 2 without segments": listing(),
  "1,025 segments": listing(...Array.from({ length: 1025 }, () => ({}))),
  "dead rows in version 1": withEntry({ dead }),
  "dead rows that are no object": listing({ ...entry, dead: 3 }),
  "dead rows without a length": withDead({ length: undefined }),
  "no dead rows in a file of them": withDead({ count: 0 }),
  "more dead rows than rows": withDead({ count: 501 }),
  "larger than any manifest": " ".repeat(5 << 20),
})) {
  test(name, async () => assert.equal((await refused(text)).requests, 1));
}

test("what contradicts the segment's header", async () => {
  for (const change of [{ count: 501 }, { dim: 47 }, { metric: "l2" }, { fileId: "0".repeat(32) }, { length: entry.length - 1 }]) {
    await refused(withEntry(change), "stale");
  }
});

test("version 2 with one segment is the index that version 1 is", async () => {
  manifest = listing(entry);
  const index = await open(`${server.url}/words/`);
  assert.deepEqual([index.info.generation, index.info.fileId, index.info.segments.length], [1, entry.fileId, 1]);
  assert.equal((await index.search(f.row(3)))[0].id, "word-3");
  await index.close();
});

test("a section table that is not the segment's", async () => {
  const sections = f.info.sections.map(({ name, offset, length }) => [name, offset, length]);
  for (const [at, field] of [[0, 0], [3, 1], [4, 2]]) {
    const wrong = structuredClone(sections);
    wrong[at][field] = field === 0 ? "kodes" : wrong[at][field] + 64;
    const { error } = await refused(withEntry({ sections: wrong }), "stale");
    assert.match(error.message, /sections.*not published together/);
  }
  await refused(withEntry({ sections: sections.slice(1) }), "stale");
  await refused(withEntry({ sections: "codes" }));
  manifest = withEntry({ sections });
  await (await open(`${server.url}/words/`)).close();
});

test("a front that asks for more than the memory budget allocates nothing", async () => {
  const { requests } = await refused(withEntry({ front: 2 ** 40, length: 2 ** 41 }), "budget");
  assert.equal(requests, 1);
});

test("a front that is too short is completed", async () => {
  manifest = withEntry({ front: f.front - 8 });
  const index = await open(`${server.url}/words/`);
  assert.equal((await index.search(f.row(3)))[0].id, "word-3");
  await index.close();
});
