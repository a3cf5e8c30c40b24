// The results of the race in Chromium as Markdown.

/** Queries/s where the curve first reaches the recall, log(queries/s) linear in recall between two points. */
export function speedAt(sweep, recall) {
  if (sweep.length === 1 && sweep[0].recall >= recall) return sweep[0].qps; // nothing is swept
  const at = sweep.findIndex((point, i) => i > 0 && sweep[i - 1].recall < recall && recall <= point.recall);
  if (at < 0) return undefined;
  const [low, high] = [sweep[at - 1], sweep[at]];
  const part = (recall - low.recall) / (high.recall - low.recall);
  return Math.exp(Math.log(low.qps) * (1 - part) + Math.log(high.qps) * part);
}

const number = (x, digits = 0) => (x === undefined ? "–" : x.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
const megabytes = (bytes) => `${number(bytes / 1e6, 1)} MB`;
const kilobytes = (bytes) => `${number(bytes / 1000)} kB`;

export function markdown(report) {
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`).join(", ");
  const lines = [
    `# The race in Chromium, ${report.date}`,
    "",
    `${report.machine.cpu}, ${report.machine.cores} cores. Load (1 min) before ${report.load[0].toFixed(2)}, after ${report.load[1].toFixed(2)}. pagevec commit ${report.commit}; ${versions}.`,
    "",
    `wordnet, cosine, k = 10, M 16, efConstruction 200. Built and searched in the page, query by query; rounds point by point in turns, the best counts; speeds are per second that the page's process ran. [What is counted](../../race/README.md#what-is-counted).`,
    "",
  ];
  for (const { rows, dim, queries, rounds, engines } of report.sets) {
    const ours = engines["pagevec sq8"]?.sweep ?? [];
    lines.push(`## ${number(rows)} rows of ${dim}, ${queries} queries, ${rounds} rounds`, "");
    lines.push("| engine | queries/s at 0.95 | of pagevec sq8 | at 0.99 | build, vectors/s | library, gzipped | started in, ms | memory of the page |", "|---|---|---|---|---|---|---|---|");
    for (const [name, e] of Object.entries(engines)) lines.push(row(name, e, rows, ours));
    lines.push("");
    for (const [name, { sweep }] of Object.entries(engines)) {
      if (sweep.length === 0) continue;
      lines.push(`### ${name}, ${number(rows)} rows`, "", "| ef | recall@10 | queries/s | of each round |", "|---|---|---|---|");
      for (const p of sweep) lines.push(`| ${p.param || "–"} | ${p.recall.toFixed(4)} | ${number(p.qps)} | ${p.rounds.map((qps) => number(qps)).join(", ")} |`);
      lines.push("");
    }
  }
  return lines.join("\n");
}

function row(name, e, rows, ours) {
  if (e.failed && e.sweep.length === 0) return `| ${name} | did not run: ${e.failed} |${" |".repeat(6)}`;
  const best = Math.max(...e.sweep.map((p) => p.recall));
  const at = (recall) => (best < recall ? `(best ${best.toFixed(4)})` : number(speedAt(e.sweep, recall)));
  const [mine, theirs] = [speedAt(ours, 0.95), speedAt(e.sweep, 0.95)];
  const library = e.withBuilder > e.download ? `${kilobytes(e.download)} to search, ${kilobytes(e.withBuilder)} with the builder` : kilobytes(e.download);
  const cells = [name, at(0.95), mine && theirs ? number(theirs / mine, 2) : "–", at(0.99), number(rows / e.build), library, number(e.start), megabytes(e.memory)];
  return `| ${cells.join(" | ")} |${e.failed ? ` ended early: ${e.failed}` : ""}`;
}
