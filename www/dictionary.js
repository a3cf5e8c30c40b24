// The entries of the demo's dictionary. Words are completed from a list, the most common first, which comes behind the first answer; what
// stands under a word is asked of the index: the senses are the rows that have it among their words.

const FIELDS = ["words", "pos", "domain", "uses", "definition"];
/** Senses that are listed of a word. */
const SENSES = 8;
const KINDS = /** @type {Record<string, string>} */ ({ n: "noun", v: "verb", a: "adjective", r: "adverb" });
/** What WordNet's files are called whose names say little. */
const DOMAINS = /** @type {Record<string, string>} */ ({ Tops: "top of all", all: "general", pert: "relating to", ppl: "participle" });
const ID = /^\S+\.[nvar]\.\d\d$/;

/** @typedef {{ id: string, fields: { words: string[], pos: string, domain: string, definition: string } }} Sense */

/** Written as they are in WordNet, by what is typed for them. @type {Map<string, string[]> | undefined} */
let known;
/** @type {string[]} */
let words = [];
/** @type {Promise<void> | undefined} */
let loading;
/** The senses found last: one of them that is picked leaves the list as it is. @type {Sense[]} */
let listed = [];

export const name = "glosses";

/** Fetches the list, once; called when nothing else is waiting for the network. */
export const load = () => (loading ??= fetchWords());

async function fetchWords() {
  try {
    const response = await fetch(new URL("./data/lemmas.txt", import.meta.url));
    if (!response.ok) return;
    const forms = new Map();
    for (const word of (await response.text()).trimEnd().split("\n")) {
      const typed = word.toLowerCase();
      forms.set(typed, [...(forms.get(typed) ?? []), word]);
    }
    known = forms;
    words = [...forms.keys()];
  } catch {
    // Offline, or a page deployed without the list: words are searched when they are sent.
  }
}

/** Undefined while the list is not here. @param {string} text */
export const has = (text) => (ID.test(text) ? undefined : known?.has(text));

/** The most common words that begin as `typed` does; as much of it does, where it begins none. @param {string} typed */
export function completions(typed, limit = 6) {
  for (let start = typed; start; start = start.slice(0, -1)) {
    const found = words.filter((word) => word !== typed && word.startsWith(start)).slice(0, limit);
    if (found.length > 0 || known?.has(typed)) return found;
  }
  return [];
}

/**
 * The gloss that hits are to be near to: of a word the most common one, of an id its own.
 * @param {any} index @param {string} text
 * @returns {Promise<import("./explorer/query.js").Target | undefined>}
 */
export async function find(index, text) {
  if (ID.test(text)) return byId(index, text);
  const forms = known?.get(text) ?? guesses(text);
  const all = [];
  // All at once, in the order of the file: sorted by the index they would come one after another.
  for await (const row of index.rows({ filter: { words: { $in: forms } }, vectors: true, fields: FIELDS })) all.push(row);
  if (all.length === 0) return undefined;
  const senses = all.sort((a, b) => b.fields.uses - a.fields.uses).slice(0, SENSES);
  listed = senses;
  return { vector: senses[0].vector, except: [senses[0].id], title: text, entry: { id: senses[0].id, senses } };
}

/** @param {any} index @param {string} id */
async function byId(index, id) {
  const vector = index.vector(id).catch((/** @type {any} */ error) => (error.code === "unknown-id" ? undefined : Promise.reject(error)));
  const [[sense], row] = await Promise.all([index.get([id], { fields: FIELDS }), vector]);
  if (!row) return undefined;
  if (!listed.some((other) => other.id === id)) listed = [sense];
  return { vector: row, except: [id], title: sense.fields.words[0], entry: { id, senses: listed } };
}

/** A word as it may be written, where the list is not here. @param {string} text */
const guesses = (text) => [...new Set([text, text.replace(/(?:^|[ -])\S/g, (start) => start.toUpperCase()), text.toUpperCase()])];

/** Before its fields are here a hit is called by its id, such as body_of_water.n.01. @param {any} hit */
export const describe = ({ id, fields }) => (fields ? inFull(fields) : { name: id.replace(/\.[nvar]\.\d\d$/, "").replaceAll("_", " ") });

/** @param {any} fields */
const inFull = (fields) => ({ name: fields.words.join(", "), kind: `${kindOf(fields.pos)} · ${domainOf(fields.domain)}`, text: fields.definition });

/** @param {string} pos */
export const kindOf = (pos) => KINDS[pos] ?? pos;

/** @param {string} domain for example noun.animal */
export function domainOf(domain) {
  const [, topic] = domain.split(".");
  return DOMAINS[topic] ?? topic;
}

/** Shows the senses, and which of them hits are near to. @param {import("./explorer/query.js").Answer} answer @param {(id: string) => void} pick */
export function showEntry({ target }, pick) {
  const { id: chosen, senses } = /** @type {{ id: string, senses: Sense[] }} */ (target.entry);
  const list = /** @type {HTMLElement} */ (document.getElementById("senses"));
  list.replaceChildren(...senses.map(({ id, fields }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sense";
    button.setAttribute("aria-pressed", String(id === chosen));
    button.addEventListener("click", () => pick(id));
    const part = (/** @type {string} */ name, /** @type {string} */ text) => Object.assign(document.createElement("span"), { className: name, textContent: text });
    button.append(part("word", fields.words.join(", ")), " ", part("kind", `${kindOf(fields.pos)} · ${domainOf(fields.domain)}`), " ", part("text", fields.definition));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}
