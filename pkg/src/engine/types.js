// The types that users of an index name.

/**
 * @typedef {import("../arguments.js").Id} Id
 * @typedef {import("../arguments.js").Vector} Vector
 * @typedef {import("../arguments.js").Query} Query
 * @typedef {import("../fields/json.js").Fields} Fields
 * @typedef {import("../search/schema.js").GeoPoint} GeoPoint
 * @typedef {import("../search/schema.js").FieldType} FieldType
 * @typedef {import("../core/info.js").FieldInfo} FieldInfo
 * @typedef {import("../core/info.js").Info} Info
 * @typedef {import("../core/info.js").SegmentInfo} SegmentInfo
 * @typedef {import("../core/info.js").Missing} Missing
 * @typedef {import("../core/info.js").Section} Section
 * @typedef {import("../core/info.js").Metric} Metric
 * @typedef {import("../core/info.js").Codec} Codec
 * @typedef {import("../search/options.js").IndexChoice} IndexChoice
 * @typedef {import("../core/protocol.js").IndexName} IndexName
 * @typedef {import("../core/session.js").Progress} Progress
 * @typedef {import("./settings.js").CacheOptions} CacheOptions
 * @typedef {import("../core/prefetch.js").PrefetchChoice} PrefetchChoice
 * @typedef {import("../core/module.js").WasmSource} WasmSource
 * @typedef {import("../texts/embed.js").Embed} Embed
 * @typedef {import("../texts/embed.js").Embedded} Embedded
 * @typedef {import("./engine.js").Stats} Stats
 * @typedef {import("./memory/pressure.js").MemoryEvent} MemoryEvent
 * @typedef {import("./memory/map.js").MemoryMap} MemoryMap
 * @typedef {import("./rows.js").StoredRow} StoredRow
 * @typedef {import("./extras.js").HitArrays} HitArrays
 *
 * @typedef {object} ArraysOption
 * @property {boolean} [arrays] hits as typed arrays instead of objects
 *
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] ends the call with `aborted`
 */

/**
 * @template {object} [Schema=Fields]
 * @typedef {import("../search/schema.js").Filter<Schema>} Filter
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=import("../search/schema.js").Wanted<Schema>]
 * @typedef {import("../search/schema.js").Hit<Schema, Names>} Hit
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=true]
 * @typedef {import("../search/schema.js").Row<Schema, Names>} Row
 */

/**
 * @template [Value=string | number | boolean]
 * @typedef {import("../search/schema.js").Facet<Value>} Facet
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=import("../search/schema.js").Wanted<Schema>]
 * @typedef {import("../core/explain.js").Explanation<Schema, Names>} Explanation
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=import("../search/schema.js").Wanted<Schema>]
 * @typedef {import("../search/options.js").SearchOptions<Schema, Names>} SearchOptions
 */

/**
 * @template {object} [Schema=Fields]
 * @typedef {SearchOptions<Schema> & ArraysOption} BatchOptions
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=import("../search/schema.js").Wanted<Schema>]
 * @typedef {import("../search/options.js").GetOptions<Schema, Names>} GetOptions
 */

/**
 * @template {object} [Schema=Fields]
 * @typedef {import("../search/options.js").FacetOptions<Schema>} FacetOptions
 */

/**
 * @template {object} [Schema=Fields]
 * @typedef {import("./rows.js").RowOptions<Schema>} RowOptions
 */

export {};
