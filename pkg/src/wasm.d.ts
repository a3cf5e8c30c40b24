// Imports that the bundler of the package or the user's runtime answers.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
/** Its bytes, gzipped, in base64. */
declare module "*.wasm?inline" {
  const text: string;
  export default text;
}
