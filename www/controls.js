// The demo's controls: part of speech, domain, and how many words share a gloss. They make the filter, and show how many glosses each
// choice would leave: a list counts under the other controls, so that another of its values can be added.
import { FacetList } from "./pkg/explorer/filter/facets.js";
import { count as written } from "./pkg/explorer/format.js";
import { $ } from "./pkg/explorer/view.js";
import { domainOf, kindOf } from "./dictionary.js";

/** The most that the sliders tell apart: there it means "or more". */
const MANY = 8;

let rows = 0;
let changed = () => {};
const narrowed = () => {
  write();
  changed();
};
const lists = {
  pos: new FacetList($("pos"), (value) => [kindOf(String(value))], narrowed),
  domain: new FacetList($("domain"), (value) => nameOf(String(value)), narrowed),
};

/** @param {string} domain */
function nameOf(domain) {
  const kind = document.createElement("small");
  kind.textContent = domain.split(".")[0];
  return [domainOf(domain), " ", kind];
}

/** @type {import("./pkg/explorer/filter/panel.js").Narrow["open"]} */
function open(info, onChange) {
  rows = info.count;
  changed = onChange;
  // All four are listed from the start, also those of which nothing is left.
  lists.pos.chosen = ["n", "a", "v", "r"];
  lists.pos.chosen = [];
}

/** The conditions that the controls make, by their fields. @returns {Record<string, any>} */
function conditions() {
  const [least, most] = range();
  const words = { ...(least > 1 && { $gte: least }), ...(most < MANY && { $lte: most }) };
  const some = (/** @type {"pos" | "domain"} */ name) => (lists[name].chosen.length > 0 ? { [name]: { $in: lists[name].chosen } } : {});
  return { ...some("pos"), ...some("domain"), ...(Object.keys(words).length > 0 && { word_count: words }) };
}

/** Undefined where nothing is narrowed. */
function filter() {
  const made = conditions();
  return Object.keys(made).length > 0 ? made : undefined;
}

/** What controls can show of a filter is set; the rest of it is dropped. @param {any} given */
function show(given) {
  for (const name of /** @type {("pos" | "domain")[]} */ (["pos", "domain"])) {
    const chosen = given?.[name]?.$in;
    lists[name].chosen = Array.isArray(chosen) ? chosen : [];
  }
  const { $gte = 1, $lte = MANY } = given?.word_count ?? {};
  $("least").value = String($gte);
  $("most").value = String($lte);
  write();
}

/** @returns {[number, number]} */
const range = () => [Number($("least").value), Number($("most").value)];

function write() {
  const [least, most] = range();
  const upTo = most < MANY ? `${most}` : `${MANY} or more`;
  $("range").textContent = least === 1 && most === MANY ? "any number" : least === most ? upTo : `${least} to ${upTo}`;
  $("least").setAttribute("aria-valuetext", `at least ${least}`);
  $("most").setAttribute("aria-valuetext", `at most ${upTo}`);
  $("clear").disabled = filter() === undefined;
}

/** Made by controls, a filter is refused only by an index that is no dictionary. @param {any} error */
function refuse({ message }) {
  $("matches").textContent = message;
}

/** @param {any} index @param {AbortSignal} signal */
async function count(index, signal) {
  const { pos, domain, ...rest } = conditions();
  const asked = JSON.stringify(filter());
  const [matching, kinds, domains] = await Promise.all([
    index.count(conditions(), { signal }),
    index.facets("pos", { filter: { ...rest, ...(domain && { domain }) }, signal }),
    index.facets("domain", { filter: { ...rest, ...(pos && { pos }) }, signal }),
  ]);
  // The controls may have been moved meanwhile; then all is counted again.
  if (asked !== JSON.stringify(filter())) return;
  lists.pos.show(kinds);
  lists.domain.show(domains);
  const number = Object.assign(document.createElement("data"), { value: String(matching), textContent: written(matching) });
  $("matches").replaceChildren(number, ` of ${written(rows)} glosses match.`);
}

/** @type {import("./pkg/explorer/filter/panel.js").Narrow} */
export const controls = { open, filter, show, refuse, count };

/** The other end gives way. @param {string} moved @param {string} other @param {(a: number, b: number) => number} keep */
function slide(moved, other, keep) {
  $(moved).addEventListener("input", () => {
    $(other).value = String(keep(Number($(moved).value), Number($(other).value)));
    write();
  });
  $(moved).addEventListener("change", narrowed);
}

slide("least", "most", Math.max);
slide("most", "least", Math.min);
$("clear").addEventListener("click", () => {
  show(undefined);
  changed();
});
// On a narrow screen the answer comes first, and the controls open when they are wanted.
$("choices").open = matchMedia("(min-width: 46rem)").matches;
