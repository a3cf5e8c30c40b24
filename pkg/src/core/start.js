// Starts a session over the segments of an index: reads the front of each and its dead rows, all at the same time, and makes one
// reader of them.
import { isNpy } from "../describe.js";
import { notify, PagevecError, throwIfAborted, toPagevec } from "../errors.js";
import { JoinedSource } from "../sources/joined.js";
import { checkAgainst, nameOfEntry } from "../sources/manifest.js";
import { join, readAll } from "../sources/source.js";
import { infoOfAll } from "./info.js";
import { lend, Lost } from "./instances.js";
import { hasFilters } from "./module.js";
import { basesOf, factsOf, openReader } from "./protocol.js";
import { ABOUT_FILE, Session } from "./session.js";

/** Bytes from 0 that tell how long the front is. */
const HEAD = 65536;
const NONE = new Uint8Array();
/** Codes of errors for which `degraded` leaves a segment out: its files are not there, or not what they should be. */
const ABSENT = new Set([...ABOUT_FILE, "network", "timeout", "not-found", "forbidden", "status", "redirect", "range-unsupported", "stale", "io"]);

/**
 * @typedef {import("../sources/resolve.js").Segment} Segment
 * @typedef {{ memoryBudget: number, signal?: AbortSignal } & import("./session.js").Listeners} Settings
 * @typedef {{ name: string, generation?: number, segments: Segment[] }} Files
 *
 * @typedef {object} Opened what was read of a segment
 * @property {Segment} segment
 * @property {Uint8Array} front
 * @property {number} read bytes from 0, which may be more than the front
 * @property {Uint8Array} dead its dead-rows file; empty where it has none
 * @property {boolean} again whether they were read a second time
 *
 * @typedef {{ session: Session, source: import("../sources/source.js").Source, info: import("./info.js").Info, opened: Opened[] }} Started
 */

/**
 * @param {Promise<WebAssembly.Module>} module
 * @param {Files} files
 * @param {Settings} settings
 * @param {boolean} alone whether it gets an instance that no other index shares
 * @param {boolean} degraded whether segments that cannot be read are left out
 * @returns {Promise<Started>}
 */
export async function startSession(module, { name, generation, segments }, settings, alone, degraded) {
  const { memoryBudget } = settings;
  const label = segments.length === 1 ? segments[0].source.name : name;
  const claimed = segments.reduce((sum, { entry }) => sum + (entry ? entry.front + (entry.dead?.length ?? 0) : 0), 0);
  // Memory for a head of 64 KiB is always there; for more, the manifest's claim is checked first.
  checkBudget(label, claimed, memoryBudget);
  /** @type {import("./info.js").Missing[]} */
  const missing = [];
  /** @type {Opened[]} */
  let opened = segments.map((segment) => ({ segment, front: NONE, read: 0, dead: NONE, again: false }));
  const leaveOut = (/** @type {Opened} */ one, /** @type {PagevecError} */ error) => {
    const { entry } = one.segment;
    if (!degraded || !entry || !ABSENT.has(error.code) || opened.length === 1) throw error;
    missing.push({ file: nameOfEntry(entry), error });
    opened = opened.filter((other) => other !== one);
  };
  const reads = new Reads(settings);
  const readOrLeave = (/** @type {Opened} */ one, signal = settings.signal) => reads.files(one, signal).catch((error) => leaveOut(one, toPagevec(error)));
  const [compiled] = await Promise.all([module, together(opened, readOrLeave, settings.signal)]);
  for (;;) {
    const length = opened.reduce((sum, one) => sum + lengthOf(one), 0);
    const lease = await lend(compiled, Math.min(length, memoryBudget), alone);
    /** @type {Session | undefined} */
    let session;
    /** @type {Opened | undefined} the one that an error is about */
    let blamed;
    try {
      for (blamed of opened) await reads.rest(blamed, lease);
      blamed = opened.length === 1 ? opened[0] : undefined;
      const reader = makeReader(opened, lease, label, memoryBudget, (one) => (blamed = one));
      const bases = lease.call(() => basesOf(reader));
      const source = opened.length === 1 ? opened[0].segment.source : new JoinedSource(name, opened.map(({ segment }) => segment.source), bases);
      session = new Session(reader, lease, source, settings, hasFilters(compiled));
      const facts = [];
      for (blamed of opened) {
        const { entry, source } = blamed.segment;
        const own = lease.call(() => factsOf(reader, facts.length));
        if (entry) checkAgainst(entry, own, source.name);
        facts.push({ ...own, contentId: entry?.contentId, model: entry?.model, base: bases[facts.length] });
      }
      opened.forEach(({ read }, i) => notify(settings.onFetch, { offset: bases[i], length: read }));
      return { session, source, info: infoOfAll(facts, generation, missing), opened };
    } catch (thrown) {
      const failed = toPagevec(thrown);
      if (session) session.end(failed);
      else lease.end();
      if (failed instanceof Lost) continue;
      if (!blamed) throw failed;
      // Stored bytes may be damaged: they are read once more, from the host.
      if (!blamed.again && failed.code !== "budget" && forget(blamed)) {
        blamed.again = true;
        await readOrLeave(blamed);
        continue;
      }
      if (failed.code === "not-a-segment" && isNpy(blamed.front)) failed.message = `${blamed.segment.source.name} is a .npy file of vectors, not an index of them: make one with build(), or with the command line (\`pagevec build\`)`;
      leaveOut(blamed, failed);
    }
  }
}

/** @param {Opened} one */
function lengthOf({ segment, front }) {
  return segment.source.length ?? front.length;
}

/**
 * @param {Opened[]} opened
 * @param {import("./instances.js").Lease} lease
 * @param {string} label
 * @param {number} memoryBudget
 * @param {(one: Opened | undefined) => void} blame is told which segment an error is about, where it is about one
 * @returns {import("./protocol.js").Reader}
 */
function makeReader(opened, lease, label, memoryBudget, blame) {
  const fronts = opened.map((one) => ({ ...one, length: lengthOf(one) }));
  checkBudget(label, fronts.reduce((sum, { front, dead }) => sum + front.length + dead.length, 0), memoryBudget);
  try {
    return lease.call((glue) => openReader(glue, fronts, memoryBudget), label);
  } catch (error) {
    if (opened.length === 1 || !ABOUT_FILE.has(/** @type {PagevecError} */ (error).code)) throw error;
    // The one that cannot be opened alone either is at fault.
    fronts.forEach((one, i) => {
      blame(opened[i]);
      lease.call((glue) => openReader(glue, [one], memoryBudget).free(), one.segment.source.name);
    });
    blame(undefined);
    throw error;
  }
}

/** @param {Opened} one */
function forget({ segment: { source, dead }, read }) {
  const front = source.forget?.({ offset: 0, length: read }) ?? false;
  return (dead?.forget?.({ offset: 0, length: dead.length ?? 0 }) ?? false) || front;
}

/**
 * Reads all at the same time. When one fails, the others end. Each has a signal of its own, as Node warns where a signal has many
 * listeners.
 * @param {Opened[]} opened
 * @param {(one: Opened, signal: AbortSignal) => Promise<void>} read
 * @param {AbortSignal | undefined} signal
 */
async function together(opened, read, signal) {
  const own = opened.map(() => new AbortController());
  const stop = () => own.forEach((controller) => controller.abort(signal?.reason));
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    await Promise.all(opened.map((one, i) => read(one, own[i].signal)));
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** The reads of an opening, and how far they are. */
class Reads {
  #settings;
  #done = 0;
  #total = 0;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /**
   * @param {Opened} one gets its front, as far as it is known, and its dead rows
   * @param {AbortSignal | undefined} signal
   */
  async files(one, signal) {
    const { source, dead, entry } = one.segment;
    const guess = entry?.front ?? Math.min(HEAD, source.length ?? HEAD);
    const both = [this.#read(source, 0, guess, signal), dead ? this.#read(dead, 0, dead.length ?? 0, signal) : NONE];
    [one.front, one.dead] = await Promise.all(both);
    one.read = one.front.length;
  }

  /**
   * Reads what is missing of a front, and cuts off what is behind it.
   * @param {Opened} one
   * @param {import("./instances.js").Lease} lease
   */
  async rest(one, lease) {
    const { segment: { source }, front } = one;
    const needed = lease.call((glue) => glue.frontLength(front.subarray(0, HEAD), lengthOf(one)), source.name);
    checkBudget(source.name, needed, this.#settings.memoryBudget);
    const missing = needed - front.length;
    if (missing > 0) one.front = join([front, await this.#read(source, front.length, missing, this.#settings.signal)], needed);
    one.read = Math.max(one.read, needed);
    one.front = one.front.subarray(0, needed);
  }

  /**
   * @param {import("../sources/source.js").Source} source
   * @param {number} offset
   * @param {number} length
   * @param {AbortSignal | undefined} signal
   */
  async #read(source, offset, length, signal) {
    const { onProgress } = this.#settings;
    this.#total += length;
    let before = 0;
    const bytes = await readAll(source, offset, length, signal, (done) => {
      this.#done += done - before;
      before = done;
      notify(onProgress, { phase: "open", done: this.#done, total: this.#total });
    });
    throwIfAborted(signal);
    return bytes;
  }
}

/**
 * @param {string} name
 * @param {number} needed
 * @param {number} budget
 */
function checkBudget(name, needed, budget) {
  if (needed > budget) throw new PagevecError("budget", `${name} needs ${needed} bytes to open, the memoryBudget is ${budget}: raise it`);
}
