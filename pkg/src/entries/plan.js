// The entry `pagevec/plan`: plans an index by a budget of memory. It loads the module that builds, which pages that only search do
// not.
import { instantiate } from "../../wasm/build/instance.js";
import { fetchModule } from "../core/module.js";
import * as extras from "../engine/extras.js";
import { planWith } from "../plan/plan.js";

/**
 * Plans an index before it is built: which codes and which index fit a budget of memory, what each part takes, and what searches are
 * expected to find.
 * @param {import("../plan/plan.js").PlanOptions} options
 * @returns {Promise<import("../plan/plan.js").Plan>} rejects with `argument`; `budget`, with the least that works; `wasm`
 */
export function plan(options) {
  const module = () => fetchModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url));
  return planWith({ module, glue: async () => ({ instantiate }), loadExtras: async () => extras }, options);
}

export { PagevecError } from "../errors.js";

/**
 * @typedef {import("../plan/plan.js").PlanOptions} PlanOptions
 * @typedef {import("../plan/plan.js").Plan} Plan
 * @typedef {import("../plan/plan.js").PlanResident} PlanResident
 * @typedef {import("../plan/plan.js").PlanMissed} PlanMissed
 * @typedef {import("../plan/plan.js").PlanExpected} PlanExpected
 */
