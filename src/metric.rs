//! The measure of nearness: cosine, inner product or Euclidean distance.

use crate::error::Error;

/// The measure of nearness. A score is always *larger is nearer*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Metric {
    /// Cosine of the angle, in -1..=1. Rows and queries are normalised when they are given; a zero vector is refused.
    Cosine = 1,
    /// Inner product, as given.
    Dot = 2,
    /// Euclidean distance; the score is minus the squared distance.
    L2 = 3,
}

impl Metric {
    /// The name in files, on the command line and in JS.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "cosine",
            Metric::Dot => "dot",
            Metric::L2 => "l2",
        }
    }

    pub(crate) fn from_u8(value: u8) -> Option<Self> {
        [Metric::Cosine, Metric::Dot, Metric::L2].into_iter().find(|m| *m as u8 == value)
    }
}

impl std::str::FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Metric::Cosine, Metric::Dot, Metric::L2].into_iter().find(|m| m.name() == name).ok_or_else(|| {
            Error::argument("metric", format!("{name:?} is not a metric: use cosine, dot or l2"))
        })
    }
}
