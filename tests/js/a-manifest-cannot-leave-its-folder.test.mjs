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

for (const [name, text] of Object.entries({
  "empty": "",
  "not JSON": "{",
  "null": "null",
  "an array": "[]",
  "no version": JSON.stringify({ segments: [entry] }),
  "a newer version": JSON.stringify({ pagevec: 2, segments: [entry] }),
  "no segments": JSON.stringify({ pagevec: 1, segments: [] }),
  "two segments": JSON.stringify({ pagevec: 1, segments: [entry, entry] }),
  "a null segment": JSON.stringify({ pagevec: 1, segments: [null] }),
  "length of text": withEntry({ length: "12" }),
  "length below 0": withEntry({ length: -1 }),
  "front beyond the file": withEntry({ front: entry.length + 1 }),
  "a fraction": withEntry({ front: 1.5 }),
  "dim 0": withEntry({ dim: 0 }),
  "no contentId": withEntry({ contentId: "xyz" }),
  "larger than any manifest": " ".repeat(2 << 20),
})) {
  test(name, async () => assert.equal((await refused(text)).requests, 1));
}

test("what contradicts the segment's header", async () => {
  for (const change of [{ count: 501 }, { dim: 47 }, { metric: "l2" }, { fileId: "0".repeat(32) }, { length: entry.length - 1 }]) {
    await refused(withEntry(change), "stale");
  }
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
