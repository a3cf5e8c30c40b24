// A merge of segments in a thread of its own: both sides. Its inputs never change, so it reads them while the host writes; its output is
// a file that nobody else has open until it is done. The thread ends with the merge, and its memory with it.
import { aborted, fromWasm, PagevecError, toPagevec } from "../../errors.js";
import { decodeError, encodeError } from "../../engine/remote/messages.js";
import { start } from "../host/glue.js";

/**
 * @typedef {import("../host/upkeep.js").Job} Job
 * @typedef {import("../host/upkeep.js").RunElsewhere} RunElsewhere
 * @typedef {import("../dirs/dir.js").JsFile} JsFile
 * @typedef {import("../host/core.js").Input} Input
 *
 * @typedef {{ module: WebAssembly.Module, where: any } & Job} Order `where`: the folder, as the thread finds it
 * @typedef {{ progress: { phase: string, done: number, total: number } } | { length: number } | { error: import("../../engine/remote/messages.js").ErrorData }} Report
 *
 * @typedef {object} Thread
 * @property {(order: { merge: Order }) => void} post
 * @property {() => void} end
 * @typedef {(onReport: (report: Report) => void, onFailure: (why: string) => void) => Thread} StartThread
 *
 * @typedef {object} Files of a thread
 * @property {(name: string) => Promise<Input & { close?: () => void }>} input
 * @property {(name: string) => Promise<JsFile>} output makes the file, or empties it
 */

/**
 * @param {StartThread} startThread
 * @param {() => Promise<WebAssembly.Module>} load
 * @param {any} where
 * @returns {RunElsewhere}
 */
export function mergeElsewhere(startThread, load, where) {
  return async (job, signal, onProgress) => {
    const module = await load();
    /** @type {Thread | undefined} */
    let thread;
    let stop = () => {};
    try {
      return await new Promise((resolve, reject) => {
        stop = () => reject(aborted(signal.reason));
        if (signal.aborted) return stop();
        signal.addEventListener("abort", stop, { once: true });
        thread = startThread(
          (report) => {
            if ("progress" in report) onProgress(report.progress);
            else if ("error" in report) reject(decodeError(report.error));
            else resolve(report.length);
          },
          (why) => reject(new PagevecError("worker", `the thread that merges segments stopped (${why}); it is tried again later`)),
        );
        thread.post({ merge: { module, where, ...job } });
      });
    } finally {
      signal.removeEventListener("abort", stop);
      thread?.end();
    }
  };
}

/**
 * The thread's side.
 * @param {Order} order
 * @param {Files} files
 * @param {(report: Report) => void} post
 */
export async function runMerge({ module, job, inputs, output }, files, post) {
  /** @type {{ close?: () => void }[]} */
  const opened = [];
  try {
    const glue = await start(module);
    const sources = [];
    for (const name of inputs) sources.push(await files.input(name));
    opened.push(...sources);
    const file = await files.output(output);
    opened.push(file);
    let length;
    try {
      length = glue.merge(job, sources, file, (phase, done, total) => (post({ progress: { phase, done, total } }), false));
    } catch (thrown) {
      throw fromWasm(thrown);
    }
    file.flush();
    for (const one of opened.splice(0)) one.close?.();
    post({ length });
  } catch (error) {
    for (const one of opened) one.close?.();
    post({ error: encodeError(toPagevec(error)) });
  }
}
