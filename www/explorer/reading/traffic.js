// What an index requests, seen from outside of the package: `fetch` of a Traffic is given to `open`, and counts the bytes that
// come over the wire, in the waves in which they were asked for.

/**
 * @typedef {{ file: string, offset: number, length: number }} Read `length` bytes of a file that arrived
 * @typedef {{ reads: Read[], bytes: number, requests: number, from: number, to: number }} Wave requests that were under way together
 * @typedef {{ waves: Wave[], bytes: number, requests: number }} Account
 */

export class Traffic {
  #send;
  #underWay = 0;
  /** @type {Wave[]} */
  #waves = [];
  /** Names of the segments' files, in the order of index.json. @type {string[]} */
  files = [];

  /** @param {(url: URL, init: RequestInit) => Promise<Response>} [send] */
  constructor(send = (url, init) => fetch(url, init)) {
    this.#send = send;
  }

  /**
   * Requests, and counts. A wave ends when no request is under way.
   * @param {URL} url
   * @param {RequestInit} init
   * @returns {Promise<Response>}
   */
  fetch = async (url, init) => {
    if (this.#underWay === 0) this.#waves.push({ reads: [], bytes: 0, requests: 0, from: performance.now(), to: 0 });
    this.#underWay += 1;
    const wave = this.#waves[this.#waves.length - 1];
    wave.requests += 1;
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      this.#underWay -= 1;
      wave.to = performance.now();
    };
    init.signal?.addEventListener("abort", end, { once: true });
    try {
      const response = await this.#send(url, init);
      const name = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
      if (name === "index.json" && response.ok) {
        const { segments } = await response.clone().json();
        this.files = segments.map((/** @type {{ file: string }} */ { file }) => file);
      }
      const read = { ...placeOf(url, new Headers(init.headers).get("range")), length: 0 };
      wave.reads.push(read);
      const count = (/** @type {Uint8Array} */ chunk) => {
        read.length += chunk.length;
        wave.bytes += chunk.length;
      };
      return watched(response, count, end);
    } catch (error) {
      end();
      throw error;
    }
  };

  /** What was read since the last call. @returns {Account} */
  take() {
    const waves = this.#waves;
    this.#waves = [];
    const total = (/** @type {"bytes" | "requests"} */ of) => waves.reduce((before, wave) => before + wave[of], 0);
    return { waves, bytes: total("bytes"), requests: total("requests") };
  }
}

/** One after the other. @param {Account} a @param {Account} b @returns {Account} */
export const sum = (a, b) => ({ waves: [...a.waves, ...b.waves], bytes: a.bytes + b.bytes, requests: a.requests + b.requests });

/**
 * The same response, whose body tells of its chunks and of its end.
 * @param {Response} response
 * @param {(chunk: Uint8Array) => void} count
 * @param {() => void} end
 */
function watched(response, count, end) {
  if (!response.body) {
    end();
    return response;
  }
  const tell = {
    transform: (/** @type {Uint8Array} */ chunk, /** @type {TransformStreamDefaultController} */ controller) => {
      count(chunk);
      controller.enqueue(chunk);
    },
    flush: end,
    cancel: end,
  };
  const body = response.body.pipeThrough(new TransformStream(tell));
  return Object.defineProperty(response, "body", { value: body });
}

/**
 * Which file a request reads, and from which byte. A part, `seg-<hash>/65536-131071.bin`, is a piece of the file `seg-<hash>.bin`.
 * @param {URL} url
 * @param {string | null} range
 */
function placeOf({ pathname }, range) {
  const from = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
  const [, folder, first] = /([^/]+)\/(\d+)-\d+\.bin$/.exec(pathname) ?? [];
  if (folder) return { file: `${folder}.bin`, offset: Number(first) + from };
  return { file: decodeURIComponent(pathname.slice(pathname.lastIndexOf("/") + 1)), offset: from };
}

/**
 * Answers ranges of a file of this machine as a host would.
 * @param {File} file
 * @returns {(url: URL, init: RequestInit) => Promise<Response>}
 */
export function hostOf(file) {
  return async (_, { headers }) => {
    const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(headers).get("range") ?? "") ?? [];
    if (from === undefined) return new Response(file, { status: 200 });
    const end = Math.min(Number(last) + 1, file.size);
    if (Number(from) >= end) return new Response(null, { status: 416, headers: { "content-range": `bytes */${file.size}` } });
    const answered = { "content-range": `bytes ${from}-${end - 1}/${file.size}`, "content-length": String(end - Number(from)) };
    return new Response(file.slice(Number(from), end), { status: 206, headers: answered });
  };
}
