// What a collection needs beside its calls: files that are ready ahead, files that are removed behind, and merges of its segments, which
// another thread makes from immutable files while writes and searches go on.
import { notify, PagevecError, throwIfAborted, toPagevec } from "../../errors.js";

/** Milliseconds after which a merge is tried again that failed. */
const AGAIN = 30_000;
/** Milliseconds between looks at what is due by time. */
const TICK = 1000;

/**
 * @typedef {import("./core.js").Input} Input
 * @typedef {{ id: number, inputs: string[], output: string, rows: number, bytes: number }} Plan
 * @typedef {{ phase: string, done: number, total: number }} Progress
 * @typedef {(event: Progress) => void} OnProgress
 *
 * @typedef {object} Job what another thread needs for a merge
 * @property {Uint8Array} job
 * @property {string[]} inputs names of files
 * @property {string} output the name of the file that it makes
 *
 * @typedef {(job: Job, signal: AbortSignal, onProgress: OnProgress) => Promise<number>} RunElsewhere gives the length of the output
 */

export class Upkeep {
  #core;
  #dir;
  #elsewhere;
  #changed;
  /** @type {Promise<void>} the last change of files */
  #files = Promise.resolve();
  /** @type {Promise<void> | undefined} the merge under way */
  #merging;
  #stop = new AbortController();
  #notBefore = 0;
  #ticking;
  /** @type {Set<OnProgress>} of those who wait for a merge, whoever began it */
  #listeners = new Set();
  /** @type {PagevecError | undefined} why the last merge failed */
  failed;

  /**
   * @param {import("./core.js").Core} core
   * @param {import("../dirs/dir.js").Dir} dir
   * @param {RunElsewhere | undefined} elsewhere merges in another thread; without it they are made here
   * @param {() => void} changed called when something is different
   */
  constructor(core, dir, elsewhere, changed) {
    this.#core = core;
    this.#dir = dir;
    this.#elsewhere = elsewhere;
    this.#changed = changed;
    this.#ticking = setInterval(() => void this.#tick(), TICK);
    /** @type {{ unref?: () => void }} */ (/** @type {unknown} */ (this.#ticking)).unref?.();
  }

  get merging() {
    return this.#merging !== undefined;
  }

  /** Before a group of writes: the files are ready, and no more rows wait for their index than searches can scan. */
  async before() {
    await this.#files;
    if (!this.#merging) return;
    const { unindexed = 0, unindexedLimit = Infinity } = this.#core.stats() ?? {};
    if (unindexed > unindexedLimit) await this.#merging;
  }

  /** After writes: makes files ready, removes those that nobody needs, and begins a merge that is due. */
  after() {
    this.#files = this.#files.then(() => this.#arrange()).catch((error) => void (this.failed = toPagevec(error)));
    try {
      if (!this.#merging && Date.now() >= this.#notBefore && !this.#core.broken && !this.#stop.signal.aborted) this.#begin(false);
    } catch (error) {
      this.failed = toPagevec(error);
    }
    return this.#files;
  }

  /**
   * Merges until one segment is left that holds all rows.
   * @param {AbortSignal} signal
   * @param {OnProgress} onProgress
   */
  async compact(signal, onProgress) {
    const listener = (/** @type {Progress} */ event) => notify(onProgress, event);
    this.#listeners.add(listener);
    try {
      for (;;) {
        // One that is due may begin while this waits: no other is planned before it has ended.
        while (this.#merging) await this.#merging.catch(() => {});
        throwIfAborted(signal);
        await this.#core.ready();
        await this.#files;
        if (this.#merging) continue;
        if (!this.#begin(true, signal)) break;
        await this.#merging;
      }
      await this.after();
    } finally {
      this.#listeners.delete(listener);
    }
  }

  async close() {
    clearInterval(this.#ticking);
    this.#stop.abort();
    await this.#merging?.catch(() => {});
    await this.#files;
  }

  async #tick() {
    if (this.#core.broken) return;
    await this.#files;
    if (this.#stop.signal.aborted || this.#core.broken) return;
    try {
      this.#core.write((module) => module.tick(Date.now()));
    } catch {
      return; // the next write opens the collection again, or fails as this did
    }
    await this.after();
  }

  async #arrange() {
    if (this.#core.broken) return;
    /** @type {[string[], string[]]} */
    const [next, unused] = this.#core.read((module) => [JSON.parse(module.next_files()), JSON.parse(module.unused_files())]);
    await this.#dir.prepare(next);
    for (const name of unused) {
      // One that is refused is in use elsewhere: it stays among the unused, and is tried again.
      const gone = await this.#dir.discard(name).then(() => true, () => false);
      if (gone && !this.#core.broken) this.#core.read((module) => module.forgotten(name));
    }
  }

  /**
   * @param {boolean} all
   * @param {AbortSignal} [signal]
   * @returns {boolean} whether there is something to merge
   */
  #begin(all, signal) {
    if (this.#stop.signal.aborted) throw new PagevecError("closed", "the collection is closed: open it again");
    const text = this.#core.write((module) => module.plan(all));
    if (!text) return false;
    /** @type {Plan} */
    const plan = JSON.parse(text);
    const { signal: ends, forget } = either(this.#stop.signal, signal);
    this.#merging = this.#merge(plan, ends, (event) => this.#listeners.forEach((listener) => listener(event)), (length) => {
      this.#core.write((module) => module.commit(plan.id, plan.output, length));
      this.failed = undefined;
    }).finally(() => {
      forget();
      this.#merging = undefined;
      this.#changed();
    });
    // Whoever called compact() is told by it.
    this.#merging.catch((error) => {
      if (ends.aborted) return;
      this.failed = toPagevec(error);
      this.#notBefore = Date.now() + AGAIN;
    });
    if (!all) void this.#merging.then(() => this.after(), () => {});
    return true;
  }

  /**
   * @template T
   * @param {Plan} plan
   * @param {AbortSignal} signal
   * @param {OnProgress} onProgress
   * @param {(length: number) => T} take the output, which is open
   * @returns {Promise<T>}
   */
  async #merge({ id, inputs, output }, signal, onProgress, take) {
    try {
      const job = this.#core.read((module) => module.job(id));
      // The file is made by who writes it; what an earlier merge left there goes.
      await this.#dir.discard(output);
      const run = this.#elsewhere ?? ((job, signal, onProgress) => this.#here(job, signal, onProgress));
      const length = await run({ job, inputs, output }, signal, onProgress);
      throwIfAborted(signal);
      await this.#files;
      await this.#dir.adopt(output);
      // Its contents are durable by now, its name is not: whatever names it comes after.
      this.#dir.sync();
      return take(length);
    } catch (error) {
      // A manifest that could not be made durable may name the output: whoever opens the collection again sees whether it does.
      if (!this.#core.broken) {
        this.#core.read((module) => module.abandon(id));
        await this.#dir.discard(output).catch(() => {});
      }
      throw error;
    }
  }

  /** @type {RunElsewhere} */
  async #here({ job, inputs, output }, signal, onProgress) {
    await this.#dir.prepare([...this.#core.read((module) => JSON.parse(module.next_files())), output]);
    const opened = inputs.map((name) => this.#dir.open(name, "read"));
    const file = this.#dir.open(output, "create");
    try {
      const sources = opened.map((one) => ({ length: one.length(), read: one.read.bind(one) }));
      const length = this.#core.glue.merge(job, sources, file, (phase, done, total) => (onProgress({ phase, done, total }), signal.aborted));
      file.flush();
      return length;
    } finally {
      for (const one of [...opened, file]) one.close();
    }
  }
}

/**
 * @param {AbortSignal} one
 * @param {AbortSignal | undefined} other
 */
function either(one, other) {
  const both = new AbortController();
  const stop = () => both.abort();
  const given = other ? [one, other] : [one];
  for (const signal of given) signal.addEventListener("abort", stop);
  if (given.some(({ aborted }) => aborted)) stop();
  const forget = () => given.forEach((signal) => signal.removeEventListener("abort", stop));
  return { signal: both.signal, forget };
}
