// Reads WordNet's own files: which sense of its first word a synset is, and how often it was met in the texts whose words people have
// tagged with senses.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["noun", "verb", "adj", "adv"];
/** How keys of senses write the kinds of synsets. */
const KINDS = /** @type {Record<string, number>} */ ({ n: 1, v: 2, a: 3, r: 4, s: 5 });

/** @typedef {{ kind: string, words: string[], gloss: string, sense: number, uses: number }} Synset */

/**
 * @param {string} dict WordNet's folder
 * @returns {{ find: (kind: string, words: string[], definition: string) => Synset | undefined }}
 */
export function synsetsOf(dict) {
  const lines = (/** @type {string} */ name) => readFileSync(join(dict, name), "utf8").split("\n").filter((line) => !line.startsWith("  "));
  // A key is lemma%kind:file:number:head:number. The first three tell senses of a lemma apart.
  const tagged = new Map(lines("cntlist.rev").map((line) => line.split(" ")).map(([key, , uses]) => [key.split(":", 3).join(":"), Number(uses)]));
  /** @type {Map<string, Synset[]>} */
  const byWords = new Map();
  for (const file of FILES) {
    const senses = sensesOf(lines(`index.${file}`));
    for (const line of lines(`data.${file}`)) {
      if (line === "") continue;
      const [facts, gloss] = line.split(" | ");
      const [offset, domain, kind, count, ...rest] = facts.split(" ");
      const lemmas = Array.from({ length: parseInt(count, 16) }, (_, i) => ({ name: rest[2 * i].replace(/\(\w+\)$/, ""), number: parseInt(rest[2 * i + 1], 16) }));
      const keys = lemmas.map(({ name, number }) => `${name.toLowerCase()}%${KINDS[kind]}:${domain}:${String(number).padStart(2, "0")}`);
      const synset = {
        kind,
        words: lemmas.map(({ name }) => name.replaceAll("_", " ")),
        gloss,
        sense: 1 + (senses.get(lemmas[0].name.toLowerCase()) ?? []).indexOf(offset),
        uses: keys.reduce((sum, key) => sum + (tagged.get(key) ?? 0), 0),
      };
      const same = `${kind} ${synset.words.join()}`;
      byWords.set(same, [...(byWords.get(same) ?? []), synset]);
    }
  }
  return { find: (kind, words, definition) => closest(byWords.get(`${kind} ${words.join()}`) ?? [], definition) };
}

/**
 * That of synsets of the same words which has this definition. Releases of WordNet differ in some, and a gloss has examples behind it.
 * @param {Synset[]} synsets @param {string} definition
 */
function closest(synsets, definition) {
  const exact = synsets.find(({ gloss }) => gloss.split('; "')[0].trim() === definition);
  return exact ?? synsets.find(({ gloss }) => gloss.startsWith(definition)) ?? (synsets.length === 1 ? synsets[0] : undefined);
}

/** The synsets of each lemma, by their offsets, the most common sense first. @param {string[]} lines of an index */
function sensesOf(lines) {
  return new Map(lines.map((line) => line.trim().split(" ")).map(([lemma, , senses, ...rest]) => [lemma, rest.slice(-Number(senses))]));
}
