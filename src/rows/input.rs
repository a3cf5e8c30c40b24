//! Where the rows of a build are, and the first pass over them: they are hashed as they were given, then checked, then
//! summed for their mean.

use super::RowSource;
use super::reader::{Reader, check_all, check_rows};
use crate::error::Error;
use crate::id::Ids;
use crate::metric::Metric;
use crate::quant::MeanSum;

/// The rows of a build, and where they are.
pub enum BuildInput<'a> {
    /// In memory.
    Memory {
        /// The rows, row-major. Under cosine the build scales them where they are.
        vectors: Vec<f32>,
        /// Components of a row.
        dim: usize,
    },
    /// Elsewhere: the build reads them in blocks.
    Source(&'a dyn RowSource),
}

impl BuildInput<'_> {
    /// Components of a row.
    pub(crate) fn dim(&self) -> usize {
        match self {
            BuildInput::Memory { dim, .. } => *dim,
            BuildInput::Source(source) => source.dim(),
        }
    }

    /// The number of rows. Refuses values that are no whole number of rows.
    pub(crate) fn count(&self) -> Result<usize, Error> {
        match self {
            BuildInput::Source(source) => Ok(source.count()),
            BuildInput::Memory { vectors, dim } => match vectors.len() % dim {
                0 => Ok(vectors.len() / dim),
                got => Err(Error::Dimension { expected: *dim, got }),
            },
        }
    }

    /// Hashes and checks all rows, and returns their mean. Afterwards [`BuildInput::reader`] reads them. `tick` is called
    /// with the number of rows that are done.
    pub(crate) fn check(
        &mut self,
        metric: Metric,
        hash: &mut InputHash,
        mut tick: impl FnMut(usize) -> Result<(), Error>,
    ) -> Result<Vec<f32>, Error> {
        let dim = self.dim();
        let mut sum = MeanSum::new(dim);
        hash.begin(3, self.count()? as u64 * dim as u64 * 4);
        match self {
            BuildInput::Memory { vectors, .. } => {
                hash.rows(vectors);
                check_rows(vectors, 0, dim, metric)?;
                vectors.chunks_exact(dim).for_each(|row| sum.add(row));
            }
            BuildInput::Source(source) => check_all(
                *source,
                metric,
                |rows| hash.rows(rows),
                |range, rows| {
                    rows.chunks_exact(dim).for_each(|row| sum.add(row));
                    tick(range.end)
                },
            )?,
        }
        Ok(sum.mean())
    }

    /// The rows, which must have been checked.
    pub(crate) fn reader(&self, metric: Metric) -> Reader<'_> {
        match self {
            BuildInput::Memory { vectors, dim } => Reader::memory(vectors, *dim),
            BuildInput::Source(source) => Reader::source(*source, metric),
        }
    }
}

/// A hash of input and options. Each part is preceded by its kind and its length, so that two different inputs never
/// hash the same bytes.
pub(crate) struct InputHash(blake3::Hasher);

impl InputHash {
    /// `options` is the text of all that the file depends on beside rows, ids and queries.
    pub(crate) fn new(version: u32, options: &str, dim: usize) -> Self {
        let mut hash = InputHash(blake3::Hasher::new());
        hash.part(0, &version.to_le_bytes());
        hash.part(1, options.as_bytes());
        hash.part(2, &(dim as u64).to_le_bytes());
        hash
    }

    /// The parameters of a codec that was not trained on these rows.
    pub(crate) fn parameters(&mut self, parameters: &[u8]) {
        self.part(7, parameters);
    }

    /// The stored fields of the next row.
    pub(crate) fn fields(&mut self, line: &[u8]) {
        self.part(9, line);
    }

    /// What the fields of all rows are indexed by.
    pub(crate) fn schema(&mut self, schema: &str) {
        self.part(10, schema.as_bytes());
    }

    /// Stored rows, whose bytes come in pieces of this length in all.
    pub(crate) fn stored<'a>(&mut self, length: u64, pieces: impl Iterator<Item = &'a [u8]>) {
        self.begin(8, length);
        pieces.for_each(|piece| {
            self.0.update(piece);
        });
    }

    fn begin(&mut self, kind: u8, length: u64) {
        self.0.update(&[kind]);
        self.0.update(&length.to_le_bytes());
    }

    fn part(&mut self, kind: u8, bytes: &[u8]) {
        self.begin(kind, bytes.len() as u64);
        self.0.update(bytes);
    }

    fn rows(&mut self, rows: &[f32]) {
        // Little-endian in memory: kernels/mod.rs refuses to compile elsewhere.
        self.0.update(bytemuck::cast_slice(rows));
    }

    /// The file id.
    pub(crate) fn finish(mut self, ids: &Ids, queries: &[f32]) -> [u8; 16] {
        match ids {
            Ids::Numbers(numbers) => self.part(4, bytemuck::cast_slice(numbers)),
            Ids::Texts(texts) => texts.iter().for_each(|text| self.part(5, text.as_bytes())),
        }
        self.part(6, bytemuck::cast_slice(queries));
        let mut id = [0; 16];
        id.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        id
    }
}
