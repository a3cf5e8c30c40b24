// A folder of several segments, built by the package itself; its manifest has version 2.
import { build, open } from "pagevec";
import { encodeDead, positionsOf } from "./dead-rows.mjs";
import { smooth } from "./fixture.mjs";

/**
 * Each segment has `rows` new rows; each but the first also has new vectors of `updates` rows of the segment before it, where they are
 * dead then, and `deleted` of its own rows are dead.
 * @returns the `folder` as files for `serve`, its `manifest`, what each of its `segments` is, and the rows that live, as `oracle` takes them
 */
export async function segmented({ segments: n = 5, rows = 400, dim = 32, updates = 12, deleted = 3, seed = 1, generation = 7, ...options } = {}) {
  const more = n > 1 ? updates : 0;
  const matrix = smooth(n * (rows + more), dim, seed);
  const live = new Map();
  const segments = [];
  for (let i = 0; i < n; i++) {
    const [from, extra] = [i * (rows + more), i > 0 ? more : 0];
    const own = matrix.subarray(from * dim, (from + rows + extra) * dim);
    const ids = Array.from({ length: rows }, (_, row) => `word-${i * rows + row}`);
    for (let row = 0; row < extra; row++) ids.push(`word-${(i - 1) * rows + 7 * row}`);
    const bytes = await build(own, { dim, ids, seed: i + 1, ...options });
    ids.forEach((id, row) => live.set(id, own.subarray(row * dim, (row + 1) * dim)));
    segments.push({ bytes, ids, matrix: own, dead: [] });
  }
  segments.forEach((one, i) => {
    for (let row = 0; row < (i + 1 < n ? more : 0); row++) one.dead.push(one.ids[7 * row]);
    for (let row = 0; row < deleted; row++) {
      one.dead.push(one.ids[7 * row + 3]);
      live.delete(one.ids[7 * row + 3]);
    }
  });
  const folder = {};
  for (const one of segments) Object.assign(folder, await files(one));
  const manifest = { pagevec: 2, generation, segments: segments.map(({ entry }) => entry) };
  folder["/words/index.json"] = { body: JSON.stringify(manifest), type: "application/json" };
  const all = { ids: [...live.keys()], matrix: Float32Array.from([...live.values()].flatMap((row) => [...row])), count: live.size, dim };
  return { ...all, folder, manifest, segments, generation, row: (i) => all.matrix.subarray(i * dim, (i + 1) * dim) };
}

/** Adds the entry of a segment to it, and returns its files. */
async function files(one) {
  const index = await open(one.bytes);
  const { fileId, fileLength, memoryToOpen, count, dim, metric, sections } = (one.info = index.info);
  await index.close();
  const contentId = fileId + fileId; // JS cannot compute it; it must differ where the content does
  one.entry = { file: `seg-${fileId}.bin`, length: fileLength, front: memoryToOpen, contentId, fileId, count, dim, metric };
  const found = { [`/words/${one.entry.file}`]: { body: one.bytes } };
  if (one.dead.length > 0) {
    const positions = positionsOf(one.bytes, { count, sections }, one.dead);
    const body = encodeDead(fileId, positions);
    const file = `dead-${fileId}.bin`;
    one.entry.dead = { file, length: body.length, count: positions.length, contentId: [...fileId].reverse().join("") + fileId };
    found[`/words/${file}`] = { body };
  }
  return found;
}
