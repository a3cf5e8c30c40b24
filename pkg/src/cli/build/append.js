// The index that `build --append` adds rows to: what the options of a build mean beside it, and which of its rows the new ones replace.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadBuilder } from "../../build.js";
import { fromWasm, PagevecError } from "../../errors.js";
import { appendContents } from "../../folder/append.js";
import { manifestText } from "../../folder/update.js";
import { parseManifest } from "../../sources/manifest.js";
import { input, ofFile, usage } from "../failure.js";
import { Pieces, piecesOf } from "../input/pieces.js";
import { modules, openIndex } from "../platform.js";
import { mergeHint } from "./summary.js";

/**
 * @typedef {import("../../folder/entry.js").Entry} Entry
 * @typedef {string[] | Float64Array} Ids
 */

export class Base {
  /**
   * @param {string} folder
   * @param {import("../../core/info.js").Info} info
   * @param {import("../../sources/manifest.js").Manifest} manifest
   */
  constructor(folder, info, { generation, segments }) {
    this.folder = folder;
    this.info = info;
    this.generation = generation;
    this.segments = /** @type {Entry[]} */ (segments);
    const { file, parts } = segments[segments.length - 1];
    /** The form of the last segment. */
    this.form = /** @type {import("../../folder/entry.js").Form} */ (file === undefined ? "parts" : parts ? "both" : "file");
    /** The files of the segment as whose rows others are encoded. */
    this.first = piecesOf(folder, this.segments[0]);
  }

  /** @param {string} folder */
  static async open(folder) {
    if (statSync(folder, { throwIfNoEntry: false })?.isFile()) throw usage(`${folder} is a file: give the folder of an index`);
    const text = manifestText(folder);
    if (text === undefined) throw input(folder, "there is no index.json, so there is no index to append to: leave out --append to build one");
    try {
      const manifest = parseManifest(text, join(folder, "index.json"));
      const index = await openIndex(folder, { memoryBudget: "1GiB" });
      const { info } = index;
      await index.close();
      return new Base(folder, info, manifest);
    } catch (error) {
      throw ofFile(folder, error);
    }
  }

  /**
   * The options of rows for this index. What is given and contradicts it is refused.
   * @param {import("../arguments.js").Parsed} parsed
   */
  request(parsed) {
    const { metric, codec, refine, exact, graph, clusters, m, efConstruction } = this.info;
    const stored = { metric, codec: nameOf(codec), refine: refine ?? "none", exact: exact ?? "none" };
    for (const name of /** @type {const} */ (["metric", "codec", "refine", "exact"])) {
      const given = parsed[name] === undefined ? undefined : nameOf(parsed[name]);
      if (given !== undefined && given !== stored[name]) throw usage(`--${name} ${given}: the index has ${stored[name]}; leave it out to append, or build another index`);
    }
    // An index without a graph does not tell its links.
    const known = (/** @type {number} */ value) => (value > 0 ? value : undefined);
    return {
      metric,
      codec,
      refine,
      exact,
      graph: graph && !parsed["no-graph"],
      clusters: clusters && !parsed["no-clusters"],
      m: parsed.m ?? known(m),
      efConstruction: parsed["ef-construction"] ?? known(efConstruction),
      seed: parsed.seed,
    };
  }

  /**
   * The numbers that follow those of the index, for rows without ids.
   * @param {number} rows
   */
  async numbers(rows) {
    if (this.info.ids === "text") throw usage("the ids of this index are text: give --ids, or lines with ids, for the rows to append");
    const glue = await loadBuilder(modules.builder, undefined);
    const largest = this.segments.map((entry) => reading(this.folder, entry, (files) => glue.largestId(files.reader, files.length)));
    const next = Math.max(...largest) + 1;
    return Float64Array.from({ length: rows }, (_, row) => next + row);
  }

  /**
   * Adds a finished segment.
   * @param {import("../../folder/publish.js").Segment} segment
   * @param {Ids} ids of its rows
   * @param {import("../../folder/entry.js").Form} form
   * @param {boolean} isNumbered whether the ids follow those of the index as it was read
   * @param {string | undefined} model that made its vectors
   */
  async append(segment, ids, form, isNumbered, model) {
    const glue = await loadBuilder(modules.builder, undefined);
    /** @param {Entry} entry */
    const deadOf = (entry) => {
      const dead = entry.dead && readFileSync(join(this.folder, entry.dead.file));
      const { bytes, count } = reading(this.folder, entry, (files) => glue.deadRows(files.reader, files.length, dead, ids));
      const hash = new glue.ContentId();
      hash.update(bytes);
      return { bytes, count, contentId: hash.finish() };
    };
    const published = appendContents(this.folder, segment, form, isNumbered ? this.generation : undefined, deadOf, model);
    const after = parseManifest(manifestText(this.folder) ?? "", join(this.folder, "index.json"));
    const again = this.segments.some(({ contentId }) => contentId === segment.contentId);
    return { published, after: /** @type {Entry[]} */ (after.segments), added: { again, hint: mergeHint(this.folder, after.segments) } };
  }
}

/**
 * Warns of an index whose last segment is in parts and others are not.
 * @param {string} folder
 * @param {Entry[]} segments
 */
export function notInParts(folder, segments) {
  const files = segments.filter(({ parts }) => !parts).length;
  if (!segments[segments.length - 1].parts || files === 0) return [];
  const which = files === 1 ? "1 segment is" : `${files} segments are`;
  return [{ code: "not-in-parts", message: `${which} not in parts, so hosts that ignore the Range header cannot read the index: \`pagevec merge ${folder}\` publishes all rows in parts` }];
}

/**
 * @template T
 * @param {string} folder
 * @param {Entry} entry
 * @param {(files: Pieces) => T} read
 * @returns {T}
 */
function reading(folder, entry, read) {
  const files = new Pieces(piecesOf(folder, entry));
  try {
    return read(files);
  } catch (error) {
    throw error instanceof Error && "exit" in error ? error : ofFile(join(folder, entry.file ?? ""), error instanceof PagevecError ? error : fromWasm(error));
  } finally {
    files.close();
  }
}

/** @param {string} codec */
function nameOf(codec) {
  return codec === "pq" ? "pq64" : codec;
}
