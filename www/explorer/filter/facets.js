// The values of a field as boxes to check, each with the number of rows that have it.
import { count } from "../format.js";

/** @typedef {string | number | boolean} Value */

export class FacetList {
  #list;
  #name;
  #changed;
  /** In the order in which they were first seen: those of most rows first. @type {Map<Value, { box: HTMLInputElement, rows: HTMLDataElement }>} */
  #items = new Map();

  /**
   * @param {HTMLElement} list
   * @param {(value: Value) => (string | Node)[]} name what is written of a value
   * @param {() => void} changed a box was checked or cleared
   */
  constructor(list, name, changed) {
    this.#list = list;
    this.#name = name;
    this.#changed = changed;
  }

  /** Another field. */
  clear() {
    this.#items.clear();
    this.#list.replaceChildren();
  }

  /** @returns {Value[]} */
  get chosen() {
    return [...this.#items].filter(([, { box }]) => box.checked).map(([value]) => value);
  }

  /** @param {Value[]} values of which some may not have been counted yet */
  set chosen(values) {
    for (const value of values) this.#item(value);
    for (const [value, { box }] of this.#items) box.checked = values.includes(value);
  }

  /** Values that are not counted have no rows. @param {{ value: Value, count: number }[]} facets */
  show(facets) {
    const counts = new Map(facets.map((facet) => [facet.value, facet.count]));
    for (const { value } of facets) this.#item(value);
    for (const [value, { box, rows }] of this.#items) {
      rows.value = String(counts.get(value) ?? 0);
      rows.textContent = count(counts.get(value) ?? 0);
      box.closest("label")?.toggleAttribute("data-none", !counts.has(value));
    }
  }

  /** @param {Value} value */
  #item(value) {
    if (this.#items.has(value)) return;
    const label = document.createElement("label");
    const [box, name, rows] = [document.createElement("input"), document.createElement("span"), document.createElement("data")];
    box.type = "checkbox";
    box.value = String(value);
    box.addEventListener("change", () => this.#changed());
    name.append(...this.#name(value));
    label.append(box, name, " ", rows);
    this.#list.append(label);
    this.#items.set(value, { box, rows });
  }
}
