// Writes the dictionary as `pagevec build` reads it: JSON lines of id, vector and fields.
//
//     node unpack.mjs OUT.jsonl
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { unpacked } from "./codes.mjs";

const here = new URL(".", import.meta.url);
/** Lines that are written at once. */
const BLOCK = 1000;

/** What WordNet says of a synset that is in the dictionary, the most common first.
 * @typedef {{ id: string, words: string[], pos: "n" | "v" | "a" | "r", domain: string, word_count: number, uses: number, definition: string }} Gloss
 */

/** @returns {Gloss[]} */
export const glosses = () => gunzipSync(readFileSync(new URL("glosses.jsonl.gz", here))).toString().trimEnd().split("\n").map((line) => JSON.parse(line));

/** The vectors of the glosses, in their order, as whole numbers. */
export const vectors = () => unpacked(readFileSync(new URL("glosses.i4", here)));

/** The words of all glosses, those of the most common first. */
export const lemmas = () => [...new Set(glosses().flatMap(({ words }) => words))];

/** @param {string} path of the file that is written */
export function unpack(path) {
  const rows = vectors();
  const lines = glosses().map(({ id, ...fields }, i) => `${JSON.stringify({ id, vector: [...rows[i]], ...fields })}\n`);
  const file = openSync(path, "w");
  for (let at = 0; at < lines.length; at += BLOCK) writeSync(file, lines.slice(at, at + BLOCK).join(""));
  closeSync(file);
}

if (argv[1] === fileURLToPath(import.meta.url)) unpack(argv[2]);
