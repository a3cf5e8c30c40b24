// `pagevec count` and `pagevec facets`: how many rows match a filter, and how many have each value of a field. No vector and no
// stored field is read.
import { whole } from "../arguments.js";
import { print, printable, printJson } from "../output.js";
import { FILTERED, openSource, SOURCE, toFiltered } from "../source.js";

/** @type {import("../arguments.js").Command} */
export const COUNT = {
  name: "count",
  about: "Count the rows that match a filter",
  operand: "INDEX",
  operandHelp: "An index folder, or a segment file (seg-….bin)",
  options: { ...SOURCE, ...FILTERED, json: { help: "Print one JSON object" } },
  examples: ["pagevec count site/index", `pagevec count site/index --filter '{"price":{"$lt":50}}' --json`],
};

/** @type {import("../arguments.js").Command} */
export const FACETS = {
  name: "facets",
  about: "Count the rows that have each value of a field",
  operand: "INDEX",
  operandHelp: "An index folder, or a segment file (seg-….bin)",
  second: { name: "FIELD", help: "The field" },
  options: {
    ...SOURCE,
    ...FILTERED,
    limit: { value: "N", parse: whole(0), fallback: "100", help: "Show at most so many values, those of most rows" },
    json: { help: "Print one JSON object" },
  },
  examples: ["pagevec facets site/index category", `pagevec facets site/index category --filter '{"price":{"$lt":50}}' --limit 20 --json`],
};

/** More values than any index has. */
const ALL = 2 ** 31;

/** @param {import("../arguments.js").Parsed} parsed */
export async function count(parsed) {
  const index = await openSource(parsed);
  try {
    const { filter } = toFiltered(parsed.filter);
    const count = await (filter ? index.count(filter) : index.count());
    if (parsed.json) printJson({ count });
    else print(String(count));
  } finally {
    await index.close();
  }
}

/** @param {import("../arguments.js").Parsed} parsed */
export async function facets(parsed) {
  const field = /** @type {string} */ (parsed.second);
  const index = await openSource(parsed);
  try {
    // All of them, as the number of those that are not shown is told.
    const all = await index.facets(field, { ...toFiltered(parsed.filter), limit: ALL });
    const shown = all.slice(0, parsed.limit);
    if (parsed.json) return printJson({ field, distinct: all.length, facets: shown });
    const lines = shown.map(({ value, count }) => `${String(count).padStart(10)}  ${printable(String(value))}`);
    if (shown.length < all.length) lines.push(`${all.length - shown.length} more values: raise --limit`);
    if (lines.length > 0) print(lines.join("\n"));
  } finally {
    await index.close();
  }
}
