// The package in workerd, the runtime of Cloudflare's workers: no file of its own has a URL there, modules are compiled
// beforehand, and one instance answers many requests at a time.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { open } from "pagevec";
import { fixture, smooth } from "./support/fixture.mjs";
import { serve } from "./support/server.mjs";

const workerd = process.env.WORKERD;
const skip = workerd ? false : "WORKERD is not set";
const root = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
const REQUESTS = 48; // of a search, by `connection: "edge"`

const WORKER = `
import { open } from "./pagevec/dist/browser.js";
import wasm from "./pagevec.wasm";
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
async function run(script) {
  const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
  after(() => rm(folder, { recursive: true }));
  await cp(root, join(folder, "pagevec"), { recursive: true, filter: (path) => !/node_modules|\bnode\.js|-node\.js/.test(relative(root, path)) });
  const scripts = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".js") && !name.endsWith("pagevec_wasm.js"));
  await writeFile(join(folder, "worker.mjs"), script);
  const modules = [
    `(name = "worker.mjs", esModule = embed "worker.mjs")`,
    `(name = "pagevec.wasm", wasm = embed "pagevec/wasm/search/pagevec_wasm_bg.wasm")`,
    ...scripts.map((name) => `(name = "${name}", esModule = embed "${name}")`),
  ];
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["local", "private"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
const worker :Workerd.Worker = (modules = [${modules.join(", ")}], compatibilityDate = "2026-11-01", globalOutbound = "internet");`;
  await writeFile(join(folder, "config.capnp"), config);
  const child = spawn(workerd, ["serve", "config.capnp", "--control-fd=3"], { cwd: folder, stdio: ["ignore", "inherit", "inherit", "pipe"] });
  after(() => child.kill());
  for await (const line of createInterface(child.stdio[3])) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return `http://127.0.0.1:${port}/`;
  }
  throw new Error("workerd ended before it listened");
}

test("searches of an edge worker, one by one and at once, over one instance", { skip }, async () => {
  const f = await fixture({ count: 6000, dim: 128, make: smooth, efConstruction: 40, graph: false });
  const [server, here, worker] = [await serve(f.folder), await open(f.bytes), await run(WORKER)];
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
  const [example] = /import [^`]+export default [^`]+/.exec(await readFile(join(root, "README.md"), "utf8"));
  const places = { '"pagevec"': '"./pagevec/dist/browser.js"', '"pagevec/pagevec.wasm"': '"./pagevec.wasm"', "https://example.org": server.url };
  const adapted = Object.entries(places).reduce((text, [from, to]) => text.replace(from, to), example);
  const hits = await (await fetch(await run(adapted), { method: "POST", body: f.row(5) })).json();
  assert.deepEqual(hits, await here.search(f.row(5), { index: "clusters" }));
  await here.close();
});
