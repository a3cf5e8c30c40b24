//! A segment that is handed to a function of JS piece by piece.

use js_sys::{Function, Uint8Array};
use pagevec::{Error, Sink};
use wasm_bindgen::prelude::*;

use crate::convert::to_js;

/// Calls a function of JS with each piece.
pub(crate) struct Callback<'a> {
    on_piece: &'a Function,
    offset: u64,
    length: u64,
    /// What it threw.
    thrown: Option<JsValue>,
}

impl<'a> Callback<'a> {
    pub(crate) fn new(on_piece: &'a Function) -> Self {
        Callback { on_piece, offset: 0, length: 0, thrown: None }
    }

    /// What a build returns to JS: what the function threw comes before the error that this became.
    pub(crate) fn end(self, built: Result<(), Error>) -> Result<(), JsValue> {
        match self.thrown {
            Some(thrown) => Err(thrown),
            None => built.map_err(to_js),
        }
    }
}

impl Sink for Callback<'_> {
    fn begin(&mut self, length: u64) -> Result<(), Error> {
        self.length = length;
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        let [offset, length] = [self.offset, self.length].map(|bytes| JsValue::from(bytes as f64));
        let told = self.on_piece.call3(&JsValue::NULL, &Uint8Array::from(piece).into(), &offset, &length);
        self.offset += piece.len() as u64;
        told.map(|_| ()).map_err(|thrown| {
            self.thrown = Some(thrown);
            Error::Cancelled
        })
    }
}
