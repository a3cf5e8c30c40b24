// `cargo xtask bench race` runs this with one argument, a JSON of what to race; it writes OUT.json and OUT.md.
//
// Each engine has a Chromium of its own, in which it builds its index; then their sweeps take turns, point by point.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, loadavg } from "node:os";
import { dirname, extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { launch, packageFiles } from "../../../tests/js/support/browser.mjs";
import { npyRows } from "../../../tests/js/support/npy.mjs";
import { engines } from "./engines.mjs";
import { markdown } from "./table.mjs";

/** @type {{ base: string, queries: string, home: string, out: string, date: string, commit: string, rounds: number,
 *   rows: number[], count: number, names?: string[] }} */
const task = { rounds: 3, rows: [20_000, 5_000], count: 500, ...JSON.parse(process.argv[2]) };
/** Those that would take an hour for more. */
const SLOW = { voy: 5_000, mememo: 5_000 };
const [K, ENOUGH, PATIENCE] = [10, 0.992, 600_000];

const modules = peers();
const site = { ...(await packageFiles()), "/engines.mjs": { body: readFileSync(new URL("engines.mjs", import.meta.url)), type: "text/javascript" } };
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const own = ["/", "/engines.mjs", "/rows.f32", "/queries.f32"];

const report = { date: task.date, commit: task.commit, machine: { cpu: cpus()[0].model, cores: cpus().length }, load: [loadavg()[0]], versions: versions(), sets: [] };
mkdirSync(dirname(task.out), { recursive: true });
for (const [i, rows] of task.rows.entries()) await race(rows, (set) => save(i, set));

/** Called after each round: what is measured so far is kept. */
function save(i, set) {
  report.sets[i] = set;
  report.load[1] = loadavg()[0];
  writeFileSync(`${task.out}.json`, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(`${task.out}.md`, markdown(report));
}

async function race(rows, save) {
  const base = await npyRows(task.base, rows);
  const queries = await npyRows(task.queries, task.count);
  [...base, ...queries].forEach(unit);
  const truth = queries.map((query) => nearest(base, query));
  const data = { "/rows.f32": { body: flat(base) }, "/queries.f32": { body: flat(queries) }, "/": { body: `<!doctype html><link rel="icon" href="data:,">`, type: "text/html" } };
  const names = Object.keys(engines).filter((name) => (!task.names || task.names.includes(name)) && rows <= (SLOW[name] ?? Infinity));
  const result = {};
  const running = {};
  for (const name of names) {
    note(`${rows} rows: ${name} builds`);
    const client = await open({ ...site, ...data });
    result[name] = { sweep: [] };
    running[name] = client;
    await attempt(name, async () => {
      result[name].start = (await client.call("start", name)).milliseconds;
      result[name].download = client.downloaded((path) => !/\/build(er\.js|\/)/.test(path));
      result[name].withBuilder = client.downloaded(() => true);
      const empty = client.resident();
      await client.call("fetch", base[0].length);
      const before = client.seconds();
      const built = await client.call("build", name);
      const seconds = client.seconds() - before;
      await client.collect();
      Object.assign(result[name], { build: seconds, file: built.bytes, memory: client.resident() - empty });
    });
  }
  for (let round = 0; round < task.rounds; round++) {
    for (let step = 0; step < Math.max(...names.map((name) => engines[name].params.length)); step++) {
      for (const name of names) {
        const { sweep, failed } = result[name];
        const param = engines[name].params[step];
        if (failed || param === undefined || (round === 0 ? sweep.at(-1)?.recall >= ENOUGH : step >= sweep.length)) continue;
        await attempt(name, async () => {
          const client = running[name];
          const found = await client.call("find", name, param); // also warms up
          const hits = found.map((ids, q) => ids.filter((id) => truth[q].has(id)).length);
          if (round === 0) sweep.push({ param, recall: hits.reduce((a, b) => a + b, 0) / (K * found.length), rounds: [], wall: [] });
          const before = client.seconds();
          const { searches, milliseconds } = await client.call("time", name, param);
          sweep[step].rounds.push(searches / (client.seconds() - before));
          sweep[step].wall.push((searches * 1000) / milliseconds);
        });
      }
    }
    for (const { sweep } of Object.values(result)) for (const point of sweep) point.qps = Math.max(...point.rounds);
    save({ rows, dim: base[0].length, queries: queries.length, rounds: round + 1, engines: result });
    note(`${rows} rows: round ${round + 1} of ${task.rounds}, load ${loadavg()[0].toFixed(2)}`);
  }
  for (const client of Object.values(running)) await client.close();

  async function attempt(name, what) {
    try {
      await Promise.race([what(), new Promise((_, no) => setTimeout(() => no(new Error(`took longer than ${PATIENCE / 60_000} minutes`)), PATIENCE).unref())]);
    } catch (error) {
      result[name].failed = error.message.split("\n")[0];
      note(`${name}: ${result[name].failed}`);
    }
  }
}

/** A Chromium with one page, and a server of its own that counts what the library is. */
async function open(files) {
  const sent = new Map();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    const file = files[pathname] ?? peer(pathname);
    if (!file) return response.writeHead(404).end();
    if (!own.includes(pathname)) sent.set(pathname, gzipSync(file.body, { level: 9 }).length);
    return response.writeHead(200, { "content-type": file.type ?? "application/octet-stream" }).end(file.body);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const browser = await launch();
  const page = await browser.newPage();
  const devtools = await browser.newBrowserCDPSession();
  const inPage = await page.context().newCDPSession(page);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(async () => void (window.calls = (await import("/engines.mjs")).calls));
  // That of the page, and spare ones, which do nothing.
  const renderers = (await devtools.send("SystemInfo.getProcessInfo")).processInfo.filter(({ type }) => type === "renderer");
  const sum = (what) => renderers.reduce((sum, { id }) => sum + what(id), 0);
  return {
    call: (name, ...args) => page.evaluate(([name, args]) => window.calls[name](...args), [name, args]),
    collect: () => inPage.send("HeapProfiler.collectGarbage"),
    /** Bytes of memory of the page's process. */
    resident: () => sum((pid) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1])),
    /** Seconds that the threads of the page's process have run, whatever else the machine did. */
    seconds: () => sum(ranFor),
    /** Bytes of those files, each gzipped. */
    downloaded: (which) => [...sent].reduce((sum, [path, bytes]) => sum + (which(path) ? bytes : 0), 0),
    close: async () => (await browser.close(), server.close()),
  };
}

/** Seconds that a process has run, all its threads. */
function ranFor(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + ran(pid, thread), 0);
}

function ran(pid, thread) {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e9;
  } catch {
    return 0; // it has ended meanwhile
  }
}

function peer(path) {
  const file = path.startsWith("/peers/") && join(modules, path.slice(7));
  return file && existsSync(file) ? { body: readFileSync(file), type: TYPES[extname(file)] } : undefined;
}

/** The peers, installed from npm. */
function peers() {
  mkdirSync(task.home, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) copyFileSync(new URL(name, import.meta.url), join(task.home, name));
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: task.home, stdio: "inherit" });
  return join(task.home, "node_modules");
}

function versions() {
  return JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).dependencies;
}

function unit(row) {
  const length = Math.hypot(...row);
  row.forEach((x, i) => (row[i] = x / length));
}

function nearest(base, query) {
  const scores = base.map((row, i) => [row.reduce((sum, x, j) => sum + x * query[j], 0), i]);
  return new Set(scores.sort((a, b) => b[0] - a[0]).slice(0, K).map(([, i]) => i));
}

function flat(rows) {
  const out = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, i) => out.set(row, i * row.length));
  return Buffer.from(out.buffer);
}

function note(text) {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
}
