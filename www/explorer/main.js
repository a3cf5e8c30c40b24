// The explorer: `explorer/?index=URL` opens that index, on this origin. Without the parameter it is the folder that the package
// lies in.
import { start } from "./app.js";

const given = new URLSearchParams(location.search).get("index");
const index = new URL(given ?? "../../", document.baseURI);
const folder = index.pathname.split("/").filter(Boolean).at(-1);
start({ index, name: folder ? nameOf(folder) : "This index" });

/** @param {string} escaped */
function nameOf(escaped) {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}
