//! Reads the logs back: from the manifest's on, batch for batch. Writes nothing, so it may be cut off any number of
//! times.

use std::path::Path;

use super::chain::Chain;
use super::frame::{FrameHead, Request};
use super::op::{Op, Shape};
use super::slots::slots;
use crate::error::Error;
use crate::storage::Dir;

/// What the manifest says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// The id of the collection.
    pub(crate) collection: [u8; 16],
    /// That of its operations.
    pub(crate) shape: Shape,
    /// The log to begin with; 0 if none was begun when the manifest was written.
    pub(crate) first_log: u64,
    /// The first operation that is not in segments. That log begins with it or before it.
    pub(crate) first_sequence: u64,
    /// All operations before this one were synced.
    pub(crate) durable: u64,
}

/// A batch that is whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a> {
    /// The number of its first operation.
    pub(crate) first_sequence: u64,
    /// Who asked for it.
    pub(crate) request: Option<Request>,
    pub(super) body: &'a [u8],
    shape: Shape,
}

impl<'a> Batch<'a> {
    /// Bytes of its operations.
    pub(crate) fn bytes(&self) -> u64 {
        self.body.len() as u64
    }

    /// How many operations it has.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u32 {
        self.ops().count() as u32
    }

    /// Its operations, in order.
    pub(crate) fn ops(&self) -> impl Iterator<Item = Op<'a>> + use<'a> {
        let (mut rest, shape) = (self.body, self.shape);
        std::iter::from_fn(move || {
            let (op, after) = Op::split(rest, shape)?;
            rest = after;
            Some(op)
        })
    }

    /// The batch of a frame; `None` if its body is not as many operations as the header says.
    pub(super) fn of(head: &FrameHead, body: &'a [u8], shape: Shape) -> Option<Self> {
        let (first_sequence, request, operations) = (head.first_sequence, head.request, head.operations);
        let batch = Batch { first_sequence, request, body, shape };
        let (mut count, mut length) = (0u32, 0);
        for op in batch.ops() {
            count = count.checked_add(1)?;
            length += op.length();
        }
        (count == operations && length == body.len()).then_some(batch)
    }
}

/// What is done with each batch.
pub(crate) type Apply<'a> = dyn FnMut(Batch<'_>) -> Result<(), Error> + 'a;

/// Where the logs end, and how to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// The number for the log that is begun next.
    pub(crate) next_log: u64,
    /// Its first sequence.
    pub(crate) next_sequence: u64,
    /// Its `before`.
    pub(crate) last_sum: u64,
    /// A frame was found that is not whole or not in its turn: a write was under way when the power failed. A write of
    /// which no header is left is not seen.
    pub(crate) torn: bool,
    /// The logs that were read, which are needed until a manifest begins with a later one.
    pub(crate) logs: Vec<u64>,
    /// The batches that were applied.
    pub(crate) batches: u64,
}

/// Where something that was acknowledged cannot be read.
#[derive(Debug)]
pub(super) struct Damage {
    pub(super) slot: String,
    pub(super) log: u64,
    pub(super) offset: u64,
    pub(super) operations: u64,
    pub(super) detail: &'static str,
}

impl Damage {
    pub(super) fn error(self, folder: &Path) -> Error {
        let Damage { slot, log, offset, operations, detail } = self;
        Error::WalDamaged { path: folder.join(slot).display().to_string(), log, offset, operations, detail }
    }
}

/// Hands each whole batch from the manifest's position on to `apply`, in order, and returns where the logs end.
///
/// # Errors
/// `wal-damaged` if something that was acknowledged cannot be read; all batches before it were applied. The files are
/// as they were: open them read-only, or [`super::repair()`] them. `io`, `out-of-memory`, `version`, and those of `apply`.
pub(crate) fn recover(
    dir: &dyn Dir,
    folder: &Path,
    expected: &Expected,
    apply: &mut Apply<'_>,
) -> Result<Recovered, Error> {
    match walk(dir, folder, expected, apply)? {
        (recovered, None) => Ok(recovered),
        (_, Some(damage)) => Err(damage.error(folder)),
    }
}

/// As [`recover`], but damage is returned beside what is before it.
pub(super) fn walk(
    dir: &dyn Dir,
    folder: &Path,
    expected: &Expected,
    apply: &mut Apply<'_>,
) -> Result<(Recovered, Option<Damage>), Error> {
    let slots = slots(dir, folder, &expected.collection)?;
    let mut chain = Chain::new(dir, folder, expected, &slots)?;
    let detail = chain.follow(apply)?;
    Ok(chain.end(detail))
}
