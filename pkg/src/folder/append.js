// Appends a segment to the index in a folder: rows of earlier segments whose ids it has are dead from then on. Their segments do not
// change; which rows are dead stands in a file of their own.
import { join } from "node:path";
import { badArgument, PagevecError } from "../errors.js";
import { MAX_SEGMENTS } from "../sources/manifest.js";
import { entryOf } from "./entry.js";
import { filesOf } from "./publish.js";
import { contentsOf, MANIFEST, update } from "./update.js";

/**
 * @typedef {import("./entry.js").Entry} Entry
 * @typedef {{ bytes: Uint8Array, count: number, contentId: string }} DeadRows all rows of a segment that are dead, as their file has them
 */

/**
 * @param {string} folder
 * @param {import("./publish.js").Segment} segment
 * @param {import("./entry.js").Form} form
 * @param {number | undefined} wanted the generation that the folder must have
 * @param {(entry: Entry) => DeadRows} deadOf the rows of an earlier segment that are dead, with the new segment
 * @param {string} [wantedModel] that made the new vectors; unless given, that of the index
 * @returns {import("./publish.js").Published & { replaced: number }} `replaced`: how many rows were alive before
 */
export function appendContents(folder, segment, form, wanted, deadOf, wantedModel) {
  const entry = entryOf(segment.info, segment.contentId, form, wantedModel);
  const files = filesOf(entry, segment.contents);
  let replaced = 0;
  const generation = update(folder, wanted, (before) => {
    if (!before) throw new PagevecError("corrupt", `${join(folder, MANIFEST)} cannot be read: build the index again`);
    const earlier = before.segments.filter(({ contentId }) => contentId !== entry.contentId);
    if (earlier.length >= MAX_SEGMENTS) throw badArgument(`the index has ${MAX_SEGMENTS} segments, the most there are: merge them first`);
    replaced = 0;
    const found = earlier.map((one) => ({ one, dead: deadOf(one) }));
    const more = found.filter(({ one, dead }) => dead.count > (one.dead?.count ?? 0));
    const named = more.map(({ one, dead: { bytes, count, contentId } }) => {
      replaced += count - (one.dead?.count ?? 0);
      const name = `dead-${contentId.slice(0, 32)}.bin`;
      return { one, dead: { file: name, length: bytes.length, count, contentId }, file: { name, contents: contentsOf(bytes), order: 0 } };
    });
    const entries = earlier.map((one) => {
      const dead = named.find((other) => other.one === one)?.dead;
      return dead ? { ...one, dead } : one;
    });
    // As in the core, the new rows are taken for those of the index's model.
    const model = earlier.find((one) => one.model !== undefined)?.model;
    if (model !== undefined && wantedModel !== undefined && model !== wantedModel) {
      throw badArgument(`the new rows have vectors of the model "${wantedModel}", but the index of "${model}": build the new rows as those of the index`);
    }
    const added = model === undefined ? entry : entryOf(segment.info, segment.contentId, form, model);
    return { entries: [...entries, added], files: [...files, ...named.map(({ file }) => file)] };
  });
  const path = join(folder, entry.file ?? /** @type {{ folder: string }} */ (entry.parts).folder);
  return { path, contentId: entry.contentId, generation, parts: files.length - (entry.file === undefined ? 0 : 1), replaced };
}
