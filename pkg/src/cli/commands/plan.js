// `pagevec plan`: which codes and index fit a budget of memory, and what each part takes.
import { planText } from "../../plan/plan.js";
import { print } from "../output.js";
import { modules } from "../platform.js";
import { size } from "../source.js";

/** @type {import("../arguments.js").Command} */
export const PLAN = {
  name: "plan",
  about: "Choose codes and index for a budget of memory, before anything is built",
  options: {
    rows: { value: "N", required: true, parse: number, help: "Rows, such as 1000000 or 1e6" },
    dim: { value: "N", required: true, parse: number, help: "Components of a vector" },
    budget: { value: "SIZE", required: true, parse: size, help: "Memory for all that an open index holds: 100MB, 64MiB" },
    codec: { value: "CODEC", help: "The codes: f32, f16, sq8, sq4, binary, pq, or pq with the number of its parts (pq96) [default: the plan chooses]" },
    refine: { value: "CODEC", help: "Finer rows: sq8, f16, f32 or none [default: sq8 for binary, sq4 and pq codes, else none]" },
    metric: { value: "METRIC", help: "cosine, dot or l2 [default: cosine]" },
    payload: { value: "FIELDS", help: "Fields that filters may name: keyword:10000 (with how many different values), integer, float, boolean, timestamp, geo" },
    ids: { value: "IDS", help: "number, or text:12 with the mean bytes of an id [default: number]" },
    json: { help: "Print one JSON object" },
  },
  examples: ["pagevec plan --rows 1e6 --dim 768 --budget 100MB", "pagevec plan --rows 1e6 --dim 768 --budget 1GB --codec sq8 --refine f16 --json", "pagevec plan --rows 200000 --dim 384 --budget 64MiB --payload keyword:10000,float"],
};

/** @param {import("../arguments.js").Parsed} parsed */
export async function plan({ rows, dim, budget, codec, refine, metric, payload, ids, json }) {
  print((await planText(modules.builder, undefined, { rows, dim, budget, codec, refine, metric, payload, ids }, !json)).trimEnd());
}

/**
 * A whole number, which may be written as 1e6.
 * @param {string} text
 */
function number(text) {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (number >= 1 && Number.isSafeInteger(number)) return number;
  throw new Error("use a whole number from 1 on, such as 1000000 or 1e6");
}
