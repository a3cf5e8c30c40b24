// `cargo xtask bench remote` runs this with one argument, a JSON of what to measure; it writes OUT.json and OUT.md.
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { entry, launch, packageFiles } from "../../tests/js/support/browser.mjs";
import { serveShaped } from "../../tests/js/support/shaped.mjs";
import { chromium, node } from "./clients.mjs";
import { budgets, flat, journeys, visits } from "./measure.mjs";
import { load } from "./sets.mjs";
import { markdown } from "./table.mjs";

const MIB = 1 << 20;
const LINKS = [
  { rtt: 50, mbit: 20 },
  { rtt: 20, mbit: 100 },
  { rtt: 100, mbit: 10 },
];

/** A page that searches as soon as it can. The query is there before it. */
const VISIT = `<!doctype html><link rel="icon" href="data:,"><script type="module">
import { open } from "${entry}";
const index = await open("/index/");
await index.search(Float32Array.from(query));
window.milliseconds = performance.now();
</script>`;

/** @type {{ sets: any[], quick: boolean, parts: string[], out: string, date: string, commit: string }} */
const task = JSON.parse(process.argv[2]);
const shares = (...all) => (codes) => all.map((share) => Math.floor(codes * share));
const size = task.quick
  ? { links: LINKS.slice(0, 1), journeys: { runs: 4, long: 1, last: 40 }, budgets: { sizes: shares(1, 0.1), queries: 20 }, flat: 500 }
  : { links: LINKS, journeys: { runs: 8, long: 1, last: 100 }, budgets: { sizes: shares(1, 0.5, 0.25, 0.1, 0.05), queries: 200 }, flat: 10_000 };

const browser = await launch();
const report = {
  date: task.date,
  commit: task.commit,
  machine: { cpu: cpus()[0].model, cores: cpus().length, node: process.version, chromium: browser.version() },
  quick: task.quick,
  /** Before, and after each set: times are worth little where others were busy. */
  load: [loadavg()[0]],
  sets: [],
};
for (const wanted of task.sets) {
  report.sets.push(await measure(await load({ ...wanted, queriesAtMost: 5000 })));
  report.load.push(loadavg()[0]);
  await save(); // what is measured so far is kept
}
await browser.close();
const failed = report.sets.flatMap((set) => Object.entries(set.flat ?? {}).filter(([, { holds }]) => !holds));
if (failed.length > 0) throw new Error(`memory did not stay flat in ${failed.map(([client]) => client).join(" and ")}`);

async function measure(set) {
  const floats = new Uint8Array(set.queries.buffer);
  const files = await packageFiles();
  const pages = {
    ...files,
    "/": { body: `<!doctype html><link rel="icon" href="data:,">`, type: "text/html" },
    "/client.mjs": { body: await readFile(new URL("client.mjs", import.meta.url)), type: "text/javascript" },
    "/queries.f32": { body: floats },
  };
  const find = (path) => (existsSync(join(set.folder, path)) ? { file: join(set.folder, path) } : undefined);
  // The page, the package and the queries come from elsewhere, without delay: what is measured is the index.
  const site = await serveShaped((path) => pages[path], { connections: Infinity });
  const hosts = { h2: await serveShaped(find, { protocol: "h2" }), h1: await serveShaped(find), free: await serveShaped(find, { connections: Infinity }) };
  const visited = { "/": { body: VISIT, type: "text/html" } };
  for (const [path, { body, type }] of Object.entries(files)) visited[path] = { body: gzipSync(body, { level: 9 }), type, headers: { "content-encoding": "gzip" } };
  const all = await serveShaped((path) => visited[path] ?? find(path.replace(/^\/index\//, "/")), { protocol: "h2" });
  const where = (host) => ({ index: `${host.url}/`, queries: `${site.url}/queries.f32`, dim: set.dim });
  const clients = [
    { name: "Chromium, HTTP/2", host: hosts.h2, fresh: () => chromium(browser, site.url, where(hosts.h2)) },
    { name: "Chromium, HTTP/1.1", host: hosts.h1, fresh: () => chromium(browser, site.url, where(hosts.h1)) },
    { name: "Node, HTTP/1.1", host: hosts.free, fresh: () => node(where(hosts.free)) },
  ];
  const result = { name: set.name, about: set.about, bytes: sizeOf(set.folder), journeys: [], visits: [], budgets: undefined, flat: undefined };

  if (task.parts.includes("journeys")) {
    for (const link of size.links) {
      for (const { name, host, fresh } of clients) {
        host.link = link;
        note(`${set.name}: ${name}, ${link.rtt} ms, ${link.mbit} Mbit/s`);
        result.journeys.push({ link, client: name, ...(await journeys(host, fresh, set, size.journeys)) });
      }
      all.link = link;
      result.visits.push({ link, client: clients[0].name, ...(await visits(all, browser, set, size.journeys.runs)) });
    }
  }
  if (task.parts.includes("budgets")) {
    const [{ name, host, fresh }] = clients;
    host.link = LINKS[0];
    note(`${set.name}: memory budgets`);
    result.budgets = { link: LINKS[0], client: name, ...(await budgets(host, fresh, set, size.budgets)) };
  }
  if (task.parts.includes("memory") && (set.flat || task.quick)) {
    result.flat = {};
    for (const { name, host, fresh } of [clients[0], clients[2]]) {
      host.link = {};
      note(`${set.name}: ${size.flat} queries in 16 MiB, ${name}`);
      result.flat[name] = await flat(fresh, { memoryBudget: 16 * MIB, queries: size.flat, limit: 32 * MIB });
    }
  }
  for (const server of [site, all, ...Object.values(hosts)]) await server.close();
  return result;
}

function sizeOf(folder) {
  const segments = readdirSync(folder).filter((name) => name.endsWith(".bin"));
  return segments.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

async function save() {
  await mkdir(dirname(task.out), { recursive: true });
  await writeFile(`${task.out}.json`, `${JSON.stringify(report, undefined, 1)}\n`);
  await writeFile(`${task.out}.md`, markdown(report));
}

function note(text) {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
}
