// The facts of an index, from those of its segments.

/**
 * @typedef {"cosine" | "dot" | "l2"} Metric
 * @typedef {"f32" | "f16" | "sq8" | "sq4" | "binary" | "pq" | `pq${number}`} Codec
 *
 * @typedef {object} Facts of a segment, as the core tells them
 * @property {number} count vectors, dead ones too
 * @property {number} dead rows that are no hits, as a later segment has their ids or they were deleted
 * @property {number} dim components of a vector
 * @property {Metric} metric by which rows are near
 * @property {Codec} codec of the codes that are searched
 * @property {Codec | undefined} refine codec of the finer rows that candidates are ranked by, where there are any
 * @property {Codec | undefined} exact codec of the rows that rank the best of those once more, where there are any
 * @property {boolean} graph whether there is an HNSW graph
 * @property {boolean} clusters whether there is a clustered index
 * @property {CurvePoint[]} curve the recall that the
 *   clustered index reached for the `k` nearest when it was built, for each recall that may be wanted
 * @property {number} m links of a node; 0 without a graph
 * @property {number} efConstruction candidates looked at when the graph was built
 * @property {"number" | "text"} ids what they are
 * @property {number} fileLength bytes
 * @property {string} fileId 32 hexadecimal digits, of options and input
 * @property {Record<string, FieldInfo>} schema the fields of the rows, by their names; empty where no field is indexed
 * @property {Section[]} sections of the file, in bytes
 * @property {number} memoryToOpen bytes
 * @property {string} kernels which SIMD kernels this module runs
 *
 * @typedef {object} FieldInfo a field and its index
 * @property {import("../search/schema.js").FieldType | undefined} type what filters compare it with; undefined if it is stored only
 * @property {string | undefined} why it is stored only
 * @property {number} rows that have a value, dead ones too
 * @property {number} values of all rows: more than there are rows where some have several
 * @property {number} bytes of its index
 *
 * @typedef {object} Section
 * @property {string} name what it holds
 * @property {number} offset of its first byte, in the offsets of `onFetch`
 * @property {number} length bytes
 * @property {number} bytesPerVector its length by the number of vectors
 *
 * @typedef {object} CurvePoint
 * @property {number} k how many nearest were looked for
 * @property {number} wanted the recall that may be wanted
 * @property {number} reached the recall that was measured
 * @property {number} cells how many cells that takes
 * @property {number} probes how many lists that takes
 *
 * @typedef {object} Place
 * @property {string | undefined} contentId 64 hexadecimal digits, from index.json; undefined without one
 * @property {string | undefined} model that made the vectors, where index.json names it
 * @property {number} base where the segment begins in the offsets of `onFetch`: 0 for the first
 *
 * @typedef {Facts & Place} SegmentInfo
 *
 * @typedef {object} Missing a segment that `degraded` left out
 * @property {string} file its name
 * @property {import("../errors.js").PagevecError} error why
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
 *   other facts differ they are those of the segment with the most rows, types of fields those of the first that has them. There is a graph, or there are clusters, if each
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
    schema: schemaOfAll(segments),
    sections: several ? segments.flatMap(({ base, sections }) => sections.map((one) => ({ ...one, offset: base + one.offset }))) : facts.sections,
    memoryToOpen: sum(({ memoryToOpen }) => memoryToOpen),
    generation,
    model: segments.find(({ model }) => model !== undefined)?.model,
    segments,
    ...(missing.length > 0 && { missing }),
  };
}

/**
 * @param {SegmentInfo[]} segments
 * @returns {Facts["schema"]}
 */
function schemaOfAll(segments) {
  /** @type {Map<string, FieldInfo>} */
  const all = new Map();
  for (const [name, field] of segments.flatMap(({ schema }) => Object.entries(schema))) {
    const { type, why, rows, values, bytes } = all.get(name) ?? { ...field, rows: 0, values: 0, bytes: 0 };
    all.set(name, { type, why, rows: rows + field.rows, values: values + field.values, bytes: bytes + field.bytes });
  }
  return Object.fromEntries(all);
}
