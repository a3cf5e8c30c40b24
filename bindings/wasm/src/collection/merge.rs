//! A merge, done from a job and the files alone.

use js_sys::{Array, Function};
use pagevec::ReadAt;
use wasm_bindgen::prelude::*;

use super::dir::{Input, JsFile, JsInput, Output};
use super::results::to_js;
use crate::pieces::told;

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
