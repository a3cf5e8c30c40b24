// Files that are dropped on the page or chosen, and arrow keys.
import { hostOf } from "./reading/traffic.js";
import { $ } from "./view.js";

/** @param {(site: import("./query.js").Site) => void} start opens another index */
export function wire(start) {
  const openFile = (/** @type {File | undefined} */ file) => {
    if (!file) return;
    history.replaceState(null, "", location.pathname + location.search);
    start({ index: new URL(encodeURIComponent(file.name), "https://dropped.invalid/"), send: hostOf(file), name: file.name });
  };
  $("file").addEventListener("change", () => {
    openFile($("file").files[0]);
    // The same file may be chosen again, as it may have been built again.
    $("file").value = "";
  });
  const dragging = (/** @type {boolean} */ over) => document.body.toggleAttribute("data-dragging", over);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    dragging(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && dragging(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    dragging(false);
    openFile(event.dataTransfer?.files[0]);
  });
  // The arrow keys lead from the field through the hits and back.
  document.addEventListener("keydown", (event) => {
    const stops = [$("query"), ...document.querySelectorAll(".hit")];
    const at = stops.indexOf(document.activeElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const next = at < 0 || step === 0 ? undefined : stops[at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}
