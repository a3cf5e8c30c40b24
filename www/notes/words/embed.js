// Makes a vector of a text: the mean of the vectors of its words, in which frequent words count little ("smooth inverse frequency",
// Arora, Liang and Ma 2017). It knows nothing of their order. The table is loaded once; table.mjs says what it holds.

export const DIM = 100;
/** How soon a word counts as frequent. */
const RARE = 1e-3;

/** @typedef {{ list: string[], rank: Map<string, number>, vectors: Uint8Array }} Table */

export class Words {
  #url;
  /** @type {Promise<Table> | undefined} */
  #loading;

  /** @param {URL} url of the table */
  constructor(url) {
    this.#url = url;
  }

  /** Loads the table, at most once; after a failure the next call tries again. */
  load() {
    this.#loading ??= fetchTable(this.#url).catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** @param {string} text @returns {Promise<Float32Array>} of length 1 */
  async embed(text) {
    const table = await this.load();
    const sum = new Float32Array(DIM);
    const words = wordsOf(text);
    // A text of signs alone is a word of its own, so that it can be kept and found.
    for (const word of words.length > 0 ? words : [text]) {
      const rank = table.rank.get(word);
      add(sum, rank === undefined ? strange(word) : known(table, rank), rank === undefined ? 1 : weight(rank, table.list.length));
    }
    return unit(sum);
  }

  /** The words of a text that the table has. @param {string} text */
  async known(text) {
    const { rank } = await this.load();
    return distinct(text).filter((word) => rank.has(word));
  }

  /** The words of a text that the table does not have. @param {string} text */
  async unknown(text) {
    const { rank } = await this.load();
    return distinct(text).filter((word) => !rank.has(word));
  }
}

const distinct = (/** @type {string} */ text) => [...new Set(wordsOf(text))];

/** The words of a text, in small letters; of "don't" and "Anna's" what is before the apostrophe. @param {string} text */
export function wordsOf(text) {
  return text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{M}\p{N}]+(?:['’]\p{L}{1,2}(?!\p{L}))?/gu)?.map((word) => word.replace(/['’].*$/, "")) ?? [];
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b both of length 1 */
export function cosine(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** @param {URL} url @returns {Promise<Table>} */
async function fetchTable(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the word vectors could not be loaded (status ${response.status})`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const end = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const list = new TextDecoder().decode(bytes.subarray(4, end)).split("\n");
  return { list, rank: new Map(list.map((word, rank) => [word, rank])), vectors: bytes.subarray(end) };
}

/** @param {Table} table @param {number} rank */
function known({ vectors }, rank) {
  const at = (rank * DIM) / 2;
  return unit(Float32Array.from({ length: DIM }, (_, i) => ((vectors[at + (i >> 1)] >> (i % 2 ? 4 : 0)) & 15) - 8));
}

/** How much a word counts, by Zipf's law: the share of the word at a rank falls as one over it. @param {number} rank @param {number} of */
function weight(rank, of) {
  const share = 1 / ((rank + 1) * (Math.log(of) + 0.577));
  return RARE / (RARE + share);
}

/**
 * A vector for a word that the table does not have, made of its letters: such a word is near itself and no other.
 * @param {string} word
 */
function strange(word) {
  let hash = 0x811c9dc5; // FNV-1a
  for (const letter of word) hash = Math.imul(hash ^ /** @type {number} */ (letter.codePointAt(0)), 0x01000193);
  let state = hash || 1; // xorshift stays at 0
  const sign = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 1 ? 1 : -1;
  };
  return unit(Float32Array.from({ length: DIM }, sign));
}

/** @param {Float32Array} sum @param {Float32Array} vector @param {number} times */
function add(sum, vector, times) {
  for (let i = 0; i < DIM; i++) sum[i] += times * vector[i];
}

/** @param {Float32Array} vector */
function unit(vector) {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
