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

/// What a build found of the rows that its caller should know: the file is sound, and finds less than is usual.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// A search of every row finds only this part of the ten nearest: rows differ by less than what is stored of them.
    CodesRecall {
        /// The codecs of what is stored, in the order they rank.
        codec: String,
        /// The mean over a sample of the rows, 0 to 1.
        recall: f32,
        /// The codec to build with instead.
        better: String,
    },
    /// However wide it looks, the clustered index finds only this part of the nearest rows.
    ClustersRecall {
        /// How many nearest rows were looked for.
        k: u32,
        /// The recall that was wanted, 0 to 1.
        wanted: f32,
        /// The recall that was measured, 0 to 1.
        reached: f32,
    },
}

impl Warning {
    /// A stable short name, the same in Rust, in the CLI's `--json` and in JS.
    pub fn code(&self) -> &'static str {
        match self {
            Warning::CodesRecall { .. } => "codes-recall",
            Warning::ClustersRecall { .. } => "clusters-recall",
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warning::CodesRecall { codec, recall, better } => write!(
                f,
                "{codec}: even a search of every row finds only {:.0} % of the ten nearest, since near rows differ by \
                 less than these codes do: build with --codec {better} (the option codec)",
                recall * 100.0
            ),
            Warning::ClustersRecall { k, wanted, reached } => write!(
                f,
                "the clustered index finds {:.1} % of the {k} nearest rows where {:.1} % is wanted: search flat or by the \
                 graph",
                reached * 100.0,
                wanted * 100.0
            ),
        }
    }
}

/// Handed down through a build; the callbacks are called on the caller's thread, between batches.
#[derive(Clone, Copy, Default)]
pub struct Ctx<'a> {
    /// Told how far the work is.
    pub progress: Option<&'a dyn Fn(Progress)>,
    /// Asked whether to stop.
    pub cancelled: Option<&'a dyn Fn() -> bool>,
    /// Told what the rows will not do well.
    pub warning: Option<&'a dyn Fn(Warning)>,
}

impl Ctx<'_> {
    /// Tells the caller something about the rows.
    pub(crate) fn warn(&self, warning: Warning) {
        if let Some(warn) = self.warning {
            warn(warning);
        }
    }

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
