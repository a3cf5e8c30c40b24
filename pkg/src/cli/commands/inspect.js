// `pagevec inspect`: what an index holds and the size of each part.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseManifest } from "../../sources/manifest.js";
import { slicesOf } from "../../folder/entry.js";
import { mergeHint } from "../build/summary.js";
import { InputFile } from "../input/files.js";
import { curveLines, field, print, printable, printJson } from "../output.js";
import { showSize } from "../size.js";
import { openSource, SOURCE } from "../source.js";

/** @type {import("../arguments.js").Command} */
export const INSPECT = {
  name: "inspect",
  about: "Show what an index holds and the size of each part",
  operand: "INDEX",
  operandHelp: "An index folder, or a segment file (seg-….bin)",
  options: { ...SOURCE, json: { help: "Print one JSON object" } },
  examples: ["pagevec inspect site/index", "pagevec inspect site/index --json"],
};

/** Where a segment has its seed: FORMAT.md, "Header". */
const SEED = 76;

/** @param {import("../arguments.js").Parsed} parsed */
export async function inspect(parsed) {
  const index = await openSource(parsed);
  const facts = factsOf(parsed.operand, index.info);
  await index.close();
  if (parsed.json) printJson(facts);
  else print(textOf(facts, mergeHint(parsed.operand, entriesOf(parsed.operand))));
}

/**
 * The entries of the manifest, where the index is a folder.
 * @param {string} path
 */
export function entriesOf(path) {
  if (!statSync(path).isDirectory()) return [];
  return parseManifest(readFileSync(join(path, "index.json"), "utf8"), path).segments;
}

/**
 * The fields that the native command line prints.
 * @param {string} path
 * @param {import("../../core/info.js").Info} info
 */
function factsOf(path, info) {
  const entries = entriesOf(path);
  const seed = seedOf(path, entries[0]);
  const segments = info.segments.map((segment, i) => segmentOf(path, segment, entries[i]));
  const { count, dim, metric, codec, refine = null, exact = null, graph, clusters, curve, m, efConstruction, ids, fileLength, memoryToOpen, kernels, generation = null, schema } = info;
  return {
    count,
    dim,
    metric,
    codec,
    refine,
    exact,
    graph,
    clusters,
    curve,
    m,
    ef_construction: efConstruction,
    seed,
    ids,
    file_length: fileLength,
    bytes_per_vector: fileLength / Math.max(1, count),
    memory_to_open: memoryToOpen,
    kernels,
    generation,
    schema: byName(schema).map(([name, { type = null, why = null, rows, values, bytes }]) => ({ name, type, why, rows, values, bytes })),
    segments,
  };
}

/**
 * @param {string} path
 * @param {import("../../core/info.js").SegmentInfo} segment
 * @param {import("../../sources/manifest.js").Entry | undefined} entry
 */
function segmentOf(path, { contentId, fileId, count, dead, codec, graph, clusters, fileLength, memoryToOpen, sections }, entry) {
  return {
    file: entry ? (entry.file === undefined ? null : join(path, entry.file)) : path,
    content_id: contentId ?? null,
    file_id: fileId,
    count,
    dead,
    codec,
    graph,
    clusters,
    file_length: fileLength,
    memory_to_open: memoryToOpen,
    parts: entry?.parts ? partsOf(path, entry, entry.parts) : null,
    sections: sections.map(({ name, offset, length, bytesPerVector }) => ({ name, offset, length, bytes_per_vector: bytesPerVector })),
  };
}

/**
 * @param {string} path
 * @param {import("../../sources/manifest.js").Entry} entry
 * @param {import("../../sources/parts.js").Parts} parts
 */
function partsOf(path, entry, parts) {
  const all = slicesOf({ length: entry.length, parts });
  return { folder: join(path, parts.folder), count: all.length, largest: Math.max(...all.map(({ length }) => length)), beside_file: entry.file !== undefined };
}

/**
 * The seed that the first segment was built with. A page has no use for it, so the core does not tell it.
 * @param {string} path
 * @param {import("../../sources/manifest.js").Entry | undefined} entry undefined: the path is a segment
 */
function seedOf(path, entry) {
  const first = entry?.parts && entry.file === undefined ? slicesOf({ length: entry.length, parts: entry.parts })[0].name : entry?.file;
  const file = new InputFile(first === undefined ? path : join(path, first));
  const seed = file.read(SEED, 8).readBigUInt64LE();
  file.close();
  return Number(seed);
}

/** @typedef {ReturnType<typeof factsOf>} Facts */

/**
 * @param {Facts} facts
 * @param {string | undefined} hint
 */
function textOf(facts, hint) {
  const { segments, curve, exact, generation } = facts;
  const several = segments.length > 1 || segments.some(({ dead }) => dead > 0);
  return [
    field("vectors", `${facts.count} of ${facts.dim} components, ${facts.metric}`),
    field("codes", facts.codec),
    field("refine rows", facts.refine ?? "none: hits are ranked by the codes"),
    ...(exact ? [field("exact rows", exact)] : []),
    field("graph", facts.graph ? `M ${facts.m}, efConstruction ${facts.ef_construction}, seed ${facts.seed}` : "none"),
    field("clusters", facts.clusters ? "yes" : "none"),
    ...(several && curve.length > 0 ? [field("recall", "of segment 0 alone, as its build measured it:")] : []),
    ...curveLines(curve),
    field("ids", facts.ids),
    field("file size", showSize(facts.file_length)),
    field("bytes per vector", facts.bytes_per_vector.toFixed(1)),
    field("memory to open", showSize(facts.memory_to_open)),
    field("kernels", facts.kernels),
    ...(generation === null ? [] : [field("generation", generation)]),
    ...schemaLines(facts.schema),
    ...(several ? segmentLines(segments, hint) : oneSegment(segments[0])),
  ].join("\n");
}

/**
 * The fields of all segments in the order of the native command line.
 * @param {import("../../core/info.js").Info["schema"]} schema
 */
function byName(schema) {
  return Object.entries(schema).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/**
 * A line for each field.
 * @param {Facts["schema"]} schema
 */
function schemaLines(schema) {
  if (schema.length === 0) return [];
  const row = (/** @type {string} */ name, /** @type {string} */ type, /** @type {(string | number)[]} */ numbers) => `${name.padEnd(18)} ${type.padEnd(14)} ${numbers.map((number) => String(number).padStart(14)).join(" ")}`;
  const lines = schema.map(({ name, type, why, rows, values, bytes }) => (type ? row(printable(name), type, [rows, values, bytes]) : `${printable(name).padEnd(18)} stored only: ${why}`));
  return ["", row("field", "type", ["rows", "values", "bytes"]), ...lines, ""];
}

/**
 * A line for each segment: there may be hundreds.
 * @param {Facts["segments"]} segments
 * @param {string | undefined} hint
 */
function segmentLines(segments, hint) {
  const row = (/** @type {(string | number)[]} */ [number, rows, dead, bytes, place]) => `${String(number).padEnd(8)} ${String(rows).padStart(10)} ${String(dead).padStart(10)} ${String(bytes).padStart(14)}  ${place}`;
  return [
    field("segments", segments.length),
    ...(hint ? [field("hint", hint)] : []),
    "",
    row(["segment", "rows", "dead rows", "bytes", "file"]),
    ...segments.map((s, i) => row([i, s.count, s.dead, s.file_length, `${s.file ?? s.parts?.folder ?? ""}${s.parts?.beside_file ? ", and in parts" : ""}`])),
    "",
    "--json shows the sections of each, `pagevec inspect` of a seg-….bin those of one",
  ];
}

/** @param {Facts["segments"][number]} segment */
function oneSegment({ file_id, content_id, parts, sections }) {
  const row = (/** @type {string} */ name, /** @type {(string | number)[]} */ numbers) => `${name.padEnd(18)} ${numbers.map((number) => String(number).padStart(14)).join(" ")}`;
  return [
    field("file id", file_id),
    field("content id", content_id ?? "no manifest"),
    ...(parts ? [field("part files", `${parts.count}, the largest ${showSize(parts.largest)}, ${parts.beside_file ? "beside the file" : "no whole file"}`)] : []),
    "",
    row("section", ["offset", "bytes", "bytes/vector"]),
    ...sections.map(({ name, offset, length, bytes_per_vector }) => row(name, [offset, length, bytes_per_vector.toFixed(2)])),
  ];
}
