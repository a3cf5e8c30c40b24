//! Building: the same file as the CLI's.

mod export;
mod plan;

use js_sys::{Float32Array, Function};
use pagevec::{BuildInput, BuildOptions, Ctx, Error, Fields, Ids, Index, Progress, Schema, Sink, Warning};
use wasm_bindgen::prelude::*;

use crate::convert::{ids, to_js, whole};
use crate::pieces::Callback;
pub use export::index_segment;
pub use plan::{PlanOptionsJs, plan};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "
export interface BuildOptions {
  dim: number; ids?: string[] | Float64Array; metric?: string; codec?: string; refine?: string; exact?: string;
  graph?: boolean; clusters?: boolean; m?: number; efConstruction?: number; seed?: number; tuningQueries?: Float32Array;
  fields?: string; schema?: string;
  onProgress(phase: string, done: number, total: number): boolean; onWarning(code: string, message: string): void;
}
";

#[wasm_bindgen]
extern "C" {
    /// The options of a build, checked by `pkg/src/build.js`; `undefined` is the default.
    #[wasm_bindgen(typescript_type = "BuildOptions")]
    pub type BuildOptionsJs;
    #[wasm_bindgen(method, getter)]
    fn dim(this: &BuildOptionsJs) -> u32;
    #[wasm_bindgen(method, getter)]
    fn ids(this: &BuildOptionsJs) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn metric(this: &BuildOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn codec(this: &BuildOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn refine(this: &BuildOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn exact(this: &BuildOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn graph(this: &BuildOptionsJs) -> Option<bool>;
    #[wasm_bindgen(method, getter)]
    fn clusters(this: &BuildOptionsJs) -> Option<bool>;
    #[wasm_bindgen(method, getter)]
    fn m(this: &BuildOptionsJs) -> Option<u32>;
    #[wasm_bindgen(method, getter, js_name = efConstruction)]
    fn ef_construction(this: &BuildOptionsJs) -> Option<u32>;
    #[wasm_bindgen(method, getter)]
    fn seed(this: &BuildOptionsJs) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = tuningQueries)]
    fn tuning_queries(this: &BuildOptionsJs) -> Option<Float32Array>;
    /// For each row a line: a JSON object, or nothing.
    #[wasm_bindgen(method, getter)]
    fn fields(this: &BuildOptionsJs) -> Option<String>;
    /// The types of fields as JSON.
    #[wasm_bindgen(method, getter)]
    fn schema(this: &BuildOptionsJs) -> Option<String>;
    /// Called with `(phase, done, total)`; returns true to cancel the build.
    #[wasm_bindgen(method, getter, js_name = onProgress)]
    fn on_progress(this: &BuildOptionsJs) -> Function;
    /// Called with `(code, message)` about what the rows will not do well.
    #[wasm_bindgen(method, getter, js_name = onWarning)]
    fn on_warning(this: &BuildOptionsJs) -> Function;
}

fn to_core(js: &BuildOptionsJs) -> Result<BuildOptions, JsValue> {
    let default = BuildOptions::default();
    let codec = |name: Option<String>| name.map(|n| n.parse()).transpose().map_err(to_js);
    let metric = js.metric().map(|n| n.parse()).transpose().map_err(to_js)?;
    Ok(BuildOptions::new(metric.unwrap_or(default.metric))
        .codec(codec(js.codec())?.unwrap_or(default.codec))
        .refine(codec(js.refine())?)
        .exact(codec(js.exact())?)
        .graph(js.graph().unwrap_or(default.graph))
        .clusters(js.clusters().unwrap_or(default.clusters))
        .m(js.m().map_or(default.m, |m| m as usize))
        .ef_construction(js.ef_construction().map_or(default.ef_construction, |e| e as usize))
        .fields(js.fields().map(|lines| Fields::of(lines.split('\n'))))
        .schema(js.schema().map(|json| Schema::parse(&json)).transpose().map_err(to_js)?.unwrap_or_default())
        .seed(js.seed().map(|seed| whole("seed", seed)).transpose()?.unwrap_or(default.seed))
        .tuning_queries(js.tuning_queries().map(|queries| queries.to_vec()).unwrap_or_default()))
}

/// The bytes of a segment file with the rows of `matrix`, which is row-major.
#[wasm_bindgen]
pub fn build(matrix: Vec<f32>, options: &BuildOptionsJs) -> Result<Vec<u8>, JsValue> {
    let mut file = Vec::new();
    let input = BuildInput::Memory { vectors: matrix, dim: options.dim() as usize };
    build_to(input, options, &mut file)?.map_err(to_js)?;
    Ok(file)
}

/// Builds the same file without holding it: calls `onPiece(bytes, offset, length)` with its pieces in order, of at most
/// one MiB each. `length` is that of the whole file. What the callback throws ends the build, and is thrown.
#[wasm_bindgen(js_name = buildInto)]
pub fn build_into(matrix: Vec<f32>, options: &BuildOptionsJs, on_piece: &Function) -> Result<(), JsValue> {
    let mut sink = Callback::new(on_piece);
    let input = BuildInput::Memory { vectors: matrix, dim: options.dim() as usize };
    let built = build_to(input, options, &mut sink)?;
    sink.end(built)
}

/// Builds into a sink. The outer error is that of an option.
pub(crate) fn build_to(
    input: BuildInput<'_>,
    options: &BuildOptionsJs,
    sink: &mut dyn Sink,
) -> Result<Result<(), Error>, JsValue> {
    told(options, |core, ids, ctx| pagevec::build_into(input, ids, core, sink, ctx))
}

/// The same, but the rows are encoded as those of `base`.
pub(crate) fn append_to(
    base: &Index,
    input: BuildInput<'_>,
    options: &BuildOptionsJs,
    sink: &mut dyn Sink,
) -> Result<Result<(), Error>, JsValue> {
    told(options, |core, ids, ctx| pagevec::append_into(base, input, ids, core, sink, ctx))
}

/// Calls the core with the options, and the callbacks of JS.
fn told(
    options: &BuildOptionsJs,
    call: impl FnOnce(&BuildOptions, Option<Ids>, &Ctx<'_>) -> Result<(), Error>,
) -> Result<Result<(), Error>, JsValue> {
    let (core, ids) = (to_core(options)?, ids(&options.ids())?);
    let (on_progress, on_warning) = (options.on_progress(), options.on_warning());
    let cancel = std::cell::Cell::new(false);
    let report = |p: Progress| {
        let (phase, done, total) = (p.phase.into(), (p.done as f64).into(), (p.total as f64).into());
        let told = on_progress.call3(&JsValue::NULL, &phase, &done, &total);
        // A callback that throws cancels as well.
        cancel.set(cancel.get() || told.map_or(true, |t| t.is_truthy()));
    };
    let cancelled = || cancel.get();
    let warn = |warning: Warning| {
        // The callback of the package does not throw.
        let _ = on_warning.call2(&JsValue::NULL, &warning.code().into(), &warning.to_string().into());
    };
    let ctx = Ctx { progress: Some(&report), cancelled: Some(&cancelled), warning: Some(&warn) };
    Ok(call(&core, ids, &ctx))
}
