// Makes glosses.i4 and glosses.jsonl.gz, the demo's dictionary, from WordNet 3.0 and vectors of its glosses.
//
//     node make/make.mjs VECTORS DICT    VECTORS has base.f16.npy and docs.jsonl.gz: a vector and the text of each gloss
//                                   DICT is WordNet's own folder, with data.*, index.* and cntlist.rev
//
// DICT says which senses are common: how often each was met in texts whose words people have tagged. The same input gives the same
// glosses and vectors. It also measures what is lost of the vectors; README.md has the figures.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { gunzipSync, gzipSync } from "node:zlib";
import { LEFT_OUT } from "../../left-out.mjs";
import { packed, unpacked } from "../codes.mjs";
import { rowsOf } from "./npy.mjs";
import { synsetsOf } from "./wordnet.mjs";

const COUNT = 20_000;
/** Senses that were met so often come before all others; then come the first senses of frequent words. */
const OFTEN = 4;
/** Neighbours by which the loss is measured. */
const NEAR = 10;
const ASKED = 500;
const here = new URL("..", import.meta.url);

const [vectors, dict] = argv.slice(2);
if (!dict) throw new Error("say where the vectors and WordNet are: node make/make.mjs VECTORS DICT");
const docs = gunzipSync(readFileSync(join(vectors, "docs.jsonl.gz"))).toString().trimEnd().split("\n").map((line) => JSON.parse(line));
const glosses = chosen(docs, synsetsOf(dict));
const exact = rowsOf(readFileSync(join(vectors, "base.f16.npy")), glosses.map(({ row }) => row));
const codes = packed(exact);
writeFileSync(new URL("glosses.i4", here), codes);
writeFileSync(new URL("glosses.jsonl.gz", here), gzipSync(glosses.map(({ row, sense, ...gloss }) => `${JSON.stringify(gloss)}\n`).join(""), { level: 9 }));
console.log(`${glosses.length} glosses; of the ${NEAR} nearest by the source's vectors, these find ${recall(exact, unpacked(codes)).toFixed(3)}`);

/**
 * The glosses of the dictionary, the most common sense first.
 * @param {{ words: string[], pos: string, domain: string, word_count: number, definition: string }[]} docs
 * @param {ReturnType<typeof synsetsOf>} synsets
 */
function chosen(docs, synsets) {
  const frequent = readFileSync(new URL("../words.txt", here), "utf8").trimEnd().split("\n");
  const rank = new Map(frequent.map((word, i) => [word, i]));
  const rankOf = (/** @type {any} */ { words, sense }) => (rank.get(words[0].toLowerCase()) ?? Infinity) * sense ** 2;
  const all = docs.flatMap(({ words, pos: kind, domain, word_count, definition }, row) => {
    const known = synsets.find(kind, words, definition);
    if (!known || ![...words, ...definition.split(/[^a-z]+/i)].every(isWanted) || /\b(slur|offensive term|obscene|vulgar)\b/.test(definition)) return [];
    // A satellite is an adjective, as dictionaries say.
    const pos = kind === "s" ? "a" : kind;
    const id = `${words[0].replaceAll(" ", "_")}.${pos}.${String(known.sense).padStart(2, "0")}`;
    return [{ row, sense: known.sense, id, words, pos, domain, word_count, uses: known.uses, definition }];
  });
  const before = (/** @type {any} */ a, /** @type {any} */ b) => {
    const often = (/** @type {any} */ { uses }) => (uses >= OFTEN ? uses : 0);
    return often(b) - often(a) || compare(rankOf(a), rankOf(b)) || b.uses - a.uses || (a.id < b.id ? -1 : 1);
  };
  // Where definitions differ between releases, two glosses may have been taken for one sense.
  const once = [...new Map(all.sort(before).reverse().map((gloss) => [gloss.id, gloss])).values()].reverse();
  if (once.length < COUNT) throw new Error(`there are only ${once.length} fitting glosses`);
  return once.slice(0, COUNT);
}

/** Infinities are equal. @param {number} a @param {number} b */
function compare(a, b) {
  return a === b ? 0 : a - b;
}

/** @param {string} word */
function isWanted(word) {
  return !word.toLowerCase().split(" ").some((part) => LEFT_OUT.has(createHash("sha256").update(part).digest("hex").slice(0, 8)));
}

/**
 * What part of the nearest of some rows is found among others in their place.
 * @param {Float32Array[]} exact @param {Float32Array[]} made
 */
function recall(exact, made) {
  const asked = Array.from({ length: ASKED }, (_, i) => i * Math.floor(COUNT / ASKED));
  const [wanted, got] = [exact, made].map((rows) => nearestIn(rows.map(unit), asked));
  const found = wanted.map((list, i) => list.filter((row) => got[i].includes(row)).length);
  return found.reduce((sum, one) => sum + one, 0) / (asked.length * NEAR);
}

/** @param {Float32Array[]} rows of length 1 @param {number[]} asked @returns {number[][]} the nearest of each, without itself */
function nearestIn(rows, asked) {
  return asked.map((query) => {
    const scored = rows.map((row, i) => ({ i, score: i === query ? -1 : dot(row, rows[query]) }));
    return scored.sort((a, b) => b.score - a.score).slice(0, NEAR).map(({ i }) => i);
  });
}

/** @param {Float32Array} row */
function unit(row) {
  const length = Math.sqrt(dot(row, row));
  return row.map((value) => value / length);
}

/** @param {Float32Array} a @param {Float32Array} b */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
