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

// fault -> the code, and what the message tells to do
const CASES = {
  "not-found": ["not-found", /check the URL/],
  forbidden: ["forbidden", /headers/],
  "server-error": ["network", /503.*try again/],
  html: ["not-a-segment", /HTML page/],
  "short-body": ["network", /\d+ of \d+ bytes/],
  "empty-body": ["network", /0 of \d+ bytes/],
  "long-body": ["network", /bytes came where/],
  "wrong-start": ["network", /Content-Range: bytes/],
  "wrong-total": ["stale", /open the index again/],
  gzip: ["range-unsupported", /no-transform/],
  multipart: ["range-unsupported", /single range/],
  "not-satisfiable": ["stale", /416/],
  reset: ["network", /network failed/],
  refuse: ["network", /network failed/],
};

const wanted = await (async () => {
  const index = await open(f.bytes);
  const hits = await index.search(f.row(9));
  await index.close();
  return hits;
})();

function fail(fault, { only = /\.bin$/, times = Infinity } = {}) {
  Object.assign(server, { fault, only, times });
}

for (const [fault, [code, says]] of Object.entries(CASES)) {
  test(`${fault}, at a search: ${code}, and the index stays usable`, async () => {
    const index = await open(URL_);
    fail(fault);
    const error = await rejected(index.search(f.row(9)), code);
    fail(undefined);
    assert.match(error.message, says);
    assert.ok(error.message.includes(host), error.message);
    assert.doesNotMatch(error.message, /SECRET/);
    assert.deepEqual(await index.search(f.row(9)), wanted);
    await index.close();
  });

  test(`${fault}, at the opening: ${code}`, async () => {
    fail(fault);
    const error = await rejected(open(URL_), code);
    fail(undefined);
    assert.match(error.message, says);
    assert.doesNotMatch(error.message, /SECRET/);
  });
}

for (const fault of ["server-error", "reset", "refuse", "short-body", "wrong-start"]) {
  test(`${fault} once is retried`, async () => {
    const index = await open(URL_);
    fail(fault, { times: 1 });
    assert.deepEqual(await index.search(f.row(9)), wanted);
    fail(undefined);
    await index.close();
  });
}

test("an HTML page with status 206 is not a segment", async () => {
  fail("html-206");
  await rejected(open(URL_), "not-a-segment");
  fail(undefined);
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

test("a redirect to another origin is refused, headers never go there", async () => {
  const index = await open(URL_, { headers: { "x-api-key": "SECRET" } });
  assert.equal(server.log.at(-1).headers["x-api-key"], "SECRET");
  server.redirect = elsewhere.url;
  await rejected(open(URL_), "redirect");
  elsewhere.reset();
  await rejected(open(URL_, { headers: { "x-api-key": "SECRET" } }), "network");
  await rejected(index.search(f.row(9)), "network");
  server.redirect = undefined;
  assert.equal(elsewhere.requests, 0);
  await index.close();
});

test("a fetch of one's own is used for everything", async () => {
  const seen = [];
  const index = await open(URL_, { fetch: (url, init) => (seen.push(String(url)), fetch(url, init)) });
  await index.search(f.row(9));
  assert.equal(seen.length, index.stats().requests);
  await index.close();
});
