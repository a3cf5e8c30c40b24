// What answers the calls of an Index: in this thread (`local.js`), or in a worker (`remote/`). Arguments are checked and copied
// before they come here, and texts are vectors by then.

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../core/protocol.js").SearchRequest & { offset?: number, minScore?: number }} Request `k` counts those before `offset` too
 * @typedef {import("../core/protocol.js").Hit} Hit
 *
 * @typedef {object} Memory
 * @property {number} budget the memory budget
 * @property {import("../core/protocol.js").Parts} parts what for: `fronts`, `sections` and `slots` are of the budget; `places`, `scratch` and
 *   `operations` lie beside it
 *
 * @typedef {object} Stats since `open`; with `worker`, as of the last answer, and since its worker was started
 * @property {number} queries that were answered
 * @property {number} bytes read from the host or file
 * @property {number} requests to the host, or reads of the file
 * @property {number} waves batches of parallel requests, one after another
 * @property {number} memoryBudget bytes
 * @property {number} resident bytes of the file that are held in memory: at most `memoryBudget`
 * @property {number} evictions blocks dropped to make room for others
 * @property {Memory} memory what is reserved, in bytes
 * @property {number} linearMemory bytes of the WebAssembly memory, which this index shares with others. It never shrinks; what
 *   a closed index held is used again
 * @property {number} [retries] requests that were made again after a failure
 * @property {number} [hedged] requests that were made twice, as the first was slow
 * @property {import("../sources/source.js").StoreStats} [store] the page store, where there is one
 * @property {import("../core/prefetch.js").PrefetchStats} [prefetch] where it was wanted
 *
 * @typedef {object} Engine
 * @property {import("../core/info.js").Info} info
 * @property {boolean} closed
 * @property {(query: Float32Array<ArrayBuffer> | { id: Id }, request: Request, signal?: AbortSignal) => Promise<Hit[][]>} search gives a list
 *   for each vector
 * @property {(query: Float32Array<ArrayBuffer> | { id: Id }, request: Request, signal?: AbortSignal) => Promise<import("../core/explain.js").Explanation>} explain
 * @property {(queries: Float32Array<ArrayBuffer>, request: Request, signal?: AbortSignal) => Promise<import("./extras.js").HitArrays>} searchArrays
 * @property {(signal?: AbortSignal) => Promise<Blob>} save
 * @property {(signal?: AbortSignal) => Promise<void>} load
 * @property {(id: Id, signal?: AbortSignal) => Promise<Float32Array>} vector
 * @property {(ids: import("../arguments.js").IdList, names: import("../fields/json.js").FieldNames, signal?: AbortSignal) => Promise<(import("../fields/json.js").Fields | undefined)[]>} get gives
 *   the fields of each row, undefined for an id that no row has
 * @property {(id: Id, signal?: AbortSignal) => Promise<boolean>} has
 * @property {(filter: string | undefined, signal?: AbortSignal) => Promise<number>} count
 * @property {(field: string, options: { filter?: string, limit: number }, signal?: AbortSignal) => Promise<import("../core/protocol.js").Facets>} facets
 * @property {(page: import("./rows.js").PageRequest, signal?: AbortSignal) => Promise<import("./rows.js").RowPage>} rows
 * @property {() => Stats} stats
 * @property {(bytes: number) => Promise<number>} evict gives the bytes that were dropped
 * @property {(bytes: number) => Promise<void>} setMemoryBudget
 * @property {() => Promise<import("./memory/map.js").MemoryMap>} memoryMap
 * @property {(listener: ((event: import("./memory/pressure.js").MemoryEvent) => void) | undefined) => Promise<void>} watch puts the
 *   controller to work, and ends it
 * @property {() => Promise<void>} close
 */

export {};
