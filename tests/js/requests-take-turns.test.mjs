// However many searches run at once, a host sees few requests at a time, and no search waits for all of another's.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, near, rejected, smooth } from "./support/fixture.mjs";
import { internal } from "./support/internal.mjs";
import { serve } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const { Claim, Turns } = await internal("sources/turns.js");
const f = await fixture({ count: 2500, dim: 64, make: smooth, graph: false, efConstruction: 40 });
const server = await serve(f.folder);
after(() => server.close());
const folder = `${server.url}/words/`;
const queries = Array.from({ length: 2000 }, (_, i) => near(f, (i * 389) % f.count));
const whole = await open(f.bytes);
const wanted = await whole.searchBatch(queries, { k: 5, index: "clusters" });
after(() => whole.close());

async function opened(options) {
  const index = await open(folder, options);
  server.reset();
  return index;
}

for (const [connection, most, count] of [["h1", 6, 100], ["unknown", 40, 150], ["h2", 100, 400]]) {
  test(`${count} searches at once over ${connection}: at most ${most} requests under way`, async () => {
    const index = await opened({ connection });
    server.delay = 20;
    const answers = await Promise.all(queries.slice(0, count).map((query) => index.search(query, { k: 5, index: "clusters" })));
    server.delay = 0;
    assert.deepEqual(answers, wanted.slice(0, count));
    assert.ok(server.most <= most && server.most > most / 4, `${server.most} requests at once`);
    await index.close();
  });
}

test("2,000 at once are all answered", { timeout: 120_000 }, async () => {
  const index = await opened();
  const answers = await Promise.all(queries.map((query) => index.search(query, { k: 5, index: "clusters" })));
  assert.deepEqual(answers, wanted);
  assert.ok(server.most <= 40, `${server.most} requests at once`);
  await index.close();
});

test("the limit is of a host, not of an index", async () => {
  const indexes = await Promise.all(Array.from({ length: 8 }, () => open(folder, { connection: "h1" })));
  server.reset();
  server.delay = 2;
  const answers = await Promise.all(indexes.flatMap((index) => queries.slice(0, 5).map((query) => index.search(query, { k: 5, index: "clusters" }))));
  server.delay = 0;
  assert.deepEqual(answers, indexes.flatMap(() => wanted.slice(0, 5)));
  assert.equal(server.most, 6);
  await Promise.all(indexes.map((index) => index.close()));
});

test("a late search with few requests does not wait for all of an earlier one", async () => {
  const g = await fixture({ count: 4000, dim: 256, make: smooth, graph: false, efConstruction: 40 });
  const host = await serve(g.folder);
  // A slow link: little is read along.
  const index = await open(`${host.url}/words/`, { connection: "h1", link: { rttMs: 1, mbits: 1 } });
  host.reset();
  host.delay = 20;
  const large = index.searchBatch([1, 390, 779].map((i) => near(g, i)), { k: 30, index: "clusters" });
  await until(() => host.requests >= 20);
  await index.search(near(g, 2300), { k: 1, index: "clusters", probes: 1 });
  const sent = host.requests;
  await large;
  assert.ok(sent <= 50 && host.requests >= 90, `${sent} of ${host.requests} requests came before it was answered`);
  await index.close();
  await host.close();
});

test("owners take turns, also of what they share; what is told again goes first, what is low last", async () => {
  const turns = new Turns();
  const log = [];
  const [one, two] = [{}, {}];
  const ask = (name, claim, how) => turns.take(claim, 1, how).then((free) => (log.push(name), setTimeout(free, 1)));
  const shared = new Claim(one);
  const all = [
    ask("low", new Claim(two), { low: true }),
    ...["a", "b", "c"].map((name) => ask(name, new Claim(one))),
    ask("shared", shared),
    ask("retry", new Claim(one), { again: true }),
    ask("d", new Claim(two)),
  ];
  shared.join(two);
  await Promise.all(all);
  // The first was alone.
  assert.deepEqual(log, ["low", "retry", "d", "a", "shared", "b", "c"]);
  const given = new AbortController();
  const first = await turns.take(new Claim(one), 1);
  const left = assert.rejects(turns.take(new Claim(one), 1, { signal: given.signal }), { code: "aborted" });
  const next = turns.take(new Claim(two), 1);
  given.abort();
  first();
  first(); // more calls do nothing
  await left;
  (await next)();
});

test("the clock of a request starts when it is sent", async () => {
  const index = await opened({ connection: "h1", timeoutMs: 400, retries: 0 });
  server.delay = 50;
  const from = performance.now();
  const answers = await Promise.all(queries.slice(0, 60).map((query) => index.search(query, { k: 5, index: "clusters" })));
  server.delay = 0;
  assert.ok(performance.now() - from > 800, "the last of them waited longer than timeoutMs");
  assert.deepEqual(answers, wanted.slice(0, 60));
  await index.close();
});

test("an abort takes out what was not sent yet", async () => {
  const index = await opened({ connection: "h1" });
  server.delay = 100;
  const abort = new AbortController();
  const all = queries.slice(0, 150).map((query) => rejected(index.search(query, { index: "clusters", signal: abort.signal }), "aborted"));
  await until(() => server.requests >= 6);
  abort.abort();
  await Promise.all(all);
  assert.ok(server.requests <= 12, `${server.requests} were sent`);
  server.delay = 0;
  assert.deepEqual(await index.search(queries[3], { k: 5, index: "clusters" }), wanted[3]);
  await index.close();
});

test("closing ends those that wait for their turn too", async () => {
  const index = await opened({ connection: "h1" });
  server.delay = 50;
  const all = queries.slice(0, 300).map((query) => rejected(index.search(query, { index: "clusters" }), "closed"));
  await index.close();
  await Promise.all(all);
  server.delay = 0;
});

test("requests that fail, stall or are left give their turn back", { timeout: 60_000 }, async () => {
  const index = await opened({ connection: "h1", timeoutMs: 150, retries: 0 });
  for (const fault of ["server-error", "stall", "stall-body", "reset", "short-body"]) {
    Object.assign(server, { fault, times: 12, only: /bin$/ });
    await Promise.allSettled(queries.slice(0, 12).map((query) => index.search(query, { index: "clusters" })));
    server.fault = undefined;
  }
  await index.close();
  const patient = await open(folder, { connection: "h1" });
  assert.deepEqual(await Promise.all(queries.slice(0, 30).map((query) => patient.search(query, { k: 5, index: "clusters" }))), wanted.slice(0, 30));
  await patient.close();
  // A fetch that ignores its signal holds none either.
  let held = false;
  const deaf = await open(folder, { connection: "h1", timeoutMs: 1000, retries: 0, fetch: (url, init) => (init.headers.get("range") && held ? new Promise(() => {}) : fetch(url, init)) });
  held = true;
  await Promise.allSettled(queries.slice(0, 8).map((query) => deaf.search(query, { index: "clusters" })));
  held = false;
  assert.deepEqual(await deaf.search(queries[0], { k: 5, index: "clusters" }), wanted[0]);
  await deaf.close();
});

test("a request that is sent twice takes two turns", { timeout: 60_000 }, async () => {
  const index = await opened({ connection: "h1", hedge: 5 });
  server.delay = 30;
  const answers = await Promise.all(queries.slice(0, 40).map((query) => index.search(query, { k: 5, index: "clusters" })));
  server.delay = 0;
  assert.deepEqual(answers, wanted.slice(0, 40));
  // Of one that was left the server may hear later.
  assert.ok(server.most <= 12, `${server.most} requests at once`);
  assert.ok(index.stats().hedged > 0);
  await index.close();
});
