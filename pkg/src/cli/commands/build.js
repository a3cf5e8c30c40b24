// `pagevec build`: an index folder from vectors and ids. If it fails, nothing is published.
import { closeSync, existsSync, openSync, rmSync, statSync, unlinkSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { oldFiles, pruneFiles } from "../../folder/old.js";
import { describeSegment, publishContents } from "../../folder/publish.js";
import { manifestText } from "../../folder/update.js";
import { Base, notInParts } from "../build/append.js";
import { toRequest } from "../build/options.js";
import { runJob } from "../build/run.js";
import { fieldBytes, printSummary } from "../build/summary.js";
import { Failure, input, io, ofFile, usage } from "../failure.js";
import { embedderOf } from "../build/embed.js";
import { readPayload } from "../fields/payload.js";
import { IdField } from "../fields/id-field.js";
import { Store } from "../fields/store.js";
import { PARQUET, readFrom } from "../input/files.js";
import { readIds, readText } from "../input/ids.js";
import { openRows, readVectors } from "../input/vectors.js";
import { complain, printJson } from "../output.js";
import { toModel } from "../../texts/embed.js";
import { modules } from "../platform.js";
import { Progress } from "../progress.js";

/** Tuning queries that are read; a build uses no more. */
const TUNING = 256;
const FORMS = /** @type {const} */ ({ also: "both", only: "parts" });

/** @param {import("../arguments.js").Parsed} parsed */
export async function build(parsed) {
  const folder = /** @type {string} */ (parsed.output);
  if (parsed["vector-column"] !== undefined) throw usage(`--vector-column ${parsed["vector-column"]}: ${PARQUET}`);
  const there = checkOutput(folder);
  const base = parsed.append ? await Base.open(folder) : undefined;
  const request = base ? base.request(parsed) : toRequest(parsed);
  const progress = new Progress();
  const started = performance.now();
  const idField = parsed["id-field"] === undefined ? undefined : new IdField(parsed["id-field"], parsed.payload !== undefined);
  const store = new Store(parsed.store, parsed["no-store"] === true, idField);
  const embedder = await embedderOf(parsed.embed, parsed["embed-field"], parsed.model);
  const model = embedder ? embedder.model : toModel(parsed.model, "build");
  const rows = await openRows(parsed.operand, parsed.limit ?? Infinity, progress, () => temporary(there), { embedder, store });
  const output = temporary(there);
  try {
    const own = idsOf(rows, parsed, base);
    const schema = parsed.schema === undefined ? undefined : readText(parsed.schema);
    const fields = parsed.payload === undefined ? rows.fields : await readPayload(parsed.payload, rows, store, progress, schema);
    store.check();
    const given = idField?.finish(parsed.payload ?? parsed.operand) ?? own;
    const tuningQueries = await tuning(parsed["tuning-queries"], rows.dim, progress);
    const ids = given ?? (await base?.numbers(rows.rows));
    const read_seconds = (performance.now() - started) / 1000;

    const building = performance.now();
    const making = built(rows, output, { ...request, ids, fields: fields?.text, schema, tuningQueries }, folder, progress, base?.first);
    const { length, memory, warnings } = await making.catch((error) => {
      // What is wrong with the schema is told with its file.
      throw error?.code === "argument" && error.message.startsWith("schema:") ? new Failure(1, error.code, `${parsed.schema}: ${error.message}`) : error;
    });
    const build_seconds = (performance.now() - building) / 1000;
    const contents = { length, read: (/** @type {number} */ offset, /** @type {number} */ wanted) => readFrom(output, "a temporary file beside the output", offset, wanted) };
    const segment = await describeSegment(modules, contents);
    const replaced = manifestText(folder);
    const parts = /** @type {"also" | "only" | undefined} */ (parsed.parts);
    const form = parts ? FORMS[parts] : (base?.form ?? "file");
    const done = base ? await base.append(segment, ids ?? [], form, given === undefined, model) : { published: { ...publishContents(folder, segment, form, undefined, model), replaced: 0 }, after: [], added: undefined };
    const { published, after, added } = done;
    const old_segments = parsed.prune ? pruneFiles(folder, replaced) : oldFiles(folder);
    progress.end();

    const all = [...warnings, ...(base ? notInParts(folder, after) : [])];
    for (const { message } of all) complain(`warning: ${message}`);
    const summary = {
      folder,
      file: published.path,
      content_id: published.contentId,
      parts: published.parts,
      generation: published.generation,
      segments: base ? after.length : 1,
      index_rows: base ? after.reduce((sum, { count, dead }) => sum + count - (dead?.count ?? 0), 0) : rows.rows,
      replaced: published.replaced,
      rows: rows.rows,
      dim: rows.dim,
      bytes: length,
      bytes_per_vector: length / Math.max(1, rows.rows),
      read_seconds,
      build_seconds,
      vectors_per_second: rows.rows / build_seconds,
      fields: fields?.text === undefined ? [] : [...store.stored],
      field_bytes: fieldBytes(segment.info.sections),
      curve: segment.info.curve,
      warnings: all,
      old_segments,
      pruned: parsed.prune === true,
      memory,
    };
    if (parsed.json) printJson(summary);
    else printSummary(summary, added);
  } finally {
    progress.end();
    closeSync(output);
    rows.close();
  }
}

/**
 * @param {import("../input/vectors.js").Stored} rows
 * @param {number} output
 * @param {Record<string, unknown>} request
 * @param {string} folder
 * @param {Progress} progress
 * @param {import("../input/pieces.js").Piece[] | undefined} base
 */
async function built({ handle, path, length, bytes, rows, dim, first, stride, unchanged }, output, request, folder, progress, base) {
  const job = { kind: /** @type {const} */ ("build"), rows: { handle, path, length, bytes, rows, dim, first, stride }, output, request, base };
  const changed = () => input(path, "it was changed while it was read: build again when nothing writes it");
  try {
    const done = await runJob(job, progress, `interrupted: nothing was written to ${folder}`);
    if (!unchanged()) throw changed();
    return done;
  } catch (error) {
    // If the file was changed, that is the reason also of an error.
    throw unchanged() || /** @type {{ code?: string }} */ (error).code === "cancelled" ? error : changed();
  }
}

/**
 * Refuses an output folder that cannot be written, before the build takes its time. Returns the folder, or if it does not exist, the
 * nearest above it that does: temporary files are written there.
 * @param {string} folder
 */
function checkOutput(folder) {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  if (!statSync(there).isDirectory()) throw usage(`${there} is a file: -o must name a folder`);
  closeSync(temporary(there));
  return there;
}

/**
 * A file without a name, so that it is gone however the process ends.
 * @param {string} folder
 */
function temporary(folder) {
  const path = join(folder, `.pagevec-${process.pid}-${randomBytes(6).toString("hex")}.tmp`);
  try {
    const handle = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return handle;
  } catch (error) {
    rmSync(path, { force: true });
    throw io(folder, error);
  }
}

/**
 * @param {import("../input/vectors.js").Stored} rows
 * @param {import("../arguments.js").Parsed} parsed
 * @param {Base | undefined} base
 */
function idsOf(rows, parsed, base) {
  const option = parsed.ids !== undefined ? `--ids ${parsed.ids}` : parsed["id-field"] !== undefined ? `--id-field ${parsed["id-field"]}` : undefined;
  if (rows.ids && option) throw usage(`${option}: the lines of the input have ids already`);
  if (parsed["id-field"] !== undefined && !rows.fields && parsed.payload === undefined) throw usage(`${option}: the input has vectors alone; --payload FILE brings fields`);
  if (parsed.ids === undefined) return typeof rows.ids?.[0] === "number" ? Float64Array.from(/** @type {number[]} */ (rows.ids)) : /** @type {string[] | undefined} */ (rows.ids);
  return readIds(parsed.ids, parsed["ids-type"] ?? (base?.info.ids === "number" ? "number" : "text"), rows.rows, rows.total);
}

/**
 * @param {string | undefined} path
 * @param {number} dim
 * @param {Progress} progress
 */
async function tuning(path, dim, progress) {
  if (path === undefined) return undefined;
  const queries = await readVectors(path, TUNING, progress).catch((error) => {
    throw ofFile(path, error);
  });
  if (queries.dim === dim) return queries.data;
  throw usage(`--tuning-queries ${path}: its vectors have ${queries.dim} components, the input's ${dim}`);
}
