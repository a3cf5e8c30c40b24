//! What travels with a long call: progress and cancellation.

use crate::error::Error;

/// One report of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `"check"`, `"order"`, `"encode"`, `"graph"`, `"write"`.
    pub phase: &'static str,
    /// Rows done in this phase.
    pub done: u64,
    /// Rows in all.
    pub total: u64,
}

/// Handed down through a build; both callbacks are called on the caller's thread, between batches.
#[derive(Clone, Copy, Default)]
pub struct Ctx<'a> {
    /// Told how far the work is.
    pub progress: Option<&'a dyn Fn(Progress)>,
    /// Asked whether to stop.
    pub cancelled: Option<&'a dyn Fn() -> bool>,
}

impl Ctx<'_> {
    /// Reports, then returns [`Error::Cancelled`] if the caller wants to stop.
    pub fn tick(&self, phase: &'static str, done: usize, total: usize) -> Result<(), Error> {
        if let Some(report) = self.progress {
            report(Progress { phase, done: done as u64, total: total as u64 });
        }
        match self.cancelled {
            Some(cancelled) if cancelled() => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }
}
