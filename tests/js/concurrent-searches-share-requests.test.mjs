import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());

test("ten cold searches cost what one costs", async () => {
  const alone = await open(`${server.url}/words/`);
  server.reset();
  const expected = await alone.search(f.row(1));
  const { requests, bytes } = server;
  await alone.close();

  const index = await open(`${server.url}/words/`);
  server.reset();
  server.delay = 20;
  const all = await Promise.all(Array.from({ length: 10 }, () => index.search(f.row(1))));
  server.delay = 0;
  assert.deepEqual([server.requests, server.bytes], [requests, bytes]);
  for (const hits of all) assert.deepEqual(hits, expected);
  await index.close();
});

test("a warm search asks for nothing", async () => {
  const index = await open(`${server.url}/words/`);
  await index.search(f.row(1));
  server.reset();
  const { requests, waves, bytes } = await index.explain(near(f, 77));
  assert.deepEqual({ requests, waves, bytes, seen: server.requests }, { requests: 0, waves: 0, bytes: 0, seen: 0 });
  await index.close();
});

test("a failed request fails one search and not the others", async () => {
  const index = await open(`${server.url}/words/`);
  server.delay = 20;
  server.fault = "forbidden";
  server.times = 1;
  const [first, second] = await Promise.allSettled([index.search(f.row(1)), index.search(f.row(2))]);
  server.delay = 0;
  assert.equal(first.reason?.code, "forbidden");
  assert.equal(second.status, "fulfilled", second.reason?.message);
  assert.equal(second.value[0].id, "word-2");
  server.fault = undefined;
  await index.close();
});

test("aborting the search that started a request leaves it to the others", async () => {
  const index = await open(`${server.url}/words/`);
  server.reset();
  server.delay = 50;
  const abort = new AbortController();
  const first = rejected(index.search(f.row(1), { signal: abort.signal }), "aborted");
  const second = index.search(f.row(2));
  await until(() => server.now > 0);
  abort.abort();
  await first;
  assert.equal((await second)[0].id, "word-2");
  server.delay = 0;
  assert.equal(server.aborted, 0);
  await index.close();
});
