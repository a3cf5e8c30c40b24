// The types of fields that users declare.
import { describe } from "../describe.js";
import { badArgument } from "../errors.js";
import { toChoice } from "../options.js";

/** @typedef {import("./schema.js").FieldType} FieldType */

/** @type {readonly (FieldType | "stored")[]} */
const FIELD_TYPES = ["stored", "keyword", "integer", "float", "boolean", "timestamp", "geo"];

/**
 * @param {string} call how messages name it
 * @param {unknown} schema
 * @returns {string | undefined} JSON
 */
export function toSchema(call, schema) {
  if (schema === undefined) return undefined;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) throw badArgument(`${call}: schema must be an object of types by the names of fields, such as { price: "float" }, not ${describe(schema)}`);
  const types = Object.entries(schema).map(([name, type]) => [name, toChoice(type, FIELD_TYPES, `${call}: schema.${name}`)]);
  return JSON.stringify(Object.fromEntries(types));
}
