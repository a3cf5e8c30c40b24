//! Building: the same file as the CLI's.

use js_sys::Function;
use pagevec::{BuildOptions, Ctx, Progress, Warning};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::convert::{bad, ids, to_js};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OptionsJs {
    metric: Option<String>,
    codec: Option<String>,
    refine: Option<String>,
    exact: Option<String>,
    graph: Option<bool>,
    clusters: Option<bool>,
    m: Option<u32>,
    ef_construction: Option<u32>,
    seed: Option<u64>,
}

impl OptionsJs {
    fn into_core(self) -> Result<BuildOptions, pagevec::Error> {
        let default = BuildOptions::default();
        let parse = |name: Option<String>| name.map(|n| n.parse()).transpose();
        Ok(BuildOptions::new(self.metric.map_or(Ok(default.metric), |m| m.parse())?)
            .codec(parse(self.codec)?.unwrap_or(default.codec))
            .refine(parse(self.refine)?)
            .exact(parse(self.exact)?)
            .graph(self.graph.unwrap_or(default.graph))
            .clusters(self.clusters.unwrap_or(default.clusters))
            .m(self.m.map_or(default.m, |m| m as usize))
            .ef_construction(self.ef_construction.map_or(default.ef_construction, |e| e as usize))
            .seed(self.seed.unwrap_or(default.seed)))
    }
}

fn code(warning: &Warning) -> &'static str {
    match warning {
        Warning::CodesRecall { .. } => "codes-recall",
        Warning::ClustersRecall { .. } => "clusters-recall",
        _ => "other",
    }
}

/// The bytes of a segment file. `on_progress(phase, done, total)` may return true to cancel; `on_warning(code, message)`
/// is told what the rows will not do well.
#[wasm_bindgen]
pub fn build(
    matrix: Vec<f32>,
    dim: u32,
    names: JsValue,
    options: JsValue,
    on_progress: Option<Function>,
    on_warning: Option<Function>,
) -> Result<Vec<u8>, JsValue> {
    let options: OptionsJs =
        serde_wasm_bindgen::from_value(options).map_err(|e| bad("options", &e.to_string()))?;
    let options = options.into_core().map_err(to_js)?;
    let cancel = std::cell::Cell::new(false);
    let report = |p: Progress| {
        let Some(f) = &on_progress else { return };
        let told =
            f.call3(&JsValue::NULL, &p.phase.into(), &(p.done as f64).into(), &(p.total as f64).into());
        // A callback that throws cancels as well.
        cancel.set(cancel.get() || told.map_or(true, |t| t.is_truthy()));
    };
    let cancelled = || cancel.get();
    let warn = |warning: Warning| {
        let Some(f) = &on_warning else { return };
        // The callback of the package does not throw.
        let _ = f.call2(&JsValue::NULL, &code(&warning).into(), &warning.to_string().into());
    };
    let ctx = Ctx { progress: Some(&report), cancelled: Some(&cancelled), warning: Some(&warn) };
    pagevec::build(matrix, dim as usize, ids(&names)?, &options, &ctx).map_err(to_js)
}
