//! Between JS values and the core's.

use js_sys::{Array, Reflect};
use pagevec::{Error, Id, Ids};
use wasm_bindgen::prelude::*;

/// A JS `Error` with the core's `code`.
pub(crate) fn to_js(error: Error) -> JsValue {
    let js = js_sys::Error::new(&error.to_string());
    // Setting a property of a fresh ordinary object cannot fail.
    let _ = Reflect::set(&js, &"code".into(), &error.code().into());
    js.into()
}

pub(crate) fn bad(name: &'static str, detail: &str) -> JsValue {
    to_js(Error::Argument { name, detail: detail.to_owned() })
}

/// What the JS of the package never asks for.
#[cfg_attr(not(feature = "search"), allow(dead_code, reason = "only sessions have tickets"))]
pub(crate) fn internal(detail: &str) -> JsValue {
    let js = js_sys::Error::new(detail);
    // As in `to_js`.
    let _ = Reflect::set(&js, &"code".into(), &"internal".into());
    js.into()
}

/// A length or offset: whole, and exact in a double.
pub(crate) fn whole(name: &'static str, value: f64) -> Result<u64, JsValue> {
    if value.fract() == 0.0 && (0.0..=Ids::MAX_NUMBER as f64).contains(&value) {
        return Ok(value as u64);
    }
    // The value is not shown: formatting floats costs 17 KB of the module.
    Err(bad(name, "it must be a whole number from 0 to 2^53 - 1"))
}

pub(crate) fn id(value: &JsValue) -> Result<Id, JsValue> {
    match (value.as_string(), value.as_f64()) {
        (Some(text), _) => Ok(Id::Text(text)),
        (None, Some(number)) => whole("id", number).map(Id::Number),
        (None, None) => Err(bad("id", "an id is a string or a number")),
    }
}

/// Numbers or strings, one kind only; `undefined` is none given.
#[cfg_attr(not(feature = "build"), allow(dead_code, reason = "only building takes ids"))]
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
