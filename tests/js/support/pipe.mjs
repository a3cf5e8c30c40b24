// The link that all answers of a server share: so many bytes a second, dealt out in turns.

/** Small enough that streams share 10 Mbit/s fairly: 6.5 ms of it. */
const CHUNK = 8192;

export class Pipe {
  /** @type {{ response: import("node:http").ServerResponse, body: Buffer, at: number, head: number, done: () => void }[]} */
  #queue = [];
  /** When the last byte that was put on the link has left it. */
  #free = 0;
  #rate;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {() => number} rate bytes a second, asked for each chunk; Infinity is no limit */
  constructor(rate) {
    this.#rate = rate;
  }

  /**
   * Resolves when the last byte has left, or when the client has.
   * @param {import("node:http").ServerResponse} response its head is written
   * @param {Buffer} body
   * @param {number} head bytes of the head on the wire
   * @returns {Promise<void>}
   */
  send(response, body, head) {
    return new Promise((done) => {
      if (this.#queue.length === 0) this.#free = Math.max(this.#free, performance.now());
      this.#queue.push({ response, body, at: 0, head, done });
      this.#pump();
    });
  }

  /** A chunk is written when its last byte would have arrived. Timers run late; the clock of the link does not. */
  #pump() {
    clearTimeout(this.#timer);
    for (let turn = this.#queue[0]; turn; turn = this.#queue[0]) {
      const { response, body, at, head, done } = turn;
      const chunk = body.subarray(at, at + CHUNK);
      const rate = this.#rate();
      const left = this.#free + (rate === Infinity ? 0 : ((chunk.length + head) * 1000) / rate);
      const wait = left - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pump(), wait);
        return;
      }
      this.#free = left;
      this.#queue.shift();
      const end = at + chunk.length;
      if (!response.destroyed && end < body.length) {
        response.write(chunk);
        this.#queue.push({ response, body, at: end, head: 0, done });
      } else {
        if (!response.destroyed) response.end(chunk);
        done();
      }
    }
  }
}
