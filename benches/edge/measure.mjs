// One isolate of the edge worker's example in workerd: what queries cost it one after another, then under load.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ask, EMBED_HOST, INDEX_HOST, runEdge, statsOf } from "../../tests/js/support/edge.mjs";
import { embeddings, files, serveHosts } from "../../tests/js/support/hosts.mjs";
import { until } from "../../tests/js/support/until.mjs";

/**
 * V8 leaves garbage until its heap is full, so how much it has at the peak says how much it may have. This is the limit, in MB,
 * with two more for what is young. A worker that needs more ends.
 */
const HEAP = 16;
/** Milliseconds between two looks at the memory. */
const PAUSE = 100;

/**
 * The index's host and the embedding API are one server in this process, which gives the vectors of `queries`; so the times are of
 * worker, host, API and client, which share the cores, without a network.
 * @param {object} what
 * @param {string} what.root of the repository
 * @param {string} what.pkg the package
 * @param {string} what.workerd
 * @param {string} what.folder of the index
 * @param {Float32Array[]} what.queries
 * @param {Record<string, string>} what.environment of the worker
 * @param {number} what.requests
 * @param {number} what.atOnce
 * @param {number} [what.heap] in place of HEAP
 */
export async function measure({ root, pkg, workerd, folder, queries, environment, requests, atOnce, heap: most = HEAP }) {
  const index = {};
  for (const name of await readdir(folder)) if (/\.(bin|json)$/.test(name)) index[`/index/${name}`] = await readFile(join(folder, name));
  const hosts = await serveHosts({ [INDEX_HOST]: files((path) => index[path], { ranges: true }), [EMBED_HOST]: embeddings((text) => queries[Number(text)]) });
  const worker = await runEdge({ root, pkg, workerd, address: hosts.address, environments: [environment], inspected: true, v8Flags: [`--max-old-space-size=${most}`, "--max-semi-space-size=1"] });
  const [url] = worker.urls;
  const heap = await inspect(worker.inspector);
  const peak = { linear: 0, used: 0, heap: 0, sum: 0 };
  const look = async () => {
    const { linearMemory } = await statsOf(url);
    const { usedSize, totalSize } = await heap();
    const now = { linear: linearMemory, used: usedSize, heap: totalSize, sum: linearMemory + totalSize };
    for (const name of Object.keys(peak)) peak[name] = Math.max(peak[name], now[name]);
  };
  const timed = async (q) => {
    const from = performance.now();
    const answer = await ask(url, { q }).catch((error) => ({ status: 0, code: error.message }));
    return { ...answer, milliseconds: performance.now() - from };
  };

  const alone = await oneAfterAnother({ hosts, timed, look, loaded: async () => environment.LOAD !== "true" || (await statsOf(url)).loaded });
  hosts.reset();
  const load = await manyAtOnce({ timed, look, count: queries.length, requests, atOnce });
  const read = total(hosts);
  await Promise.all([heap.close(), worker.close(), hosts.close()]);
  return { requests, atOnce, ...alone, ...load, read, peak };
}

/** A fresh isolate's queries 0 to 99. */
async function oneAfterAnother({ hosts, timed, look, loaded }) {
  const first = await timed(0);
  await until(async () => (await look(), await loaded()));
  const opening = total(hosts);
  const costs = [];
  for (let q = 1; q < 100; q++) {
    hosts.reset();
    await timed(q);
    costs.push(total(hosts));
    await look();
  }
  return { first: first.milliseconds, opening, warm: costs.slice(-10) };
}

async function manyAtOnce({ timed, look, count, requests, atOnce }) {
  const [times, failures] = [[], []];
  let next = 0;
  const client = async () => {
    while (next < requests) {
      const { status, code, hits, milliseconds } = await timed(next++ % count);
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
  return { times: times.sort((a, b) => a - b), failures, seconds };
}

const total = (hosts) => Object.values(hosts.traffic).reduce((sum, { requests, bytes }) => ({ requests: sum.requests + requests, bytes: sum.bytes + bytes }), { requests: 0, bytes: 0 });

/** @param {Awaited<ReturnType<typeof measure>>} measured */
export function markdown({ requests, atOnce, first, opening, warm, times, failures, seconds, read, peak }) {
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(1);
  const MB = (bytes) => (bytes / 1e6).toFixed(1);
  const most = (name) => Math.max(...warm.map((cost) => cost[name]));
  const mean = (name) => warm.reduce((sum, cost) => sum + cost[name], 0) / warm.length;
  return `| | |
|---|---|
| requests, so many at once | ${requests}, ${atOnce} |
| errors | ${failures.length}${failures.length ? ` (${[...new Set(failures)].join(", ")})` : ""} |
| p50, p99, longest | ${at(0.5)}, ${at(0.99)}, ${at(1)} ms |
| requests per second | ${(requests / seconds).toFixed(0)} |
| subrequests and bytes of a request, mean | ${(read.requests / requests).toFixed(2)}, ${(read.bytes / requests / 1000).toFixed(1)} kB |
| first query of the isolate | ${first.toFixed(0)} ms |
| opening, first query and load | ${opening.requests} subrequests, ${MB(opening.bytes)} MB |
| queries 91 to 100: subrequests, most and mean | ${most("requests")}, ${mean("requests").toFixed(1)} |
| queries 91 to 100: bytes, most and mean | ${(most("bytes") / 1000).toFixed(1)} kB, ${(mean("bytes") / 1000).toFixed(1)} kB |
| linear memory, peak | ${MB(peak.linear)} MB |
| JS heap, peak: used, committed | ${MB(peak.used)} MB, ${MB(peak.heap)} MB |
| linear memory and committed heap together, peak | ${MB(peak.sum)} MB |`;
}

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
