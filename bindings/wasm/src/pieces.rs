//! What long calls tell functions of JS: a segment piece by piece, and their progress.

use js_sys::{Function, Uint8Array};
use pagevec::{Ctx, Error, Progress, Sink};
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

/// Calls with a context that tells JS of the progress; what returns true, or throws, cancels.
pub(crate) fn told<T>(on_progress: Option<Function>, call: impl FnOnce(&Ctx<'_>) -> T) -> T {
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
