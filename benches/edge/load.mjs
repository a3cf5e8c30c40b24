// The example of an edge worker (examples/edge) in workerd, under load on this machine: errors, times, and the most memory.
//
//   cargo xtask pkg && pagevec build $PAGEVEC_DATA/wordnet/base.f16.npy --codec pq96 -o FOLDER
//   PAGEVEC_DATA=../shared/data node --experimental-websocket benches/edge/load.mjs FOLDER [REQUESTS] [AT_ONCE]
//
// Node 22 needs no flag. The index's host and the embedding API are one server in this process, which gives the vectors of wordnet's
// own queries; so the times are of worker, host, API and client, which share the cores, without a network. The package is that of
// target/pkg/stage. The result is printed as Markdown.
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask, EMBED_HOST, INDEX_HOST, runEdge, statsOf } from "../../tests/js/support/edge.mjs";
import { embeddings, files, serveHosts } from "../../tests/js/support/hosts.mjs";
import { npyRows } from "../../tests/js/support/npy.mjs";
import { until } from "../../tests/js/support/until.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const workerd = process.env.WORKERD ?? join(root, `xtask/node_modules/@cloudflare/workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}/bin/workerd`);
const [folder, requests = 10_000, atOnce = 16] = [process.argv[2], ...process.argv.slice(3).map(Number)];
/**
 * V8 leaves garbage until its heap is full, so how much it has at the peak says how much it may have. This is the limit: 18 MB, of
 * which one is for what is young. A worker that needs more ends.
 */
const HEAP = ["--max-old-space-size=16", "--max-semi-space-size=1"];
/** Milliseconds between two looks at the memory. */
const PAUSE = 100;

const index = {};
for (const name of await readdir(folder)) if (/\.(bin|json)$/.test(name)) index[`/index/${name}`] = await readFile(join(folder, name));
const queries = await npyRows(join(process.env.PAGEVEC_DATA, "wordnet/queries.f16.npy"), 5000);
const hosts = await serveHosts({ [INDEX_HOST]: files((path) => index[path], { ranges: true }), [EMBED_HOST]: embeddings((text) => queries[Number(text)]) });
const worker = await runEdge({ root, pkg: join(target, "pkg/stage"), workerd, address: hosts.address, environments: [{ LOAD: "true", MEMORY_BUDGET: "32MiB" }], inspected: true, v8Flags: HEAP });
const [url] = worker.urls;

const heap = await inspect(worker.inspector);
const peak = { linear: 0, used: 0, heap: 0, sum: 0 };
const look = async () => {
  const { linearMemory } = await statsOf(url);
  const { usedSize, totalSize } = await heap();
  const now = { linear: linearMemory, used: usedSize, heap: totalSize, sum: linearMemory + totalSize };
  for (const name of Object.keys(peak)) peak[name] = Math.max(peak[name], now[name]);
};

const total = () => Object.values(hosts.traffic).reduce((sum, { requests, bytes }) => ({ requests: sum.requests + requests, bytes: sum.bytes + bytes }), { requests: 0, bytes: 0 });
const timed = async (q) => {
  const from = performance.now();
  const answer = await ask(url, { q }).catch((error) => ({ status: 0, code: error.message }));
  return { ...answer, milliseconds: performance.now() - from };
};

// A fresh isolate, queries one after another.
const first = await timed(0);
await until(async () => (await look(), (await statsOf(url)).loaded));
const opening = total();
const costs = [];
for (let q = 1; q < 100; q++) {
  hosts.reset();
  await timed(q);
  costs.push(total());
  await look();
}
const warm = costs.slice(-10);

// Many at once.
hosts.reset();
const [times, failures] = [[], []];
let next = 0;
const client = async () => {
  while (next < requests) {
    const { status, code, hits, milliseconds } = await timed(next++ % queries.length);
    times.push(milliseconds);
    if (status !== 200 || hits.length !== 10) failures.push(code ?? status);
  }
};
const from = performance.now();
let done = false;
const watch = (async () => {
  for (; !done; await new Promise((resolve) => setTimeout(resolve, PAUSE))) await look();
})();
await Promise.all(Array.from({ length: atOnce }, client));
const seconds = (performance.now() - from) / 1000;
done = true;
await watch;
const under = total();
await Promise.all([heap.close(), worker.close(), hosts.close()]);

times.sort((a, b) => a - b);
const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(1);
const MB = (bytes) => (bytes / 1e6).toFixed(1);
const most = (name) => Math.max(...warm.map((cost) => cost[name]));
const mean = (name) => warm.reduce((sum, cost) => sum + cost[name], 0) / warm.length;
console.log(`| | |
|---|---|
| requests, so many at once | ${requests}, ${atOnce} |
| errors | ${failures.length}${failures.length ? ` (${[...new Set(failures)].join(", ")})` : ""} |
| p50, p99, longest | ${at(0.5)}, ${at(0.99)}, ${at(1)} ms |
| requests per second | ${(requests / seconds).toFixed(0)} |
| subrequests and bytes of a request, mean | ${(under.requests / requests).toFixed(2)}, ${(under.bytes / requests / 1000).toFixed(1)} kB |
| first query of the isolate | ${first.milliseconds.toFixed(0)} ms |
| opening, first query and load | ${opening.requests} subrequests, ${MB(opening.bytes)} MB |
| queries 91 to 100: subrequests, most and mean | ${most("requests")}, ${mean("requests").toFixed(1)} |
| queries 91 to 100: bytes, most and mean | ${(most("bytes") / 1000).toFixed(1)} kB, ${(mean("bytes") / 1000).toFixed(1)} kB |
| linear memory, peak | ${MB(peak.linear)} MB |
| JS heap, peak: used, committed | ${MB(peak.used)} MB, ${MB(peak.heap)} MB |
| linear memory and committed heap together, peak | ${MB(peak.sum)} MB |`);

/** What V8 says of the isolate's heap, by its inspector. */
async function inspect(address) {
  const [{ webSocketDebuggerUrl }] = await (await fetch(`http://${address}/json`)).json();
  const socket = new WebSocket(webSocketDebuggerUrl);
  const waiting = new Map();
  let id = 0;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    waiting.get(message.id)?.(message.result);
    waiting.delete(message.id);
  };
  await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
  const call = (method = "Runtime.getHeapUsage") =>
    new Promise((resolve) => {
      waiting.set(++id, resolve);
      socket.send(JSON.stringify({ id, method }));
    });
  return Object.assign(call, { close: () => socket.close() });
}
