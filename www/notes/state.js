// Draws what the collection is made of, from its `stats()`.
import { bytes, count, counted } from "../pkg/explorer/format.js";
import { $ } from "./view.js";

/** @typedef {import("../../pkg/src/collection/messages.js").State} State */

/** Of which no more are drawn, as they would be too narrow to be told apart. */
const DRAWN = 40;

/** @param {State} stats */
export function showState(stats) {
  const { count: rows, memoryRows = 0, memoryDead = 0, dead, segments, bytes: stored = 0, logBytes = 0, usage, quota } = stats;
  const settled = rows - memoryRows;
  const gone = memoryDead + dead;
  write("rows-memory", memoryRows, count(memoryRows));
  write("rows-segments", settled, count(settled));
  write("rows-dead", gone, count(gone));
  stack("rows", [["now", memoryRows], ["before", settled], ["dead", gone]]);

  write("files-log", logBytes, bytes(logBytes));
  write("files-count", segments, counted(segments, "segment"));
  write("files-segments", stored, bytes(stored));
  const drawn = Math.min(segments, DRAWN);
  stack("files", [["now", logBytes], ...Array.from({ length: drawn }, () => /** @type {[string, number]} */ (["before", stored / drawn]))]);

  write("storage-usage", usage ?? 0, usage === undefined ? "unknown" : bytes(usage));
  write("storage-quota", quota ?? 0, quota === undefined ? "unknown" : bytes(quota));
  stack("storage", usage === undefined || quota === undefined ? [] : [["before", usage], ["unread", quota - usage]]);

  $("role").textContent = roleOf(stats);
  $("kept").textContent = keptOf(stats);
  $("work").textContent = workOf(stats);
}

/** @param {State} stats */
function roleOf({ role, persistent }) {
  if (!persistent) return "has its notes for itself";
  return role === "leader" ? "leads: it has the files open" : "follows: the tab that leads writes and searches for it";
}

/** @param {State} stats */
function keptOf({ persistent, persisted, why }) {
  if (!persistent) return `until this tab is closed: ${why}`;
  return persisted ? "in this browser, for good" : "in this browser, until it is short of room";
}

/** @param {State} stats */
function workOf({ merging, failed, unindexed }) {
  if (failed) return `the last flush or merge failed, and is tried again: ${failed}`;
  return merging ? "segments are merged" : `idle; a search scans ${counted(unindexed, "row")}`;
}

/**
 * Boxes side by side, as wide as their values.
 * @param {string} id
 * @param {[kind: string, value: number][]} parts
 */
function stack(id, parts) {
  $(id).replaceChildren(...parts.filter(([, value]) => value > 0).map(([kind, value]) => {
    const part = document.createElement("span");
    part.className = kind;
    part.style.setProperty("--share", String(value));
    return part;
  }));
}

/** @param {string} id @param {number} value @param {string} text */
function write(id, value, text) {
  $(id).value = String(value);
  $(id).textContent = text;
}
