// Faults that pass, and answers that are odd but right: the hits are those of the file.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, rejected } from "./support/fixture.mjs";
import { internal } from "./support/internal.mjs";
import { serve } from "./support/server.mjs";

const f = await fixture();
const server = await serve(f.folder);
after(() => server.close());
process.on("unhandledRejection", (error) => {
  throw error;
});
const folder = `${server.url}/words/`;
const QUERY = f.row(9);

const wanted = await (async () => {
  const index = await open(f.bytes);
  const hits = await index.search(QUERY);
  await index.close();
  return hits;
})();

/** Searches while `fault` happens `times` times; gives what `stats` counted of it. */
async function search(fault, { times = 1, ...options } = {}) {
  const index = await open(folder, options);
  Object.assign(server, { fault, times, only: /bin$/ });
  server.reset();
  assert.deepEqual(await index.search(QUERY), wanted);
  assert.deepEqual(await index.search(QUERY), wanted);
  server.fault = undefined;
  await index.close();
}

const PASSING = ["server-error", "reset", "refuse", "short-body", "empty-body", "long-body", "length-too-large", "length-too-small", "wrong-start", "stall", "stall-body", "drip"];
PASSING.push("retry-after 0", "retry-after soon 2099");
for (const fault of PASSING) {
  test(`${fault} once: asked for again`, { timeout: 60_000 }, async () => {
    const before = server.times;
    await search(fault, /stall|drip/.test(fault) ? { timeoutMs: 700 } : {});
    assert.equal(server.times, 0, `${before}`);
  });
}

const RIGHT = ["chunked", "total-star", "no-content-range", "hidden-range", "etag-weak", "etag-each-its-own", "twice", "301 here", "302 here", "307 here", "308 here"];
for (const fault of RIGHT) {
  test(`${fault}: nothing is wrong with it`, { timeout: 60_000 }, () => search(fault, { times: Infinity }));
}

test("a reset after any number of bytes", async () => {
  const index = await open(folder);
  server.reset();
  await index.search(QUERY);
  await index.close();
  const [from, to] = server.ranges()[0];
  const length = to - from + 1;
  for (const after of [0, 1, 63, 64, 65, 4095, 4096, 65535, 65536, length >> 1, length - 1].filter((bytes) => bytes < length)) {
    server.after = after;
    await search("reset-after");
    assert.equal(server.times, 0);
  }
});

test("answers in reverse order", async () => {
  const index = await open(folder, { connection: "h2" });
  server.delay = (nth) => 400 / nth;
  server.reset();
  const whole = await open(f.bytes);
  assert.deepEqual(await index.search(QUERY, { index: "clusters" }), await whole.search(QUERY, { index: "clusters" }));
  await whole.close();
  server.delay = 0;
  await index.close();
});

test("Retry-After is waited for, up to 10 s and to timeoutMs", { timeout: 60_000 }, async () => {
  const gap = async (fault, options) => {
    await search(fault, options);
    const { log } = server;
    const repeated = log.findIndex(({ range }, i) => log.slice(0, i).some((earlier) => earlier.range === range));
    const first = log.find(({ range }) => range === log[repeated].range);
    return log[repeated].at - first.at;
  };
  assert.ok((await gap("retry-after 1", {})) >= 990);
  // Waits of 11 days and of three months end, and not before their time.
  assert.ok((await gap("retry-after 1000000000", { timeoutMs: 900 })) >= 890);
  assert.ok((await gap("retry-after date", { timeoutMs: 900 })) >= 890);
});

test("retries: as many as told", async () => {
  for (const retries of [0, 1, 4]) {
    const index = await open(folder, { retries });
    Object.assign(server, { fault: "server-error", times: Infinity, only: /bin$/ });
    server.reset();
    const error = await rejected(index.vector("word-3"), "network");
    const [{ range }] = server.log;
    assert.equal(server.log.filter((request) => request.range === range).length, retries + 1, error.message);
    server.fault = undefined;
    await index.close();
  }
});

test("requests, bytes, retries and second requests are counted where they happen", { timeout: 60_000 }, async () => {
  const { HttpSource } = await internal("sources/http/source.js");
  const source = (options) => new HttpSource(new URL(`/words/${f.file}`, server.url), f.bytes.length, { timeoutMs: 5000, retries: 2, ...options });
  const count = async (fault, times, options) => {
    Object.assign(server, { fault, times, only: /bin$/ });
    server.reset();
    const from = source(options);
    assert.deepEqual(Buffer.from(await from.read(10, 1000, {})), Buffer.from(f.bytes.subarray(10, 1010)));
    server.fault = undefined;
    assert.equal(from.traffic.requests, server.requests);
    return from.traffic;
  };
  assert.deepEqual(await count(undefined, 0, {}), { requests: 1, bytes: 1000, retries: 0, hedged: 0 });
  assert.deepEqual(await count("refuse", 2, {}), { requests: 3, bytes: 1000, retries: 2, hedged: 0 });
  assert.deepEqual(await count("stall", 1, { hedge: 50 }), { requests: 2, bytes: 1000, retries: 0, hedged: 1 });
  assert.deepEqual(await count("short-body", 1, {}), { requests: 2, bytes: 1990, retries: 1, hedged: 0 });
});

test("one stalled request fails the search that asked, not the one that waits for the same bytes", { timeout: 60_000 }, async () => {
  const index = await open(folder, { timeoutMs: 700, retries: 0 });
  Object.assign(server, { fault: "stall", times: 1, only: /bin$/ });
  const [first, second] = await Promise.allSettled([index.search(QUERY), index.search(QUERY)]);
  server.fault = undefined;
  assert.equal(first.reason?.code, "timeout");
  assert.deepEqual(second.value, wanted, second.reason?.message);
  await index.close();
});
