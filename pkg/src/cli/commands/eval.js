// `pagevec eval`: recall, against the true nearest rows, and speed; one line per ef. The first pass over the queries warms caches and
// counts recall, distances and bytes. The passes after it measure the time of each query.
import { whole } from "../arguments.js";
import { truthOf } from "../eval/truth.js";
import { input, usage } from "../failure.js";
import { readVectors } from "../input/vectors.js";
import { print, printJson } from "../output.js";
import { Progress } from "../progress.js";
import { openSource, SOURCE, toSearch, WANTED } from "../source.js";

/** @type {import("../arguments.js").Command} */
export const EVAL = {
  name: "eval",
  about: "Measure recall and speed against the true nearest rows",
  operand: "INDEX",
  operandHelp: "An index folder, or a segment file (seg-….bin)",
  options: {
    ...SOURCE,
    queries: { value: "FILE", required: true, help: "Query vectors, in a format that build reads" },
    truth: { value: "FILE", conflicts: "base", help: ".npy (int32, int64): for each query, the numbers of its nearest input rows, nearest first. Without this and --base, the truth is an exact scan of the rows that the index stores" },
    base: { value: "FILE", help: "The vectors that the index was built from: an exact scan of them is the truth, so errors of the codes count" },
    "truth-ids": { value: "FILE", help: "The ids file that the index was built with, if any: it maps ids to rows of --truth or --base" },
    ...WANTED,
    ef: { value: "16,32,…", list: true, parse: whole(0), help: "Candidates that a search of the graph keeps; several values separated by commas [default: that of the codec]" },
    threads: { value: "THREADS", parse: whole(1, 1024), fallback: "1", help: "Taken as by the native command line; this one searches in one thread" },
    limit: { value: "N", parse: whole(1, 4294967295), help: "Use only so many queries" },
    repeat: { value: "N", parse: whole(1, 4294967295), fallback: "1", help: "Timed passes over the queries" },
    json: { help: "Print one JSON object per line, one line per ef" },
  },
  examples: [
    "pagevec eval site/index --queries queries.npy --base words.npy --ef 16,64,256",
    "pagevec eval site/index --queries queries.npy --index clusters --recall 0.99 --json",
    `pagevec eval site/index --queries queries.npy --filter '{"pos":"n"}'`,
    "pagevec eval site/index --queries queries.npy --io pread --memory-budget 64MB --index hnsw",
  ],
};

/** @param {import("../arguments.js").Parsed} parsed */
export async function evaluate(parsed) {
  if (parsed.k === 0) throw usage("-k must be at least 1");
  const index = await openSource(parsed);
  const progress = new Progress();
  try {
    const { data, dim, rows } = await readVectors(parsed.queries, parsed.limit ?? Infinity, progress);
    if (dim !== index.info.dim || rows === 0) throw input(parsed.queries, `${rows} queries of ${dim} components, the index has ${index.info.dim}: use the model the index was built with`);
    const queries = Array.from({ length: rows }, (_, row) => data.subarray(row * dim, (row + 1) * dim));
    const truth = await truthOf(index, queries, parsed, progress);
    if (!parsed.json) print(`truth: ${truth.told}\n\n${line(["ef", `recall@${parsed.k}`, "worst tenth", "queries/s", "p50 µs", "p99 µs", "distances", "bytes"])}`);
    for (const ef of parsed.ef ?? [undefined]) {
      const row = await measure(index, queries, truth, { ...parsed, ef }, progress);
      progress.end();
      if (parsed.json) printJson(row);
      else print(`${line([row.ef ?? "-", row.recall.toFixed(4), row.worst_tenth.toFixed(4), row.qps.toFixed(0), row.p50_us.toFixed(1), row.p99_us.toFixed(1), row.distances.toFixed(0), row.bytes.toFixed(0)])}  ${row.index}`);
    }
  } finally {
    progress.end();
    await index.close();
  }
}

/** @param {(string | number)[]} cells */
function line(cells) {
  const widths = [6, 10, 11, 10, 10, 10, 10, 10];
  return cells.map((cell, i) => String(cell).padStart(widths[i])).join(" ");
}

/**
 * @param {import("../../index.js").Index} index
 * @param {Float32Array[]} queries
 * @param {import("../eval/truth.js").Truth} truth
 * @param {import("../arguments.js").Parsed} parsed
 * @param {Progress} progress
 */
async function measure(index, queries, truth, parsed, progress) {
  const options = toSearch(parsed);
  const [names, recalls] = [new Set(), /** @type {number[]} */ ([])];
  let [distances, bytes] = [0, 0];
  for (const [i, query] of queries.entries()) {
    const found = await index.explain(query, options);
    recalls.push(await truth.recall(i, query, found.hits));
    names.add(found.index);
    distances += found.distances;
    bytes += found.bytes;
    progress.tick("warm up", i, queries.length);
  }
  /** @type {number[]} */
  const times = [];
  const before = process.cpuUsage();
  const started = performance.now();
  for (let pass = 0; pass < parsed.repeat; pass++) {
    for (const query of queries) {
      const from = performance.now();
      await index.search(query, options);
      times.push((performance.now() - from) * 1000);
    }
    progress.tick("measure", pass, parsed.repeat);
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  recalls.sort((a, b) => a - b);
  const mean = (/** @type {number[]} */ all) => all.reduce((sum, one) => sum + one, 0) / Math.max(1, all.length);
  return {
    index: names.size === 1 ? [...names][0] : "mixed",
    ef: parsed.ef ?? null,
    k: parsed.k,
    threads: 1,
    queries: queries.length,
    truth: truth.told,
    recall: mean(recalls),
    worst_tenth: mean(recalls.slice(0, Math.ceil(recalls.length / 10))),
    qps: times.length / seconds,
    p50_us: percentile(times, 50),
    p99_us: percentile(times, 99),
    cpu_us: (user + system) / times.length,
    distances: distances / queries.length,
    bytes: bytes / queries.length,
  };
}

/**
 * The smallest time that `percent` of all times do not exceed.
 * @param {number[]} sorted
 * @param {number} percent
 */
function percentile(sorted, percent) {
  return sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1] ?? 0;
}
