// The entry `pagevec/plan` of Node, Deno and Bun.
import { modules } from "../platform/node.js";
import { planWith } from "../plan/plan.js";

/**
 * Plans an index before it is built: which codes and which index fit a budget of memory, what each part takes, and what searches are
 * expected to find.
 * @param {import("../plan/plan.js").PlanOptions} options
 * @returns {Promise<import("../plan/plan.js").Plan>} rejects with `argument`; `budget`, with the least that works; `wasm`
 */
export function plan(options) {
  return planWith(modules.builder, options);
}

export { PagevecError } from "../errors.js";

/**
 * @typedef {import("../plan/plan.js").PlanOptions} PlanOptions
 * @typedef {import("../plan/plan.js").Plan} Plan
 * @typedef {import("../plan/plan.js").PlanResident} PlanResident
 * @typedef {import("../plan/plan.js").PlanMissed} PlanMissed
 * @typedef {import("../plan/plan.js").PlanExpected} PlanExpected
 */
