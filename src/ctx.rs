//! The context of a long call: callbacks for progress, cancellation and warnings.

use crate::error::Error;

/// One report of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `"check"`, `"order"`, `"encode"`, `"graph"` or `"write"`.
    pub phase: &'static str,
    /// Rows done in this phase.
    pub done: u64,
    /// Rows in all.
    pub total: u64,
}

/// A warning of a build: the file is sound, but searches of it find fewer of the nearest rows than usual.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// Even a search of every row finds only this part of the ten nearest, since the codes are coarser than the
    /// differences between near rows.
    CodesRecall {
        /// The codecs of the stored rows, in the order in which they rank.
        codec: String,
        /// The mean over a sample of the rows, 0 to 1.
        recall: f32,
        /// The codec to build with instead.
        better: String,
    },
    /// The clustered index finds only this part of the nearest rows, however many lists it scans.
    ClustersRecall {
        /// The number of nearest rows that were searched for.
        k: u32,
        /// The recall that was wanted, 0 to 1.
        wanted: f32,
        /// The recall that was measured, 0 to 1.
        reached: f32,
    },
    /// The segments of a merge have codecs of other kinds or parameters, so codes could not be copied: rows were
    /// decoded and encoded again, which moves each by up to the rounding of a code.
    EncodedAnew {
        /// The codecs that were trained anew.
        codec: String,
    },
}

impl Warning {
    /// A stable short name, the same in Rust, in the CLI's `--json` and in JS.
    pub fn code(&self) -> &'static str {
        match self {
            Warning::CodesRecall { .. } => "codes-recall",
            Warning::ClustersRecall { .. } => "clusters-recall",
            Warning::EncodedAnew { .. } => "encoded-anew",
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warning::CodesRecall { codec, recall, better } => write!(
                f,
                "{codec}: even a search of every row finds only {:.0} % of the ten nearest, since near rows differ by \
                 less than these codes can show: build with --codec {better} (the option codec)",
                recall * 100.0
            ),
            Warning::ClustersRecall { k, wanted, reached } => write!(
                f,
                "the clustered index finds {:.1} % of the {k} nearest rows where {:.1} % is wanted: search flat or by the \
                 graph",
                reached * 100.0,
                wanted * 100.0
            ),
            Warning::EncodedAnew { codec } => write!(
                f,
                "{codec}: the merged segments were not encoded alike, so their rows were decoded and encoded again, which \
                 loses a little: append to an index, instead of building apart, and codes are copied"
            ),
        }
    }
}

/// The callbacks of a build. They are called on the caller's thread, between batches.
#[derive(Clone, Copy, Default)]
pub struct Ctx<'a> {
    /// Is called with the progress of the work.
    pub progress: Option<&'a dyn Fn(Progress)>,
    /// Returns whether the build should stop.
    pub cancelled: Option<&'a dyn Fn() -> bool>,
    /// Is called with each warning.
    pub warning: Option<&'a dyn Fn(Warning)>,
}

impl Ctx<'_> {
    /// Passes a warning to the caller.
    pub(crate) fn warn(&self, warning: Warning) {
        if let Some(warn) = self.warning {
            warn(warning);
        }
    }

    /// Reports progress, then returns [`Error::Cancelled`] if the caller wants to stop.
    pub fn tick(&self, phase: &'static str, done: usize, total: usize) -> Result<(), Error> {
        self.report(phase, done, total);
        self.check()
    }

    /// Reports progress.
    pub(crate) fn report(&self, phase: &'static str, done: usize, total: usize) {
        if let Some(report) = self.progress {
            report(Progress { phase, done: done as u64, total: total as u64 });
        }
    }

    /// Returns [`Error::Cancelled`] if the caller wants to stop.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.cancelled {
            Some(cancelled) if cancelled() => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }
}
