// However many segments there are: index.json, then all fronts and dead rows at once; a search reads all segments in its waves.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { open } from "pagevec";
import { rejected } from "./support/fixture.mjs";
import { segmented } from "./support/segments.mjs";
import { serve } from "./support/server.mjs";

const f = await segmented({ segments: 20, rows: 150, dim: 32 });
const server = await serve(f.folder);
after(() => server.close());
const url = `${server.url}/words/`;
const small = f.segments.reduce((sum, { entry }) => sum + entry.front + entry.dead.length, 0);

const warnings = [];
process.on("warning", ({ name, message }) => warnings.push(`${name}: ${message}`));
after(() => assert.deepEqual(warnings, [], "Node warns of nothing"));

test("20 segments, 20 files of dead rows: 41 requests in two waves", async () => {
  server.reset();
  server.delay = 60;
  const index = await open(url);
  server.delay = 0;
  assert.equal(server.log[0].path, "/words/index.json");
  const wave = server.log.slice(1);
  assert.equal(wave.length, 40);
  const times = wave.map(({ at }) => at);
  assert.ok(Math.min(...times) - server.log[0].at >= 60, "no front was asked for before index.json came");
  assert.ok(Math.max(...times) - Math.min(...times) < 60, "all were asked for before any came");
  assert.equal(server.most, 40);
  const wanted = f.segments.flatMap(({ entry }) => [`${entry.file} bytes=0-${entry.front - 1}`, `${entry.dead.file} undefined`]);
  assert.deepEqual(wave.map(({ path, range }) => `${path.slice(7)} ${range}`).sort(), wanted.sort());
  const { requests, bytes, waves } = index.stats();
  assert.deepEqual({ requests, bytes, waves }, { requests: 41, bytes: small + f.folder["/words/index.json"].body.length, waves: 0 });
  await index.close();
});

test("progress is of all files together", async () => {
  const events = [];
  const index = await open(url, { onProgress: (event) => events.push(event) });
  assert.deepEqual(events.at(-1), { phase: "open", done: small, total: small });
  for (const [i, { done, total }] of events.entries()) assert.ok(done <= total && (i === 0 || done > events[i - 1].done));
  await index.close();
});

test("a search reads all segments at once, in three waves; the same search again reads nothing", async () => {
  const index = await open(url, { connection: "h2", link: { rttMs: 50, mbits: 20 } });
  server.reset();
  server.delay = 40;
  const cold = await index.explain(f.row(77), { index: "clusters" });
  server.delay = 0;
  assert.equal(cold.waves, 3);
  const files = new Set(server.log.slice(0, server.most).map(({ path }) => path));
  assert.ok(server.most >= 20, `${server.most} requests at once`);
  assert.equal(files.size, 20, "the first wave asks every segment");
  server.reset();
  const warm = await index.explain(f.row(77), { index: "clusters" });
  assert.deepEqual([warm.hits, server.requests, warm.waves], [cold.hits, 0, 0]);
  await index.close();
});

for (const [connection, most] of [["h1", 6], ["unknown", 40]]) {
  test(`over ${connection} no more than ${most} requests are under way, for all segments together`, async () => {
    server.reset();
    server.delay = 5;
    const index = await open(url, { connection });
    await Promise.all([5, 700, 2100].map((row) => index.search(f.row(row), { index: "clusters" })));
    server.delay = 0;
    assert.ok(server.most <= most && server.most > most / 2, `${server.most}`);
    await index.close();
  });
}

test("maxRequests never makes one request of two segments", async () => {
  const index = await open(url, { maxRequests: 3 });
  server.reset();
  const { requests, waves } = await index.explain(f.row(8), { index: "clusters" });
  assert.equal(requests, server.requests);
  assert.ok(requests <= 20 * waves, `${requests} requests in ${waves} waves`);
  await index.close();
});

test("the next visit asks for index.json alone, the one after that for nothing", async () => {
  const host = await serve(f.folder);
  const folder = await mkdtemp(join(tmpdir(), "pagevec-store-"));
  after(() => rm(folder, { recursive: true, force: true }));
  const visits = [];
  for (let i = 0; i < 3; i++) {
    host.reset();
    const index = await open(`${host.url}/words/`, { cache: { folder }, link: { rttMs: 50, mbits: 20 } });
    const { hits, waves } = await index.explain(f.row(1234), { index: "clusters" });
    visits.push({ hits, waves, paths: host.log.map(({ path }) => path), store: index.stats().store });
    await index.close();
    if (i === 1) await host.close();
  }
  const [first, second, third] = visits;
  assert.ok(first.paths.length > 41 && first.store.misses > 0);
  assert.deepEqual(second.paths, ["/words/index.json"]);
  assert.deepEqual([second.hits, second.waves, second.store.misses], [first.hits, 0, 0]);
  assert.deepEqual(third.hits, first.hits, "without the host");
});

test("what is stored of a segment is used when others come and go", async () => {
  const files = { ...f.folder };
  const host = await serve((path) => files[path]);
  const folder = await mkdtemp(join(tmpdir(), "pagevec-store-"));
  after(() => rm(folder, { recursive: true, force: true }));
  const visit = async (segments, generation) => {
    files["/words/index.json"] = { body: JSON.stringify({ pagevec: 2, generation, segments: segments.map(({ entry }) => entry) }) };
    host.reset();
    const index = await open(`${host.url}/words/`, { cache: { folder } });
    await index.close();
    return host.log.slice(1).map(({ path }) => path.slice(7)).sort();
  };
  const names = (segments) => segments.flatMap(({ entry }) => [entry.file, entry.dead.file]).sort();
  assert.deepEqual(await visit(f.segments.slice(0, 5), 1), names(f.segments.slice(0, 5)));
  assert.deepEqual(await visit(f.segments.slice(0, 7), 2), names(f.segments.slice(5, 7)), "two were appended");
  assert.deepEqual(await visit(f.segments.slice(3, 7), 3), [], "three are gone");
  assert.deepEqual(await visit(f.segments.slice(0, 5), 4), names(f.segments.slice(0, 3)), "what is stored is what the index has");
  await host.close();
});

test("the smallest memory budget that works is named, and works", async () => {
  const least = Number(/raise it to (?:at least )?(\d+)|needs (\d+)/.exec((await rejected(open(url, { memoryBudget: small - 1 }), "budget")).message).slice(1).find(Boolean));
  assert.equal(least, small);
  let budget = small;
  for (let tries = 0; ; tries++) {
    const opened = await open(url, { memoryBudget: budget }).catch((error) => error);
    if (!(opened instanceof Error)) {
      for (const row of [0, 900, 2500]) assert.equal((await opened.search(f.row(row), { index: "clusters", k: 3 }))[0].id, f.ids[row]);
      assert.ok(opened.stats().resident <= budget);
      await opened.close();
      break;
    }
    assert.equal(opened.code, "budget");
    assert.ok(tries < 3, opened.message);
    budget = Number(/(\d+)\D*$/.exec(opened.message)[1]);
  }
});
