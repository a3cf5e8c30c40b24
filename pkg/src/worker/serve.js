// The worker's side of engine/messages.js: one index, opened by the first call.
import { PagevecError, throwIfAborted } from "../errors.js";
import { answering } from "../engine/remote/answering.js";
import { buffersOf, encodeInfo } from "../engine/remote/messages.js";
import { openEngine } from "../engine/open.js";

/**
 * @typedef {import("../engine/engine.js").Engine} Engine
 * @typedef {import("../engine/remote/messages.js").ToWorker} ToWorker
 * @typedef {import("../engine/remote/messages.js").FromWorker} FromWorker
 * @typedef {import("../engine/remote/messages.js").Call} Call
 */

/**
 * @param {import("../engine/open.js").Platform} platform
 * @param {(message: FromWorker, transfer: ArrayBuffer[]) => void} post
 * @returns {(message: ToWorker) => Promise<void>} what to call with each message
 */
export function serve(platform, post) {
  /** @type {Engine | undefined} */
  let engine;
  const stats = () => (engine && !engine.closed ? engine.stats() : undefined);

  /**
   * @param {Call} call
   * @param {AbortSignal} signal
   * @returns {Promise<any>}
   */
  const run = async (call, signal) => {
    if (call.call === "open") {
      const { input, settings, listens } = call;
      const send = (/** @type {"onProgress" | "onFetch"} */ event) => (listens[event] ? (/** @type {unknown} */ detail) => post({ event, detail }, []) : undefined);
      const { fetch, embedder, embed, worker, model } = /** @type {Partial<import("../engine/settings.js").Checked>} */ ({});
      const opened = await openEngine(platform, input, { ...settings, fetch, embedder, embed, worker, model, signal, onProgress: send("onProgress"), onFetch: send("onFetch") });
      // Who opened it waits no longer, and would not close it.
      if (signal.aborted) await opened.close();
      throwIfAborted(signal);
      engine = opened;
      return encodeInfo(engine.info);
    }
    if (!engine) throw new PagevecError("internal", "the worker was called before it opened an index: please report it");
    switch (call.call) {
      case "search":
        return engine.search(call.query, call.request, signal);
      case "searchArrays":
        return engine.searchArrays(call.query, call.request, signal);
      case "save":
        return engine.save(signal);
      case "explain":
        return engine.explain(call.query, call.request, signal);
      case "vector":
        return engine.vector(call.rowId, signal);
      case "get":
        return engine.get(call.ids, call.names, signal);
      case "has":
        return engine.has(call.rowId, signal);
      case "count":
        return engine.count(call.filter, signal);
      case "facets":
        return engine.facets(call.field, call.options, signal);
      case "rows":
        return engine.rows(call.page, signal);
      case "load":
        return engine.load(signal);
      case "evict":
        return engine.evict(call.bytes);
      case "setMemoryBudget":
        return engine.setMemoryBudget(call.bytes);
      case "memoryMap":
        return engine.memoryMap();
      case "watch":
        return engine.watch(call.on ? (detail) => post({ event: "onMemory", detail }, []) : undefined);
      case "close":
        return engine.close();
    }
  };

  return answering(run, (answer) => post({ ...answer, stats: stats() }, "value" in answer ? buffersOf(answer.value) : []));
}
