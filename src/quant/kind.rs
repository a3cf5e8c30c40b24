//! The codecs by name: their numbers in files, their sizes, and which of two is finer.

use super::{pq, sq4, sq8};
use crate::error::Error;
use crate::metric::Metric;

/// A way to store vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodecKind {
    /// Four bytes a component, exact.
    F32,
    /// Two bytes a component.
    F16,
    /// One byte a component, a scale per row.
    Sq8,
    /// One bit a component.
    Binary,
    /// Half a byte a component, a scale per row.
    Sq4,
    /// Product quantization: so many bytes a row, each for one part of the vector; at most one part a component.
    Pq(u16),
}

/// Parts of product quantization, if the name has no number.
const PARTS: u16 = 64;

impl CodecKind {
    /// The number in files.
    pub(crate) fn number(self) -> u8 {
        match self {
            CodecKind::F32 => 1,
            CodecKind::F16 => 2,
            CodecKind::Sq8 => 3,
            CodecKind::Binary => 4,
            CodecKind::Sq4 => 5,
            CodecKind::Pq(_) => 6,
        }
    }

    /// Parts of product quantization; 0 for the others.
    pub(crate) fn parts(self) -> u16 {
        if let CodecKind::Pq(parts) = self { parts } else { 0 }
    }

    /// The codec of a number and parts in a file of `dim` components.
    pub(crate) fn from_file(number: u8, parts: u16, dim: usize) -> Option<Self> {
        let all = [
            CodecKind::F32,
            CodecKind::F16,
            CodecKind::Sq8,
            CodecKind::Binary,
            CodecKind::Sq4,
            CodecKind::Pq(parts),
        ];
        let found = all.into_iter().find(|c| c.number() == number && c.parts() == parts)?;
        (parts as usize <= dim && found != CodecKind::Pq(0)).then_some(found)
    }

    /// Whether hits ranked by these codes alone would be poor, so that a file has finer rows as well.
    pub(crate) fn is_coarse(self) -> bool {
        matches!(self, CodecKind::Binary | CodecKind::Sq4 | CodecKind::Pq(_))
    }

    /// Whether rows of this codec rank better than rows of the other.
    pub(crate) fn is_finer_than(self, other: Self) -> bool {
        let fineness = |codec| match codec {
            CodecKind::Binary => 0,
            CodecKind::Pq(_) => 1,
            CodecKind::Sq4 => 2,
            CodecKind::Sq8 => 3,
            CodecKind::F16 => 4,
            CodecKind::F32 => 5,
        };
        fineness(self) > fineness(other)
    }

    /// Bytes of one row.
    pub(crate) fn stride(self, dim: usize, metric: Metric) -> usize {
        match self {
            CodecKind::F32 => dim * 4,
            CodecKind::F16 => dim * 2,
            CodecKind::Sq8 => dim + sq8::terms(metric),
            CodecKind::Binary => dim.div_ceil(8),
            CodecKind::Sq4 => dim.div_ceil(2) + sq4::terms(metric),
            CodecKind::Pq(parts) => parts as usize,
        }
    }

    /// Bytes of the parameters that [`super::train`] finds.
    pub(crate) fn parameter_bytes(self, dim: usize) -> usize {
        match self {
            CodecKind::F32 | CodecKind::F16 => 0,
            CodecKind::Sq8 | CodecKind::Binary | CodecKind::Sq4 => dim * 4,
            CodecKind::Pq(_) => dim * (8 + pq::CENTROIDS) + 4,
        }
    }
}

/// The name in manifests, on the command line and in JS: `pq` is [`CodecKind::Pq`] with 64 parts, `pq96` with 96.
impl std::fmt::Display for CodecKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            CodecKind::F32 => "f32",
            CodecKind::F16 => "f16",
            CodecKind::Sq8 => "sq8",
            CodecKind::Binary => "binary",
            CodecKind::Sq4 => "sq4",
            CodecKind::Pq(PARTS) => "pq",
            CodecKind::Pq(parts) => return write!(f, "pq{parts}"),
        })
    }
}

impl std::str::FromStr for CodecKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "f32" => CodecKind::F32,
            "f16" => CodecKind::F16,
            "sq8" => CodecKind::Sq8,
            "binary" => CodecKind::Binary,
            "sq4" => CodecKind::Sq4,
            "pq" => CodecKind::Pq(PARTS),
            _ => {
                let parts = name.strip_prefix("pq").filter(|n| n.starts_with(|c| matches!(c, '1'..='9')));
                let parts = parts.and_then(|n| n.parse().ok()).map(CodecKind::Pq);
                return parts.ok_or_else(|| {
                    let known = "f32, f16, sq8, sq4, binary, pq, or pq with the number of its parts (pq96)";
                    Error::argument("codec", format!("{name:?} is none of {known}"))
                });
            }
        })
    }
}
