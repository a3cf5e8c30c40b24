// The entry for require(), and so for Jest, which runs CommonJS unless told otherwise: node.js in one file.
import { TextDecoder, TextEncoder } from "node:util";
import { performance } from "node:perf_hooks";
import { buildWith } from "../build.js";
import * as extras from "../engine/extras.js";
import { publicationWith, publishWith } from "../folder/publish.js";
import { openWith } from "../open.js";
import { openInWorker } from "../platform/node-worker.js";
import { node, readModule } from "../platform/node.js";

// Jest's jsdom has its own globals, and lacks some of Node's.
for (const [name, value] of Object.entries({ TextDecoder, TextEncoder, performance })) {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** @type {import("../folder/publish.js").Modules} */
const modules = {
  search: () => readModule(new URL("../wasm/filter/pagevec_wasm_bg.wasm", import.meta.url)),
  builder: {
    module: () => readModule(new URL("../wasm/build/pagevec_wasm_bg.wasm", import.meta.url)),
    glue: () => import("../../wasm/build/instance.js"),
    loadExtras: async () => extras,
  },
};
const platform = node(modules.search, openInWorker);

/** @type {typeof import("../node.js").open} */
export function open(source, options) {
  return openWith(platform, source, options);
}

/** @type {typeof import("../node.js").build} */
export function build(matrix, options) {
  return buildWith(modules.builder, matrix, options);
}

/** @type {typeof import("../node.js").publish} */
export function publish(folder, bytes, options) {
  return publishWith(modules, folder, bytes, options);
}

/** @type {typeof import("../node.js").publication} */
export function publication(bytes, options) {
  return publicationWith(modules, bytes, options);
}

export { PagevecError } from "../errors.js";
export { Index } from "../index.js";
