/** A WebAssembly module, where the bundler or the runtime makes one of an import, as Cloudflare's workers do. */
declare const module: WebAssembly.Module;
export default module;
