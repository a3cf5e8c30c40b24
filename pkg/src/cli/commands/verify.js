// `pagevec verify`: checks every byte of an index, which opening it does not.
import { statSync } from "node:fs";
import { join } from "node:path";
import { runJob } from "../build/run.js";
import { ofFile } from "../failure.js";
import { piecesOf } from "../input/pieces.js";
import { print, printJson } from "../output.js";
import { Progress } from "../progress.js";
import { showSize } from "../size.js";
import { entriesOf } from "./inspect.js";
import { openSource, SOURCE } from "../source.js";

/** @type {import("../arguments.js").Command} */
export const VERIFY = {
  name: "verify",
  about: "Check every byte of an index",
  operand: "INDEX",
  operandHelp: "An index folder, or a segment file (seg-….bin)",
  options: { ...SOURCE, json: { help: "Print one JSON object" } },
  examples: ["pagevec verify site/index", "pagevec verify site/index --io pread --memory-budget 64MB"],
};

/** @param {import("../arguments.js").Parsed} parsed */
export async function verify(parsed) {
  const path = parsed.operand;
  const started = performance.now();
  // Opening compares the manifest, the fronts and the dead rows.
  const index = await openSource({ ...parsed, io: "pread" });
  const { info } = index;
  await index.close();
  const progress = new Progress();
  const entries = entriesOf(path);
  const files = entries.length > 0 ? entries.flatMap(({ file }) => (file === undefined ? [] : [join(path, file)])) : [path];
  let count = 0;
  try {
    for (const file of files) await check(file, [{ path: file, offset: 0, length: statSync(file).size }], progress);
    for (const { parts, length } of entries) {
      if (!parts) continue;
      const pieces = piecesOf(path, { length, parts });
      await check(join(path, parts.folder), pieces, progress);
      count += pieces.length;
    }
  } finally {
    progress.end();
  }
  const seconds = (performance.now() - started) / 1000;
  const { fileLength: bytes, contentId = null, segments } = info;
  const file = segments.length === 1 ? (files[0] ?? path) : path;
  if (parsed.json) return printJson({ ok: true, file, bytes, parts: count, segments: segments.length, count: info.count, content_id: contentId, seconds });
  const several = segments.length === 1 ? "" : `${segments.length} segments, `;
  print(`${file}: sound, ${several}${info.count} vectors, ${showSize(bytes)}${count > 0 ? `, ${count} part files` : ""}, checked in ${seconds.toFixed(2)} s`);
}

/**
 * @param {string} name the file, or the folder of parts
 * @param {import("../input/pieces.js").Piece[]} pieces
 * @param {Progress} progress
 */
async function check(name, pieces, progress) {
  try {
    await runJob({ kind: "verify", pieces }, progress, "interrupted");
  } catch (error) {
    throw ofFile(name, error);
  }
}
