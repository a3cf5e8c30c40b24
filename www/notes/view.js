// The notes and what is said of them, as they are written into the page.
import { wordsOf } from "./words/embed.js";

/** @param {string} id @returns {any} the element; ids are those of index.html */
export const $ = (id) => document.getElementById(id);

const TIME = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
/** Of a text, more than its four lines in the list hold. */
const SHOWN = 400;

/** @typedef {import("./store.js").Note} Note */

/** @param {string} text @param {"" | "ready" | "fault"} [state] */
export function showStatus(text, state = "") {
  $("status").textContent = text;
  $("status").dataset.state = state;
}

/** @param {unknown} error @param {boolean} [final] nothing works before the notes are opened again */
export function showFault(error, final = false) {
  const { code, message } = /** @type {any} */ (error ?? {});
  $("fault").hidden = false;
  $("fault-message").textContent = message || String(error);
  $("fault-code").textContent = code ? `code: ${code}` : "";
  $("again").hidden = !final;
  if (final) showStatus("Stopped", "fault");
}

/** What was done, and how to undo it. @param {string} text @param {boolean} [undo] */
export function tell(text, undo = false) {
  $("told").textContent = text;
  $("undo").hidden = !undo;
}

/**
 * @param {{ note: Note, score?: number, marked?: Set<string> }[]} list
 * @param {boolean} searched
 * @param {(action: "edit" | "delete", note: Note) => void} act
 */
export function showNotes(list, searched, act) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset;
  const from = focused?.id && `[data-id="${CSS.escape(focused.id)}"][data-act="${focused.act}"]`;
  $("notes").replaceChildren(...list.map((found) => card(found, searched, act)));
  // The button that the keyboard was on is another one now.
  if (from) $("notes").querySelector(from)?.focus();
}

/** @param {{ note: Note, score?: number, marked?: Set<string> }} found @param {boolean} searched @param {(action: "edit" | "delete", note: Note) => void} act */
function card({ note, score, marked = new Set() }, searched, act) {
  const name = nameOf(note);
  const title = element("h3");
  title.append(...highlighted(name, marked));
  const item = element("li");
  item.append(title);
  if (note.text && note.title) item.append(element("p", "text", note.text.slice(0, SHOWN)));

  const meta = element("div", "meta");
  if (searched) meta.append(...(score === undefined ? [element("span", "score", "has these letters")] : [bar(score), element("span", "score", score.toFixed(2))]));
  const time = /** @type {HTMLTimeElement} */ (element("time", "", TIME.format(note.changed)));
  time.dateTime = new Date(note.changed).toISOString();
  const actions = element("div", "actions");
  for (const action of /** @type {const} */ (["edit", "delete"])) {
    const button = /** @type {HTMLButtonElement} */ (element("button", "", action === "edit" ? "Edit" : "Delete"));
    button.type = "button";
    button.setAttribute("aria-label", `${button.textContent} “${name}”`);
    Object.assign(button.dataset, { id: note.id, act: action });
    button.addEventListener("click", () => act(action, note));
    actions.append(button);
  }
  meta.append(time, actions);
  item.append(meta);
  return item;
}

/** The title, or the beginning of the text. @param {Note} note */
export function nameOf({ title, text }) {
  return title || (text.trim().split("\n", 1)[0] ?? "").slice(0, 80);
}

/** A text with some of its words marked. @param {string} text @param {Set<string>} marked */
function highlighted(text, marked) {
  return text.split(/([^\p{L}\p{M}\p{N}'’]+)/u).map((part) => (wordsOf(part).some((word) => marked.has(word)) ? element("mark", "", part) : part));
}

/** @param {number} score */
function bar(score) {
  const made = element("span", "bar");
  made.style.setProperty("--share", String(Math.max(0, Math.min(1, score))));
  return made;
}

/** @param {string} name @param {string} [className] @param {string} [text] */
function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
