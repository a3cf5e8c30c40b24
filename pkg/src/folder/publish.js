// publish(): a segment to a folder that a static host serves, as the native command line does it. Only node.js imports this.
import { join } from "node:path";
import { loadBuilder } from "../build.js";
import { badArgument, reading, typed } from "../errors.js";
import { openWith } from "../open.js";
import { checkOptions, toChoice, toInteger } from "../options.js";
import { node } from "../platform/node.js";
import { alone } from "../sources/resolve.js";
import { LOCAL_LIMITS, newTraffic, shortRead } from "../sources/source.js";
import { toModel } from "../texts/embed.js";
import { entryOf, manifestOf, slicesOf } from "./entry.js";
import { contentsOf, MANIFEST, update } from "./update.js";

/** Bytes that are hashed at a time. */
const PIECE = 1 << 20;

/** @typedef {{ search: import("../core/module.js").Own, builder: import("../build.js").Builder }} Modules the package's own */

/**
 * @typedef {import("./entry.js").Form} Form
 * @typedef {import("./write.js").Contents} Contents
 * @typedef {{ contents: Contents, info: import("../core/info.js").SegmentInfo, contentId: string }} Segment
 *
 * @typedef {object} PublishOptions
 * @property {Form} [form] `"file"`: one file, unless given; `"parts"`: part files for hosts that ignore the Range header; `"both"`
 * @property {number} [generation] publishes only where the folder still has this generation, which is 0 where nothing is published
 *   yet; else it rejects with `changed`. Unless given, whatever is there is replaced
 * @property {string} [model] the name of the model that made the vectors, which index.json keeps: `open` with another is refused
 *
 * @typedef {object} Published
 * @property {string} path of the segment's file, or of the folder of its parts if there is no file
 * @property {string} contentId 64 hexadecimal digits
 * @property {number} generation of the folder
 * @property {number} parts how many part files there are; 0 if it is one file
 *
 * @typedef {{ name: string, bytes: Uint8Array, order: number }} PublishedFile `name`: in the folder, or `folder/name`; `order`: files
 *   of order 0 name no others; the manifest has order 1 and names them, so write it last
 */

/**
 * @param {Modules} modules
 * @param {string} folder
 * @param {Uint8Array} bytes
 * @param {PublishOptions} [options]
 * @returns {Promise<Published>}
 */
export function publishWith(modules, folder, bytes, options) {
  return typed(async () => {
    if (typeof folder !== "string" || folder === "") throw badArgument("publish(): the folder must be a path");
    const { form, generation, model } = reading(() => toOptions("publish()", options));
    const segment = await describeSegment(modules, reading(() => toSegment("publish()", bytes)));
    return publishContents(folder, segment, form, generation, model);
  });
}

/**
 * @param {Modules} modules
 * @param {Uint8Array} bytes
 * @param {PublishOptions} [options]
 * @returns {Promise<PublishedFile[]>}
 */
export function publicationWith(modules, bytes, options) {
  return typed(async () => {
    const { form, model } = reading(() => toOptions("publication()", options));
    const { info, contentId } = await describeSegment(modules, reading(() => toSegment("publication()", bytes)));
    const entry = entryOf(info, contentId, form, model);
    const files = slicesOf(entry).map(({ name, offset, length }) => ({ name, bytes: bytes.subarray(offset, offset + length), order: 0 }));
    return [...files, { name: MANIFEST, bytes: new TextEncoder().encode(manifestOf([entry], undefined).text), order: 1 }];
  });
}

/**
 * What must be known of a finished segment. Its bytes are read once to open it and once for their hash, never all at a time.
 * @param {Modules} modules
 * @param {Contents} contents
 * @returns {Promise<Segment>}
 */
export async function describeSegment(modules, contents) {
  const { length } = contents;
  const source = {
    name: "the segment",
    length,
    traffic: newTraffic(),
    limits: LOCAL_LIMITS,
    read: async (/** @type {number} */ offset, /** @type {number} */ wanted) => {
      const bytes = contents.read(offset, wanted);
      if (bytes.length !== wanted) throw shortRead("the segment", wanted, bytes.length);
      return bytes;
    },
    close: () => {},
  };
  const platform = { ...node(modules.search), openPath: async () => alone(source), openStore: () => undefined };
  const index = await openWith(platform, source.name, { memoryBudget: "1GiB" });
  const [info] = index.info.segments;
  await index.close();
  const { ContentId } = await loadBuilder(modules.builder, undefined);
  const hash = new ContentId();
  for (let offset = 0; offset < length; offset += PIECE) hash.update(contents.read(offset, Math.min(PIECE, length - offset)));
  return { contents, info, contentId: hash.finish() };
}

/**
 * @param {string} folder
 * @param {Segment} segment
 * @param {Form} form
 * @param {number | undefined} wanted the generation that the folder must have
 * @param {string} [model] that made the vectors
 * @returns {Published}
 */
export function publishContents(folder, { contents, info, contentId }, form, wanted, model) {
  const entry = entryOf(info, contentId, form, model);
  const files = filesOf(entry, contents);
  const generation = update(folder, wanted, () => ({ entries: [entry], files }));
  const path = join(folder, entry.file ?? /** @type {{ folder: string }} */ (entry.parts).folder);
  return { path, contentId, generation, parts: files.length - (entry.file === undefined ? 0 : 1) };
}

/**
 * The files of a segment.
 * @param {import("./entry.js").Entry} entry
 * @param {Contents} contents
 * @returns {import("./write.js").Planned[]}
 */
export function filesOf(entry, contents) {
  return slicesOf(entry).map(({ name, offset, length }) => ({ name, contents: sliceOf(contents, offset, length), order: 0 }));
}

/**
 * @param {Contents} contents
 * @param {number} from
 * @param {number} length
 * @returns {Contents}
 */
function sliceOf(contents, from, length) {
  return { length, read: (offset, wanted) => contents.read(from + offset, wanted) };
}

/**
 * @param {string} call
 * @param {unknown} bytes
 */
function toSegment(call, bytes) {
  if (!(bytes instanceof Uint8Array)) throw badArgument(`${call}: the segment must be a Uint8Array, as build() makes it`);
  return contentsOf(bytes);
}

/**
 * @param {string} call
 * @param {PublishOptions | undefined} given
 */
function toOptions(call, given) {
  const { form = "file", generation, model } = checkOptions(call, given, ["form", "generation", "model"]);
  if (generation !== undefined) toInteger(generation, "generation", 0);
  return { form: toChoice(form, ["file", "parts", "both"], "form"), generation, model: toModel(model, call) };
}
