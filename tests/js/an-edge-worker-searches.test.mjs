// The package in workerd, the runtime of Cloudflare's workers: no file of its own has a URL there, modules are compiled
// beforehand, and one instance answers many requests at a time.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";
import { run } from "./support/workerd.mjs";

const workerd = process.env.WORKERD;
const skip = workerd ? false : "WORKERD is not set";
const pkg = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
const REQUESTS = 48; // of a search, by `connection: "edge"`

const WORKER = `
import { open } from "pagevec";
import wasm from "pagevec/pagevec.wasm";
const [opened, wrong] = [new Map(), {}];
export default {
  async fetch(request) {
    const url = new URL(request.url).searchParams.get("index");
    try {
      if (request.method === "GET") await open(url); // without its module
      if (!opened.has(url)) opened.set(url, open(url, { wasm, memoryBudget: 16 << 20 }));
      const index = await opened.get(url);
      const answer = await index.explain(new Float32Array(await request.arrayBuffer()), { index: "clusters" });
      return Response.json({ ...answer, memory: index.stats().linearMemory, store: index.stats().store });
    } catch ({ code, message }) {
      return Response.json({ code, message });
    }
  },
};`;

/** Runs a worker; its URL. */
async function start(script) {
  const worker = await run({ workerd, pkg, modules: { "worker.mjs": script } });
  after(() => worker.close());
  return worker.urls[0];
}

test("searches of an edge worker, one by one and at once, over one instance", { skip }, async () => {
  const f = await fixture({ count: 6000, dim: 128, make: smooth, efConstruction: 40, graph: false });
  const [server, here, worker] = [await serve(f.folder), await open(f.bytes), await start(WORKER)];
  after(() => server.close());
  const address = `${worker}?index=${encodeURIComponent(`${server.url}/words/`)}`;
  const ask = async (row) => (await fetch(address, { method: "POST", body: f.row(row) })).json();
  const check = async (row, answer) => {
    assert.equal(answer.message, undefined);
    assert.deepEqual(answer.hits, await here.search(f.row(row), { index: "clusters" }));
    assert.ok(answer.requests <= REQUESTS, `${answer.requests} requests`);
    assert.ok(answer.memory <= 32 << 20, `${answer.memory} bytes`);
  };
  const first = await ask(1);
  await check(1, first);
  assert.ok(first.requests > 6 && first.waves === 3);
  assert.match(first.store.off, /no private file system/);
  const rows = Array.from({ length: 40 }, (_, i) => i * 131 + 7);
  const answers = await Promise.all(rows.map(ask));
  for (const [i, row] of rows.entries()) await check(row, answers[i]);
  assert.equal((await ask(1)).requests, 0);

  const without = await (await fetch(address)).json();
  assert.equal(without.code, "wasm");
  assert.match(without.message, /import pagevec\/pagevec\.wasm and pass it as `wasm`/);

  // The example of the package's README, as it is there.
  const [example] = /import [^`]+export default \{[^`]+/.exec(await readFile(join(pkg, "README.md"), "utf8"));
  const hits = await (await fetch(await start(example.replace("https://example.org", server.url)), { method: "POST", body: f.row(5) })).json();
  assert.deepEqual(hits, await here.search(f.row(5), { index: "clusters" }));
  await here.close();
});
