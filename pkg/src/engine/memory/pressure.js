// The controller of an open index: it looks at the memory ten times a second while somebody listens, acts as the level says, and tells.
import { notify } from "../../errors.js";
import { Ladder, LEVELS } from "./levels.js";

const TICK_MS = 100;
/** What is held once pages that were not used lately are evicted, as a part of the budget. */
const LOW = 0.65;
/** Searches at once while memory is nearly full. */
const FEW = 4;
/** What a page can have; and how long the measure of it, which waits for a garbage collection, is left alone. */
const PAGE_BYTES = 4 * 1024 * 1024 * 1024;
const PAGE_PAUSE_MS = 10_000;

/** @type {Record<import("./levels.js").Level, Action[]>} */
const ACTIONS = { normal: [], optimise: ["optimise"], preventive: ["evict-unused"], emergency: ["evict-caches", "limit-searches"] };

/**
 * @typedef {"optimise" | "evict-unused" | "evict-caches" | "limit-searches" | "accept-searches"} Action `optimise`: memory that searches
 *   reuse is given back; `evict-unused`: rows and lists that were not used lately are dropped; `evict-caches`: all of them;
 *   `limit-searches`: more than a few at once are refused with `budget`, until `accept-searches`
 *
 * @typedef {object} MemoryEvent
 * @property {import("./levels.js").Level} level from 0.7 of the memory budget `optimise`, from 0.8 `preventive`, from 0.9 `emergency`
 * @property {Action[]} actions what was done
 * @property {number} pressure what is reserved, as a part of the budget; 1 after memory could not grow
 * @property {"budget" | "grow" | "page"} reason what the pressure is of: the memory budget; a `memory.grow` that failed; the memory
 *   of the whole page, where the browser tells it
 * @property {number} held bytes that were reserved before the actions
 * @property {number} budget the memory budget
 * @property {number} evicted bytes that the actions dropped
 * @property {number} [page] bytes of the page, where the browser tells them
 *
 * @typedef {object} Subject what is looked at, and acted on
 * @property {() => { held: number, slots: number, units: number, budget: number }} look `slots` are held for rows and lists, which have
 *   `units` bytes themselves
 * @property {(bytes: number) => Promise<number>} evict
 * @property {(searches: number) => void} limit
 */

export class Pressure {
  #subject;
  #tell;
  #ladder = new Ladder();
  #before = 0;
  #last = performance.now();
  #acting = false;
  #grown = false;
  #limited = false;
  /** @type {number | undefined} */
  #page;
  #measured = -Infinity;
  #timer;

  /**
   * @param {Subject} subject
   * @param {(event: MemoryEvent) => void} tell
   */
  constructor(subject, tell) {
    this.#subject = subject;
    this.#tell = tell;
    this.#timer = setInterval(() => void this.look(), TICK_MS);
    // In Node the timer must not keep a process alive.
    /** @type {{ unref?: () => void }} */ (/** @type {unknown} */ (this.#timer)).unref?.();
    void this.look();
  }

  /** Memory could not grow: the next look, which is at once, takes it for full. */
  failed() {
    this.#grown = true;
    return this.look();
  }

  stop() {
    clearInterval(this.#timer);
    this.#acting = true;
    this.#subject.limit(Infinity);
  }

  async look() {
    if (this.#acting) return;
    this.#acting = true;
    try {
      await this.#tick();
    } catch {
      // The index was closed meanwhile, or its instance trapped, which the next search tells.
    } finally {
      this.#acting = false;
    }
  }

  async #tick() {
    void this.#measure();
    const { held, slots, units, budget } = this.#subject.look();
    const most = Math.min(PAGE_BYTES, (/** @type {{ deviceMemory?: number }} */ (globalThis.navigator ?? {}).deviceMemory ?? Infinity) * 2 ** 30);
    const [own, page] = [held / budget, (this.#page ?? 0) / most];
    const reason = this.#grown ? "grow" : page > own ? "page" : "budget";
    const pressure = this.#grown ? 1 : Math.max(own, page);
    const now = performance.now();
    const since = Math.max(1, Math.round((now - this.#last) / TICK_MS));
    const old = this.#ladder.level;
    const due = this.#ladder.step(pressure, (pressure - this.#before) / since, since);
    [this.#before, this.#last, this.#grown] = [pressure, now, false];
    const level = LEVELS[this.#ladder.level];
    const actions = due ? [...ACTIONS[level]] : [];
    if (this.#limited && level !== "emergency") actions.push("accept-searches");
    if (!due && this.#ladder.level === old) return;
    // Sections that are held whole are read again at great cost: they go where memory is short outside of the budget.
    const all = reason === "budget" ? units : Infinity;
    let evicted = 0;
    for (const action of actions) {
      if (action === "optimise") await this.#subject.evict(0);
      if (action === "evict-unused") evicted += await this.#subject.evict(Math.min(1, Math.max(0, held - LOW * budget) / Math.max(1, slots)) * units);
      if (action === "evict-caches") evicted += await this.#subject.evict(all);
      if (action === "limit-searches" || action === "accept-searches") this.#limit(action === "limit-searches");
    }
    notify(this.#tell, { level, actions, pressure, reason, held, budget, evicted, ...(this.#page !== undefined && { page: this.#page }) });
  }

  /** @param {boolean} limited */
  #limit(limited) {
    this.#limited = limited;
    this.#subject.limit(limited ? FEW : Infinity);
  }

  async #measure() {
    const { measureUserAgentSpecificMemory: measure } = /** @type {{ measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }> }} */ (performance);
    if (!measure || performance.now() - this.#measured < PAGE_PAUSE_MS) return;
    // It answers within seconds, or not at all where the page is not isolated.
    this.#measured = Infinity;
    try {
      this.#page = (await measure.call(performance)).bytes;
      this.#measured = performance.now();
    } catch {
      this.#page = undefined;
    }
  }
}
