// A fixture cut into part files, as `pagevec build --parts` does, at any places: a reader must take them all.

/**
 * @param f from `fixture`
 * @param {{ beside?: boolean, size?: number, cuts?: [number, number][] }} how `beside`: the whole file is there too
 * @returns the `manifest`, and the `folder` as files for `serve`
 */
export function inParts(f, { beside = false, size = 5000, cuts = cutsOf(f, size) } = {}) {
  const name = f.file.replace(".bin", "");
  const folder = {};
  for (const [from, end] of ranges(cuts, f.bytes.length)) folder[`/words/${name}/${from}-${end - 1}.bin`] = { body: f.bytes.subarray(from, end) };
  const { file, ...entry } = f.manifest.segments[0];
  const manifest = { pagevec: 1, segments: [{ ...entry, ...(beside && { file }), parts: { folder: name, cuts } }] };
  folder["/words/index.json"] = { body: JSON.stringify(manifest), type: "application/json" };
  if (beside) folder[`/words/${file}`] = { body: f.bytes };
  return { folder, manifest };
}

/** The front whole, then a cut at each section. */
function cutsOf({ front, info }, size) {
  const behind = info.sections.filter(({ offset, length }) => offset >= front && length > 0);
  return [[0, behind[0].offset], ...behind.map(({ offset }) => [offset, size])];
}

function ranges(cuts, length) {
  return cuts.flatMap(([from, size], i) => {
    const stop = cuts[i + 1]?.[0] ?? length;
    return Array.from({ length: Math.ceil((stop - from) / size) }, (_, at) => [from + at * size, Math.min(from + (at + 1) * size, stop)]);
  });
}
