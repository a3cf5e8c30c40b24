// Runs a job in the worker thread, and ends it when the user interrupts.
import { Worker } from "node:worker_threads";
import { Failure, toFailure } from "../failure.js";

/**
 * @typedef {{ length: number, memory: number, warnings: { code: string, message: string }[] }} Done `memory`: the bytes that the
 *   WebAssembly module took, which never shrink
 */

/**
 * @param {import("./worker.js").BuildJob | import("./worker.js").VerifyJob} job
 * @param {import("../progress.js").Progress} progress
 * @param {string} interrupted what an interrupt says
 * @returns {Promise<Done>}
 */
export function runJob(job, progress, interrupted) {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: job });
  /** @type {Done["warnings"]} */
  const warnings = [];
  /** @type {(failure: Failure) => void} */
  let fail;
  const stop = () => fail(new Failure(1, "cancelled", interrupted));
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  /** @type {Promise<Done>} */
  const done = new Promise((resolve, reject) => {
    fail = reject;
    worker.on("message", (/** @type {import("./worker.js").Told} */ told) => {
      if (told.kind === "progress") progress.tick(told.phase, told.done, told.total);
      else if (told.kind === "warning") warnings.push({ code: told.code, message: told.message });
      else if (told.kind === "failed") reject(new Failure(told.exit, told.code, told.message));
      else resolve({ length: told.length, memory: told.memory, warnings });
    });
    worker.on("error", (error) => reject(toFailure(error)));
    worker.on("exit", () => reject(new Failure(1, "internal", "the worker thread ended before it was done: please report it")));
  });
  for (const signal of signals) process.on(signal, stop);
  return done.finally(async () => {
    for (const signal of signals) process.off(signal, stop);
    await worker.terminate();
  });
}
