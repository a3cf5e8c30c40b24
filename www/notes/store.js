// The notes: rows of a collection, each with its title and text as fields, and a copy of them all for the list of the newest.
import { openCollection } from "../pkg/dist/collection.js";
import { cosine, DIM, wordsOf } from "./words/embed.js";

/** Hits that are less alike than this say nothing. */
const LEAST_SCORE = 0.3;
const MOST_HITS = 20;
/** How alike a word of a title and the query are for the word to be marked. */
const MARKED = 0.55;

/**
 * @typedef {{ id: string, title: string, text: string, changed: number }} Note
 * @typedef {{ note: Note, score?: number, marked: Set<string> }} Found `score` is missing where only the letters are in the note
 * @typedef {{ origin: "this" | "other", upserted: string[], deleted: string[] }} Change
 */

export class Notes {
  #words;
  /** @type {Map<string, Note>} */
  #all = new Map();
  /** Changes are read one after another. */
  #reading = Promise.resolve();
  /** The collection itself. */
  collection;

  /**
   * @param {import("./words/embed.js").Words} words
   * @param {(change: Change) => void} onChange after every change, by this tab or another, once it is in `newest()`
   * @param {(error: unknown) => void} onError of reading a change
   */
  static async open(words, onChange, onError) {
    const collection = await openCollection("notes", {
      dim: DIM,
      embed: (texts) => Promise.all(texts.map((text) => words.embed(text))),
      worker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
    });
    const notes = new Notes(words, collection);
    collection.on("change", (change) => {
      notes.#reading = notes.#reading.then(() => notes.#read(change)).then(() => onChange(/** @type {Change} */ (change)), onError);
    });
    // Changes that come meanwhile wait for it.
    await (notes.#reading = notes.#readAll());
    return notes;
  }

  /** @param {import("./words/embed.js").Words} words @param {any} collection */
  constructor(words, collection) {
    this.#words = words;
    this.collection = collection;
  }

  /** All of them, the one that was changed last first. */
  newest() {
    return [...this.#all.values()].sort((a, b) => b.changed - a.changed);
  }

  /** @param {string} id */
  get(id) {
    return this.#all.get(id);
  }

  /** Resolves once it is stored, safe from a power cut. @param {{ id?: string, title: string, text: string, changed?: number }} note */
  async save({ id = newId(), title, text, changed = Date.now() }) {
    await this.collection.upsert([{ id, text: `${title}\n${text}`, fields: { title, text, changed } }]);
    return id;
  }

  /** @param {string} id */
  async remove(id) {
    await this.collection.delete([id]);
  }

  /**
   * The notes whose vectors are nearest to that of the query, and after them those that have its letters.
   * @param {string} query
   * @returns {Promise<{ found: Found[], lettersOnly: boolean }>} whether the vectors of words are out of reach
   */
  async find(query) {
    const hits = await this.#near(query);
    const near = (hits ?? []).flatMap(({ id, score }) => (this.#all.has(id) ? [{ note: /** @type {Note} */ (this.#all.get(id)), score }] : []));
    const ids = new Set(near.map(({ note }) => note.id));
    const rest = this.#written(query).filter((note) => !ids.has(note.id));
    const all = [...near, ...rest.slice(0, MOST_HITS).map((note) => ({ note }))];
    const marked = await this.#marker(query, near.length > 0);
    const found = await Promise.all(all.map(async (one) => ({ ...one, marked: await marked(one.note.title) })));
    return { found, lettersOnly: hits === undefined };
  }

  /** @param {string} query @returns {Promise<{ id: any, score: number }[] | undefined>} undefined where the table does not arrive */
  async #near(query) {
    const known = await this.#words.known(query).catch(() => undefined);
    // A word that is not typed to its end has no meaning yet.
    if (!known?.length) return known && [];
    return this.collection.search({ text: query }, { k: MOST_HITS, minScore: LEAST_SCORE });
  }

  /** The notes in which all that was typed is written. @param {string} query */
  #written(query) {
    const words = wordsOf(query);
    const parts = words.length > 0 ? words : [query];
    return this.newest().filter(({ title, text }) => {
      const all = `${title}\n${text}`.normalize("NFKC").toLowerCase();
      return parts.every((part) => all.includes(part));
    });
  }

  /**
   * @param {string} query
   * @param {boolean} byMeaning
   * @returns {Promise<(title: string) => Promise<Set<string>>>} gives the words of a title for which it is found
   */
  async #marker(query, byMeaning) {
    const typed = wordsOf(query);
    const vector = byMeaning ? await this.#words.embed(query) : undefined;
    const isMarked = async (/** @type {string} */ word) =>
      typed.some((start) => word.startsWith(start)) || (vector !== undefined && cosine(vector, await this.#words.embed(word)) >= MARKED);
    return async (title) => {
      const words = wordsOf(title);
      const marks = await Promise.all(words.map(isMarked));
      return new Set(words.filter((_, i) => marks[i]));
    };
  }

  async #readAll() {
    for await (const row of this.collection.rows()) this.#keep(row);
  }

  /** @param {{ upserted: any[], deleted: any[], cleared: boolean }} change */
  async #read({ upserted, deleted, cleared }) {
    if (cleared) this.#all.clear();
    for (const id of deleted) this.#all.delete(id);
    const rows = await this.collection.get(upserted);
    upserted.forEach((id, i) => (rows[i] ? this.#keep(rows[i]) : this.#all.delete(id)));
  }

  /** @param {{ id: any, fields?: any }} row */
  #keep({ id, fields = {} }) {
    const { title = "", text = "", changed = 0 } = fields;
    this.#all.set(id, { id, title, text, changed });
  }
}

/** Ids rise with time, and no two tabs make the same. */
function newId() {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return [Date.now(), ...random].map((number) => number.toString(36)).join("-");
}
