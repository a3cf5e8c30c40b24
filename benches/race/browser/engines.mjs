// The engines, in the page. Each: `start()` brings the library, `build(rows)` makes an index of unit rows (Float32Arrays)
// in the page, `search(query, param)` gives ten row numbers. `params` is what is swept.
const [K, M, EF_CONSTRUCTION, SEED] = [10, 16, 200, 100];
const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320];

function pagevec(codec) {
  let library, index;
  return {
    params: EFS,
    /** Both modules, which come when first needed. */
    async start() {
      library = await import("/pagevec/dist/browser.js");
      await (await library.open(await library.build([[0, 1], [1, 0]]))).close();
    },
    async build(rows) {
      const file = await library.build(rows, { codec, m: M, efConstruction: EF_CONSTRUCTION });
      index = await library.open(file, { memoryBudget: 512 * 2 ** 20 });
      await index.load();
      return { bytes: file.length };
    },
    search: async (query, ef) => (await index.search(query, { k: K, ef, index: "hnsw" })).map((hit) => hit.id),
  };
}

function hnswlib() {
  let library, index;
  return {
    params: EFS,
    async start() {
      const { loadHnswlib } = await import("/peers/hnswlib-wasm/dist/hnswlib.js");
      library = await loadHnswlib();
    },
    async build(rows) {
      index = new library.HierarchicalNSW("l2", rows[0].length, "");
      index.initIndex(rows.length, M, EF_CONSTRUCTION, SEED);
      const labels = rows.map((_, i) => i);
      for (let from = 0; from < rows.length; from += 1000) index.addPoints(rows.slice(from, from + 1000), labels.slice(from, from + 1000), false);
      return {};
    },
    async search(query, ef) {
      index.setEfSearch(ef);
      return index.searchKnn(query, K, undefined).neighbors;
    },
  };
}

/** Its ef is fixed when an index is made, so each is an index of its own. Its cosine ranks wrongly: l2 of unit rows. */
function edgevec() {
  let library, all;
  const indexes = new Map();
  const make = (ef) => {
    const config = new library.EdgeVecConfig(all[0].length);
    Object.assign(config, { metric: "l2", m: M, m0: 2 * M, ef_construction: EF_CONSTRUCTION, ef_search: ef });
    const index = new library.EdgeVec(config);
    index.insertBatch(all);
    return index;
  };
  return {
    params: [20, 40, 80, 160],
    async start() {
      library = await import("/peers/edgevec/edgevec.js");
      await library.default();
    },
    async build(rows) {
      all = rows;
      indexes.set(this.params[0], make(this.params[0]));
      return {};
    },
    /** Not counted as building: one index is what a page would have. */
    prepare: (ef) => void (indexes.has(ef) || indexes.set(ef, make(ef))),
    search: async (query, ef) => indexes.get(ef).search(query, K).map((hit) => hit.id),
  };
}

/** A k-d tree, exact in its promise; it has nothing to sweep, and takes rows as JSON. */
function voy() {
  let library, index;
  return {
    params: [0],
    async start() {
      // Published for bundlers: what a bundler would do is done here.
      library = await import("/peers/voy-search/voy_search_bg.js");
      const { instance } = await WebAssembly.instantiateStreaming(fetch("/peers/voy-search/voy_search_bg.wasm"), { "./voy_search_bg.js": library });
      library.__wbg_set_wasm(instance.exports);
    },
    async build(rows) {
      index = new library.Voy({ embeddings: rows.map((row, i) => ({ id: `${i}`, title: "", url: "", embeddings: Array.from(row) })) });
      return {};
    },
    search: async (query) => index.search(query, K).neighbors.map((hit) => Number(hit.id)),
  };
}

/** HNSW in plain JS over arrays of numbers, here kept in memory. */
function mememo() {
  let library, index;
  return {
    params: EFS,
    start: async () => void (library = await import("/peers/mememo/dist/index.es.js")),
    async build(rows) {
      index = new library.HNSW({ distanceFunction: "cosine-normalized", m: M, efConstruction: EF_CONSTRUCTION, useIndexedDB: false, seed: SEED / 1000 });
      await index.bulkInsert(rows.map((_, i) => `${i}`), rows.map((row) => Array.from(row)));
      return {};
    },
    search: async (query, ef) => (await index.query(Array.from(query), K, ef)).keys.map(Number),
  };
}

export const engines = {
  "pagevec sq8": pagevec("sq8"),
  "pagevec f32": pagevec("f32"),
  "hnswlib-wasm": hnswlib(),
  edgevec: edgevec(),
  voy: voy(),
  mememo: mememo(),
};

const vectors = (url, dim) =>
  fetch(url)
    .then((response) => response.arrayBuffer())
    .then((bytes) => Array.from({ length: bytes.byteLength / 4 / dim }, (_, i) => new Float32Array(bytes, 4 * i * dim, dim)));

let rows, queries;

/** What run.mjs calls. Queries are asked one by one, as a page asks: pagevec's and mememo's answers are promises. */
export const calls = {
  async start(name) {
    const from = performance.now();
    await engines[name].start();
    return { milliseconds: performance.now() - from };
  },
  async fetch(dim) {
    rows = await vectors("/rows.f32", dim);
    queries = await vectors("/queries.f32", dim);
  },
  async build(name) {
    const facts = await engines[name].build(rows);
    rows = undefined;
    return facts;
  },
  async find(name, param) {
    engines[name].prepare?.(param);
    const found = [];
    for (const query of queries) found.push(await engines[name].search(query, param));
    return found;
  },
  /** Passes over the queries until half a second has gone. */
  async time(name, param) {
    const engine = engines[name];
    const from = performance.now();
    let searches = 0;
    for (; performance.now() < from + 500; searches += queries.length) for (const query of queries) await engine.search(query, param);
    return { searches, milliseconds: performance.now() - from };
  },
};
