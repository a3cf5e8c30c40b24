// How fast the same file is searched by wasm in Node and in Chromium, against the native build, in one run.
//
//   cargo xtask pkg && cargo build --release -p pagevec-cli
//   PAGEVEC_DATA=../shared/data node benches/wasm/speed.mjs [rows]
//
// One thread each, HNSW, k = 10; a batch of 2,000 text queries through one call. Rounds alternate and the best counts.
// Prints one JSON line per ef: recall, queries per second natively, in Node and in Chromium, and the ratios.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "../../pkg/dist/node.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const { chromium } = createRequire(join(root, "xtask/package.json"))("playwright-core");
const data = join(process.env.PAGEVEC_DATA ?? "", "wordnet");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const cli = join(target, "release/pagevec");
const rows = Number(process.argv[2] ?? 117_791);
const [DIM, QUERIES, ROUNDS] = [384, 2000, 3];
const EFS = [48, 200];

const folder = join(target, `bench-wasm-${rows}`);
if (!existsSync(join(folder, "index.json"))) {
  execFileSync(cli, ["build", join(data, "base.f16.npy"), "--limit", `${rows}`, "-o", folder], { stdio: "inherit" });
}
const bin = join(folder, readdirSync(folder).find((name) => name.endsWith(".bin")));

function body(file) {
  const bytes = readFileSync(join(data, file));
  return bytes.subarray(10 + bytes.readUInt16LE(8));
}

const halves = body("queries.f16.npy");
const queries = Float32Array.from({ length: QUERIES * DIM }, (_, i) => {
  const half = halves.readUInt16LE(2 * i);
  const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
  const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024);
  return half & 0x8000 ? -size : size;
});
const truth = body("truth.npy");

function recall(answers) {
  const near = (q) => new Set(Array.from({ length: 10 }, (_, j) => truth.readInt32LE(4 * (q * 100 + j))));
  const hits = answers.map((hits, q) => hits.filter((hit) => near(q).has(hit.id)).length);
  return hits.reduce((a, b) => a + b, 0) / (10 * answers.length);
}

/** Also runs in the page, so it uses nothing from here. */
async function timed(index, queries, count, ef) {
  const from = performance.now();
  const answers = await index.searchBatch(queries, { k: 10, ef, index: "hnsw" });
  return { qps: (count * 1000) / (performance.now() - from), answers };
}

function native(ef) {
  const args = ["eval", folder, "--queries", join(data, "queries.f16.npy"), "--truth", join(data, "truth.npy")];
  args.push("-k", "10", "--ef", `${ef}`, "--index", "hnsw", "--threads", "1", "--limit", `${QUERIES}`, "--json");
  return JSON.parse(execFileSync(cli, args, { encoding: "utf8" }).trim().split("\n")[0]);
}

const types = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
const server = createServer((request, response) => {
  const path = new URL(request.url, "http://x").pathname;
  if (path === "/") return response.setHeader("content-type", "text/html").end("<!doctype html><title>bench</title>");
  const file = path === "/file.bin" ? bin : join(root, "pkg", path);
  if (!existsSync(file)) return response.writeHead(404).end();
  const bytes = readFileSync(file);
  const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "");
  response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
  if (!range) return response.end(bytes);
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
  response.writeHead(206, { "content-range": `bytes ${start}-${end}/${bytes.length}` });
  return response.end(bytes.subarray(start, end + 1));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${server.address().port}`;

const memoryBudget = 512 * 2 ** 20;
const index = await open(bin, { memoryBudget });
await index.load();
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage();
await page.goto(origin);
await page.evaluate(
  async ([memoryBudget, queries]) => {
    const { open } = await import("/dist/browser.js");
    window.index = await open(new URL("/file.bin", location.href), { memoryBudget });
    await window.index.load();
    window.queries = Float32Array.from(queries);
  },
  [memoryBudget, Array.from(queries)],
);
const inPage = (ef) =>
  page.evaluate(
    ([source, count, ef]) => new Function(`return ${source}`)()(window.index, window.queries, count, ef),
    [timed.toString(), QUERIES, ef],
  );

for (const ef of EFS) {
  const best = { native: 0, node: 0, chromium: 0 };
  let found;
  for (let round = 0; round < ROUNDS; round++) {
    best.native = Math.max(best.native, native(ef).qps);
    const [node, chrome] = [await timed(index, queries, QUERIES, ef), await inPage(ef)];
    best.node = Math.max(best.node, node.qps);
    best.chromium = Math.max(best.chromium, chrome.qps);
    if (JSON.stringify(node.answers) !== JSON.stringify(chrome.answers)) throw new Error("Node and Chromium differ");
    found = node.answers;
  }
  const ratio = (kind) => Number((best[kind] / best.native).toFixed(3));
  const round = Object.fromEntries(Object.entries(best).map(([kind, qps]) => [kind, Math.round(qps)]));
  console.log(JSON.stringify({ rows, ef, recall: recall(found), qps: round, node: ratio("node"), chromium: ratio("chromium") }));
}
await browser.close();
await index.close();
server.close();
