// The fields of an index: their types, whether filters may name them, and what their indexes weigh.
import { bytes, count } from "../format.js";
import { $ } from "../view.js";

/** @param {any} info */
export function show({ schema, sections, count: rows }) {
  const fields = Object.entries(schema);
  const stored = sections.filter((/** @type {any} */ { name }) => name === "fields").reduce((/** @type {number} */ sum, /** @type {any} */ { length }) => sum + length, 0);
  $("schema").hidden = fields.length === 0 && stored === 0;
  $("schema-rows").replaceChildren(...fields.map(([name, field]) => rowOf(name, field)));
  $("schema-note").textContent = `All fields of ${count(rows)} rows are stored, in ${bytes(stored)}. ${fields.length ? "Filters may name those that are indexed." : "None is indexed, so no filter may name one."}`;
}

/** @param {string} name @param {any} field */
function rowOf(name, { type, why, rows, values, bytes: size }) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  const kept = type ? "indexed" : `stored only${why ? `: ${why}` : ""}`;
  row.append(head, ...[type ?? "–", kept, type ? count(rows) : "–", type ? count(values) : "–", type ? bytes(size) : "–"].map((text) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    return cell;
  }));
  return row;
}

/** Names of the fields that filters may name, those of a type if it is given. @param {any} info @param {string} [wanted] @returns {string[]} */
export const indexed = ({ schema }, wanted) => Object.entries(schema).filter(([, { type }]) => type && (!wanted || type === wanted)).map(([name]) => name);
