//! How many rows have each value of a field, as values of JS.

use js_sys::{Array, Date, Float64Array};
use pagevec::{FieldValue, ValueCounts};
use wasm_bindgen::prelude::*;

/// `[numbers, values]`: the numbers are how many values there are, and of each that is listed how many rows have it.
pub(crate) fn facets_to_js(facets: &ValueCounts) -> JsValue {
    let counts = facets.values.iter().map(|(_, count)| *count as f64);
    let numbers: Vec<f64> = [facets.distinct as f64].into_iter().chain(counts).collect();
    let values: Array = facets.values.iter().map(|(value, _)| value_to_js(value)).collect();
    Array::of2(&Float64Array::from(&numbers[..]), &values).into()
}

/// The greatest distance in milliseconds from 1970 that a `Date` has.
const LAST_DATE: u64 = 8_640_000_000_000_000;

/// A point in time is its text, as stored fields have it.
fn value_to_js(value: &FieldValue) -> JsValue {
    match value {
        FieldValue::Text(text) => JsValue::from_str(text),
        FieldValue::Integer(number) => JsValue::from_f64(*number as f64),
        FieldValue::Float(number) => JsValue::from_f64(*number),
        FieldValue::Boolean(value) => JsValue::from_bool(*value),
        FieldValue::Timestamp(time) => {
            let time_js = JsValue::from_f64(*time as f64);
            match time.unsigned_abs() <= LAST_DATE {
                true => Date::new(&time_js).to_iso_string().into(),
                false => time_js,
            }
        }
        _ => JsValue::UNDEFINED,
    }
}
