// The facts of an index, from those of its segments.

/**
 * @typedef {object} Facts of a segment, as the core tells them
 * @property {number} count vectors, dead ones too
 * @property {number} dead rows that are no hits, as a later segment has their ids or they were deleted
 * @property {number} dim components of a vector
 * @property {string} metric `cosine`, `dot` or `l2`
 * @property {string} codec of the codes that are searched
 * @property {string | undefined} refine codec of the finer rows that candidates are ranked by, where there are any
 * @property {string | undefined} exact codec of the rows that rank the best of those once more, where there are any
 * @property {boolean} graph whether there is an HNSW graph
 * @property {boolean} clusters whether there is a clustered index
 * @property {{ k: number, wanted: number, reached: number, cells: number, probes: number }[]} curve the recall that the
 *   clustered index reached for the `k` nearest when it was built, for each recall that may be wanted
 * @property {number} m links of a node; 0 without a graph
 * @property {number} efConstruction candidates looked at when the graph was built
 * @property {"number" | "text"} ids
 * @property {number} fileLength bytes
 * @property {string} fileId 32 hexadecimal digits, of options and input
 * @property {Section[]} sections of the file, in bytes
 * @property {number} memoryToOpen bytes
 * @property {string} kernels which SIMD kernels this module runs
 *
 * @typedef {{ name: string, offset: number, length: number, bytesPerVector: number }} Section
 *
 * @typedef {object} Place
 * @property {string | undefined} contentId 64 hexadecimal digits, from index.json; undefined without one
 * @property {string | undefined} model that made the vectors, where index.json names it
 * @property {number} base where the segment begins in the offsets of `onFetch`: 0 for the first
 *
 * @typedef {Facts & Place} SegmentInfo
 *
 * @typedef {{ file: string, error: import("../errors.js").PagevecError }} Missing a segment that `degraded` left out, and why
 *
 * @typedef {object} Whole
 * @property {number} count vectors that may be hits
 * @property {string | undefined} fileId of its segment; undefined where it has several
 * @property {string | undefined} contentId of its segment; undefined where it has several, or no index.json
 * @property {number | undefined} generation of index.json, which rises with each change; undefined without one
 * @property {string | undefined} model that made the vectors, where index.json names it
 * @property {SegmentInfo[]} segments at least one
 * @property {Missing[]} [missing] segments that `degraded` left out
 *
 * @typedef {Omit<Facts, "count" | "dead" | "fileId"> & Whole} Info what is counted in bytes is of all segments, `sections` too; where
 *   other facts differ they are those of the segment with the most rows. There is a graph, or there are clusters, if each
 *   segment has one
 */

/**
 * @param {SegmentInfo[]} segments
 * @param {number | undefined} generation
 * @param {Missing[]} missing
 * @returns {Info}
 */
export function infoOfAll(segments, generation, missing) {
  const largest = segments.reduce((most, one) => (one.count > most.count ? one : most));
  const sum = (/** @type {(one: SegmentInfo) => number} */ of) => segments.reduce((total, one) => total + of(one), 0);
  const { dead: _, base: __, ...facts } = largest;
  const several = segments.length > 1;
  return {
    ...facts,
    count: sum(({ count, dead }) => count - dead),
    graph: segments.every(({ graph }) => graph),
    clusters: segments.every(({ clusters }) => clusters),
    fileLength: sum(({ fileLength }) => fileLength),
    fileId: several ? undefined : facts.fileId,
    contentId: several ? undefined : facts.contentId,
    sections: several ? segments.flatMap(({ base, sections }) => sections.map((one) => ({ ...one, offset: base + one.offset }))) : facts.sections,
    memoryToOpen: sum(({ memoryToOpen }) => memoryToOpen),
    generation,
    model: segments.find(({ model }) => model !== undefined)?.model,
    segments,
    ...(missing.length > 0 && { missing }),
  };
}
