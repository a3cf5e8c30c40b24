// Runs a job in the worker thread, and ends it when the user interrupts.
import { Worker } from "node:worker_threads";
import { Failure, toFailure } from "../failure.js";
import { perform } from "./job.js";

/**
 * @typedef {{ length: number, memory: number, warnings: { code: string, message: string }[] }} Done `memory`: the bytes that the
 *   WebAssembly module took, which never shrink
 */

/**
 * @param {import("./job.js").BuildJob | import("./job.js").VerifyJob} job
 * @param {import("../progress.js").Progress} progress
 * @param {string} interrupted what an interrupt says
 * @returns {Promise<Done>}
 */
export function runJob(job, progress, interrupted) {
  /** @type {Done["warnings"]} */
  const warnings = [];
  /** @type {(failure: Failure) => void} */
  let fail = () => {};
  /** @type {(told: import("./job.js").Told) => void} */
  let take = () => {};
  /** @type {Promise<Done>} */
  const done = new Promise((resolve, reject) => {
    fail = reject;
    take = (told) => {
      if (told.kind === "progress") progress.tick(told.phase, told.done, told.total);
      else if (told.kind === "warning") warnings.push({ code: told.code, message: told.message });
      else if (told.kind === "failed") reject(new Failure(told.exit, told.code, told.message));
      else resolve({ length: told.length, memory: told.memory, warnings });
    };
  });
  // In Deno an open file is of one thread. An interrupt ends the process there, and its files have no names.
  if ("Deno" in globalThis) return perform(job, take).then(() => done);
  return inWorker(job, take, fail, done, interrupted);
}

/**
 * @param {import("./job.js").BuildJob | import("./job.js").VerifyJob} job
 * @param {(told: import("./job.js").Told) => void} take
 * @param {(failure: Failure) => void} fail
 * @param {Promise<Done>} done
 * @param {string} interrupted
 */
async function inWorker(job, take, fail, done, interrupted) {
  const worker = new Worker(new URL("./cli-worker.js", import.meta.url), { workerData: job });
  worker.on("message", take);
  worker.on("error", (error) => fail(toFailure(error)));
  worker.on("exit", () => fail(new Failure(1, "internal", "the worker thread ended before it was done: please report it")));
  const stop = () => fail(new Failure(1, "cancelled", interrupted));
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, stop);
  try {
    return await done;
  } finally {
    for (const signal of signals) process.off(signal, stop);
    await worker.terminate();
  }
}
