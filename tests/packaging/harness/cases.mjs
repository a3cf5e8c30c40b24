// The index that all rows search, and the hits that the command line finds in it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROWS = 3000;
const QUERIES = 100;
const DIM = 32;
const INDEXES = ["flat", "hnsw", "clusters"];

/** Vectors that vary in few directions, as those of texts do. */
function vectors(count, seed) {
  let state = seed;
  const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
  const normal = () => random() + random() + random() + random() - 2;
  const basis = Array.from({ length: 8 }, (_, d) => Array.from({ length: DIM }, (_, i) => Math.cos((d + 1) * (i + 1) * 0.37)));
  return Array.from({ length: count }, () => {
    const weights = basis.map(normal);
    return Array.from({ length: DIM }, (_, i) => Math.fround(basis.reduce((sum, axis, d) => sum + weights[d] * axis[i], 0.2 * normal())));
  });
}

/** Makes `folder/index` and `folder/cases.json`; returns what each index must find. */
export function makeCases(folder, cli) {
  const expected = join(folder, "expected.json");
  const queries = vectors(QUERIES, 7);
  if (!existsSync(expected)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const lines = (rows, id) => rows.map((vector, i) => JSON.stringify({ id: `${id}-${i}`, vector })).join("\n");
    writeFileSync(join(folder, "rows.jsonl"), lines(vectors(ROWS, 1), "row"));
    writeFileSync(join(folder, "queries.jsonl"), lines(queries, "query"));
    writeFileSync(join(folder, "cases.json"), JSON.stringify({ queries }));
    execFileSync(cli, ["build", "rows.jsonl", "-o", "index"], { cwd: folder, stdio: "pipe" });
    const find = (index) => execFileSync(cli, ["search", "index", "--vector-file", "queries.jsonl", "-k", "10", "--index", index, "--json"], { cwd: folder, encoding: "utf8" });
    const hits = (index) => find(index).trim().split("\n").map((line) => JSON.parse(line).hits.map(({ id, score }) => ({ id, score: Math.fround(score) })));
    writeFileSync(expected, JSON.stringify(Object.fromEntries(INDEXES.map((index) => [index, hits(index)]))));
  }
  return JSON.parse(readFileSync(expected, "utf8"));
}

/** The part of the true hits that a collection must find: its codes are made of decoded vectors. */
const RECALL = 0.95;

/** Why the answers are not those of the command line; undefined if they are. */
export function complaint(result, expected) {
  if (result?.error) return result.error;
  if (result?.collection) return complaintOfCollection(result.collection, expected.flat);
  for (const index of INDEXES) {
    const [found, wanted] = [result?.answers?.[index] ?? [], expected[index]];
    if (found.length !== QUERIES) return `${index}: ${found.length} answers, not ${QUERIES}`;
    const wrong = wanted.filter((hits, i) => JSON.stringify(hits) !== JSON.stringify(found[i].map(({ id, score }) => ({ id, score: Math.fround(score) }))));
    if (wrong.length > 0) return `${index}: other hits than the command line's in ${wrong.length} of ${QUERIES} queries`;
  }
  return undefined;
}

function complaintOfCollection({ count, segments, answers }, wanted) {
  if (count !== ROWS || segments !== 1 || answers.length !== QUERIES) return `${count} rows in ${segments} segments and ${answers.length} answers, not ${ROWS} in 1 and ${QUERIES}`;
  const found = wanted.reduce((all, hits, i) => all + hits.filter(({ id }) => answers[i].some((hit) => hit.id === id)).length, 0);
  return found < RECALL * 10 * QUERIES ? `a collection finds ${found} of ${10 * QUERIES} hits` : undefined;
}
