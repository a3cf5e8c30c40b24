//! The result of one step.

use super::view::View;
use crate::error::Error;
use crate::storage::Read;

/// The result of a step.
#[derive(Debug, PartialEq)]
pub(crate) enum Step<T> {
    /// Deliver these, then step again.
    Need(Vec<Read>),
    /// The outcome.
    Done(T),
}

impl<T> Step<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Step::Need(reads) => Step::Need(reads),
            Step::Done(value) => Step::Done(f(value)),
        }
    }

    /// The same, whose reads are of the segment of `view`, in the address space of all segments.
    pub(super) fn of(self, view: &View<'_>) -> Self {
        match self {
            Step::Need(reads) => Step::Need(view.placed(reads)),
            done => done,
        }
    }

    /// The outcome over a source that has the whole file: what it misses lies beyond the file's end.
    pub(crate) fn whole(self) -> Result<T, Error> {
        match self {
            Step::Done(value) => Ok(value),
            Step::Need(reads) => {
                let end = reads.iter().map(|r| r.extent.end()).max().unwrap_or(0);
                Err(Error::corrupt("file", format!("it ends before byte {end}")))
            }
        }
    }
}
