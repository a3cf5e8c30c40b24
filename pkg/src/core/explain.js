// The account of a search, for people: which index answered, why, and what was read.

/**
 * @typedef {import("./protocol.js").IndexName} IndexName
 *
 * @typedef {object} Share
 * @property {number} bytes that were read of the segment
 */

/**
 * @template {object} [Schema=import("../fields/json.js").Fields]
 * @template [Names=import("../search/schema.js").Wanted<Schema>]
 * @typedef {object} Explanation
 * @property {import("../search/schema.js").Hit<Schema, Names>[]} hits best first
 * @property {IndexName} index which one answered; `listed`: all rows that may be hits were ranked by the finest rows
 * @property {string} plan the whole account, for people
 * @property {string} why this index
 * @property {import("../sources/http/link.js").LinkState} [link] the speed that the requests were planned for, where the index
 *   is not on this machine
 * @property {number} bytes read from the host (or file) by this search
 * @property {number} stored bytes read from the page store
 * @property {number} requests that were made for it
 * @property {number} waves batches of parallel requests, one after another
 * @property {number} distances computed on codes
 * @property {number} rescored rows ranked again on finer ones
 * @property {number} milliseconds that it took
 * @property {(import("./protocol.js").Effort & Share)[]} segments which index answered for each segment, and its share
 *   of what was computed and of the `bytes` that were read
 */

/**
 * @param {import("./protocol.js").Answers} answers of one query
 * @param {import("./session.js").Tally} tally
 * @param {string} why
 * @param {import("../sources/http/link.js").LinkState | undefined} link
 * @param {number} milliseconds
 * @returns {Explanation}
 */
export function explanation({ answers: [hits], index, distances, rescored, segments }, tally, why, link, milliseconds) {
  const { bytes, requests, waves, stored, segments: read } = tally;
  const fetched = waves === 0 ? "" : `read ${bytes} bytes in ${plural(requests, "request")} and ${plural(waves, "wave")}`;
  const kept = stored === 0 ? "" : `${fetched ? " and " : ""}${stored} bytes from the page store`;
  const over = link && waves > 0 ? ` over ${Math.round(link.rttMs)} ms and ${link.mbits.toFixed(1)} Mbit/s (${link.known})` : "";
  const plan = `${index} (${why}): ${fetched + kept || "everything needed was in memory"}${over}; ${distances} distances, ${rescored} rows rescored`;
  const each = segments.map((effort, i) => ({ ...effort, bytes: read[i] ?? 0 }));
  return { hits, index, plan, why, link, bytes, stored, requests, waves, distances, rescored, milliseconds, segments: each };
}

/**
 * Why this index answered.
 * @param {IndexName} index
 * @param {string | undefined} wanted by the caller
 * @param {import("./info.js").Info} info
 * @param {import("./prefetch.js").PrefetchStats} [prefetch]
 * @returns {string}
 */
export function reasonFor(index, wanted = "auto", { graph, clusters }, prefetch) {
  if (wanted !== "auto") return "as asked";
  if (index === "mixed") return "segments differ in size, or in what is in memory";
  if (index === "hnsw") return "codes and graph are in memory, or small, or there are no clusters";
  if (index === "listed") return "few rows may be hits";
  if (index === "flat" && (graph || clusters)) return "few rows may be hits, or a large part of them is wanted";
  if (index === "flat") return `${graph ? "the graph does not fit the memory budget" : "there is no graph"}, and no clusters`;
  const loading = prefetch?.state === "off" ? `, and are not fetched: ${prefetch.why}` : "";
  return graph && clusters ? `codes and graph are not in memory${loading}` : "there is no graph";
}

/**
 * @param {number} count
 * @param {string} noun
 */
function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
