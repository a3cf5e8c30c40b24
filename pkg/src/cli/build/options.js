// The options of `pagevec build`: those of the native command line, and --embed.
import { whole } from "../arguments.js";
import { usage } from "../failure.js";

/** @type {import("../arguments.js").Command} */
export const BUILD = {
  name: "build",
  about: "Build an index folder from vectors, or append vectors to one",
  operand: "INPUT",
  operandHelp: '.npy (float16, float32, float64), .fvecs, .jsonl of {"id": …, "vector": […]}, .json with an array of those, or - for such lines from stdin',
  options: {
    "vector-column": { value: "NAME", help: "Taken by the native command line alone, which reads .parquet" },
    ids: { value: "FILE", help: "One id per line, in the order of the vectors; without it rows are named 0, 1, 2, …, or with --append by the numbers that follow those of the index" },
    "ids-type": { value: "IDS_TYPE", choices: ["text", "number"], requires: "ids", help: "Whether the ids are stored as text or as numbers; numbers take less space [default: text, or as the index has them with --append]" },
    "id-field": { value: "NAME", conflicts: "ids", help: "The field that has the ids, texts or whole numbers: of the payload, or of the lines where there is none. It is stored as a field too only if --store names it" },
    metric: { value: "METRIC", parse: metric, help: "cosine, dot (or ip) or l2 (or euclidean) [default: cosine]" },
    codec: {
      value: "CODEC",
      parse: codec,
      help: "The codes that are searched, in bytes per vector of d components: f32 4·d, f16 2·d, sq8 d + 8 (l2: d + 12), sq4 d/2 + 4 (l2: d/2 + 8), binary d/8, pq 64, pq96 96 (pq1 to pq<d>) [default: sq8]",
    },
    refine: {
      value: "REFINE",
      choices: ["none", "sq8", "f16", "f32"],
      help: "Finer rows by which the candidates are ranked again: f32 4·d, f16 2·d, sq8 d + 8 bytes more per vector, none 0 [default: sq8 for binary, sq4 and pq codes, else none]",
    },
    exact: { value: "EXACT", choices: ["f16", "f32"], help: "Rows finer than those, by which the best candidates are ranked once more: f32 4·d, f16 2·d bytes more per vector" },
    "no-graph": { help: "Leave out the graph: saves about 5·M bytes per vector; searches use the clusters instead" },
    "no-clusters": { help: "Leave out the clustered index: saves about d/4 + 20 bytes per vector (d/2 up to 256 components, d up to 128), but a page has to fetch the whole file" },
    m: { short: "M", value: "M", parse: whole(0), help: "Links per node of the graph (2·M on its lowest layer): about 5·M bytes per vector [default: 16]" },
    "ef-construction": { value: "N", parse: whole(0), help: "Candidates from which the links of each node are chosen: more take time, but no bytes [default: 200]" },
    seed: { value: "N", parse: whole(0), help: "The seed; the same input, options and seed give the same file, byte for byte [default: 42]" },
    "tuning-queries": { value: "FILE", conflicts: "no-clusters", help: "Real queries, in a format of the input, by which the clustered index is calibrated; the first 192 are used" },
    payload: { value: "FILE", conflicts: "no-store", help: "Fields of the rows from another file, in the order of the vectors: JSON lines, an array of objects, or .csv or .tsv with their names in the first line. Where the input has a field of the same name, that of this file counts" },
    store: { value: "NAMES", list: true, conflicts: "no-store", help: "The fields to store, which searches return with their hits [default: all but id and vector]" },
    schema: { value: "FILE", conflicts: "no-store", help: 'A file with the types of the fields that filters may name, like {"pos": "keyword", "price": "float"}; other fields are only stored [default: types are inferred from the values]' },
    "no-store": { help: "Store no fields: ids and vectors alone" },
    model: { value: "NAME", help: "The name of the model that made the vectors, kept in index.json: who searches by text is refused with another one [default: none, or with --append as the index has it]" },
    threads: { value: "N", parse: whole(1, 1024), help: "Taken as by the native command line; this one builds in one thread. The file does not depend on it" },
    limit: { value: "N", parse: whole(1, 4294967295), help: "Read only so many rows" },
    append: { help: "Add the rows to the index that is in the folder: with its metric and codecs, in a segment of their own. A row whose id the index has replaces the earlier one" },
    embed: { value: "FILE", help: "A module that makes vectors of texts, for JSON lines without vectors: it exports `embed`, or has as its default, async (texts) => vectors. Its property `model` is the default of --model" },
    "embed-field": { value: "FIELD", fallback: "text", help: "The field of the text that --embed makes a vector of" },
    parts: {
      value: "WHICH",
      optional: "=",
      choices: ["also", "only"],
      help: "Publish the segment also as part files, for hosts that ignore the Range header; --parts=only publishes no single file [default: one file, or with --append as the last segment of the index]",
    },
    prune: { help: "Remove the files that the index no longer has from the folder, but for files younger than five minutes that another writer may be about to publish. Pages that have one open will fail if a host serves it" },
    output: { short: "o", value: "FOLDER", required: true, help: "The index folder; index.json and one seg-….bin are written into it, with --append also a dead-….bin for each segment in which rows are replaced" },
    json: { help: "Print one JSON object" },
  },
  examples: [
    "pagevec build words.npy --ids words.txt -o site/index",
    "pagevec build pages.jsonl --store title,url -o site/index",
    "pagevec build words.npy --ids words.txt --payload words.jsonl -o site/index",
    "pagevec build words.npy --payload words.jsonl --id-field url --schema schema.json -o site/index",
    "pagevec build words.npy --codec binary --refine sq8 --exact f16 -o site/index",
    "pagevec build more.npy --ids more.txt --append -o site/index",
    "pagevec build rows.jsonl --metric l2 --tuning-queries queries.npy --parts -o site/index",
    "pagevec build texts.jsonl --embed ./embed.mjs --embed-field text -o site/index",
  ],
};

/**
 * The options of the build module.
 * @param {import("../arguments.js").Parsed} parsed
 */
export function toRequest(parsed) {
  const { metric, codec = "sq8", refine, exact, m, seed } = parsed;
  if (refine === "none" && (codec === "binary" || codec === "sq4" || codec.startsWith("pq"))) {
    throw usage(`--refine none: ${codec} codes are too coarse to rank by alone; use sq8, f16 or f32`);
  }
  return { metric, codec, refine: refine === "none" ? undefined : refine, exact, graph: !parsed["no-graph"], clusters: !parsed["no-clusters"], m, efConstruction: parsed["ef-construction"], seed };
}

/**
 * The name of a metric, in any case. `ip` and `euclidean` are the names that other tools use for dot and l2.
 * @param {string} text
 */
function metric(text) {
  const name = text.toLowerCase();
  const own = name === "ip" ? "dot" : name === "euclidean" ? "l2" : name;
  if (["cosine", "dot", "l2"].includes(own)) return own;
  throw new Error(`metric: ${JSON.stringify(name)} is not a metric: use cosine, dot or l2`);
}

/** @param {string} text */
function codec(text) {
  if (["f32", "f16", "sq8", "sq4", "binary", "pq"].includes(text) || /^pq[1-9]\d*$/.test(text)) return text;
  throw new Error(`codec: ${JSON.stringify(text)} is none of f32, f16, sq8, sq4, binary, pq, or pq with the number of its parts (pq96)`);
}
