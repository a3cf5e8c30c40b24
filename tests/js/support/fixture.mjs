// Small segments built by the package itself, the folder around them, and a brute-force oracle.
import assert from "node:assert/strict";
import { build, open, PagevecError } from "pagevec";

/** Vectors in clusters, the same for everyone. */
export function vectors(count, dim, seed = 1) {
  const random = generator(seed);
  const centres = Float32Array.from({ length: 32 * dim }, () => random() - 0.5);
  const out = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    const centre = Math.floor(random() * 32) * dim;
    for (let i = 0; i < dim; i++) out[row * dim + i] = centres[centre + i] + (random() - 0.5) * 0.6;
  }
  return out;
}

/** Vectors that vary in few directions, as those of words and texts do: what is near is then near in the clusters too. */
export function smooth(count, dim, seed = 1, directions = 12) {
  const random = generator(seed);
  const normal = () => random() + random() + random() + random() - 2;
  const basis = Float32Array.from({ length: directions * dim }, normal);
  const out = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    for (let d = 0; d < directions; d++) {
      const weight = normal();
      for (let i = 0; i < dim; i++) out[row * dim + i] += weight * basis[d * dim + i];
    }
    for (let i = 0; i < dim; i++) out[row * dim + i] += 0.2 * normal();
  }
  return out;
}

function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * @returns `bytes` of a segment, the `matrix` it was built from, its `folder` as files for `serve`
 */
export async function fixture({ count = 3001, dim = 48, seed = 1, ids = (row) => `word-${row}`, make = vectors, ...options } = {}) {
  const matrix = make(count, dim, seed);
  const names = Array.from({ length: count }, (_, row) => ids(row));
  const bytes = await build(matrix, { dim, ids: names, metric: "cosine", ...options });
  const index = await open(bytes);
  const { info } = index;
  await index.close();
  const front = info.memoryToOpen;
  const manifest = manifestOf(info, front);
  const file = manifest.segments[0].file;
  const folder = {
    "/words/index.json": { body: JSON.stringify(manifest), type: "application/json" },
    [`/words/${file}`]: { body: bytes },
  };
  return { bytes, matrix, ids: names, count, dim, info, front, manifest, file, folder, row: (i) => matrix.subarray(i * dim, (i + 1) * dim) };
}

function manifestOf({ fileLength, fileId, count, dim, metric }, front) {
  const contentId = fileId + fileId; // JS cannot compute it; it must differ where the content does
  return { pagevec: 1, segments: [{ file: `seg-${fileId}.bin`, length: fileLength, front, contentId, fileId, count, dim, metric }] };
}

/** Ids of the `k` nearest by cosine, from the floats. */
export function oracle({ matrix, ids, dim, count }, query, k) {
  const scores = [];
  for (let row = 0; row < count; row++) {
    let dot = 0;
    let norm = 0;
    for (let i = 0; i < dim; i++) {
      const x = matrix[row * dim + i];
      dot += x * query[i];
      norm += x * x;
    }
    scores.push([dot / Math.sqrt(norm), row]);
  }
  scores.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  return scores.slice(0, k).map(([, row]) => ids[row]);
}

/** The section that holds all of an extent. */
export function sectionOf(info, offset, length) {
  return info.sections.find((s) => offset >= s.offset && offset + length <= s.offset + s.length)?.name;
}

/** A query near row `i`, in nobody's file. */
export function near(f, i, seed = 7) {
  const random = generator(seed + i);
  return Float32Array.from(f.row(i), (x) => x + (random() - 0.5) * 0.1);
}

export function recall(got, wanted) {
  return wanted.filter((id) => got.some((hit) => hit.id === id)).length / wanted.length;
}

/** Resolves to the error; fails when there is none, or it is no PagevecError with that code. */
export async function rejected(promise, code) {
  let error;
  await promise.then(
    () => assert.fail(`resolved; expected code ${code}`),
    (e) => (error = e),
  );
  assert.ok(error instanceof PagevecError, `not a PagevecError: ${error?.stack}`);
  if (code) assert.equal(error.code, code, error.message);
  return error;
}

/** From the error itself, which says what is needed. */
export async function smallestBudget(f) {
  const error = await rejected(open(f.bytes, { memoryBudget: f.front + 64 }), "budget");
  return Number(/at least (\d+)/.exec(error.message)[1]);
}
