// The scores of the true nearest rows, by an exact scan in f64 over all rows.

/**
 * The score of a row by definition: cosine, inner product, or minus the squared distance.
 * @param {string} metric
 * @returns {(query: Float32Array, row: Float32Array) => number}
 */
export function scorer(metric) {
  if (metric === "l2") return (a, b) => -sum(a, b, (x, y) => (x - y) * (x - y));
  if (metric === "dot") return dot;
  return (a, b) => dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)));
}

/**
 * The score of the `k`-th nearest row of each query.
 * @param {number} total rows
 * @param {(row: number) => Promise<Float32Array>} at
 * @param {string} metric
 * @param {Float32Array[]} queries
 * @param {number} k
 * @param {import("../progress.js").Progress} progress
 * @returns {Promise<number[]>}
 */
export async function kthScores(total, at, metric, queries, k, progress) {
  const score = scorer(metric);
  /** @type {number[][]} */
  const best = queries.map(() => []);
  for (let number = 0; number < total; number++) {
    const row = await at(number);
    queries.forEach((query, i) => {
      best[i].push(score(query, row));
      if (best[i].length > 4 * k + 64) best[i] = largest(best[i], k);
    });
    progress.tick("truth", number, total);
  }
  return best.map((scores) => Math.min(...largest(scores, k)));
}

/**
 * @param {number[]} scores
 * @param {number} k
 */
function largest(scores, k) {
  return scores.sort((a, b) => b - a).slice(0, k);
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function dot(a, b) {
  return sum(a, b, (x, y) => x * y);
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {(x: number, y: number) => number} term
 */
function sum(a, b, term) {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += term(a[i], b[i]);
  return total;
}
