// All that crosses between a collection's object, the worker of its tab, and the tab that leads. Errors are encoded as those of
// engine/remote/messages.js, of which this is the same kind of protocol.
//
//   an object to its worker                          from it
//   { id, call: "open", name, settings }               { id, value: state }
//   { id, call: "upsert" | "search" | …, watched }     { id, value }, or { id, error }
//   { abort: id }                                      nothing: whoever aborts waits no longer
//   { id, call: "visible", visible, frozen }, "close"  { id }
//                                                    { event: "change" | "state", detail }
//                                                    { event: "progress", detail: { watched, progress } } of that call
//
//   between tabs, over a BroadcastChannel; tabs and terms of leaders are random numbers
//   { to: "leader", from, id, call }                   a request
//   { to: "leader", from, abort: id }                  nobody waits for it any more
//   { to: a tab, term, id, value or error }            its answer
//   { to: a tab, term, id, progress }                  of its compact()
//   { to: "all", beat: a tab, term?, state? }          the leader lives; with `state`: who leads; without `term`: it opens the files
//   { to: "all", hello: a tab, visible }               a tab asks who leads
//   { to: "all", who: a tab }                          a hidden tab asks whether one is visible
//   { to: "all", shown: a tab }                        one is, and would lead
//   { to: "all", change }, { to: "all", state }        what the host tells
import { badArgument, PagevecError } from "../errors.js";

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../arguments.js").IdList} IdList
 *
 * @typedef {{ rows?: number, bytes?: number, age?: number }} FlushLimits
 * @typedef {"strict" | "relaxed"} Durability
 *
 * @typedef {object} HostSettings those of openCollection that can be cloned
 * @property {number} [dim]
 * @property {import("../core/info.js").Metric} [metric]
 * @property {string} [codec]
 * @property {string} [refine]
 * @property {string} [schema] JSON
 * @property {"number" | "text"} [ids]
 * @property {FlushLimits} [flush]
 * @property {number} [memoryBudget]
 * @property {boolean} readOnly
 * @property {boolean} degraded
 * @property {boolean} create
 * @property {Durability} durability
 * @property {boolean} memory
 * @property {string} name
 * @property {WebAssembly.Module} [wasm]
 * @property {import("./transfer/backup.js").BackupFile[]} [from] a backup, of which the collection is made
 *
 * @typedef {Omit<import("../core/protocol.js").SearchRequest, "exclude" | "among"> & { id?: Id, exclude?: Id[], among?: Id[] }} SearchRequest
 *
 * @typedef {{ call: "upsert", ids: IdList, vectors: Float32Array<ArrayBuffer>, fields: (string | null)[] | null }} UpsertCall
 * @typedef {{ call: "delete", ids: IdList }} DeleteCall
 * @typedef {{ call: "clear" }} ClearCall
 * @typedef {{ call: "update", ids: IdList, fields: string[] }} UpdateCall
 * @typedef {UpsertCall | UpdateCall | DeleteCall | ClearCall} WriteCall
 * @typedef {{ call: "search", queries: Float32Array<ArrayBuffer>, request: SearchRequest }} SearchCall
 * @typedef {{ call: "get", ids: IdList, vectors: boolean, fields: boolean }} GetCall
 * @typedef {{ call: "ids", after: Id | null, limit: number }} IdsCall
 * @typedef {{ call: "count", filter: string }} CountCall
 * @typedef {{ call: "facets", field: string, filter: string | undefined, limit: number }} FacetsCall
 * @typedef {{ filter: string | undefined, sortBy: string | undefined, descending: boolean, offset: number, limit: number | undefined }} PageQuery
 * @typedef {{ call: "page", query: PageQuery, first: number, vectors: boolean, fields: boolean }} PageCall the ids of a page, and what is wanted of
 *   the `first` rows
 * @typedef {{ call: "sync" | "flush" | "compact" }} PlainCall
 * @typedef {{ call: "export", model: string | undefined }} ExportCall
 * @typedef {{ call: "backup", to?: string }} BackupCall \`to\`: into this folder, in Node; else as Blobs
 * @typedef {WriteCall | SearchCall | GetCall | IdsCall | CountCall | FacetsCall | PageCall | PlainCall | ExportCall | BackupCall} Call what a host answers
 * @typedef {{ call: "import", segment: Uint8Array<ArrayBuffer>, dead: Uint8Array<ArrayBuffer> | undefined, dim: number, metric: string }} ImportCall
 *   what becomes many upserts, in the worker of a tab or the program
 *
 * @typedef {{ call: "open", settings: HostSettings, visible: boolean }} OpenCall
 * @typedef {{ call: "visible", visible: boolean, frozen: boolean }} VisibleCall
 * @typedef {{ call: "close" }} CloseCall
 * @typedef {Call | ImportCall | OpenCall | VisibleCall | CloseCall} TabCall what a worker answers
 *
 * @typedef {object} State what a host tells about itself, and `stats` to users
 * @property {number} dim numbers in a vector
 * @property {import("../core/info.js").Metric} metric
 * @property {string} codec of the codes that are searched
 * @property {string} [refine] codec of finer rows
 * @property {Record<string, import("../search/schema.js").FieldType | "stored">} [schema] the types of fields, where they were declared
 * @property {"number" | "text"} [ids] the kind of ids, once there is one
 * @property {number} count live rows
 * @property {number} sequence of the last change
 * @property {number} unindexed rows that a search scans, as they are not in an index yet
 * @property {number} [unindexedLimit] how many of these there may be while segments are merged: writes wait beyond it
 * @property {number} dead rows in segments that were replaced or deleted
 * @property {number} segments files of rows
 * @property {number} [bytes] of the segments
 * @property {number} [logBytes] of the log since the last flush
 * @property {number} [memoryRows] live rows that are in no segment yet
 * @property {number} [memoryDead] rows in no segment that were replaced or deleted
 * @property {boolean} [torn] whether the log ended in half a write when it was opened, which was never acknowledged
 * @property {boolean} persistent whether it is kept when the page or program ends
 * @property {string} [why] it is not
 * @property {boolean} merging whether segments are merged just now
 * @property {string} [failed] why the last flush or merge failed; it is tried again
 * @property {number} [usage] bytes that the site keeps in this browser
 * @property {number} [quota] bytes that it may
 * @property {boolean} [persisted] whether the browser promised to keep them
 * @property {"leader" | "follower"} [role] in a browser: whether this tab has the files open
 *
 * @typedef {import("./host/writes.js").Change} Change
 * @typedef {{ event: "change", detail: Change } | { event: "state", detail: State }} HostEvent
 *
 * @typedef {{ to: "leader", from: bigint } & ({ id: number, call: Call } | { abort: number })} ToLeader
 * @typedef {{ to: bigint, term: bigint, id: number } & ({ value: any } | { error: import("../engine/remote/messages.js").ErrorData } | { progress: { phase: string, done: number, total: number } })} ToClient
 * @typedef {{ to: "all" } & ({ beat: bigint, term?: bigint, state?: State } | { hello: bigint, visible: boolean } | { who: bigint } | { shown: bigint } | { change: Change } | { state: State })} ToAll
 * @typedef {ToLeader | ToClient | ToAll} TabMessage
 */

/** A number that no other client has: a later host knows by it which requests were carried out. */
export function newClient() {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

/**
 * @param {import("./host/writes.js").Change} change
 * @param {bigint} client who is told
 * @returns {import("./calls/calls.js").ChangeEvent}
 */
export function toChangeEvent({ client: by, ...change }, client) {
  return { ...change, origin: by === client ? "this" : "other" };
}

export function isNotNew() {
  return badArgument("openCollection(): `from` makes a new collection, but there is one with this name: take another name, or leave `from` out");
}

/**
 * Refuses a collection that is another one than an opening asks for.
 * @param {HostSettings} wanted
 * @param {State} state
 */
export function checkState(wanted, state) {
  if (wanted.from && state.role === "follower") throw isNotNew();
  for (const name of /** @type {const} */ (["dim", "metric", "codec", "refine", "ids"])) {
    if (wanted[name] === undefined || state[name] === undefined || wanted[name] === state[name]) continue;
    throw new PagevecError(name === "dim" ? "dimension" : "argument", `openCollection(): ${name} is ${JSON.stringify(wanted[name])}, but this collection has ${JSON.stringify(state[name])}: leave it out, or take another name`);
  }
  const sorted = (/** @type {object | undefined} */ schema) => schema && JSON.stringify(Object.entries(schema).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (wanted.schema !== undefined && sorted(JSON.parse(wanted.schema)) !== sorted(state.schema)) {
    throw badArgument(`openCollection(): schema is ${wanted.schema}, but this collection has ${JSON.stringify(state.schema) ?? "none"}: leave it out, or take another name`);
  }
}
