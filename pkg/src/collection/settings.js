// The options of openCollection(), checked.
import { describe, isA } from "../describe.js";
import { badArgument } from "../errors.js";
import { toSchema } from "../search/declared.js";
import { checkOptions, toBytes, toChoice, toInteger, toSignal } from "../options.js";
import { Embedder, toModel } from "../texts/embed.js";

const OPTIONS = /** @type {const} */ (["dim", "metric", "codec", "refine", "schema", "ids", "create", "readOnly", "degraded", "durability", "flush", "memoryBudget", "memory", "from", "embed", "model", "worker", "wasm", "signal"]);

/**
 * @typedef {object} FlushOptions when rows in memory become a segment: at the first of these
 * @property {number} [rows] so many rows
 * @property {number | string} [bytes] so many bytes of log, as a number or a text such as `"32MiB"`
 * @property {number} [age] so many seconds after the first of them
 *
 * @typedef {object} CollectionOptions
 * @property {number} [dim] numbers in a vector: needed for a new collection
 * @property {import("../core/info.js").Metric} [metric] cosine unless given
 * @property {"sq8" | "sq4" | "binary" | "f16" | "f32"} [codec] of the codes that are searched, sq8 unless given
 * @property {"f16" | "f32"} [refine] codec of finer rows, which are kept beside the codes and by which candidates are ranked again; none unless given
 * @property {Record<string, import("../search/schema.js").FieldType | "stored">} [schema] the types of fields, which rows must have values of; fields that
 *   it does not name are stored without an index. Of a new collection without one they are inferred
 * @property {"number" | "text"} [ids] the kind of all ids; that of the first row unless given
 * @property {boolean} [create] whether a collection is made that is not there, true unless given; else it rejects with `not-found`
 * @property {boolean} [readOnly] opens it beside another process that writes: it sees what was durable when it was opened
 * @property {boolean} [degraded] opens it to be read only, without segments that cannot be read and without what a damaged log does not give:
 *   `stats()` says what is missing; unless given, damage is an error
 * @property {"strict" | "relaxed"} [durability] `"strict"`, unless given: a write resolves once it is safe from a power cut; `"relaxed"`:
 *   once it is safe from a crash of the program, and from a power cut a tenth of a second later
 * @property {FlushOptions} [flush] when rows in memory become a segment
 * @property {number | string} [memoryBudget] bytes of its files held in memory: a number, or a text such as `"64MB"`
 * @property {boolean} [memory] keeps it in memory only: for tests, and where a browser refuses its storage
 * @property {import("./transfer/backup.js").Backup} [from] makes the collection of what \`backup()\` gave; there must be none with this name
 * @property {import("../texts/embed.js").Embed} [embed] makes vectors of texts, for `search({ text })` and rows with a `text`
 * @property {string} [model] the name of what makes the vectors, where `embed.model` does not say it
 * @property {() => unknown} [worker] starts the script `pagevec/collection-worker` in browsers, where the package's URL does not reach it
 * @property {import("../core/module.js").WasmSource} [wasm] the collection module, where the default URL does not reach it
 * @property {AbortSignal} [signal] ends the opening
 */

/**
 * @param {unknown} name
 * @param {CollectionOptions | undefined} given
 */
export function toSettings(name, given) {
  if (typeof name !== "string" || name === "" || name.length > 1000 || /\p{Surrogate}/u.test(name)) throw badArgument(`openCollection(): the name must be a text, not ${typeof name === "string" ? "an empty, a very long or a malformed one" : describe(name)}`);
  const options = checkOptions("openCollection()", given, OPTIONS);
  const { dim, metric, codec, refine, ids, durability = "strict", embed, model, worker, wasm, memoryBudget } = options;
  const { create = true, readOnly = false, degraded = false, memory = false } = options;
  for (const [option, value] of Object.entries({ create, readOnly, degraded, memory })) {
    if (typeof value !== "boolean") throw badArgument(`openCollection(): ${option} must be true or false, not ${describe(value)}`);
  }
  if (worker !== undefined && typeof worker !== "function") throw badArgument(`openCollection(): worker must be a function that gives a Worker, not ${describe(worker)}`);
  if (dim !== undefined && toInteger(dim, "dim") > 65_535) throw badArgument("dim must be at most 65535");
  const host = {
    name,
    dim,
    metric: metric === undefined ? undefined : toChoice(metric, ["cosine", "dot", "l2"], "metric"),
    codec: codec === undefined ? undefined : toChoice(codec, ["sq8", "sq4", "binary", "f16", "f32"], "codec"),
    refine: refine === undefined ? undefined : toChoice(refine, ["f16", "f32"], "refine"),
    schema: toSchema("openCollection()", options.schema),
    ids: ids === undefined ? undefined : toChoice(ids, /** @type {const} */ (["number", "text"]), "ids"),
    durability: toChoice(durability, /** @type {const} */ (["strict", "relaxed"]), "durability"),
    flush: toFlush(options.flush),
    memoryBudget: memoryBudget === undefined ? undefined : toBytes(memoryBudget, "memoryBudget"),
    create: create && !readOnly && !degraded,
    readOnly: readOnly || degraded,
    degraded,
    memory,
    from: toFiles(options.from),
  };
  if (host.from && !host.create) throw badArgument("openCollection(): `from` makes a new collection: leave out `create`, `readOnly` and `degraded`");
  const embedder = embed === undefined ? undefined : new Embedder(embed, model, "openCollection()");
  toModel(model, "openCollection()");
  return { host, embedder, worker, wasm, signal: toSignal(options.signal) };
}

/** @param {unknown} from */
function toFiles(from) {
  if (from === undefined) return undefined;
  const { files } = /** @type {{ files?: unknown }} */ (Object(from));
  const isFile = (/** @type {Partial<import("./transfer/backup.js").BackupFile>} */ { name, blob }) => /^(manifest\.b|seg-\d{1,15})$/.test(String(name)) && (isA(blob, "Blob") || isA(blob, "File"));
  if (!Array.isArray(files) || files.length === 0 || !files.every((one) => isFile(Object(one)))) throw badArgument(`openCollection(): from must be what backup() gave, { files: [{ name, blob }] }, not ${describe(from)}`);
  return files.map(({ name, blob }) => ({ name, blob }));
}

/** @param {FlushOptions | undefined} given */
function toFlush(given) {
  if (given === undefined) return undefined;
  const { rows, bytes, age } = checkOptions("openCollection(): flush", given, ["rows", "bytes", "age"]);
  if (age !== undefined && !(typeof age === "number" && age > 0 && age < 1e9)) throw badArgument("flush.age must be a number of seconds above 0");
  return { rows: rows === undefined ? undefined : toInteger(rows, "flush.rows"), bytes: bytes === undefined ? undefined : toBytes(bytes, "flush.bytes"), age };
}
