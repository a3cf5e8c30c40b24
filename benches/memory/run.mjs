// `cargo xtask bench memory` runs this with one argument, a JSON of what to measure; it writes OUT.md.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { serveShaped } from "../../tests/js/support/shaped.mjs";
import { markdown as edgeTable, measure as measureEdge } from "../edge/measure.mjs";
import { node } from "../remote/clients.mjs";
import { budgets, flat } from "../remote/measure.mjs";
import { load } from "../remote/sets.mjs";

const MIB = 1 << 20;
const BUDGETS = [128, 64, 32, 16, 8].map((budget) => budget * MIB);
const LINK = { rtt: 20, mbit: 100 };
/** What an isolate may take, of the 128 MB that the platform gives it; and its JS heap, in MB. */
const EDGE_LIMIT = 96e6;
const EDGE_HEAP = 32;

/**
 * @type {{ set: any, size: { queries: number, flat: number, requests: number, atOnce: number }, root: string, pkg: string, workerd?: string,
 *   out: string, date: string, commit: string }}
 */
const task = JSON.parse(process.argv[2]);
const { size } = task;
const set = await load({ ...task.set, queriesAtMost: 1000 });
const before = loadavg()[0];
const find = (path) => (existsSync(join(set.folder, path)) ? { file: join(set.folder, path) } : undefined);
const host = await serveShaped(find, { connections: Infinity });
const site = await serveShaped((path) => (path === "/queries.f32" ? { body: new Uint8Array(set.queries.buffer) } : undefined), { connections: Infinity });
const fresh = () => node({ index: `${host.url}/`, queries: `${site.url}/queries.f32`, dim: set.dim });

host.link = LINK;
note("budgets");
const curve = await budgets(host, fresh, set, { sizes: () => BUDGETS, queries: size.queries });
host.link = {};
note(`${size.flat} queries in 16 MiB`);
const long = await flat(fresh, { memoryBudget: 16 * MIB, queries: size.flat, limit: 32 * MIB });
await Promise.all([host.close(), site.close()]);
note(`${size.requests} requests, ${size.atOnce} at once, in workerd`);
const edge = task.workerd && (await edgeOf());

await mkdir(dirname(task.out), { recursive: true });
await writeFile(`${task.out}.md`, report());
if (!long.holds) throw new Error("memory did not stay flat");
if (edge && (edge.failures.length > 0 || edge.peak.sum > EDGE_LIMIT)) throw new Error(`an isolate failed ${edge.failures.length} times and took ${edge.peak.sum} bytes`);

async function edgeOf() {
  const queries = Array.from({ length: set.count }, (_, row) => set.queries.subarray(row * set.dim, (row + 1) * set.dim));
  return measureEdge({ root: task.root, pkg: task.pkg, workerd: task.workerd, folder: set.folder, queries, environment: { MEMORY_BUDGET: "32MiB", MAX_REQUESTS: "200" }, requests: size.requests, atOnce: size.atOnce, heap: EDGE_HEAP });
}

function report() {
  const machine = `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}`;
  const [full] = curve.rows;
  const rows = curve.rows.map(({ memoryBudget, refused, recall, all, later, resident, evictions, linearMemory }) =>
    refused
      ? [mib(memoryBudget), refused, "", "", "", "", "", ""]
      : [mib(memoryBudget), mib(linearMemory), mib(linearMemory - memoryBudget), mib(resident), recall.toFixed(4), `${(all.bytes / 1000).toFixed(0)} / ${(later.bytes / 1000).toFixed(0)}`, `${later.milliseconds.toFixed(0)} ms (${(later.milliseconds / full.later.milliseconds).toFixed(2)})`, evictions],
  );
  return `# Memory as a budget, ${task.date}

${set.about} The package in Node, pagevec ${task.commit}; ${machine}, shared: load ${before.toFixed(2)} before, ${loadavg()[0].toFixed(2)} after. Memory, bytes and recall do not depend on it.

## Budget and time

${curve.queries} queries one after another over ${LINK.rtt} ms and ${LINK.mbit} Mbit/s, into a fresh process. Bytes and times of the later half tell what a budget holds. Linear memory is all that the module has: beside the budget its code's data, its stack, what says where rows are, and a search's own memory.

${table(["budget", "linear memory", "beyond the budget", "held of the file", "recall@10", "kB a query: all / later half", "time of the later half", "evictions"], rows)}

## Many queries

${long.queries + size.flat / 10} queries in ${mib(long.memoryBudget)}: linear memory ${mib(long.memory.open)} at open, ${mib(long.memory.early)} after a tenth, ${mib(long.memory.late)} after all; ${long.evictions} evictions, ${(long.bytes / 1000).toFixed(0)} kB a query. It ${long.holds ? "stays flat" : "DOES NOT STAY FLAT"}.

## An edge worker

${edge ? `The example of examples/edge in workerd, \`MEMORY_BUDGET=32MiB\`, \`MAX_REQUESTS=200\`, its hosts and its clients on the same machine; the JS heap is limited to ${EDGE_HEAP + 2} MB.\n\n${edgeTable(edge)}` : "workerd does not run on this machine."}
`;
}

function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function mib(bytes) {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function note(text) {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
}
