import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 300, dim: 16 });
const server = await serve(f.folder);
after(() => server.close());
const [{ contentId, fileId }] = f.manifest.segments;

test("a folder: both ids, compared before anything of the segment is read", async () => {
  const url = `${server.url}/words/`;
  for (const expect of [{}, { contentId }, { fileId }, { contentId, fileId }]) {
    const index = await open(url, { expect });
    assert.deepEqual([index.info.contentId, index.info.fileId], [contentId, fileId]);
    await index.close();
  }
  for (const expect of [{ contentId: "1".repeat(64) }, { fileId: "1".repeat(32) }, { contentId, fileId: "1".repeat(32) }]) {
    server.reset();
    const { message } = await rejected(open(url, { expect }), "stale");
    assert.match(message, /1{32}.* as expected/);
    assert.deepEqual(server.log.map(({ path }) => path), ["/words/index.json"]);
  }
});

test("a segment by itself: its file id; the content id is in index.json alone, and the error says so", async () => {
  for (const source of [`${server.url}/words/${f.file}`, f.bytes, new Blob([f.bytes])]) {
    const index = await open(source, { expect: { fileId } });
    assert.deepEqual([index.info.contentId, index.info.fileId], [undefined, fileId]);
    await index.close();
    await rejected(open(source, { expect: { fileId: "1".repeat(32) } }), "stale");
    const { message } = await rejected(open(source, { expect: { contentId } }), "argument");
    assert.match(message, /index\.json.*open its folder, or expect a fileId/);
  }
});

test("ids that are none", async () => {
  for (const expect of [{ contentId: "" }, { contentId: fileId }, { fileId: contentId }, { fileId: 5 }, { contentId: contentId.replace(/.$/, "G") }]) {
    await rejected(open(f.bytes, { expect }), "argument");
  }
});
