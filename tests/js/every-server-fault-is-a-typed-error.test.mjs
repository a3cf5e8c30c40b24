import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture();
const padded = { ...f.folder, "/words/large.bin": { body: Buffer.concat([f.bytes, Buffer.alloc(9 << 20)]) } };
const server = await serve(padded);
const elsewhere = await serve(f.folder);
after(() => Promise.all([server.close(), elsewhere.close()]));
const URL_ = `${server.url}/words/?token=SECRET`;
const host = new URL(server.url).host;

server.elsewhere = elsewhere.url;
process.on("unhandledRejection", (error) => {
  throw error;
});

// fault -> the code at a search (and at the opening, if it is another), and what the message tells to do
const CASES = {
  "not-found": [["stale", "not-found"], /not there any more.*Open the index again/],
  unauthorized: ["forbidden", /401.*signature/],
  forbidden: ["forbidden", /headers/],
  "not-modified": ["status", /304, not 206/],
  precondition: ["status", /412, not 206/],
  "server-error": ["network", /503.*try again/],
  html: ["not-a-segment", /HTML page/],
  "html-206": ["not-a-segment", /HTML page/],
  "html-as-bytes": [["checksum", "not-a-segment"], /seg-\w+\.bin/],
  "short-body": ["network", /\d+ of \d+ bytes/],
  "empty-body": ["network", /0 of \d+ bytes/],
  "long-body": ["network", /bytes came where/],
  "length-too-large": ["network", /network failed/],
  "length-too-small": ["network", /bytes: try again|network failed/],
  "wrong-start": ["network", /Content-Range: bytes/],
  "wrong-total": ["stale", /open the index again/],
  "total-changing": ["stale", /open the index again/],
  replaced: [["checksum", "not-a-segment"], /seg-\w+\.bin/],
  gzip: ["range-unsupported", /gzip.*no-transform/],
  brotli: ["range-unsupported", /br\).*no-transform/],
  multipart: ["range-unsupported", /single range/],
  "not-satisfiable": ["stale", /416/],
  reset: ["network", /network failed/],
  refuse: ["network", /network failed/],
  stall: ["timeout", /timeoutMs/],
  "stall-body": ["timeout", /timeoutMs/],
  drip: ["timeout", /timeoutMs/],
  "retry-after 0": ["network", /429/],
  "retry-after 1": ["network", /429/],
  "retry-after 1000000000": ["network", /429/],
  "retry-after soon 2099": ["network", /429/],
  "retry-after date": ["network", /503/],
  "301 elsewhere": ["redirect", /another origin/],
  "302 elsewhere": ["redirect", /another origin/],
  "307 elsewhere": ["redirect", /another origin/],
  "308 elsewhere": ["redirect", /another origin/],
};
/** Where time is what goes wrong. */
const HURRIED = { timeoutMs: 700, retries: 1 };
const settings = (fault) => (/stall|drip|retry-after/.test(fault) ? HURRIED : {});

const wanted = await (async () => {
  const index = await open(f.bytes);
  const hits = await index.search(f.row(9));
  await index.close();
  return hits;
})();

function fail(fault, { only = /\.bin$/, times = Infinity } = {}) {
  Object.assign(server, { fault, only, times });
}

for (const [fault, [codes, says]] of Object.entries(CASES)) {
  const [atSearch, atOpen = atSearch] = [codes].flat();

  test(`${fault}, at a search: ${atSearch}, and the index stays usable`, { timeout: 60_000 }, async () => {
    const index = await open(URL_, settings(fault));
    fail(fault);
    const error = await rejected(index.search(f.row(9), { index: "clusters" }), atSearch);
    fail(undefined);
    assert.match(error.message, says);
    assert.ok(error.message.includes(host), error.message);
    assert.doesNotMatch(error.message, /SECRET/);
    assert.deepEqual(await index.search(f.row(9)), wanted);
    await index.close();
  });

  test(`${fault}, at the opening: ${atOpen}`, { timeout: 60_000 }, async () => {
    fail(fault);
    const error = await rejected(open(URL_, settings(fault)), atOpen);
    fail(undefined);
    assert.match(error.message, atOpen === atSearch ? says : /not a|no pagevec|check the URL/);
    assert.doesNotMatch(error.message, /SECRET/);
  });
}

for (const fault of ["short-body", "reset", "reset-after", "stall", "stall-body", "drip", "gzip", "total-changing"]) {
  test(`${fault}, in a long read`, { timeout: 60_000 }, async () => {
    const index = await open(URL_, settings(fault));
    Object.assign(server, { fault, times: Infinity, only: /bin$/, after: 1000 });
    server.reset();
    await rejected(index.load(), CASES[fault]?.[0] ?? "network");
    const [from, to] = server.ranges()[0];
    assert.ok(to - from > 256 * 1024, `${to - from}: not long`);
    fail(undefined);
    await index.load();
    assert.deepEqual(await index.search(f.row(9), { index: "hnsw" }), wanted);
    await index.close();
  });
}

test("another file under another ETag: stale", async () => {
  server.etag = '"first"';
  const index = await open(URL_);
  fail("replaced");
  const error = await rejected(index.search(f.row(9)), "stale");
  fail(undefined);
  assert.match(error.message, /ETag.*open the index again/);
  assert.deepEqual(await index.search(f.row(9)), wanted);
  server.etag = undefined;
  await index.close();
});

test("an HTML page for index.json says so", async () => {
  fail("html", { only: /json$/ });
  const error = await rejected(open(URL_), "manifest");
  fail(undefined);
  assert.match(error.message, /HTML page/);
});

test("no manifest: not-found", async () => {
  const error = await rejected(open(`${server.url}/nowhere/`), "not-found");
  assert.match(error.message, /nowhere\/index\.json/);
});

test("200 for a range of a small file: the file is kept, and nothing else is asked for", async () => {
  fail("ignore-range");
  server.reset();
  const index = await open(URL_);
  assert.deepEqual(await index.search(f.row(9)), wanted);
  assert.equal(await index.has("word-3"), true);
  assert.equal(server.requests, 2);
  assert.equal(index.stats().requests, 2);
  fail(undefined);
  await index.close();
});

test("200 for all, from the middle of a session on: a small file is read once, whatever the wave", async () => {
  const whole = await open(f.bytes);
  const byClusters = await whole.search(f.row(9), { index: "clusters" });
  await whole.close();
  const index = await open(URL_, { connection: "h2" });
  fail("ignore-range");
  server.reset();
  assert.deepEqual(await index.search(f.row(9), { index: "clusters" }), byClusters);
  fail(undefined);
  const { bytes } = index.stats();
  assert.ok(bytes < 2 * f.bytes.length, `${bytes} of ${f.bytes.length}`);
  await index.close();
});

test("200 for a range of a large file: an error at once, that says which header is missing", async () => {
  fail("ignore-range");
  server.reset();
  const error = await rejected(open(`${server.url}/words/large.bin?token=SECRET`), "range-unsupported");
  fail(undefined);
  assert.ok(error.message.includes(host) && /Accept-Ranges/.test(error.message), error.message);
  assert.doesNotMatch(error.message, /SECRET/);
  assert.equal(server.requests, 1);
});

test("a file of another length than its header says", async () => {
  await rejected(open(`${server.url}/words/large.bin`), "length");
});

test("no Content-Range: fine where the manifest tells the length, else an error that names the header", async () => {
  fail("no-content-range");
  const index = await open(URL_);
  assert.deepEqual(await index.search(f.row(9)), wanted);
  await index.close();
  const error = await rejected(open(`${server.url}/words/${f.file}`), "range-unsupported");
  fail(undefined);
  assert.match(error.message, /Access-Control-Expose-Headers/);
});

test("headers go to the index's own origin only: with them no redirect is followed", async () => {
  const headers = { "x-api-key": "SECRET" };
  const index = await open(URL_, { headers });
  assert.ok(server.log.slice(-2).every((request) => request.headers["x-api-key"] === "SECRET"));
  elsewhere.reset();
  for (const fault of ["302 elsewhere", "307 elsewhere", "308 here"]) {
    fail(fault, { only: /./ });
    await rejected(open(URL_, { headers }), "redirect");
    await rejected(index.search(f.row(9)), "redirect");
  }
  fail(undefined);
  assert.equal(elsewhere.requests, 0);
  assert.deepEqual(await index.search(f.row(9)), wanted);
  await index.close();
});

test("a fetch of one's own is used for everything", async () => {
  const seen = [];
  const index = await open(URL_, { fetch: (url, init) => (seen.push(String(url)), fetch(url, init)) });
  await index.search(f.row(9));
  assert.equal(seen.length, index.stats().requests);
  await index.close();
});
