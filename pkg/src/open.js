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
 * @returns {Promise<Index>}
 */
export function openWith(platform, input, options) {
  return typed(async () => {
    const [source, settings] = [reading(() => toInput(input)), reading(() => toSettings(options))];
    const engine = await (settings.worker ? inWorker : openEngine)(platform, source, settings);
    try {
      checkModel(settings.model, engine.info);
    } catch (error) {
      await engine.close();
      throw error;
    }
    return new Index(engine, settings.embedder);
  });
}

/**
 * @param {Platform} platform
 * @param {import("./sources/resolve.js").Input} source
 * @param {import("./engine/settings.js").Checked} settings
 */
async function inWorker(platform, source, settings) {
  const { openRemote } = await import("./engine/remote/remote.js").catch((cause) => {
    throw new PagevecError("worker", "the script that starts a worker could not be loaded: service workers do not import() scripts, and a bundler must copy engine/remote/remote.js", { cause });
  });
  return openRemote(platform, source, settings);
}
