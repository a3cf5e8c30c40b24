//! A merge, done from a job and the files alone.

use js_sys::{Array, Function};
use pagevec::{Ctx, Progress, ReadAt};
use wasm_bindgen::prelude::*;

use super::dir::{Input, JsFile, JsInput, Output};
use super::results::to_js;

/// Calls with a context that tells JS of the progress; what returns true, or throws, cancels.
pub(super) fn told<T>(on_progress: Option<Function>, call: impl FnOnce(&Ctx<'_>) -> T) -> T {
    let cancel = std::cell::Cell::new(false);
    let report = |p: Progress| {
        let Some(on_progress) = &on_progress else { return };
        let (phase, done, total) = (p.phase.into(), (p.done as f64).into(), (p.total as f64).into());
        let told = on_progress.call3(&JsValue::NULL, &phase, &done, &total);
        cancel.set(cancel.get() || told.map_or(true, |told| told.is_truthy()));
    };
    let cancelled = || cancel.get();
    call(&Ctx { progress: Some(&report), cancelled: Some(&cancelled), warning: None })
}

/// Does a planned merge: reads `inputs`, in their order, and writes `output`, which is durable then. Returns its length.
/// `onProgress(phase, done, total)` returns true to end it.
#[wasm_bindgen]
pub fn merge(
    job: &[u8],
    #[wasm_bindgen(unchecked_param_type = "JsInput[]")] inputs: Array,
    output: JsFile,
    on_progress: Option<Function>,
) -> Result<f64, JsValue> {
    let inputs: Vec<Input> = inputs.iter().map(|input| Input(input.unchecked_into::<JsInput>())).collect();
    let inputs: Vec<&dyn ReadAt> = inputs.iter().map(|input| input as &dyn ReadAt).collect();
    let mut output = Output { js: output, length: 0 };
    told(on_progress, |ctx| pagevec::run_merge(job, &inputs, &mut output, ctx))
        .and_then(|()| output.sync())
        .map_err(to_js)?;
    Ok(output.length as f64)
}
