import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());

test("a search under way", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  server.pieces = 1000;
  const abort = new AbortController();
  const reason = new Error("newer query");
  setTimeout(() => abort.abort(reason), 40);
  const error = await rejected(index.search(f.row(1), { signal: abort.signal }), "aborted");
  assert.equal(error.cause, reason);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(server.aborted, server.requests, "its requests end too");
  server.pieces = 0;
  assert.equal((await index.search(f.row(1)))[0].id, "word-1");
  await index.close();
});

test("a search not begun", async () => {
  const index = await open(f.bytes);
  await rejected(index.search(f.row(1), { signal: AbortSignal.abort() }), "aborted");
  await rejected(index.has("word-1", { signal: AbortSignal.abort() }), "aborted");
  await index.close();
});

test("an opening, before and while it waits", async () => {
  await rejected(open(`${server.url}/words/`, { signal: AbortSignal.abort() }), "aborted");
  for (const wait of [10, 50]) {
    server.delay = 30;
    const abort = new AbortController();
    setTimeout(() => abort.abort(), wait);
    await rejected(open(`${server.url}/words/`, { signal: abort.signal }), "aborted");
    server.delay = 0;
  }
});

test("the opening's signal does not end searches", async () => {
  const abort = new AbortController();
  const index = await open(`${server.url}/words/`, { signal: abort.signal });
  abort.abort();
  assert.equal((await index.search(f.row(4)))[0].id, "word-4");
  await index.close();
});
