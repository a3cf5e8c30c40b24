// The types of fields, filters and hits, for users who say which fields their rows have: `open<{ pos: string, price: number }>(url)`.
// Without that any field may be named, and its values are anything.

/**
 * @typedef {import("../fields/json.js").Fields} Fields
 *
 * @typedef {"keyword" | "integer" | "float" | "boolean" | "timestamp" | "geo"} FieldType `keyword`: a text that is compared as a whole;
 *   `timestamp`: text of RFC 3339, or milliseconds since 1970; `geo`: a GeoPoint. A row may have an array of several values
 *
 * @typedef {object} GeoPoint a value of a field of type geo
 * @property {number} lat degrees from -90 to 90
 * @property {number} lon degrees from -180 to 180
 *
 * @typedef {object} Radius
 * @property {number} lat degrees of its centre
 * @property {number} lon degrees of its centre
 * @property {number} radius metres
 *
 * @typedef {object} Box one whose west is greater than its east crosses the antimeridian
 * @property {number} north degrees
 * @property {number} south degrees
 * @property {number} east degrees
 * @property {number} west degrees
 */

/**
 * The fields that calls may name.
 * @template {object} Schema
 * @typedef {Extract<keyof Schema, string>} FieldName
 */

/**
 * What a field may be compared with: an array matches by any of its elements.
 * @template Value
 * @typedef {Value extends readonly (infer Element)[] ? Operand<Element> : Value extends Date ? Date | string | number : Value extends string | number | boolean ? Value : never} Operand
 */

/**
 * @template Value
 * @typedef {object} Comparison conditions on a field, of which all must hold; where a row has several values, one of them lies within
 *   both bounds
 * @property {Operand<Value>} [$eq] has the value
 * @property {Operand<Value>} [$ne] has not the value; a row without the field matches too
 * @property {readonly Operand<Value>[]} [$in] has one of the values
 * @property {readonly Operand<Value>[]} [$nin] has none of the values; a row without the field matches too
 * @property {readonly Operand<Value>[]} [$all] has all of the values
 * @property {Ordered<Value>} [$gt] has a greater value
 * @property {Ordered<Value>} [$gte] has this value or a greater one
 * @property {Ordered<Value>} [$lt] has a smaller value
 * @property {Ordered<Value>} [$lte] has this value or a smaller one
 * @property {boolean} [$exists] has a value, or none
 * @property {Comparison<Value>} [$not] does not match the conditions; a row without the field matches too
 */

/**
 * Numbers and points in time have an order.
 * @template Value
 * @typedef {Value extends readonly (infer Element)[] ? Ordered<Element> : Value extends Date ? Date | string | number : Value extends number ? number : never} Ordered
 */

/**
 * @template Value
 * @typedef {object} GeoCondition conditions on a field of points, of which all must hold
 * @property {Radius | Box} [$geo] lies within the area
 * @property {boolean} [$exists] has a value, or none
 * @property {GeoCondition<Value>} [$not] does not match the conditions; a row without the field matches too
 */

/**
 * A value that the field must have, or conditions.
 * @template Value
 * @typedef {[NonNullable<Value>] extends [GeoPoint | readonly GeoPoint[]] ? GeoCondition<Value> : Operand<NonNullable<Value>> | Comparison<NonNullable<Value>>} Condition
 */

/**
 * @template {object} Schema
 * @typedef {object} Groups filters of filters
 * @property {readonly Filter<Schema>[]} [$and] all of them match
 * @property {readonly Filter<Schema>[]} [$or] at least one of them matches
 * @property {readonly Filter<Schema>[]} [$nor] none of them matches
 * @property {Filter<Schema>} [$not] it does not match
 */

/**
 * Which rows may be hits: conditions by the names of fields, of which all must hold. `{}` matches all rows.
 * @template {object} [Schema=Fields]
 * @typedef {string extends keyof Schema ? Record<string, any> : { [Name in FieldName<Schema>]?: Condition<Schema[Name]> } & Groups<Schema>} Filter
 */

/**
 * What JSON keeps of a value: of a Date its text.
 * @template Value
 * @typedef {Value extends Date ? string : Value extends readonly (infer Element)[] ? Stored<Element>[] : Value} Stored
 */

/**
 * Which fields are wanted: true for all, or names.
 * @template {object} [Schema=Fields]
 * @typedef {boolean | readonly FieldName<Schema>[]} Wanted
 */

/**
 * The fields of a row, or those of these names.
 * @template {object} Schema
 * @template Names
 * @typedef {string extends keyof Schema ? Fields : { [Name in Names extends readonly (infer One)[] ? Extract<keyof Schema, One> : keyof Schema]: Stored<Schema[Name]> }} FieldsOf
 */

/**
 * The part of a hit that has its fields.
 * @template {object} Schema
 * @template Names
 * @typedef {object} WithFields
 * @property {FieldsOf<Schema, Names>} fields of the row
 */

/**
 * The same, where fields may not be wanted.
 * @template {object} Schema
 * @typedef {object} MaybeFields
 * @property {FieldsOf<Schema, true>} [fields] of the row, where they are wanted
 */

/**
 * @typedef {object} Found
 * @property {import("../arguments.js").Id} id of the row
 * @property {number} score a larger one is nearer
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=Wanted<Schema>]
 * @typedef {Found & (string extends keyof Schema ? MaybeFields<Schema> : [Names] extends [true | readonly string[]] ? WithFields<Schema, Names> : MaybeFields<Schema>)} Hit
 */

/**
 * @template {object} [Schema=Fields]
 * @template [Names=true]
 * @typedef {object} Row
 * @property {import("../arguments.js").Id} id of the row
 * @property {FieldsOf<Schema, Names>} fields of the row: those that were stored, and asked for
 */

/**
 * @template [Value=string | number | boolean]
 * @typedef {object} Facet a value of a field
 * @property {Value} value a point in time is its text, such as `2026-11-26T18:00:00.000Z`
 * @property {number} count of the rows that have it
 */

/**
 * What `facets` counts: the elements of arrays, each for itself.
 * @template {object} Schema
 * @template Name
 * @typedef {string extends keyof Schema ? string | number | boolean : Name extends keyof Schema ? ElementOf<NonNullable<Schema[Name]>> : never} FacetValue
 */

/**
 * @template Value
 * @typedef {Value extends readonly (infer Element)[] ? ElementOf<Element> : Value extends Date ? string : Value} ElementOf
 */

export {};
