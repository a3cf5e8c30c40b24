//! What a build reserves of the ledger: for each stage, before it begins, the most that it may need; after it, what it
//! left behind.
//!
//! What a stage needs is an estimate from above, by the numbers of rows, components and links. Blocks of rows and samples
//! have sizes that do not grow with the rows; one constant stands for them.

use super::options::BuildOptions;
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::id::Ids;
use crate::quant::{CodecKind, Rabitq};
use crate::rows::BuildInput;

/// Blocks of rows, samples and queries of a stage, on few threads.
const BLOCKS: u64 = 12 << 20;
/// Rows of a leaf, about: of each leaf there are means, sums and centroids.
const LEAF: u64 = 32;
/// Rows from which the centroids of pq codes are found.
const PQ_SAMPLE: u64 = 32_768;
/// What calibration keeps of each row for its searches, and the most for all rows: a search keeps no more candidates of
/// more rows.
const CALIBRATED: u64 = 3000;
const MOST_CALIBRATED: u64 = 128 << 20;

/// The memory of one build.
pub(super) struct Account {
    kept: Reservation,
    stage: Reservation,
    rows: u64,
    dim: u64,
}

impl Account {
    /// For so many rows, which are in memory or read in blocks.
    ///
    /// # Errors
    /// `budget` if not even these and their order fit.
    pub(super) fn new(options: &BuildOptions, rows: usize, dim: usize) -> Result<Self, Error> {
        let ledger = Ledger::new(0);
        ledger.set_working(options.memory_budget.unwrap_or(u64::MAX));
        let [kept, stage] = [ledger.nothing(Part::Building), ledger.nothing(Part::Building)];
        let mut account = Account { kept, stage, rows: rows as u64, dim: dim as u64 };
        account.begin(8 * account.rows + BLOCKS)?;
        Ok(account)
    }

    /// What the caller has given is held as long as the build.
    pub(super) fn given(&mut self, input: Option<&BuildInput<'_>>, ids: &Ids) -> Result<(), Error> {
        let in_memory = matches!(input, Some(BuildInput::Memory { .. }));
        let rows = if in_memory { 4 * self.rows * self.dim } else { 0 };
        self.kept.resize(self.kept.bytes() + rows + ids_bytes(ids))
    }

    /// Reserves what the next stage needs.
    ///
    /// # Errors
    /// `budget`, with what the build would need up to here.
    pub(super) fn begin(&mut self, bytes: u64) -> Result<(), Error> {
        self.stage.resize(bytes)
    }

    /// Ends a stage, which left so many bytes.
    pub(super) fn end(&mut self, left: usize) {
        self.kept.take_from(&mut self.stage, left as u64);
        self.stage.settle(0);
    }

    /// What was left before is freed.
    pub(super) fn freed(&mut self, bytes: usize) {
        self.kept.settle(self.kept.bytes().saturating_sub(bytes as u64));
    }

    /// Sq8 codes, and clusters of them.
    pub(super) fn order(&self) -> u64 {
        self.rows * (self.sq8() + 64) + self.of_leaves() + BLOCKS
    }

    pub(super) fn ids(&self, ids: &Ids) -> u64 {
        2 * ids_bytes(ids) + 40 * self.rows
    }

    /// Lines and values of this length in all, stored, of which some are compressed at a time; and a sample of them.
    pub(super) fn fields(&self, bytes: u64) -> u64 {
        2 * bytes + BLOCKS
    }

    /// Codes of a stage; pq codes are trained on a sample.
    pub(super) fn codes(&self, kind: CodecKind, stride: usize) -> u64 {
        let trained =
            if matches!(kind, CodecKind::Pq(_)) { 2 * PQ_SAMPLE.min(self.rows) * self.dim * 4 } else { 0 };
        self.rows * stride as u64 + trained + BLOCKS
    }

    /// A sample of rows is searched by codes and by floats.
    pub(super) fn recall(&self) -> u64 {
        8 * self.rows + BLOCKS
    }

    /// Links, their reverse and their bytes; the codes by which they are chosen, or floats.
    pub(super) fn graph(&self, o: &BuildOptions, kinds: &[CodecKind]) -> u64 {
        let floats = matches!(o.codec, CodecKind::F32 | CodecKind::F16);
        let codes = if kinds.contains(&CodecKind::Sq8) { 0 } else { self.sq8() };
        let links = 4 * 2 * o.m as u64 * 3;
        let candidates = 2 * 8 * o.ef_construction as u64 * 32 * 1024 / 8;
        self.rows * (codes + links + 160 + if floats { 4 * self.dim } else { 0 })
            + candidates.min(64 << 20)
            + BLOCKS
    }

    /// Lists, twice: as codes and as bytes; and twice again, since two codecs are tried.
    pub(super) fn clusters(&self, ids: &Ids) -> u64 {
        let code = Rabitq::bits_for(self.dim as usize) as u64 * self.dim.div_ceil(8) + 32;
        let listed = 2 * (4 * code + ids_bytes(ids) / self.rows.max(1));
        self.rows * listed + (self.rows * CALIBRATED).min(MOST_CALIBRATED) + 2 * self.of_leaves() + BLOCKS
    }

    /// Checksums of rows, and the blocks that are written.
    pub(super) fn ends(&self) -> u64 {
        8 * self.rows + BLOCKS
    }

    fn sq8(&self) -> u64 {
        self.dim + 16
    }

    fn of_leaves(&self) -> u64 {
        self.rows / LEAF * self.dim * 24
    }
}

fn ids_bytes(ids: &Ids) -> u64 {
    match ids {
        Ids::Numbers(numbers) => 8 * numbers.len() as u64,
        Ids::Texts(texts) => texts.iter().map(|text| (size_of::<String>() + text.len()) as u64).sum(),
    }
}
