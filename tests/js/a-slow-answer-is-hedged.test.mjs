import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());
process.on("unhandledRejection", (error) => {
  throw error;
});
const folder = `${server.url}/words/`;

async function opened(options) {
  const index = await open(folder, options);
  await until(() => server.now === 0); // what the opening hedged has ended
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
  await until(() => server.aborted === 1);
  const { range } = server.log[0];
  assert.equal(server.log.filter((request) => request.range === range).length, 2);
  await index.close();
});

test("a first answer that comes in time after all ends the second", async () => {
  const index = await opened({ hedge: 100, retries: 0 });
  server.delay = (nth) => (nth === 1 ? 300 : nth === 2 ? 5000 : 0);
  assert.equal((await index.search(f.row(5), { index: "clusters" }))[0].id, "word-5");
  server.delay = 0;
  await until(() => server.aborted === 1);
  await index.close();
});

test("one that fails leaves the other to answer", { timeout: 20_000 }, async () => {
  for (const failing of [1, 2]) {
    let sent = -Infinity;
    let failed = false;
    // Both are under way when one fails; the other answers later.
    const held = async (url, init) => {
      const nth = ++sent;
      if (nth === 1 || nth === 2) await until(() => sent >= 2 && (nth === failing || failed));
      if (nth !== failing) return fetch(url, init);
      setTimeout(() => (failed = true));
      return new Response("no", { status: 500 });
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
  await until(() => server.aborted === server.requests);
  const [{ range }] = server.log;
  assert.equal(server.log.filter((request) => request.range === range).length, 4);
  await index.close();
});

test("an abort ends both", async () => {
  const index = await opened({ hedge: 20 });
  fail("stall", Infinity);
  const abort = new AbortController();
  const search = rejected(index.search(f.row(5), { index: "clusters", signal: abort.signal }), "aborted");
  await until(() => server.requests >= 2);
  abort.abort();
  await search;
  fail(undefined);
  await until(() => server.aborted === server.requests);
  await index.close();
});

/** Bytes whose body breaks when its signal aborts, as that of a real answer does. */
function answer({ headers, signal }) {
  const [from, to] = new Headers(headers).get("range").match(/\d+/g).map(Number);
  const part = f.bytes.slice(from, Math.min(to + 1, f.bytes.length));
  const body = new ReadableStream({
    start(stream) {
      const broken = () => stream.error(signal.reason);
      signal.addEventListener("abort", broken);
      setTimeout(() => {
        signal.removeEventListener("abort", broken);
        if (!signal.aborted) (stream.enqueue(part), stream.close());
      }, 2);
    },
  });
  return new Response(body, { status: 206, headers: { "content-range": `bytes ${from}-${from + part.length - 1}/${f.bytes.length}` } });
}

for (const [name, order] of [["first", [0, 1]], ["second", [1, 0]]]) {
  test(`both answer in one turn, the ${name} first: its body is read, and no request is made again`, { timeout: 20_000 }, async () => {
    let waiting = [];
    let requests = 0;
    // Each request waits until it was sent twice; then both are answered at once.
    const stalled = (_, init) => {
      requests += 1;
      return new Promise((resolve, reject) => {
        init.signal.addEventListener("abort", () => reject(init.signal.reason));
        waiting.push(() => resolve(answer(init)));
        if (waiting.length < 2) return;
        const both = waiting;
        waiting = [];
        setImmediate(() => order.forEach((i) => both[i]()));
      });
    };
    const index = await open("http://127.0.0.1:1/x.bin", { fetch: stalled, hedge: 10, retries: 0, timeoutMs: 3000, cache: false });
    assert.equal((await index.vector("word-3")).length, f.dim);
    const stats = index.stats();
    assert.deepEqual([stats.retries, stats.hedged, stats.requests], [0, requests / 2, requests]);
    await index.close();
  });
}

test("a second answer that is not wanted is let go, also where fetch ignores its signal", { timeout: 20_000 }, async () => {
  let cancelled = 0;
  const deaf = async (_, { headers }) => {
    const response = answer({ headers, signal: new AbortController().signal });
    await new Promise((resolve) => setTimeout(resolve, 60)); // a slow host: each request is hedged
    const { body } = response;
    const { cancel } = body;
    body.cancel = (...args) => ((cancelled += 1), cancel.apply(body, args));
    return response;
  };
  const index = await open("http://127.0.0.1:1/x.bin", { fetch: deaf, hedge: 5, retries: 0, cache: false });
  const { hedged } = index.stats();
  assert.ok(hedged > 0);
  await until(() => cancelled === hedged);
  await index.close();
});
