// Brings codes and graph into memory in pauses between calls, piece by piece.

/** Milliseconds without a call after which it goes on. */
const PAUSE = 100;
/** Bytes of a piece: a few tenths of a second on a common connection. */
const PIECE = 1 << 20;
/** Failures in a row after which it gives up. */
const MAX_FAILURES = 3;

/**
 * @typedef {"none" | "codes" | "all"} PrefetchChoice
 *
 * @typedef {object} PrefetchStats
 * @property {"waiting" | "running" | "paused" | "done" | "off"} state `waiting` for the first answer; `paused` by a call or a
 *   failure, until the next answer
 * @property {string} [why] it is off or paused
 * @property {number} bytes brought into memory
 *
 * @typedef {Pick<Prefetch, "stats" | "begin" | "pause" | "resume" | "restart" | "stop">} Prefetcher
 */

export class Prefetch {
  /** @type {PrefetchStats} */
  stats = { state: "waiting", bytes: 0 };
  #graph;
  /** @type {((most: number, signal: AbortSignal) => Promise<number>) | undefined} */
  #next;
  #busy = 0;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {AbortController | undefined} */
  #piece;

  /** @param {boolean} graph whether the graph is wanted too */
  constructor(graph) {
    this.#graph = graph;
  }

  /**
   * @param {import("./info.js").Info} info
   * @param {(wanted: (extent: { offset: number }) => boolean, most: number, signal: AbortSignal) => Promise<number>} piece
   *   fetches some bytes and returns how many; 0: there are no more
   */
  begin({ sections }, piece) {
    const graphs = sections.filter(({ name }) => name === "graph");
    const inGraph = (/** @type {{ offset: number }} */ { offset }) => graphs.some((graph) => offset >= graph.offset && offset < graph.offset + graph.length);
    this.#next = (most, signal) => piece((extent) => this.#graph || !inGraph(extent), most, signal);
  }

  /** A call begins, and has the network to itself. */
  pause() {
    this.#busy += 1;
    clearTimeout(this.#timer);
    this.#piece?.abort();
  }

  /** A call has ended. */
  resume() {
    this.#busy -= 1;
    if (this.#busy > 0 || this.stats.state === "done" || this.stats.state === "off") return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#go(), PAUSE);
    // In Node the timer must not keep a process alive.
    /** @type {{ unref?: () => void }} */ (/** @type {unknown} */ (this.#timer)).unref?.();
  }

  /** What was brought is not in memory any more: it is brought again after the next answer. */
  restart() {
    if (this.stats.state === "done") this.#set("waiting");
  }

  stop() {
    this.#set("off", "the index is closed");
    clearTimeout(this.#timer);
    this.#piece?.abort();
  }

  async #go() {
    const { connection } = /** @type {{ connection?: { saveData?: boolean } }} */ (globalThis.navigator ?? {});
    if (connection?.saveData) return this.#set("off", "the visitor saves data (navigator.connection.saveData)");
    const { signal } = (this.#piece = new AbortController());
    this.#set("running");
    try {
      for (let bytes; (bytes = (await this.#next?.(PIECE, signal)) ?? 0) > 0; this.#failures = 0) this.stats.bytes += bytes;
      this.#set("done");
    } catch (error) {
      const { code, message } = /** @type {import("../errors.js").PagevecError} */ (error);
      if (this.stats.state === "off") return;
      if (signal.aborted) return this.#set("paused", "a call came first");
      this.#failures += 1;
      this.#set(code === "argument" || this.#failures === MAX_FAILURES ? "off" : "paused", message);
    }
  }

  /**
   * @param {PrefetchStats["state"]} state
   * @param {string} [why]
   */
  #set(state, why) {
    this.stats = { state, why, bytes: this.stats.bytes };
  }
}
