import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());
process.on("unhandledRejection", (error) => {
  throw error;
});
const folder = `${server.url}/words/`;
const settled = () => new Promise((resolve) => setTimeout(resolve, 100));

async function opened(options) {
  const index = await open(folder, options);
  await settled(); // what the opening hedged has ended
  server.reset();
  return index;
}

function fail(fault, times = 1) {
  Object.assign(server, { fault, times, only: /bin$/ });
}

test("off unless asked for", async () => {
  const index = await opened();
  server.delay = 100;
  await index.search(f.row(5), { index: "clusters" });
  server.delay = 0;
  const ranges = server.log.map(({ range }) => range);
  assert.equal(new Set(ranges).size, ranges.length);
  await index.close();
});

test("a stalled request is sent once more, the answer taken, the first one ended", { timeout: 20_000 }, async () => {
  const index = await opened({ hedge: 50, retries: 0 });
  fail("stall");
  assert.equal((await index.search(f.row(5), { index: "clusters" }))[0].id, "word-5");
  fail(undefined);
  await settled();
  assert.equal(server.aborted, 1);
  const { range } = server.log[0];
  assert.equal(server.log.filter((request) => request.range === range).length, 2);
  await index.close();
});

test("a first answer that comes in time after all ends the second", async () => {
  const index = await opened({ hedge: 100, retries: 0 });
  server.delay = (nth) => (nth === 1 ? 300 : nth === 2 ? 2000 : 0);
  assert.equal((await index.search(f.row(5), { index: "clusters" }))[0].id, "word-5");
  server.delay = 0;
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.equal(server.aborted, 1);
  await index.close();
});

test("one that fails leaves the other to answer", { timeout: 20_000 }, async () => {
  for (const failing of [1, 2]) {
    let sent = -Infinity;
    // Both are under way when one fails, at 300 ms; the other answers later.
    const held = async (url, init) => {
      const nth = ++sent;
      if (nth === 1 || nth === 2) await new Promise((resolve) => setTimeout(resolve, nth === failing ? 300 : 600));
      return nth === failing ? new Response("no", { status: 500 }) : fetch(url, init);
    };
    const index = await open(folder, { hedge: 50, retries: 0, fetch: held });
    sent = 0;
    assert.equal((await index.vector("word-3")).length, f.dim);
    assert.ok(sent >= 2);
    await index.close();
  }
});

test("when both fail, the failure is retried and then told; nothing is left open", { timeout: 20_000 }, async () => {
  const index = await opened({ hedge: 20, retries: 1, timeoutMs: 500 });
  fail("stall", Infinity);
  await rejected(index.search(f.row(5), { index: "clusters" }), "timeout");
  fail(undefined);
  await settled();
  const [{ range }] = server.log;
  assert.equal(server.log.filter((request) => request.range === range).length, 4);
  assert.equal(server.aborted, server.requests);
  await index.close();
});

test("an abort ends both", async () => {
  const index = await opened({ hedge: 20 });
  fail("stall", Infinity);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  await rejected(index.search(f.row(5), { index: "clusters", signal: abort.signal }), "aborted");
  fail(undefined);
  await settled();
  assert.ok(server.requests >= 2);
  assert.equal(server.aborted, server.requests);
  await index.close();
});
