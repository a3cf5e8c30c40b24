// A progress bar on stderr, if that is a terminal, for work longer than a second.
const DELAY_MS = 1000;
const PAUSE_MS = 100;
const BAR = 40;

export class Progress {
  #started = performance.now();
  #shown = 0;
  #phase = "";
  #phaseStarted = 0;

  /** @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} [stream] */
  constructor(stream = process.stderr) {
    this.stream = stream;
  }

  /**
   * Reports the progress of a phase. It is cheap enough to be called for every batch.
   * @param {string} phase
   * @param {number} done
   * @param {number} total
   */
  tick(phase, done, total) {
    const now = performance.now();
    if (!this.stream.isTTY || now - this.#started < DELAY_MS || now - this.#shown < PAUSE_MS) return;
    if (phase !== this.#phase) [this.#phase, this.#phaseStarted] = [phase, now];
    this.#shown = now;
    const part = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(part * BAR);
    const left = part > 0 ? ` ${Math.ceil(((now - this.#phaseStarted) / 1000) * (1 / part - 1))}s` : "";
    this.stream.write(`\r\x1b[K${phase.padStart(10)} ${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${done.toLocaleString("en")}/${total.toLocaleString("en")}${left}`);
  }

  /** Clears the bar. */
  end() {
    if (this.#shown > 0) this.stream.write("\r\x1b[K");
    this.#shown = 0;
  }
}
