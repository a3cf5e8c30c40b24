// openCollection(): checks what it is told, and makes a Collection over a link to the host of its files.
import { notify, reading, throwIfAborted, typed } from "../errors.js";
import { Collection } from "./client.js";
import { toSettings } from "./settings.js";

/**
 * @typedef {ReturnType<typeof toSettings>} Settings
 *
 * @typedef {object} Wires what a link tells
 * @property {import("./calls/calls.js").OnChange} onChange
 * @property {(state: import("./messages.js").State) => void} [onState]
 *
 * @typedef {(settings: Settings, wires: Wires) => Promise<import("./calls/calls.js").Link>} Connect of a platform
 */

/**
 * @param {Connect} connect
 * @param {string} name
 * @param {import("./settings.js").CollectionOptions} [options]
 * @returns {Promise<Collection>}
 */
export function openCollectionWith(connect, name, options) {
  return typed(async () => {
    const settings = reading(() => toSettings(name, options));
    throwIfAborted(settings.signal);
    /** @type {Set<import("./calls/calls.js").OnChange>} */
    const listeners = new Set();
    const link = await connect(settings, { onChange: (change) => [...listeners].forEach((listener) => notify(listener, change)) });
    if (settings.signal?.aborted) await link.close();
    throwIfAborted(settings.signal);
    const { worker, wasm } = settings;
    return new Collection(name, link, listeners, settings.embedder, (from) => openCollectionWith(connect, name, { from, memory: true, worker, wasm }));
  });
}
