// Published in parts only: plain GETs of whole files, the same hits, each part once while it is remembered.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { open } from "pagevec";
import { fixture, near, rejected } from "./support/fixture.mjs";
import { inParts } from "./support/parts.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture();
const { folder, manifest } = inParts(f);
const parts = Object.keys(folder).filter((path) => path.endsWith(".bin"));
const files = { ...folder };
const server = await serve((path) => files[path]);
after(() => server.close());
const URL_ = `${server.url}/words/`;
const queries = [0, 11, 222, 1999, 3000].map((row) => near(f, row));

async function answers(source, options) {
  const index = await open(source, options);
  const out = [await index.searchBatch(queries, { k: 5 })];
  for (const choice of ["clusters", "flat", "hnsw", "auto"]) for (const query of queries) out.push(await index.search(query, { index: choice }));
  out.push(await index.has("word-5"), await index.has("nobody"), [...(await index.vector("word-17"))]);
  await index.close();
  return out;
}
const expected = await answers(f.bytes);

test("the hits are those of the file, by plain GETs, each part once", async () => {
  server.reset();
  assert.deepEqual(await answers(URL_), expected);
  const asked = server.log.map(({ path }) => path);
  assert.equal(asked[0], "/words/index.json");
  assert.equal(new Set(asked).size, asked.length, "nothing was asked for twice");
  assert.ok(asked.slice(1).every((path) => parts.includes(path)));
  for (const { method, headers } of server.log) {
    assert.equal(method, "GET");
    for (const name of ["range", "if-range", "if-match", "if-none-match", "referer"]) assert.equal(headers[name], undefined);
  }
});

for (const [name, cuts] of Object.entries({
  "one part": [[0, f.bytes.length]],
  "parts of 777 bytes, none at a section's start": [[0, 777]],
  "a size larger than the file": [[0, 2 ** 40]],
  "cuts in the middle of everything": [[0, 100], [333, 4001], [f.bytes.length - 5, 2]],
})) {
  test(`wherever it is cut: ${name}`, async () => {
    const own = await serve(inParts(f, { cuts }).folder);
    assert.deepEqual(await answers(`${own.url}/words/`), expected);
    await own.close();
  });
}

test("opening takes the manifest and the front; stats count what was sent", async () => {
  server.reset();
  const index = await open(`${URL_}?sig=secret`);
  assert.equal(server.requests, 2);
  assert.ok(server.log.every(({ url }) => url.endsWith("?sig=secret")));
  await index.search(queries[0], { index: "clusters" });
  assert.deepEqual([index.stats().requests, index.stats().bytes], [server.requests, server.bytes]);
  const before = server.requests;
  await index.search(queries[0], { index: "clusters" });
  assert.equal(server.requests, before, "the same again needs nothing");
  await index.close();
});

test("searches at once share the parts under way", async () => {
  const index = await open(URL_);
  server.reset();
  server.delay = 20;
  await Promise.all(queries.flatMap((query) => [index.search(query, { index: "clusters" }), index.search(query, { index: "clusters" })]));
  server.delay = 0;
  assert.equal(new Set(server.log.map(({ path }) => path)).size, server.requests);
  await index.close();
});

test("what is remembered is bounded by a quarter of the memory budget", async () => {
  const few = await open(f.bytes).then(async (index) => {
    await index.close();
    return rejected(open(f.bytes, { memoryBudget: 60_000 }), "budget");
  });
  const least = Number(/at least (\d+)/.exec(few.message)[1]);
  server.reset();
  const search = async (options) => {
    const index = await open(URL_, options);
    const hits = [];
    for (let round = 0; round < 2; round++) for (const query of queries) hits.push(await index.search(query, { index: "clusters", probes: 30 }));
    await index.close();
    const { requests } = server;
    server.reset();
    return { hits, requests };
  };
  const [small, large] = [await search({ memoryBudget: least }), await search({})];
  assert.deepEqual(small.hits, large.hits);
  assert.ok(small.requests > large.requests, `${small.requests} requests with ${least} bytes, ${large.requests} with 64 MiB`);
});

test("a wave of many parts has at most 40 requests under way", async () => {
  const own = await serve(inParts(f, { cuts: [[0, f.front], [f.front, 500]] }).folder);
  const running = { now: 0, most: 0 };
  const counted = async (url, init) => {
    running.most = Math.max(running.most, ++running.now);
    try {
      const response = await fetch(url, init);
      return new Response(await response.arrayBuffer(), { status: response.status, headers: response.headers });
    } finally {
      running.now -= 1;
    }
  };
  const index = await open(`${own.url}/words/`, { fetch: counted });
  const aborted = new AbortController();
  const gone = rejected(index.search(queries[4], { index: "clusters", probes: 30, signal: aborted.signal }), "aborted");
  await until(() => running.now > 0);
  aborted.abort();
  await gone;
  const whole = await open(f.bytes);
  const [hits, wanted] = await Promise.all([index, whole].map((each) => each.search(queries[0], { index: "clusters", probes: 30 })));
  assert.deepEqual(hits, wanted);
  await whole.close();
  assert.equal(running.most, 40);
  assert.ok(own.requests > 100, `${own.requests} requests`);
  await index.close();
  await own.close();
});

test("a load streams the graph, asking ahead but for each part once", async () => {
  const index = await open(URL_);
  server.reset();
  await index.load();
  assert.equal(new Set(server.log.map(({ path }) => path)).size, server.requests);
  const { requests } = server;
  for (const query of queries) await index.search(query, { index: "hnsw" });
  assert.equal(server.requests, requests, "all is here");
  await index.close();
});

test("an abort ends its requests, and not those that others wait for", async () => {
  const index = await open(URL_);
  const wanted = await (async () => {
    const whole = await open(f.bytes);
    const hits = await whole.search(queries[1], { index: "clusters" });
    await whole.close();
    return hits;
  })();
  server.reset();
  server.delay = 60;
  const controller = new AbortController();
  const gone = rejected(index.search(queries[1], { index: "clusters", signal: controller.signal }), "aborted");
  const stays = index.search(queries[1], { index: "clusters" });
  await until(() => server.now > 0);
  controller.abort();
  await gone;
  assert.deepEqual(await stays, wanted);
  assert.equal(server.aborted, 0);
  server.delay = 2000; // an abort comes first, however busy the machine is
  const alone = new AbortController();
  const left = rejected(index.load({ signal: alone.signal }), "aborted");
  await until(() => server.now > 0);
  alone.abort();
  await left;
  await until(() => server.aborted > 0); // what nobody waits for is ended
  server.delay = 0;
  await index.load();
  await index.close();
});

const damaged = (change) => {
  for (const path of parts.slice(1)) files[path] = change(folder[path]);
};
for (const [name, [change, code, says]] of Object.entries({
  "that is missing": [() => undefined, "stale", /not there any more/],
  "that is cut short": [({ body }) => ({ body: body.subarray(1) }), "stale", /upload the folder again/],
  "that is too long": [({ body }) => ({ body: Buffer.concat([body, Buffer.alloc(1)]) }), "stale", /more bytes/],
  "that is the site's start page": [() => ({ body: "<!doctype html><title>Hello</title>" }), "not-a-segment", /HTML page/],
  "with a changed bit in each byte": [({ body }) => ({ body: body.map((byte) => byte ^ 1) }), "checksum", /again/],
  "of another place": [(file) => folder[parts.find((path) => path !== file && folder[path] !== file && folder[path].body.length === file.body.length)] ?? file, "checksum", /again/],
})) {
  test(`a part ${name}: ${code}, and the index goes on once it is mended`, async () => {
    const index = await open(URL_);
    damaged(change);
    const error = await rejected(index.search(queries[2], { index: "clusters" }), code);
    assert.match(error.message, says);
    Object.assign(files, folder);
    assert.equal((await index.search(queries[2], { index: "clusters" })).length, 10);
    await index.close();
  });
}

test("parts may be compressed on their way", async () => {
  damaged(({ body }) => ({ body: gzipSync(body), headers: { "content-encoding": "gzip" } }));
  assert.deepEqual(await answers(URL_), expected);
  Object.assign(files, folder);
});

test("a part that fails once is asked for again", async () => {
  const index = await open(URL_);
  Object.assign(server, { fault: "server-error", only: /-\d+\.bin$/, times: 1 });
  assert.equal((await index.search(queries[3], { index: "clusters" })).length, 10);
  assert.equal(server.times, 0);
  Object.assign(server, { fault: undefined, times: Infinity });
  await index.close();
});

test("parts in a folder of this machine", async () => {
  const place = await mkdtemp(join(tmpdir(), "pagevec-"));
  for (const [path, { body }] of Object.entries(folder)) {
    await mkdir(dirname(join(place, path)), { recursive: true });
    await writeFile(join(place, path), body);
  }
  const own = join(place, "words");
  assert.deepEqual(await answers(own), expected);
  assert.deepEqual(await answers(join(own, "index.json")), expected);
  const part = join(place, parts[0]);
  const good = await readFile(part);
  await truncate(part, 100);
  assert.match((await rejected(open(own), "io")).message, /0-\d+\.bin/);
  await rm(part);
  await rejected(open(own), "not-found");
  await writeFile(part, good);
  await (await open(own)).close();
  await rm(place, { recursive: true });
});

test("the manifest of parts is checked as any", async () => {
  const entry = manifest.segments[0];
  const refused = async (change) => {
    files["/words/index.json"] = { body: JSON.stringify({ pagevec: 1, segments: [{ ...entry, ...change }] }) };
    server.reset();
    const error = await rejected(open(URL_));
    assert.equal(server.requests, 1, "nothing but the manifest was fetched");
    return error.code;
  };
  const { folder: name, cuts } = entry.parts;
  for (const bad of ["../x", "..", "", "a/b", "http://evil.example", 7, undefined]) assert.equal(await refused({ parts: { folder: bad, cuts } }), "manifest");
  for (const bad of [undefined, 7, [], [7], [[0]], [[0, 0]], [[1, 5]], [[0, 5], [0, 5]], [[0, 5], [f.bytes.length, 5]], [[0, 1.5]], [[0, -5]], [["0", 5]]]) {
    assert.equal(await refused({ parts: { folder: name, cuts: bad } }), "manifest", JSON.stringify(bad));
  }
  for (const parts of [null, 7, undefined]) assert.equal(await refused({ parts }), "manifest");
  assert.equal(await refused({ front: 2 ** 40, length: 2 ** 41 }), "budget");
  files["/words/index.json"] = folder["/words/index.json"];
});
