// The entry of a segment in index.json, the parts it may be cut into, and the manifest that lists it: the same as the native command
// line writes, byte for byte.

/** Bytes of a part of rows, lists or fields, and how many such parts a section has at most; a longer section has larger parts. */
const PIECES = 16 << 10;
const MAX_PIECES = 4096;
/** Bytes of a part of leaves. */
const LEAVES = 32 << 10;
/** Bytes of a part of a section that is always read as a whole. */
const WHOLE = 1 << 20;
/** Sections that opening reads. */
const IN_FRONT = ["code parameters", "refine parameters", "exact parameters", "checksums", "list parameters", "cells", "payload"];

/**
 * @typedef {"file" | "parts" | "both"} Form how a segment is published: as one file, as part files, or as both
 * @typedef {import("../core/info.js").SegmentInfo} SegmentInfo
 * @typedef {Pick<SegmentInfo, "fileLength" | "memoryToOpen" | "fileId" | "count" | "dim" | "metric"> & { sections: { name: string, offset: number, length: number }[] }} ListedInfo
 *   what an entry has of a segment
 * @typedef {{ file?: string, length: number, front: number, contentId: string, fileId: string, count: number, dim: number, metric: string, model?: string, sections: [string, number, number][], parts?: { folder: string, cuts: [number, number][] }, dead?: import("../sources/manifest.js").Dead }} Entry
 * @typedef {{ name: string, offset: number, length: number }} Slice a file that holds this part of the segment
 */

/**
 * @param {SegmentInfo} info
 * @param {string} contentId
 * @param {Form} form
 * @param {string} [model] that made the vectors
 * @returns {Entry}
 */
export function entryOf(info, contentId, form, model) {
  const name = nameOf(contentId);
  return {
    ...(form !== "parts" && { file: `${name}.bin` }),
    ...factsOf(info, contentId, model),
    ...(form !== "file" && { parts: { folder: name, cuts: cutsOf(info) } }),
  };
}

/**
 * The entry of a segment that is published as one file.
 * @param {ListedInfo} info
 * @param {string} contentId
 * @param {string} [model] that made the vectors
 * @returns {Entry & { file: string }}
 */
export function fileEntryOf(info, contentId, model) {
  return { file: `${nameOf(contentId)}.bin`, ...factsOf(info, contentId, model) };
}

/** @param {string} contentId */
function nameOf(contentId) {
  return `seg-${contentId.slice(0, 32)}`;
}

/**
 * @param {ListedInfo} info
 * @param {string} contentId
 * @param {string | undefined} model
 */
function factsOf({ fileLength: length, memoryToOpen: front, fileId, count, dim, metric, sections }, contentId, model) {
  return {
    length,
    front,
    contentId,
    fileId,
    count,
    dim,
    metric,
    ...(model !== undefined && { model }),
    sections: sections.map(({ name, offset, length }) => /** @type {[string, number, number]} */ ([name, offset, length])),
  };
}

/**
 * From byte `[0]` of the segment to the next cut, each part has `[1]` bytes; the last one may be shorter. The front is one part, and
 * no other part is of two sections.
 * @param {SegmentInfo} info
 * @returns {[number, number][]}
 */
function cutsOf(info) {
  const sections = info.sections.filter(({ name, length }) => !IN_FRONT.includes(name) && length > 0);
  /** @type {[number, number][]} */
  const cuts = sections.map((section) => [section.offset, partSize(info, section)]);
  // Bytes between the front and the first section belong to the front.
  return [[0, cuts[0]?.[0] ?? info.memoryToOpen], ...cuts];
}

/**
 * The bytes of the parts of a section. No row is cut in two.
 * @param {SegmentInfo} info
 * @param {{ name: string, length: number }} section
 */
function partSize({ count, clusters, refine, exact }, { name, length }) {
  const pieces = Math.max(PIECES, powerOfTwo(Math.ceil(length / MAX_PIECES)));
  const stride = length / count;
  const rows = Math.max(1, Math.floor(pieces / stride)) * stride;
  if (name === "leaves") return LEAVES;
  if (["lists", "terms", "sets", "sorted", "fields"].includes(name)) return pieces;
  if (name === "refine rows" || name === "exact rows") return rows;
  // Codes are read row by row if they are the finest rows and a search by clusters reranks by them.
  return name === "codes" && clusters && !refine && !exact ? rows : WHOLE;
}

/** @param {number} least */
function powerOfTwo(least) {
  let power = 1;
  while (power < least) power *= 2;
  return power;
}

/**
 * The files that hold a segment, its parts first.
 * @param {Pick<Entry, "file" | "length" | "parts">} entry
 * @returns {Slice[]}
 */
export function slicesOf({ file, length, parts }) {
  /** @type {Slice[]} */
  const slices = [];
  parts?.cuts.forEach(([from, size], i) => {
    const end = parts.cuts[i + 1]?.[0] ?? length;
    for (let offset = from; offset < end; offset += size) {
      const part = Math.min(size, end - offset);
      slices.push({ name: `${parts.folder}/${offset}-${offset + part - 1}.bin`, offset, length: part });
    }
  });
  if (file !== undefined) slices.push({ name: file, offset: 0, length });
  return slices;
}

/**
 * The text of the manifest of these segments that follows `before`. It has the same generation if nothing changes.
 * @param {Entry[]} segments
 * @param {{ version: number, generation: number, text: string } | undefined} before undefined: none is there, or it cannot be read
 * @returns {{ text: string, generation: number }}
 */
export function manifestOf(segments, before) {
  const last = before?.generation ?? 0;
  const same = before?.version === 2 && sameText(before.text, manifestAt(last, segments));
  const generation = same ? last : last + 1;
  return { generation, text: manifestAt(generation, segments) };
}

/**
 * The text of the manifest of these segments.
 * @param {number} generation
 * @param {Entry[]} segments
 */
export function manifestAt(generation, segments) {
  return `${JSON.stringify({ pagevec: 2, generation, segments })}\n`;
}

/**
 * @param {string} a
 * @param {string} b
 */
function sameText(a, b) {
  return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
}
