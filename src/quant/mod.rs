//! How a vector is stored, and how near a query is to what was stored.
//!
//! | file | codec | bytes per row |
//! |---|---|---|
//! | `float`  | f32, f16 | 4·d, 2·d |
//! | `sq8`    | one signed byte a component, a scale per row | d + 8, under L2 d + 12 |
//! | `sq4`    | half a byte a component, a scale per row | ⌈d/2⌉ + 4, under L2 ⌈d/2⌉ + 8 |
//! | `pq`     | the nearest of 256 centroids for each of m parts | m |
//! | `binary` | one bit a component | ⌈d/8⌉ |
//! | `rabitq` | (of lists only) 1 to 4 bits a component of the rotated residual, length-corrected | Z·⌈d/8⌉ + 4 |
//! | `centroid` | (of clusters only) one signed byte a component, one scale | d + 4 |
//! | `scale`  | (no codec) what the integers of a code are multiplied with | |
//!
//! A codec is trained once, encodes each row once, and scores rows in place: `prepare` a query, then `distances` of
//! row numbers in a matrix of codes. A distance is *smaller is nearer*, and the score users see is its negative.

mod binary;
pub(crate) mod centroid;
mod float;
mod pq;
mod rabitq;
mod rotation;
mod scale;
mod sq4;
mod sq8;

use crate::error::Error;
use crate::kernels::kernels;
use crate::metric::Metric;

pub(crate) use rabitq::{Rabitq, Turned};
pub(crate) use sq8::Sq8;

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

/// Parts of product quantization where the name says no number.
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

    /// What [`CodecKind::number`] and [`CodecKind::parts`] stand for in a file of `dim` components.
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

    /// Whether hits ranked by these codes alone would be poor: finer rows go with them.
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

    /// Bytes of the parameters that [`train`] finds.
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

/// A query made ready for one codec, and the scratch its scoring needs. Reused from query to query.
#[derive(Default)]
pub(crate) struct Prepared {
    floats: Vec<f32>,
    bytes: Vec<u8>,
    /// Added to every distance.
    base: f32,
    /// Multiplied with every product of codes.
    factor: f32,
    /// Bit planes: what level 0 stands for.
    low: f32,
    /// Short codes: the length of the query as its centre sees it.
    length: f32,
    /// Short codes: the part of the centre that was taken from the query.
    share: f32,
    /// Subtracted from every product of codes.
    sum: i32,
    scratch: Vec<f32>,
}

impl Prepared {
    /// The query as codes around `mean` see it, and its distance to the mean (under cosine and dot less a constant).
    fn around(&mut self, metric: Metric, mean: &[f32], query: &[f32]) {
        let dot = kernels().dot_f32;
        self.floats.clear();
        match metric {
            Metric::Cosine | Metric::Dot => {
                self.floats.extend_from_slice(query);
                self.base = -dot(query, mean);
            }
            Metric::L2 => {
                self.floats.extend(query.iter().zip(mean).map(|(x, m)| x - m));
                self.base = dot(&self.floats, &self.floats);
            }
        }
    }
}

/// A trained codec.
pub(crate) trait Codec: Send + Sync {
    /// The vector that `code` stands for.
    fn decode(&self, code: &[u8], out: &mut [f32]);

    /// Makes `query` ready for [`Codec::distances`]. `fine` asks for the most exact scoring the codes allow (the last
    /// ranking); otherwise for the fastest, which is the same integers on every target.
    fn prepare(&self, query: &[f32], fine: bool, prepared: &mut Prepared);

    /// `out[i]` = distance from the prepared query to row `ids[i]` of `rows` (a matrix of codes, one stride a row).
    /// Every id must be a row of the matrix.
    fn distances(&self, prepared: &mut Prepared, rows: &[u8], ids: &[u32], out: &mut [f32]);
}

/// What building takes of a codec: apart, so that a module that only searches does not carry it.
pub(crate) trait Encode: Codec {
    /// What [`load`] needs to make this codec again.
    fn parameters(&self) -> Vec<u8>;

    /// Writes the code of `row`; `out` is one stride long. Fails if the codec cannot hold the row.
    fn encode(&self, row: &[f32], out: &mut [u8]) -> Result<(), Error>;
}

/// SQ8 as fitted to the rows.
pub(crate) fn train_sq8(metric: Metric, dim: usize, rows: &[f32]) -> Sq8 {
    Sq8::new(metric, means(dim, rows))
}

/// Fits a codec to the rows. `rows` is row-major, `dim` wide; what is found by k-means starts from `seed`.
pub(crate) fn train(kind: CodecKind, metric: Metric, dim: usize, rows: &[f32], seed: u64) -> Box<dyn Encode> {
    match kind {
        CodecKind::F32 | CodecKind::F16 => Box::new(float::Float::new(kind, metric, dim)),
        CodecKind::Sq8 => Box::new(train_sq8(metric, dim, rows)),
        CodecKind::Binary => Box::new(binary::Binary::new(means(dim, rows))),
        CodecKind::Sq4 => Box::new(sq4::Sq4::new(metric, means(dim, rows))),
        CodecKind::Pq(parts) => Box::new(pq::train(
            metric,
            parts as usize,
            means(dim, rows),
            crate::vectors::Rows { data: rows, dim },
            seed,
        )),
    }
}

/// The codec whose parameters were stored. Their length is [`CodecKind::parameter_bytes`].
pub(crate) fn load(
    kind: CodecKind,
    metric: Metric,
    dim: usize,
    stored: &[u8],
) -> Result<Box<dyn Codec>, Error> {
    let (values, centroids) = match kind {
        CodecKind::Pq(_) => stored.split_at(stored.len().min(dim * 8 + 4)),
        _ => (stored, &[][..]),
    };
    let values = floats(values);
    if stored.len() != kind.parameter_bytes(dim) || values.iter().any(|v| !v.is_finite()) {
        return Err(Error::corrupt("codec parameters", "a parameter is missing or not finite"));
    }
    Ok(match kind {
        CodecKind::F32 | CodecKind::F16 => Box::new(float::Float::new(kind, metric, dim)),
        CodecKind::Sq8 => Box::new(Sq8::new(metric, values)),
        CodecKind::Binary => Box::new(binary::Binary::new(values)),
        CodecKind::Sq4 => Box::new(sq4::Sq4::new(metric, values)),
        CodecKind::Pq(parts) => Box::new(pq::Pq::load(metric, parts as usize, &values, centroids)),
    })
}

/// The mean of each component, summed in f64 over fixed chunks of rows, in order: the same on every target.
pub(crate) fn means(dim: usize, rows: &[f32]) -> Vec<f32> {
    const CHUNK: usize = 4096;
    let count = rows.len() / dim.max(1);
    let sums = crate::exec::map_chunks(count, CHUNK, |range| {
        let mut sum = vec![0.0f64; dim];
        for row in rows[range.start * dim..range.end * dim].chunks_exact(dim) {
            sum.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
        }
        sum
    });
    let mut total = vec![0.0f64; dim];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
    }
    total.into_iter().map(|t| (t / count.max(1) as f64) as f32).collect()
}

/// Little-endian f32s.
pub(crate) fn floats(stored: &[u8]) -> Vec<f32> {
    stored.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The f32 at byte `at` of a row; 0 where the row is too short, which a checked segment's never is.
fn f32_at(code: &[u8], at: usize) -> f32 {
    code.get(at..).and_then(|c| c.first_chunk()).map_or(0.0, |b| f32::from_le_bytes(*b))
}
