// The example of an edge worker, in workerd: what it answers, what it refuses, which hosts it reads, and what is told when they fail.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { open } from "pagevec";
import { ask, ASSETS_HOST, EMBED_HOST, ENVIRONMENT, INDEX_HOST, KEY, runEdge, statsOf } from "./support/edge.mjs";
import { fixture, smooth } from "./support/fixture.mjs";
import { embeddings, files, serveHosts } from "./support/hosts.mjs";
import { steady, until } from "./support/until.mjs";

const { WORKERD: workerd, PAGEVEC_ROOT: root } = process.env;
const skip = workerd && root ? false : "WORKERD or PAGEVEC_ROOT is not set";
const pkg = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));

/** How searches go, by the environment: over ranges, in memory once loaded, and in a whole file. */
const ROUTES = { host: "clusters", loaded: "hnsw", assets: "hnsw" };
const WRONG_HOSTS = ["http://index.example.org/", "https://user:pass@index.example.org/", "https://index.example.org:8443/", "https://127.0.0.1/", "https://0x7f.1/", "https://[::1]/", "https://localhost/", "https://a.localhost./", "https://intranet/", "https://x.internal/", "//index.example.org/", "words", ""];
const ENVIRONMENTS = {
  host: {},
  loaded: { LOAD: "true" },
  assets: { INDEX_URL: "/index/" },
  faults: { INDEX_URL: `https://${INDEX_HOST}/faults/` },
  replaced: { INDEX_URL: `https://${INDEX_HOST}/replaced/` },
  ...Object.fromEntries(["opening", "searching", "failing"].map((name) => [name, { INDEX_URL: `https://${INDEX_HOST}/${name}/` }])),
  elsewhere: { INDEX_URL: "/index/../../other/" },
  noKey: { EMBED_KEY: "another" },
  ...Object.fromEntries(WRONG_HOSTS.map((url) => [`index ${url}`, { INDEX_URL: url }])),
  ...Object.fromEntries(WRONG_HOSTS.map((url) => [`embed ${url}`, { EMBED_URL: url }])),
};

let f, other, here, hosts, worker, ranged;
const url = {};
let replaced = false;
/** What the index's host does in place of sending its files, by the first part of the path. */
const instead = {};
before(async () => {
  if (skip) return;
  // Codes and graph take more than the 1 MiB that a first search would load.
  f = await fixture({ count: 5400, dim: 160, make: smooth, m: 8, efConstruction: 24 });
  other = await fixture({ count: 500, dim: 160, make: smooth, seed: 2, ids: (row) => `other-${row}` });
  here = await open(f.bytes);
  const find = (path) => {
    const { folder } = path.startsWith("/replaced/") && replaced ? other : f;
    return folder[path.replace(/^\/\w+\//, "/words/")]?.body;
  };
  ranged = files(find, { ranges: true });
  hosts = await serveHosts({
    [INDEX_HOST]: (request, response) => (instead[request.url.split("/")[1]] ?? ranged)(request, response),
    [ASSETS_HOST]: files(find, { ranges: false }),
    [EMBED_HOST]: embeddings((text) => (/^\d+$/.test(text) ? f.row(Number(text)) : undefined), KEY),
  });
  worker = await runEdge({ root, pkg, workerd, address: hosts.address, environments: Object.values(ENVIRONMENTS) });
  Object.keys(ENVIRONMENTS).forEach((name, i) => (url[name] = worker.urls[i]));
});
after(() => Promise.all([here?.close(), hosts?.close(), worker?.close()]));

for (const name of Object.keys(ROUTES)) {
  test(`200 queries over ${name}, one by one and twenty at once, without an error`, { skip }, async () => {
    const rows = Array.from({ length: 100 }, (_, i) => (i * 37) % f.count);
    const check = async (row, { status, hits, headers }) => {
      assert.equal(status, 200);
      assert.equal(headers.get("cache-control"), "public, max-age=300");
      assert.equal(hits.length, 10);
      assert.equal(hits[0].id, f.ids[row]);
      assert.deepEqual(hits, await here.search(f.row(row), { index: ROUTES[name] }));
    };
    if (name === "loaded") await ask(url.loaded, { q: 1 }).then(() => until(async () => (await statsOf(url.loaded)).loaded));
    for (const row of rows) await check(row, await ask(url[name], { q: row }));
    for (let at = 0; at < rows.length; at += 20) {
      const some = rows.slice(at, at + 20);
      const answers = await Promise.all(some.map((row) => ask(url[name], { q: row + 1, k: 10 })));
      for (const [i, row] of some.entries()) await check(row + 1, answers[i]);
    }
    const { linearMemory, loaded } = await statsOf(url[name]);
    assert.ok(linearMemory <= 8 << 20, `${linearMemory} bytes`);
    assert.equal(loaded, name === "loaded");
  });
}

test("what is loaded is not read again", { skip }, async () => {
  const { requests } = await statsOf(url.loaded);
  assert.equal((await ask(url.loaded, { q: "5399", k: 50 })).hits.length, 50);
  assert.equal((await statsOf(url.loaded)).requests, requests);
});

test("what cannot be a query is refused, and read nowhere", { skip }, async () => {
  hosts.reset();
  for (const [params, message] of [
    ["", /q is missing/], ["q=", /q is missing/], ["q=%20%09", /q is missing/], [`q=${"x".repeat(501)}`, /501 characters: at most 500/],
    ["q=1&q=2", /q is given more than once/], ["q=1&k=1&k=2", /k is given more than once/], ["q=1&url=https://example.org", /parameters are q and k/],
    ["q=1&INDEX_URL=/other/", /parameters are q and k/], ["q=1&__proto__=1", /parameters are q and k/],
    ...["0", "-1", "51", "1.5", "1e1", "10 ", "", "NaN", "99999999999999999999", "０"].map((k) => [`q=1&k=${encodeURIComponent(k)}`, /k must be a whole number from 1 to 50/]),
  ]) {
    const { status, code, message: told, headers } = await ask(url.host, params);
    assert.deepEqual([status, code, headers.get("cache-control")], [400, "argument", "no-store"], params);
    assert.match(told, message);
  }
  const post = await ask(url.host, { q: "1" }, { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.code, post.headers.get("allow")], [405, "argument", "GET"]);
  const nothing = await fetch(`${url.host}nothing`);
  assert.deepEqual([nothing.status, (await nothing.json()).code], [404, "not-found"]);
  assert.deepEqual(hosts.traffic, {});
});

test("hosts that may not be read are not read", { skip }, async () => {
  for (const [variable, asked] of [["index", EMBED_HOST], ["embed", INDEX_HOST]]) {
    hosts.reset();
    for (const wrong of WRONG_HOSTS) {
      const { status, code, message } = await ask(url[`${variable} ${wrong}`], { q: "1" });
      assert.deepEqual([status, code], [500, "internal"], `${variable} ${wrong}`);
      assert.doesNotMatch(message, /example|INDEX_URL|EMBED_URL/);
      if (variable === "embed") await statsOf(url[`embed ${wrong}`]); // its index is opened all the same
    }
    assert.deepEqual(Object.keys(hosts.traffic).filter((host) => host !== asked), []);
  }
  assert.match(worker.log, /INDEX_URL must name a host, not an address/);
  assert.doesNotMatch(worker.log, /user:pass/);
});

test("a path leaves its folder, but not its host", { skip }, async () => {
  hosts.reset();
  const { status, code } = await ask(url.elsewhere, { q: "1" });
  assert.equal(status, 200, code);
  assert.deepEqual(Object.keys(hosts.traffic).toSorted(), [ASSETS_HOST, EMBED_HOST]);
});

test("a fault of a host is 502 with its code, tells no name, and is over when the host is well", { skip }, async () => {
  const status = (code, headers = {}) => (_, response) => response.writeHead(code, headers).end("secret");
  for (const [fault, code] of [
    [status(404), "not-found"], [status(403), "forbidden"], [status(503), "network"], [status(418), "status"],
    [status(302, { location: "https://elsewhere.example.org/" }), "redirect"], [status(307, { location: "/index/index.json" }), "redirect"],
    [status(200), "manifest"], [(_, response) => response.destroy(), "network"],
  ]) {
    instead.faults = fault;
    hosts.reset();
    const answer = await ask(url.faults, { q: "7" });
    assert.deepEqual([answer.status, answer.code, answer.headers.get("cache-control")], [502, code, "no-store"]);
    assert.doesNotMatch(answer.message, /example|secret|:\/\//);
    assert.deepEqual(Object.keys(hosts.traffic).toSorted(), [EMBED_HOST, INDEX_HOST]);
  }
  delete instead.faults;
  assert.equal((await ask(url.faults, { q: "7" })).hits[0].id, f.ids[7]);
});

test("a fault of the embedding API is told without its key", { skip }, async () => {
  for (const [name, q, code] of [["noKey", "1", "forbidden"], ["host", "a text that it refuses", "status"]]) {
    const answer = await ask(url[name], { q });
    assert.deepEqual([answer.status, answer.code], [502, code]);
    assert.doesNotMatch(answer.message, /example|key/);
  }
  const good = hosts.hosts[EMBED_HOST];
  for (const [answer, code, status] of [["{}", "status", 502], ["[", "network", 502], ['{"data":[{"embedding":"AAAA"}]}', "status", 502], ['{"data":[{"embedding":[1,2]}]}', "dimension", 500], ['{"data":[{"embedding":[null]}]}', "dimension", 500]]) {
    hosts.hosts[EMBED_HOST] = (_, response) => response.end(answer);
    const got = await ask(url.host, { q: "1" });
    assert.deepEqual([got.status, got.code], [status, code], answer);
  }
  hosts.hosts[EMBED_HOST] = good;
  assert.equal((await ask(url.host, { q: "1" })).status, 200);
  assert.doesNotMatch(worker.log, new RegExp(KEY));
});

test("an index that was replaced is opened again", { skip }, async () => {
  assert.equal((await ask(url.replaced, { q: "3" })).hits[0].id, f.ids[3]);
  replaced = true;
  const rows = Array.from({ length: 12 }, (_, i) => 900 + i * 400);
  const answers = await Promise.all(rows.map((q) => ask(url.replaced, { q })));
  assert.deepEqual(answers.map(({ status }) => status), rows.map(() => 200));
  assert.match((await ask(url.replaced, { q: "5399" })).hits[0].id, /^other-/);
});

/** Two queries for the same rows, whose requests to the index wait; `first` started those that both wait for. */
async function together(under, { signal } = {}) {
  hosts.reset();
  const waiting = [];
  instead[under] = (request, response) => waiting.push({ request, response });
  const first = ask(url[under], { q: "2900" }, { signal });
  await until(() => waiting.length > 0);
  const second = ask(url[under], { q: "2900" });
  await until(() => hosts.traffic[EMBED_HOST].requests === 2);
  await steady(() => waiting.length);
  const release = () => {
    delete instead[under];
    waiting.forEach(({ request, response }) => response.writableEnded || ranged(request, response));
  };
  return { first, second, waiting, release };
}

for (const [name, under] of [["the opening", "opening"], ["a search", "searching"]]) {
  test(`a client that leaves takes no request of ${name} with it that others wait for`, { skip }, async () => {
    if (under === "searching") assert.equal((await ask(url[under], { q: "1" })).status, 200);
    const leaves = new AbortController();
    const { first, second, waiting, release } = await together(under, leaves);
    leaves.abort();
    await assert.rejects(first, { name: "AbortError" });
    await steady(() => waiting.length);
    release();
    assert.equal((await second).hits[0].id, f.ids[2900]);
  });
}

test("a query that fails takes no request with it that others wait for", { skip }, async () => {
  assert.equal((await ask(url.failing, { q: "1" })).status, 200);
  const { first, second, waiting, release } = await together("failing");
  assert.ok(waiting.length > 2);
  waiting[0].response.writeHead(403).end();
  assert.deepEqual((({ status, code }) => [status, code])(await first), [502, "forbidden"]);
  await steady(() => waiting.length);
  release();
  assert.equal((await second).hits?.[0].id, f.ids[2900]);
});
