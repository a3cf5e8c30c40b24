// The index of this isolate: opened by the first request that needs it, and used by all that follow.
import { open, PagevecError } from "pagevec";
import wasm from "pagevec/pagevec.wasm";
import { indexOf, requestsOf } from "./config.js";

/** By which requests are planned. It is fixed as a worker's clock stands still between its reads. */
const LINK = { rttMs: 20, mbits: 200 };
/** Of k, that are ranked by finer rows once codes are in memory: each may take a request, and more find hardly more. */
const CANDIDATES = 2;

/**
 * @typedef {import("pagevec").Index} Index
 * @typedef {{ waitUntil(promise: Promise<unknown>): void }} Context
 */

export const isolate = {
  /** @type {Promise<Index> | undefined} */
  opened: undefined,
  /** @type {Promise<void> | undefined} of codes and graph */
  loading: undefined,
  loaded: false,
  /** @type {Set<Promise<unknown>>} searches under way */
  searches: new Set(),
};

/**
 * @param {import("./config.js").Env} env
 * @param {Context} ctx
 * @param {Promise<Float32Array>} vector
 * @param {number} k
 * @param {AbortSignal} signal
 * @returns {ReturnType<Index["search"]>}
 */
export async function search(env, ctx, vector, k, signal) {
  const found = searchOnce(env, ctx, vector, k, signal).catch((error) => {
    // Its files were replaced, or another search found that and closed it: the index as it is now answers.
    if (!is(error, "stale") && !is(error, "closed")) throw error;
    return searchOnce(env, ctx, vector, k, signal);
  });
  isolate.searches.add(found);
  try {
    const hits = await found;
    if (env.LOAD === "true") ctx.waitUntil(load());
    return hits;
  } catch (error) {
    // Requests to the index end with the answer of the call that made them, and those who run beside it may wait for them.
    ctx.waitUntil(Promise.allSettled(isolate.searches));
    throw error;
  } finally {
    isolate.searches.delete(found);
  }
}

/** @type {typeof search} */
async function searchOnce(env, ctx, vector, k, signal) {
  if (!isolate.opened) {
    isolate.opened = openIndex(env, signal);
    // Others wait for it, so it must end even if this request does before it.
    ctx.waitUntil(isolate.opened.catch(() => {}));
  }
  const { opened } = isolate;
  const [index, query] = await Promise.all([opened, vector]);
  try {
    return await index.search(query, { k, signal, ...(isolate.loaded && { rescore: CANDIDATES * k }) });
  } catch (error) {
    if (is(error, "stale") && isolate.opened === opened) {
      Object.assign(isolate, { opened: undefined, loading: undefined, loaded: false });
      await index.close();
    }
    throw error;
  }
}

/**
 * @param {import("./config.js").Env} env
 * @param {AbortSignal} signal
 */
async function openIndex(env, signal) {
  try {
    const { url, fetch } = indexOf(env);
    return await open(url, { wasm, fetch, signal, memoryBudget: env.MEMORY_BUDGET ?? "32MiB", maxRequests: requestsOf(env), link: LINK, connection: "edge" });
  } catch (error) {
    isolate.opened = undefined; // the next request may succeed
    throw error;
  }
}

/** Behind the first answer, so that nobody waits for it; searches read what they need until it is done. */
function load() {
  const { opened } = isolate;
  isolate.loading ??= (async () => {
    try {
      await (await opened)?.load();
      isolate.loaded = isolate.opened === opened;
    } catch (error) {
      console.error("load:", error instanceof Error ? error.message : error);
      // It will never fit, or it has no graph: only that is not tried again.
      if (!is(error, "argument") && isolate.opened === opened) isolate.loading = undefined;
    }
  })();
  return isolate.loading;
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function is(error, code) {
  return error instanceof PagevecError && error.code === code;
}
