// The server's log: what every request looks like, whatever the session does.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture({ count: 7000, dim: 128, make: smooth, efConstruction: 40 });
/** Of each test its own: of a request that was sent twice and left, a server may hear after the test. */
let server;
beforeEach(async () => (server = await serve(f.folder)));
afterEach(() => server.close());

async function session(options = {}) {
  const index = await open(`${server.url}/words/`, options);
  for (let i = 0; i < 5; i++) await index.search(near(f, i * 700), { index: "clusters" });
  await index.vector("word-5");
  Object.assign(server, { fault: "server-error", times: 2, only: /bin$/ });
  await index.load();
  server.fault = undefined;
  await index.close();
}

test("GET only; single plain ranges; nothing conditional; not from a cache", async () => {
  server.etag = '"strong"';
  for (const connection of [undefined, "h2", "h1", "edge", "unknown"]) await session({ connection, hedge: 1 });
  assert.ok(server.log.length > 100);
  for (const { method, path, range, headers } of server.log) {
    assert.equal(method, "GET");
    for (const name of ["if-match", "if-none-match", "if-range", "if-modified-since", "if-unmodified-since", "referer", "cookie"]) assert.equal(headers[name], undefined, name);
    if (path.endsWith(".json")) {
      assert.equal(range, undefined);
      assert.equal(headers["cache-control"], "max-age=0", "no-cache: asked anew");
    } else {
      assert.match(range, /^bytes=\d+-\d+$/);
      assert.equal(headers["cache-control"], "no-cache", "no-store: neither from a cache nor into one");
    }
  }
});

test("headers of the user, and theirs only", async () => {
  await session({ headers: { "x-api-key": "k" } });
  assert.ok(server.log.every(({ headers }) => headers["x-api-key"] === "k"));
  server.reset();
  await session();
  const known = ["host", "connection", "range", "accept", "accept-language", "accept-encoding", "sec-fetch-mode", "user-agent", "pragma", "cache-control"];
  for (const { headers } of server.log) assert.deepEqual(Object.keys(headers).filter((name) => !known.includes(name)), []);
});
