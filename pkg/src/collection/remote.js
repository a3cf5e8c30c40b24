// A link to a collection in a worker of this page. When the worker stops, the calls under way fail, and the next one starts another.
import { Peer } from "../engine/remote/peer.js";
import { PagevecError } from "../errors.js";
import { closed } from "./calls/calls.js";
import { toDirectory, writeInto } from "./transfer/directory.js";

/**
 * @typedef {import("./calls/calls.js").Link} Link
 * @typedef {import("./messages.js").TabCall} TabCall
 * @typedef {import("./messages.js").State} State
 * @typedef {(events: import("../engine/remote/peer.js").PortEvents) => import("../engine/remote/peer.js").Port} StartWorker
 */

/** @implements {Link} */
export class RemoteLink {
  #start;
  #wires;
  /** @type {import("./messages.js").HostSettings} */
  #settings;
  /** @type {Peer | undefined} */
  #peer;
  /** @type {Promise<Peer> | undefined} */
  #opening;
  /** @type {Map<number, (event: import("./calls/calls.js").CompactProgress) => void>} listeners, by the number of their call */
  #progress = new Map();
  #calls = 0;
  #stopWatching = () => {};
  #closed = false;
  /** @type {State} */
  state;

  /**
   * @param {StartWorker} start
   * @param {import("./messages.js").HostSettings} settings
   * @param {import("./open.js").Wires} wires
   * @param {AbortSignal} [signal]
   */
  static async open(start, settings, wires, signal) {
    const link = new RemoteLink(start, settings, wires);
    link.#peer = await link.#open(signal);
    // The next worker opens what is there: it makes nothing new.
    link.#settings = { ...settings, create: false, from: undefined };
    link.#stopWatching = watch((visible, frozen) => void link.#peer?.call(/** @type {any} */ ({ call: "visible", visible, frozen })).catch(() => {}));
    return link;
  }

  /**
   * @param {StartWorker} start
   * @param {import("./messages.js").HostSettings} settings
   * @param {import("./open.js").Wires} wires
   */
  constructor(start, settings, wires) {
    this.#start = start;
    this.#settings = settings;
    this.#wires = wires;
    this.state = /** @type {State} */ ({});
  }

  /** @type {Link["call"]} */
  call = async (call, signal, onProgress) => {
    if (this.#closed) throw closed();
    const peer = this.#peer && !this.#peer.failed ? this.#peer : await this.#again();
    const watched = ++this.#calls;
    if (onProgress) this.#progress.set(watched, onProgress);
    const moved = call.call === "upsert" ? [call.vectors] : call.call === "search" ? [call.queries] : call.call === "import" ? [call.segment] : [];
    try {
      return await peer.call(/** @type {any} */ ({ ...call, watched }), signal, moved.map(({ buffer }) => buffer));
    } finally {
      this.#progress.delete(watched);
    }
  };

  /** @type {Link["openPath"]} */
  openPath = () => undefined;

  /** @type {Link["backupInto"]} */
  async backupInto(to, signal) {
    const directory = toDirectory(to);
    await writeInto(directory, await this.call({ call: "backup" }, signal));
  }

  async persist() {
    const { storage } = navigator;
    if (!this.state.persistent || !storage?.persist) return false;
    return (await storage.persisted()) || storage.persist();
  }

  async close() {
    this.#closed = true;
    this.#stopWatching();
    const peer = await this.#opening?.catch(() => undefined) ?? this.#peer;
    if (peer && !peer.failed) await peer.call(/** @type {any} */ ({ call: "close" })).catch(() => {});
    peer?.fail(closed());
  }

  #again() {
    this.#opening ??= this.#open()
      .then((peer) => (this.#peer = peer))
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /** @param {AbortSignal} [signal] */
  async #open(signal) {
    const listeners = {
      change: this.#wires.onChange,
      state: (/** @type {State} */ state) => void (this.state = state),
      progress: (/** @type {{ watched: number, progress: import("./calls/calls.js").CompactProgress }} */ { watched, progress }) => this.#progress.get(watched)?.(progress),
    };
    const peer = new Peer(this.#start, /** @type {any} */ (listeners));
    try {
      this.state = await peer.call(/** @type {any} */ ({ call: "open", settings: this.#settings, visible: isVisible() }), signal);
      return peer;
    } catch (error) {
      peer.fail(/** @type {PagevecError} */ (error));
      throw error;
    }
  }
}

function isVisible() {
  return globalThis.document?.visibilityState !== "hidden";
}

/**
 * @param {(visible: boolean, frozen: boolean) => void} onChange
 * @returns {() => void} ends that
 */
function watch(onChange) {
  const { document } = globalThis;
  if (!document) return () => {};
  const events = { visibilitychange: () => onChange(isVisible(), false), freeze: () => onChange(false, true), resume: () => onChange(isVisible(), false) };
  for (const [name, listener] of Object.entries(events)) document.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(events)) document.removeEventListener(name, listener);
  };
}
