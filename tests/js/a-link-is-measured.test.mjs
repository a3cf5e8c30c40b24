import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, smooth } from "./support/fixture.mjs";
import { internal } from "./support/internal.mjs";
import { serve } from "./support/server.mjs";
import { serveShaped } from "./support/shaped.mjs";

const { Link } = await internal("sources/http/link.js");
const near = (value, wanted) => assert.ok(Math.abs(value - wanted) < wanted * 0.02, `${value}, not ${wanted}`);

test("what is told is believed, else a home connection until answers come", () => {
  const told = new Link({ rttMs: 10, mbits: 80 });
  told.observeRtt(500);
  told.observeThroughput(1 << 20, 5000, 1);
  assert.deepEqual(told.state, { rttMs: 10, mbits: 80, known: "told" });
  assert.equal(told.bandwidthDelay, 100_000);
  assert.deepEqual(new Link().state, { rttMs: 50, mbits: 20, known: "assumed" });
});

test("the round trip is the shortest wait, and a longer one is learned slowly", () => {
  const link = new Link();
  for (const ms of [150, 30, 31, 400]) link.observeRtt(ms);
  assert.ok(link.state.rttMs >= 30 && link.state.rttMs < 40, `${link.state.rttMs}`);
  for (let i = 0; i < 600; i++) link.observeRtt(90);
  near(link.state.rttMs, 90);
});

test("bandwidth is what a wave takes beyond its round trips; a short one says at least that much", () => {
  const link = new Link();
  link.observeRtt(20);
  // 1 MB over 8 Mbit/s (1,000 bytes a millisecond), in one round and in three.
  for (let i = 0; i < 20; i++) link.observeThroughput(1_000_000, 20 + 1000, 1);
  near(link.state.mbits, 8);
  for (let i = 0; i < 20; i++) link.observeThroughput(1_000_000, 60 + 1000, 3);
  near(link.state.mbits, 8);
  link.observeThroughput(1000, 3000, 1);
  near(link.state.mbits, 8); // so few bytes say nothing
  link.observeThroughput(100_000, 25, 1);
  near(link.state.mbits, 32);
});

const f = await fixture({ count: 7000, dim: 128, make: smooth, efConstruction: 40 });
const query = f.row(9);

test("explain() tells the link, and other links find the same", async () => {
  const server = await serve(f.folder);
  after(() => server.close());
  const costs = [];
  for (const link of [{ rttMs: 1, mbits: 1 }, { rttMs: 200, mbits: 1000 }]) {
    const index = await open(`${server.url}/words/`, { link, connection: "h1" });
    const first = await index.explain(query, { index: "clusters" });
    assert.deepEqual(first.link, { ...link, known: "told" });
    assert.match(first.plan, new RegExp(` over ${link.rttMs} ms and ${link.mbits}\\.0 Mbit/s \\(told\\)`));
    costs.push(first);
    await index.close();
  }
  const [slow, far] = costs;
  assert.deepEqual(slow.hits, far.hits);
  assert.ok(far.bytes > slow.bytes && far.requests < slow.requests, "bytes for round trips");
  const local = await open(f.bytes);
  assert.equal((await local.explain(query)).link, undefined);
  await local.close();
});

test("over a shaped link", async () => {
  const server = await serveShaped((path) => f.folder[path], { protocol: "h1", link: { rtt: 80, mbit: 16 } });
  after(() => server.close());
  const index = await open(`${server.url}/words/`, { memoryBudget: 64 << 20 });
  await index.load();
  const { rttMs, mbits, known } = (await index.explain(query, { index: "clusters" })).link;
  assert.equal(known, "measured");
  // This machine adds its own time, and a link its first burst.
  assert.ok(rttMs >= 80 && rttMs < 200, `${rttMs} ms`);
  assert.ok(mbits > 4 && mbits < 24, `${mbits} Mbit/s`);
  await index.close();
});
