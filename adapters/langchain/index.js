// A LangChain.js vector store over a pagevec index, by the public API of both. An index does not change: documents are given when it
// is built, or come from where the page keeps them.
import { Document } from "@langchain/core/documents";
import { VectorStore } from "@langchain/core/vectorstores";
import { build, open, PagevecError } from "pagevec";

/**
 * @typedef {import("@langchain/core/embeddings").EmbeddingsInterface} Embeddings
 * @typedef {import("pagevec").Id} Id
 *
 * @typedef {object} StoreOptions
 * @property {import("pagevec").Index} index an open index
 * @property {(ids: Id[]) => Promise<Document[]> | Document[]} documents gives the document of each id, in their order
 * @property {import("pagevec").SearchOptions} [search] options of each search, but `k`
 */

/** Finds documents in a pagevec index. Scores are pagevec's: a larger one is nearer. */
export class PagevecStore extends VectorStore {
  #index;
  #documents;
  #search;

  /**
   * @param {Embeddings} embeddings of the model that the index was built with
   * @param {StoreOptions} options
   */
  constructor(embeddings, { index, documents, search = {} }) {
    super(embeddings, {});
    this.#index = index;
    this.#documents = documents;
    this.#search = search;
  }

  _vectorstoreType() {
    return "pagevec";
  }

  /** The open index, to close it for example. */
  get index() {
    return this.#index;
  }

  /**
   * @param {number[]} query
   * @param {number} k
   * @param {import("pagevec").Filter} [filter] by the fields that the index was built with
   * @returns {Promise<[Document, number][]>} best first
   */
  async similaritySearchVectorWithScore(query, k, filter) {
    const both = filter === undefined ? {} : { filter: "filter" in this.#search ? { $and: [this.#search.filter, filter] } : filter };
    const hits = await this.#index.search(query, { ...this.#search, ...both, k });
    const documents = await this.#documents(hits.map(({ id }) => id));
    return hits.map(({ id, score }, i) => [new Document({ ...documents[i], id: String(id) }), score]);
  }

  async addVectors() {
    throw new PagevecError("argument", "a pagevec index does not change: build one with PagevecStore.fromTexts or fromDocuments, or append to its folder with `pagevec build --append`");
  }

  async addDocuments() {
    return this.addVectors();
  }

  /**
   * Builds an index in memory.
   * @param {string[]} texts
   * @param {object[] | object} metadatas one for each text, or one for all
   * @param {Embeddings} embeddings
   * @param {import("pagevec").BuildOptions} [options] of `build`
   * @returns {Promise<PagevecStore>}
   */
  static fromTexts(texts, metadatas, embeddings, options) {
    const metadata = (/** @type {number} */ i) => (Array.isArray(metadatas) ? metadatas[i] : metadatas);
    return PagevecStore.fromDocuments(texts.map((pageContent, i) => new Document({ pageContent, metadata: metadata(i) })), embeddings, options);
  }

  /**
   * Builds an index in memory. Filters may name what is in the metadata.
   * @param {Document[]} documents
   * @param {Embeddings} embeddings
   * @param {import("pagevec").BuildOptions} [options] of `build`
   * @returns {Promise<PagevecStore>}
   */
  static async fromDocuments(documents, embeddings, options) {
    const copy = [...documents];
    const embed = (/** @type {string[]} */ texts) => embeddings.embedDocuments(texts);
    const bytes = await build(copy.map(({ pageContent }) => pageContent), { fields: copy.map(({ metadata }) => metadata), ...options, ids: undefined, embed });
    const index = await open(bytes);
    return new PagevecStore(embeddings, { index, documents: (ids) => ids.map((id) => copy[Number(id)]) });
  }
}
