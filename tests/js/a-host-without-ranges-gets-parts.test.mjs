// Published as a file and in parts: ranges while the host gives them, parts from the first answer on that is none.
// The file is larger than what a client keeps of a plain 200 (8 MiB).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected } from "./support/fixture.mjs";
import { inParts } from "./support/parts.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture({ count: 6000, dim: 384, codec: "f32", graph: false });
assert.ok(f.bytes.length > 9 << 20);
const { folder } = inParts(f, { beside: true, size: 64 << 10 });
const files = { ...folder };
const server = await serve((path) => files[path]);
const alone = await serve(f.folder);
after(() => Promise.all([server.close(), alone.close()]));
const URL_ = `${server.url}/words/?token=SECRET`;
const WHOLE = new RegExp(`/${f.file}$`);
const query = near(f, 77);
const wanted = await (async () => {
  const index = await open(f.bytes);
  const hits = await index.search(query);
  await index.close();
  return hits;
})();

const fail = (fault, only = WHOLE) => Object.assign(server, { fault, only });
const asked = (path) => server.log.filter((request) => path.test(request.path)).length;

test("a host that gives ranges is asked for nothing else", async () => {
  server.reset();
  const index = await open(URL_);
  assert.deepEqual(await index.search(query), wanted);
  assert.equal(asked(WHOLE), server.requests - 1);
  await index.close();
});

for (const fault of ["ignore-range", "gzip", "not-satisfiable", "not-found", "multipart"]) {
  test(`${fault}, from the start: one attempt, then parts`, async () => {
    fail(fault);
    server.reset();
    const index = await open(URL_);
    assert.deepEqual(await index.search(query), wanted);
    assert.ok(index.stats().bytes < f.bytes.length / 2, "the answer with the whole file was left unread");
    assert.deepEqual((await index.search(query, { index: "flat" }))[0].id, wanted[0].id);
    assert.equal(asked(WHOLE), 1);
    assert.equal(index.stats().requests, server.requests);
    assert.ok(server.log.slice(2).every(({ range }) => range === undefined));
    fail(undefined);
    assert.deepEqual(await index.search(near(f, 4000), { k: 1 }).then(([{ id }]) => id), "word-4000");
    assert.equal(asked(WHOLE), 1, "ranges are not tried again");
    await index.close();
  });

  test(`${fault}, from some time on: parts from there`, async () => {
    const index = await open(URL_);
    fail(fault);
    assert.deepEqual(await index.search(query), wanted);
    fail(undefined);
    await index.close();
  });

  test(`${fault}, in the middle of a long read`, async () => {
    const index = await open(URL_);
    server.reset();
    Object.assign(server, { pieces: 1 << 20 });
    const reading = index.search(query, { index: "flat", k: 1 });
    await until(() => server.bytes > 0);
    fail(fault);
    assert.equal((await reading)[0].id, wanted[0].id);
    Object.assign(server, { pieces: 0 });
    fail(undefined);
    await index.close();
  });
}

test("a network that fails is no reason for parts", async () => {
  fail("server-error");
  server.reset();
  const error = await rejected(open(URL_), "network");
  assert.equal(asked(/-\d+\.bin$/), 0);
  assert.match(error.message, /503/);
  fail(undefined);
});

test("where the parts are not there either, the error tells both", async () => {
  fail("ignore-range");
  for (const path of Object.keys(folder).filter((path) => /-\d+\.bin$/.test(path))) files[path] = undefined;
  const error = await rejected(open(URL_), "not-found");
  Object.assign(files, folder);
  fail(undefined);
  assert.match(error.message, /0-\d+\.bin/);
  assert.equal(error.cause.code, "range-unsupported");
  assert.doesNotMatch(`${error.message} ${error.cause.message}`, /SECRET/);
});

test("without parts, the error says what the host or the publisher must do", async () => {
  Object.assign(alone, { fault: "ignore-range", only: WHOLE });
  const error = await rejected(open(`${alone.url}/words/`), "range-unsupported");
  assert.match(error.message, /Accept-Ranges.*--parts/);
});

test("headers go to parts too, and forbid redirects", async () => {
  fail("ignore-range");
  server.reset();
  const index = await open(URL_, { headers: { "x-api-key": "SECRET" } });
  assert.ok(server.log.every(({ headers }) => headers["x-api-key"] === "SECRET"));
  server.elsewhere = alone.url;
  fail("302 elsewhere", /./);
  alone.reset();
  await rejected(index.search(query), "redirect");
  assert.equal(alone.requests, 0);
  fail(undefined);
  await index.close();
});
