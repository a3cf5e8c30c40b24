// What a cold index costs over HTTP: bytes, requests and waves of open and of the first, second and 100th query.
//
//   cargo xtask pkg && cargo build --release -p pagevec-cli
//   pagevec build $PAGEVEC_DATA/wordnet/base.f16.npy -o FOLDER
//   PAGEVEC_DATA=../shared/data node benches/wasm/cold.mjs FOLDER
//
// `pagevec serve` on this machine: bytes, requests and waves are exact, times are without a network. Means of RUNS (20) runs,
// each with a fresh index and other queries; requests planned for CONNECTION (h2 unless set), 50 ms and 20 Mbit/s, and
// MAX_REQUESTS, if set.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { open } from "../../pkg/dist/node.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const data = join(process.env.PAGEVEC_DATA ?? "", "wordnet");
const cli = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "release/pagevec");
const [DIM, RUNS] = [384, Number(process.env.RUNS ?? 20)];

const bytes = readFileSync(join(data, "queries.f16.npy"));
const start = 10 + bytes.readUInt16LE(8);
function query(number) {
  return Float32Array.from({ length: DIM }, (_, i) => {
    const half = bytes.readUInt16LE(start + 2 * (number * DIM + i));
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024);
    return half & 0x8000 ? -size : size;
  });
}

const server = spawn(cli, ["serve", process.argv[2], "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
const line = await new Promise((found) => createInterface(server.stdout).once("line", found));
const url = /http:\S+/.exec(line)[0];
const rows = { open: [], first: [], second: [], hundredth: [] };
for (let run = 0; run < RUNS; run++) {
  const from = performance.now();
  const index = await open(url, { connection: process.env.CONNECTION ?? "h2", link: { rttMs: 50, mbits: 20 }, maxRequests: process.env.MAX_REQUESTS && Number(process.env.MAX_REQUESTS) });
  const opened = index.stats();
  rows.open.push({ bytes: opened.bytes, requests: opened.requests, waves: 2, milliseconds: performance.now() - from });
  for (let i = 0; i < 100; i++) {
    const cost = await index.explain(query(run * 100 + i));
    const name = { 0: "first", 1: "second", 99: "hundredth" }[i];
    if (name) rows[name].push(cost);
  }
  await index.close();
}
server.kill();
for (const [name, costs] of Object.entries(rows)) {
  const mean = (key) => Number((costs.reduce((sum, cost) => sum + cost[key], 0) / costs.length).toFixed(1));
  const keys = ["bytes", "requests", "waves", "milliseconds"];
  console.log(name, JSON.stringify(Object.fromEntries(keys.map((key) => [key, mean(key)]))));
}
