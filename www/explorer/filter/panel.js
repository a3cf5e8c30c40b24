// Narrows the hits of any index: a filter as JSON, and the values of a field with the number of rows that have each. Counts are read
// when a field is chosen, or a filter is set.
import { count, counted } from "../format.js";
import { $ } from "../view.js";
import { FacetList } from "./facets.js";
import { indexed } from "./schema.js";

/** As many values as a list shows. */
const VALUES = 50;

/**
 * What narrows the hits, and what the page asks of it.
 * @typedef {object} Narrow
 * @property {(info: any, changed: () => void, recount: () => void) => void} open for another index; it calls one of these when hits are
 *   to be narrowed anew, or only counts are to be read
 * @property {() => object | undefined} filter what is set now
 * @property {(filter: object | undefined) => void} show what the address names
 * @property {(error: any) => void} refuse the index refused the filter
 * @property {(index: any, signal: AbortSignal) => Promise<void>} count counts what matches, and shows it
 */

/** @type {object | undefined} */
let filter;
let rows = 0;
let changed = () => {};
let recount = () => {};
/** Of the field that is shown, the value that the filter names, where it names values. */
const values = new FacetList($("facet-values"), (value) => [String(value) || "(empty)"], choose);

/** @type {Narrow["open"]} */
function open(info, onChange, onRecount) {
  rows = info.count;
  [changed, recount] = [onChange, onRecount];
  show(undefined);
  values.clear();
  $("matches").textContent = "";
  const option = (/** @type {string} */ name, /** @type {string} */ text) => Object.assign(document.createElement("option"), { value: name, textContent: text });
  const names = indexed(info).filter((name) => info.schema[name].type !== "geo");
  $("facet-field").replaceChildren(option("", "choose a field"), ...names.map((name) => option(name, name)));
  $("filter").placeholder = exampleOf(info);
}

/** @type {Narrow["show"]} */
function show(given) {
  filter = given;
  $("filter").value = given === undefined ? "" : JSON.stringify(given);
  say(undefined);
}

/** @type {Narrow["refuse"]} */
function refuse(error) {
  say(error);
  $("matches").textContent = "";
}

/** @type {Narrow["count"]} */
async function countAll(index, signal) {
  const field = $("facet-field").value;
  const asked = filter;
  const options = { signal, limit: VALUES, ...(asked && { filter: without(asked, field) }) };
  const [matching, facets] = await Promise.all([asked ? index.count(asked, { signal }) : rows, field ? index.facets(field, options) : []]);
  if (asked !== filter || field !== $("facet-field").value) return;
  $("matches").textContent = asked ? `${count(matching)} of ${counted(rows, "row")} match.` : "";
  values.show(facets);
  values.chosen = chosenOf(asked, field);
  $("facet-note").textContent = facets.length === VALUES ? `The ${VALUES} values of most rows.` : "";
}

/** @type {Narrow} */
export const any = { open, filter: () => filter, show, refuse, count: countAll };

/** The filter without its conditions on a field: what else could be chosen of it is counted too. @param {object} given @param {string} field */
function without(given, field) {
  return Object.fromEntries(Object.entries(given).filter(([name]) => name !== field));
}

/** The values that a filter names for a field. @param {any} given @param {string} field @returns {any[]} */
function chosenOf(given, field) {
  const condition = given?.[field];
  if (condition === undefined || condition === null) return [];
  return typeof condition === "object" ? (condition.$in ?? []) : [condition];
}

/** A value was checked: the filter names those that are. */
function choose() {
  const field = $("facet-field").value;
  const rest = filter ? without(filter, field) : {};
  const next = { ...rest, ...(values.chosen.length > 0 && { [field]: { $in: values.chosen } }) };
  show(Object.keys(next).length > 0 ? next : undefined);
  changed();
}

/** What is wrong with the filter. @param {any} error */
function say(error) {
  $("filter-error").hidden = error === undefined;
  $("filter-message").textContent = error?.message ?? "";
  $("filter-code").textContent = error?.code ? `code: ${error.code}` : "";
  if (error === undefined) $("filter").removeAttribute("aria-invalid");
  else $("filter").setAttribute("aria-invalid", "true");
}

/** A filter that could be typed. @param {any} info */
function exampleOf(info) {
  const [number] = [...indexed(info, "integer"), ...indexed(info, "float")];
  const [word] = indexed(info, "keyword");
  return number ? `{"${number}": {"$gte": 2}}` : word ? `{"${word}": "…"}` : "{}";
}

$("filter-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const text = $("filter").value.trim();
  try {
    filter = text ? JSON.parse(text) : undefined;
  } catch (error) {
    return say({ message: `This is not JSON: ${/** @type {Error} */ (error).message}. Names and texts stand in double quotes.` });
  }
  say(undefined);
  changed();
});
$("facet-field").addEventListener("change", () => {
  values.clear();
  recount();
});
