//! Plans of indexes that are not built yet.

use pagevec::plan::{PlanOptions, plan as plan_of};
use wasm_bindgen::prelude::*;

use crate::convert::to_js;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "
export interface PlanOptions {
  rows: number; dim: number; budget: number; codec?: string; refine?: string; metric?: string; payload?: string; ids?: string;
}
";

#[wasm_bindgen]
extern "C" {
    /// What a plan is asked for; `undefined` is the default.
    #[wasm_bindgen(typescript_type = "PlanOptions")]
    pub type PlanOptionsJs;
    #[wasm_bindgen(method, getter)]
    fn rows(this: &PlanOptionsJs) -> f64;
    #[wasm_bindgen(method, getter)]
    fn dim(this: &PlanOptionsJs) -> f64;
    #[wasm_bindgen(method, getter)]
    fn budget(this: &PlanOptionsJs) -> f64;
    #[wasm_bindgen(method, getter)]
    fn codec(this: &PlanOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn refine(this: &PlanOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn metric(this: &PlanOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn payload(this: &PlanOptionsJs) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn ids(this: &PlanOptionsJs) -> Option<String>;
}

/// A plan, as JSON or as text for people.
#[wasm_bindgen]
pub fn plan(options: &PlanOptionsJs, text: bool) -> Result<String, JsValue> {
    let words = [
        ("codec", options.codec()),
        ("refine", options.refine()),
        ("metric", options.metric()),
        ("payload", options.payload()),
        ("ids", options.ids()),
    ];
    let words: Vec<(&str, &str)> =
        words.iter().filter_map(|(name, text)| Some((*name, text.as_deref()?))).collect();
    let asked = PlanOptions::of_words(options.rows(), options.dim(), options.budget(), &words);
    let plan = asked.and_then(|asked| plan_of(&asked)).map_err(to_js)?;
    Ok(if text { plan.to_text() } else { plan.to_json() })
}
