import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());

test("index.json, then the front in one range", async () => {
  const events = [];
  const index = await open(`${server.url}/words/`, { onProgress: (e) => events.push(e), onFetch: (e) => events.push(e) });
  assert.deepEqual(server.log.map(({ method, path, range }) => [method, path, range]), [
    ["GET", "/words/index.json", undefined],
    ["GET", `/words/${f.file}`, `bytes=0-${f.front - 1}`],
  ]);
  const { requests, bytes, queries, waves } = index.stats();
  const expected = f.folder["/words/index.json"].body.length + f.front;
  assert.deepEqual({ requests, bytes, queries, waves }, { requests: 2, bytes: expected, queries: 0, waves: 0 });
  assert.equal(server.bytes, expected);
  assert.deepEqual(events, [
    { phase: "open", done: f.front, total: f.front },
    { offset: 0, length: f.front },
  ]);
  assert.equal(index.info.count, f.count);
  await index.close();
});

test("a segment's own URL takes one", async () => {
  server.reset();
  const index = await open(`${server.url}/words/${f.file}`);
  assert.deepEqual(server.log.map(({ range }) => range), ["bytes=0-65535"]);
  assert.equal(index.stats().requests, 1);
  assert.equal(index.info.fileLength, f.bytes.length);
  await index.close();
});

test("no request asks for a preflight or carries a referrer", async () => {
  server.reset();
  const index = await open(`${server.url}/words/`);
  await index.search(f.row(0));
  for (const { method, headers } of server.log) {
    assert.equal(method, "GET");
    for (const name of ["if-range", "if-match", "if-none-match", "referer"]) assert.equal(headers[name], undefined);
  }
  await index.close();
});

test("without its last slash, by index.json, with a query string for all", async () => {
  for (const path of ["/words", "/words/", "/words/index.json"]) {
    server.reset();
    const index = await open(`${server.url}${path}?sig=secret`);
    assert.deepEqual(server.log.map(({ url }) => url), ["/words/index.json?sig=secret", `/words/${f.file}?sig=secret`]);
    await index.close();
  }
});
