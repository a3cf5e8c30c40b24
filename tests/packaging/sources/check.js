// What every project of the matrix runs: 100 queries by each of three indexes, over HTTP, and one with a filter. The harness compares
// the hits.

/** @param {typeof import("pagevec").open} open */
export async function check(open, folder, cases) {
  const index = await open(folder);
  const answers = {};
  for (const name of ["flat", "hnsw", "clusters"]) {
    answers[name] = await Promise.all(cases.queries.map((query) => index.search(query, { k: 10, index: name })));
  }
  // Filters may come with a module of their own.
  const [query] = cases.queries;
  const [count, hits] = await Promise.all([index.count({}), index.search(query, { k: 10, index: "flat", filter: {} })]);
  if (count !== index.info.count || JSON.stringify(hits) !== JSON.stringify(answers.flat[0])) throw new Error(`with a filter that all rows match there are ${count} rows, and the hits are ${JSON.stringify(hits)}`);
  const { store } = index.stats();
  await index.close();
  return { answers, store };
}

export async function checkHost(open, host) {
  const response = await fetch(`${host}/cases.json`);
  return check(open, `${host}/index/`, await response.json());
}

/** Tells the harness what came of it; `where` is "?host=…&id=…". */
export async function report(open, where) {
  await tell(where, checkHost(open, hostOf(where)));
}

export const hostOf = (where) => new URLSearchParams(where).get("host");

/** Posts what comes of a promise. */
export async function tell(where, promised) {
  const result = await promised.catch(failure);
  await fetch(`${hostOf(where)}/answer/${new URLSearchParams(where).get("id")}`, { method: "POST", body: JSON.stringify(result) });
}

export function failure(error) {
  return { error: `${error.code ?? error.name}: ${error.message}`, stack: String(error.stack) };
}
