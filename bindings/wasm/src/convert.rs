//! Between JS values and the core's.

use js_sys::{Array, Object};
use pagevec::{Error, Filter, Id, Ids};
use wasm_bindgen::prelude::*;

/// A JS `Error` with the core's `code`.
pub(crate) fn to_js(error: Error) -> JsValue {
    coded(&error.to_string(), error.code())
}

pub(crate) fn bad(name: &'static str, detail: &str) -> JsValue {
    to_js(Error::Argument { name, detail: detail.to_owned() })
}

/// An error in how `pkg/src` calls this module.
#[cfg_attr(not(feature = "search"), allow(dead_code, reason = "only sessions have tickets"))]
pub(crate) fn internal(detail: &str) -> JsValue {
    coded(detail, "internal")
}

pub(crate) fn coded(message: &str, code: &str) -> JsValue {
    let js = js_sys::Error::new(message);
    set(&js, "code", code);
    js.into()
}

#[wasm_bindgen]
extern "C" {
    /// An object that is being filled, which has no setters that could throw.
    type Plain;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn put(this: &Plain, name: &str, value: &JsValue);
}

/// Sets a property of an object that was just made.
pub(crate) fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    object.unchecked_ref::<Plain>().put(name, &value.into());
}

/// A length or an offset: a whole number that a double holds exactly.
pub(crate) fn whole(name: &'static str, value: f64) -> Result<u64, JsValue> {
    if value.fract() == 0.0 && (0.0..=Ids::MAX_NUMBER as f64).contains(&value) {
        return Ok(value as u64);
    }
    // The message does not show the value: formatting floats costs 17 KB of the module.
    Err(bad(name, "it must be a whole number from 0 to 2^53 - 1"))
}

/// The filter in a JSON text.
#[cfg(any(feature = "filter", feature = "collection"))]
pub(crate) fn filter_of(json: Option<String>) -> Result<Option<Filter>, JsValue> {
    json.map(|json| Filter::parse(&json)).transpose().map_err(to_js)
}

/// `pkg/src` passes no filter to a module without filters.
#[cfg(not(any(feature = "filter", feature = "collection")))]
#[cfg_attr(not(feature = "search"), allow(dead_code, reason = "only searches have filters"))]
pub(crate) fn filter_of(json: Option<String>) -> Result<Option<Filter>, JsValue> {
    json.map_or(Ok(None), |_| Err(internal("this module has no filters")))
}

pub(crate) fn id(value: &JsValue) -> Result<Id, JsValue> {
    match (value.as_string(), value.as_f64()) {
        (Some(text), _) => Ok(Id::Text(text)),
        (None, Some(number)) => whole("id", number).map(Id::Number),
        (None, None) => Err(bad("id", "an id is a string or a number")),
    }
}

/// Numbers or strings, all of one kind. `undefined` and `null` give `None`.
#[cfg_attr(not(feature = "build"), allow(dead_code, reason = "only building takes ids so"))]
pub(crate) fn ids(value: &JsValue) -> Result<Option<Ids>, JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    let array = Array::from(value);
    let mut numbers = Vec::new();
    let mut texts = Vec::new();
    for value in array.iter() {
        match id(&value)? {
            Id::Number(n) => numbers.push(n),
            Id::Text(t) => texts.push(t),
        }
    }
    match (numbers.is_empty(), texts.is_empty()) {
        (false, false) => Err(bad("ids", "ids are all numbers or all strings, not both")),
        (true, false) => Ok(Some(Ids::Texts(texts))),
        _ => Ok(Some(Ids::Numbers(numbers))),
    }
}

/// The bytes of a file id of 32 hexadecimal digits.
#[cfg(any(feature = "build", feature = "collection"))]
pub(crate) fn bytes_of_hex(hex: &str) -> [u8; 16] {
    let mut id = [0; 16];
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
    for (byte, &[high, low]) in id.iter_mut().zip(hex.as_bytes().as_chunks().0) {
        *byte = digit(high) << 4 | digit(low);
    }
    id
}
