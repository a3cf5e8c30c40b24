// How full memory is: the controller's ladder, as src/pressure/choose.rs has it for collections. A test compares the two on traces.

export const LEVELS = /** @type {const} */ (["normal", "optimise", "preventive", "emergency"]);
/** The parts of the budget from which the levels hold. */
const AT = [0, 0.7, 0.8, 0.9];
/** By so much the pressure must have fallen below the threshold of a level that is left. */
const MARGIN = 0.05;
/** Ticks for which a level is held at least, and after which one that lasts acts again. */
const HOLD = 5;
const AGAIN = 10;

/** @typedef {typeof LEVELS[number]} Level */

export class Ladder {
  /** Its place in LEVELS. */
  level = 0;
  #held = 0;
  #acted = 0;

  /**
   * A step up is taken at once, also if the pressure, as it rises, will be there at the next tick; a step down once the level was held
   * and the pressure is below it by the margin.
   * @param {number} pressure what is reserved, as a part of the budget
   * @param {number} trend by how much it rises in a tick
   * @param {number} since ticks since the last call
   * @returns {boolean} whether the actions of the level are due
   */
  step(pressure, trend, since) {
    const before = this.level;
    const held = this.#held + since;
    const ahead = held >= HOLD ? pressure + Math.max(trend, 0) : pressure;
    const reaches = (/** @type {number} */ level, margin = 0) => pressure >= AT[level] - margin;
    const up = [3, 2, 1].find((level) => level > before && (reaches(level) || (ahead >= AT[level] && reaches(level, MARGIN))));
    const down = () => [3, 2, 1].find((level) => level <= before && reaches(level, MARGIN)) ?? 0;
    this.level = up ?? (held >= HOLD ? down() : before);
    this.#held = this.level === before ? held : 0;
    this.#acted += since;
    const due = this.level > before || (this.level > 0 && this.#acted >= AGAIN);
    if (due) this.#acted = 0;
    return due;
  }
}
