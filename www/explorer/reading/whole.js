// The whole index, where a person wants it here.
import { $ } from "../view.js";

/** @param {any} info of another index */
export function open({ graph }) {
  $("load").disabled = !graph;
  $("load-note").textContent = graph ? "" : "This index has no graph: there is nothing that would bring all of it at once.";
}

/** @param {any} index */
export async function load(index) {
  $("load").disabled = true;
  try {
    await index.load();
    $("load-note").textContent = "All is here: searches read nothing more.";
  } catch (error) {
    $("load").disabled = false;
    $("load-note").textContent = /** @type {any} */ (error).message;
  }
}

/** @param {{ done: number, total: number }} progress */
export function progress({ done, total }) {
  $("load-note").textContent = total ? `${Math.round((done / total) * 100)} %` : "";
}
