// What an isolate of the edge worker's example reads of wordnet, its own queries, one after another: files and requests are the
// same on every machine, so the limits are what was measured, without slack: who needs more changes them here.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { ask, EMBED_HOST, INDEX_HOST, runEdge, statsOf } from "./support/edge.mjs";
import { embeddings, files, serveHosts } from "./support/hosts.mjs";
import { npyRows } from "./support/npy.mjs";
import { until } from "./support/until.mjs";

const { PAGEVEC_DATA: data, PAGEVEC_CLI: cli, WORKERD: workerd, PAGEVEC_ROOT: root } = process.env;
const base = join(data ?? "", "wordnet/base.f16.npy");
const skip = workerd && root && cli && data && existsSync(base) ? false : "WORKERD, PAGEVEC_DATA or PAGEVEC_CLI is not set";
const pkg = dirname(createRequire(import.meta.url).resolve("pagevec/package.json"));
const QUERIES = 100;
const LIMITS = {
  // Opening the index, the first query, and codes and graph.
  loaded: { requests: 29, bytes: 22_768_889 },
  // The most of the queries 91 to 100. One request is for the embedding.
  warm: { requests: 12, bytes: 385_242 },
  linearMemory: 25_755_648,
};

let hosts, worker, queries;
before(async () => {
  if (skip) return;
  const folder = await mkdtemp(join(tmpdir(), "pagevec-"));
  await promisify(execFile)(cli, ["build", base, "--codec", "pq96", "-o", folder]);
  const index = {};
  for (const name of await readdir(folder)) index[`/index/${name}`] = await readFile(join(folder, name));
  await rm(folder, { recursive: true });
  queries = await npyRows(join(data, "wordnet/queries.f16.npy"), QUERIES);
  hosts = await serveHosts({ [INDEX_HOST]: files((path) => index[path], { ranges: true }), [EMBED_HOST]: embeddings((text) => queries[Number(text)]) });
  worker = await runEdge({ root, pkg, workerd, address: hosts.address, environments: [{ LOAD: "true", MEMORY_BUDGET: "32MiB" }] });
});
after(() => Promise.all([hosts?.close(), worker?.close()]));

test("a query makes at most 12 requests and reads at most 1 MB once codes are in memory", { skip }, async () => {
  const [url] = worker.urls;
  const truth = await truthOf(join(data, "wordnet/truth.npy"), QUERIES);
  const total = () => Object.values(hosts.traffic).reduce((sum, { requests, bytes }) => ({ requests: sum.requests + requests, bytes: sum.bytes + bytes }), { requests: 0, bytes: 0 });
  const costs = [];
  let found = 0;
  for (let q = 0; q < QUERIES; q++) {
    hosts.reset();
    const { status, hits } = await ask(url, { q });
    assert.equal(status, 200);
    // What is loaded decides how later queries go.
    if (q === 0) await until(async () => (await statsOf(url)).loaded);
    costs.push(total());
    found += hits.filter(({ id }) => truth[q].has(id)).length / 10 / QUERIES;
  }
  const { linearMemory } = await statsOf(url);
  const warm = costs.slice(90);
  const most = (name) => Math.max(...warm.map((cost) => cost[name]));
  const measured = { loaded: costs[0], warm: { requests: most("requests"), bytes: most("bytes") }, linearMemory };
  console.log(`# ${JSON.stringify(measured)}, recall ${found.toFixed(4)}`);
  assert.ok(measured.warm.requests <= 12 && measured.warm.bytes <= 1e6);
  assert.ok(found >= 0.97, `recall ${found}`);
  assert.deepEqual(measured, LIMITS);
});

/** The ids of the ten nearest rows of each query. */
async function truthOf(file, count) {
  const bytes = await readFile(file);
  const start = 10 + bytes.readUInt16LE(8);
  const [, width] = /'shape': \(\d+, (\d+)\)/.exec(bytes.toString("latin1", 10, start));
  return Array.from({ length: count }, (_, q) => new Set(Array.from({ length: 10 }, (_, i) => bytes.readInt32LE(start + 4 * (q * Number(width) + i)))));
}
