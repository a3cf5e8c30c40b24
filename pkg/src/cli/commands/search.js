// `pagevec search`: the rows nearest to one row or vector.
import { parseFieldsWith } from "../../fields/json.js";
import { input, ofFile, usage } from "../failure.js";
import { parseExact, writeExact } from "../fields/exact.js";
import { listOf, NUMBERS, parseId } from "../input/ids.js";
import { readVectors } from "../input/vectors.js";
import { print, printable, single } from "../output.js";
import { Progress } from "../progress.js";
import { showSize } from "../size.js";
import { whole } from "../arguments.js";
import { openSource, SOURCE, toSearch, WANTED } from "../source.js";

/** @type {import("../arguments.js").Command} */
export const SEARCH = {
  name: "search",
  about: "Find the rows nearest to a row or to a vector",
  operand: "INDEX",
  operandHelp: "An index folder, or a segment file (seg-….bin)",
  oneOf: ["id", "vector", "vector-file"],
  options: {
    ...SOURCE,
    id: { value: "ID", help: "The id of a row whose nearest rows are searched for; the row itself is left out" },
    vector: { value: "0.1,0.2,…", help: "A vector: its components, separated by commas" },
    "vector-file": { value: "FILE", help: "A file with one vector, in a format that build reads; with --json it may have several, and a line is printed for each" },
    ...WANTED,
    exclude: { value: "FILE", help: "A file with one id per line (- is stdin): rows with these ids are no hits" },
    among: { value: "FILE", help: "A file with one id per line (- is stdin): only rows with these ids may be hits" },
    ef: { value: "EF", parse: whole(0), help: "Candidates that a search of the graph keeps: with more it finds more and is slower [default: 100, for binary codes 400]" },
    fields: { value: "NAMES", optional: "word", list: true, help: "Show the stored fields of the hits, or those that are named" },
    explain: { help: "Show which index was searched and what it cost" },
    json: { help: "Print one JSON object; for several vectors, one per line" },
  },
  examples: [
    "pagevec search site/index --id apple -k 5",
    "pagevec search site/index --id apple --fields title,url",
    `pagevec search site/index --id apple --filter '{"price":{"$lt":50}}'`,
    "pagevec search site/index --vector 0.1,0.2,0.3 --explain",
    "pagevec search site/index --id apple --among fruit.txt --exclude seen.txt",
    "pagevec search site/index --vector-file query.npy --io pread --memory-budget 64MB --index hnsw",
  ],
};

/** @param {import("../arguments.js").Parsed} parsed */
export async function search(parsed) {
  const index = await openSource(parsed);
  try {
    const { ids: kind } = index.info;
    const given = [parsed.exclude, parsed.among, parsed["vector-file"]];
    if (given.filter((path) => path === "-").length > 1) throw usage("stdin can be one file only: write the others and name them");
    const options = { ...toSearch(parsed), fields: namesOf(parsed.fields) };
    parseFieldsWith(parseExact);
    if (parsed.exclude !== undefined) options.exclude = listOf(parsed.exclude, kind);
    if (parsed.among !== undefined) options.among = listOf(parsed.among, kind);
    for (const query of await queriesOf(parsed, kind)) {
      const explained = await index.explain(query, options).catch((error) => {
        throw named(error, parsed, options, query);
      });
      report(parsed, explained, index.info.segments.length > 1);
    }
  } finally {
    await index.close();
  }
}

/**
 * @param {string[] | undefined} names one that is empty: all
 * @returns {string[] | true | undefined}
 */
function namesOf(names) {
  return names?.length === 1 && names[0] === "" ? true : names;
}

/**
 * @param {import("../arguments.js").Parsed} parsed
 * @param {string} kind of ids
 * @returns {Promise<import("../../arguments.js").Query[]>}
 */
async function queriesOf(parsed, kind) {
  if (parsed.id !== undefined) {
    const id = parseId(parsed.id, kind);
    if (id === undefined) throw usage(`--id ${parsed.id}: ${NUMBERS}`);
    return [{ id }];
  }
  if (parsed.vector !== undefined) return [toVector(parsed.vector)];
  const path = parsed["vector-file"];
  const { data, dim, rows, total } = await readVectors(path, parsed.json ? Infinity : 2, new Progress());
  if (rows !== 1 && !parsed.json) throw input(path, `holds ${total ?? "several"} vectors where --vector-file wants one: take one row, give --json, or use eval`);
  return Array.from({ length: rows }, (_, row) => data.subarray(row * dim, (row + 1) * dim));
}

/** @param {string} text */
function toVector(text) {
  return text.replace(/^[[\]]+|[[\]]+$/g, "").split(",").map((part) => {
    const number = part.trim() === "" ? NaN : Number(part);
    if (Number.isNaN(number) && part.trim().toLowerCase() !== "nan") throw usage(`--vector: ${JSON.stringify(part.trim())} is no number`);
    return number;
  });
}

/**
 * The failure of a search. An id that a file names is told with it.
 * @param {any} error
 * @param {import("../arguments.js").Parsed} parsed
 * @param {import("../../search/options.js").SearchOptions} options
 * @param {import("../../arguments.js").Query} query
 */
function named(error, parsed, { exclude, among }, query) {
  if (error?.code !== "unknown-id") return error;
  const isIn = (/** @type {ArrayLike<string | number> | undefined} */ ids) => Array.from(ids ?? []).some((id) => error.message.includes(JSON.stringify(String(id))) || error.message.includes(String(id)));
  const own = "id" in Object(query) ? String(/** @type {{ id: string | number }} */ (query).id) : undefined;
  if (own !== undefined && error.message.includes(own)) return error;
  const path = isIn(exclude) ? parsed.exclude : isIn(among) ? parsed.among : undefined;
  return path === undefined ? error : ofFile(path, error);
}

/**
 * @param {import("../arguments.js").Parsed} parsed
 * @param {import("../../core/explain.js").Explanation} explained
 * @param {boolean} several segments
 */
function report(parsed, { hits, index, distances, rescored, bytes, requests, waves, milliseconds, segments }, several) {
  const microseconds = Math.round(milliseconds * 1000);
  const each = several ? segments.map(({ index, distances, rescored }) => ({ index, distances, rescored })) : [];
  if (parsed.json) {
    const explain = parsed.explain && { explain: { index, distances, rescored, bytes, requests, waves, microseconds, segments: each } };
    return print(writeExact({ hits: hits.map(({ id, score, fields }) => ({ id, score: single(score), fields })), ...explain }));
  }
  const lines = hits.flatMap(({ id, score, fields = {} }) => [`${score.toFixed(6).padStart(12)}  ${printable(String(id))}`, ...Object.entries(fields).map(fieldLine)]);
  if (parsed.explain) {
    lines.push("", `${index}: ${distances} distances, ${rescored} rows rescored, ${microseconds} µs`);
    each.forEach((s, number) => lines.push(`segment ${number}: ${s.index}, ${s.distances} distances, ${s.rescored} rows rescored`));
    lines.push(`read ${showSize(bytes)} in ${requests} requests, ${waves} waves`);
  }
  if (lines.length > 0) print(lines.join("\n"));
}

/** @param {[name: string, value: unknown]} field */
function fieldLine([name, value]) {
  return `${" ".repeat(14)}${printable(name)}: ${printable(typeof value === "string" ? value : writeExact(value))}`;
}
