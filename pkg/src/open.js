// open(): checks what it is told, and makes an Index over an engine.
import { openEngine } from "./engine/open.js";
import { toSettings } from "./engine/settings.js";
import { PagevecError, reading, typed } from "./errors.js";
import { Index } from "./index.js";
import { toInput } from "./sources/resolve.js";
import { checkModel } from "./texts/embed.js";

/**
 * @typedef {string | URL | Uint8Array | ArrayBuffer | Blob} IndexSource
 * @typedef {import("./engine/open.js").Platform} Platform
 * @typedef {import("./engine/settings.js").OpenOptions} OpenOptions
 */

/**
 * @param {Platform} platform
 * @param {IndexSource} input
 * @param {OpenOptions} [options]
 * @returns {Promise<Index<any>>}
 */
export function openWith(platform, input, options) {
  return typed(async () => {
    const [source, settings] = [reading(() => toInput(input)), reading(() => toSettings(options))];
    const engine = await (settings.worker ? openInWorker(platform, source, settings) : openEngine(platform, source, settings));
    try {
      checkModel(settings.model, engine.info);
    } catch (error) {
      await engine.close();
      throw error;
    }
    return new Index(engine, platform.loadExtras, settings.embedder);
  });
}

/**
 * @param {Platform} platform
 * @param {import("./sources/resolve.js").Input} source
 * @param {import("./engine/settings.js").Checked} settings
 */
function openInWorker({ openInWorker }, source, settings) {
  if (!openInWorker) throw new PagevecError("unsupported", 'this entry of pagevec starts no workers: leave out `worker`, or import "pagevec" where there are some');
  return openInWorker(source, settings);
}
