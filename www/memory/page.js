// Elements of the page, and numbers in it.
import { bytes } from "../pkg/explorer/format.js";

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/** A number of bytes, for people and as a value. @param {string} id @param {number} value */
export function write(id, value, text = bytes(value)) {
  $(id).value = String(value);
  $(id).textContent = text;
}

/** @param {string} name @param {string} className @param {...(string | Node)} content */
export function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** @param {number} value @param {string} text */
export function data(value, text) {
  const made = /** @type {HTMLDataElement} */ (element("data", "", text));
  made.value = String(value);
  return made;
}

/** Lets the page draw and hear the keyboard. */
export const breathe = () => new Promise((resolve) => setTimeout(resolve));

/** @param {any} error */
export function showFault(error) {
  $("fault").hidden = false;
  $("fault-message").textContent = error?.message || String(error);
  $("fault-code").textContent = error?.code ? `code: ${error.code}` : "";
  $("status").textContent = "Stopped";
  $("status").dataset.state = "fault";
}
