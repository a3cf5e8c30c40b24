// What is measured, the same in a page and in Node: one index over one URL, called step by step.

/**
 * @param {typeof import("pagevec").open} open
 * @param {{ index: string, queries: string, dim: number }} where URLs: of the index folder, of the queries as floats
 */
export async function start(open, { index: url, queries, dim }) {
  const all = new Float32Array(await (await fetch(queries)).arrayBuffer());
  const query = (number) => all.subarray(number * dim, (number + 1) * dim);
  let index;
  const calls = {
    async open(options) {
      const from = performance.now();
      index = await open(url, options);
      return { milliseconds: performance.now() - from, info: index.info, stats: index.stats() };
    },
    async search(number) {
      const { hits, ...cost } = await index.explain(query(number));
      return { ...cost, ids: hits.map(({ id }) => id), stats: index.stats() };
    },
    /** So many in a row, from the first again after the last. */
    async many(count) {
      for (let i = 0; i < count; i++) await index.search(query(i % (all.length / dim)));
      return index.stats();
    },
    close: () => index.close(),
  };
  return async (name, ...args) => {
    try {
      return { value: await calls[name](...args) };
    } catch (error) {
      return { error: { code: error.code, message: error.message } };
    }
  };
}
