// Over a file that stays on its server, `auto` answers by clusters: leaves, then lists, then rows.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, recall, sectionOf, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 7000, dim: 128, make: smooth, efConstruction: 60 });
const server = await serve(f.folder);
after(() => server.close());
const { requests: most, waste } = { requests: 40, waste: 256 * 1024 };

test("three waves; the figures are the server's, and a part of the file", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  const { hits, index: by, waves, requests, bytes, rescored } = await index.explain(near(f, 7));
  assert.equal(hits[0].id, "word-7");
  assert.equal(by, "clusters");
  assert.equal(waves, 3);
  assert.deepEqual({ requests, bytes }, { requests: server.requests, bytes: server.bytes });
  const ranges = server.ranges();
  assert.equal(ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0), bytes);
  const sections = ranges.map(([from, to]) => sectionOf(f.info, from, to - from + 1));
  assert.deepEqual([...new Set(sections)], ["leaves", "lists", "codes"], "in this order, and no range leaves its section");
  for (const name of ["leaves", "lists", "codes"]) assert.ok(sections.filter((section) => section === name).length <= most, sections.join());
  assert.ok(rescored >= 10 && rescored <= 120, `${rescored} rows`);
  assert.ok(bytes < f.bytes.length / 5 + waste, `${bytes} of ${f.bytes.length}`);
  console.log(`# first search: ${bytes} bytes of ${f.bytes.length}, ${requests} requests, ${waves} waves, ${rescored} rows`);
  await index.close();
});

test("what was read serves later searches; the same search again reads nothing", async () => {
  const index = await open(`${server.url}/words/`);
  const read = [];
  for (let i = 0; i < 40; i++) read.push((await index.explain(near(f, i * 150), { index: "clusters" })).bytes);
  const mean = (part) => part.reduce((sum, bytes) => sum + bytes, 0) / part.length;
  assert.ok(mean(read.slice(-10)) < mean(read.slice(0, 10)) / 2, read.join());
  server.reset();
  const { bytes, requests, waves } = await index.explain(near(f, 0), { index: "clusters" });
  assert.deepEqual({ bytes, requests, waves, seen: server.requests }, { bytes: 0, requests: 0, waves: 0, seen: 0 });
  await index.close();
});

test("recall against every row, and more probes find more", async () => {
  const index = await open(f.bytes);
  const found = { few: 0, default: 0, all: 0 };
  for (let i = 0; i < 100; i++) {
    const query = near(f, i * 60);
    const wanted = (await index.search(query, { index: "flat" })).map(({ id }) => id);
    const share = async (probes) => recall(await index.search(query, { index: "clusters", probes }), wanted) / 100;
    found.few += await share(1);
    found.default += await share(undefined);
    found.all += await share(1e6);
  }
  console.log(`# recall@10 of clusters against flat: ${JSON.stringify(found)}`);
  assert.ok(found.default >= 0.93, `${found.default}`);
  assert.ok(found.few < found.default && found.default <= found.all + 0.01, JSON.stringify(found));
  await index.close();
});

test("hits do not depend on what is here, on the order, or on company", async () => {
  const queries = Array.from({ length: 12 }, (_, i) => near(f, i * 500));
  const warm = await open(f.bytes);
  await warm.load();
  const expected = [];
  for (const query of queries) expected.push(await warm.search(query, { index: "clusters" }));
  const cold = await open(`${server.url}/words/`);
  const together = await Promise.all(queries.map((query) => cold.search(query)));
  assert.deepEqual(together, expected);
  assert.deepEqual(await cold.searchBatch(queries), expected);
  await Promise.all([warm.close(), cold.close()]);
});

test("a batch shares its waves, and what two searches want is asked for once", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  server.delay = 10;
  await Promise.all(Array.from({ length: 6 }, () => index.search(near(f, 7))));
  server.delay = 0;
  const alone = await open(`${server.url}/words/`);
  const { requests, bytes } = server;
  server.reset();
  await alone.search(near(f, 7));
  assert.deepEqual({ requests: requests - 2, bytes: bytes - f.front - f.folder["/words/index.json"].body.length }, { requests: server.requests, bytes: server.bytes });
  await Promise.all([index.close(), alone.close()]);
});

test("a file without clusters says so, and auto does without", async () => {
  const plain = await fixture({ count: 300, dim: 16, clusters: false });
  const index = await open(plain.bytes);
  assert.equal(index.info.clusters, false);
  const error = await rejected(index.search(plain.row(3), { index: "clusters" }), "argument");
  assert.match(error.message, /no clusters/);
  await rejected(index.searchBatch([plain.row(3)], { index: "clusters" }), "argument");
  assert.equal((await index.search(plain.row(3)))[0].id, "word-3");
  await index.close();
});
