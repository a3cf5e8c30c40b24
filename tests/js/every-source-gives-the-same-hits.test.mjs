import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { open } from "pagevec";
import { fixture, near, oracle, recall } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture();
const server = await serve(f.folder);
const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
await writeFile(join(folder, f.file), f.bytes);
await writeFile(join(folder, "index.json"), JSON.stringify(f.manifest));
after(() => Promise.all([server.close(), rm(folder, { recursive: true })]));

const sources = {
  "a Uint8Array": f.bytes,
  "a view at an odd offset": new Uint8Array(new Uint8Array([9, ...f.bytes]).buffer, 1),
  "an ArrayBuffer": f.bytes.slice().buffer,
  "a Blob": new Blob([f.bytes]),
  "a folder's path": folder,
  "a manifest's path": join(folder, "index.json"),
  "a segment's path": join(folder, f.file),
  "a file: URL": pathToFileURL(folder),
  "a folder's URL": `${server.url}/words/`,
  "a segment's URL": new URL(`${server.url}/words/${f.file}`),
};
const queries = [0, 11, 222, 1999, 3000].map((row) => near(f, row));

async function answers(source) {
  const index = await open(source);
  const out = [];
  for (const query of queries) {
    out.push(await index.search(query));
    out.push(await index.search(query, { index: "flat", k: 3 }));
    out.push(await index.search(query, { index: "hnsw", ef: 40 }));
    out.push(await index.search(query, { index: "clusters" }));
    out.push(await index.search(query, { index: "clusters", probes: 3 }));
  }
  out.push(await index.searchBatch(queries, { k: 5 }), await index.has("word-5"), await index.has("nobody"));
  out.push([...(await index.vector("word-17"))]);
  await index.close();
  return out;
}

const expected = await answers(f.bytes);
for (const [name, source] of Object.entries(sources)) {
  test(name, async () => assert.deepEqual(await answers(source), expected));
}

test("and they are the nearest", async () => {
  const index = await open(f.bytes);
  let flat = 0;
  let hnsw = 0;
  for (let row = 0; row < 100; row++) {
    const query = near(f, row * 30);
    const wanted = oracle(f, query, 10);
    flat += recall(await index.search(query, { index: "flat" }), wanted) / 100;
    hnsw += recall(await index.search(query, { index: "hnsw", ef: 100 }), wanted) / 100;
  }
  assert.ok(flat > 0.97, `flat recall ${flat}`);
  assert.ok(hnsw > 0.95, `hnsw recall ${hnsw}`);
  await index.close();
});
