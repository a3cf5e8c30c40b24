//! A batch as one frame: a header of [`HEAD`] bytes, then the body with its operations.
//!
//! The body and its sum depend on nothing but the operations, so they are made before the writer's turn comes. The
//! header has the place in the log and is made when the frame is written; its own sum covers the body's, so a frame
//! costs one pass over its body. A header can be checked without its body: looking for frames in bytes that somebody
//! made up costs no more than reading them.

use xxhash_rust::xxh3::xxh3_64;

use super::op::{Op, Shape};
use crate::error::Error;
use crate::memory::room_for;
use crate::storage::checksum::sum_at;

/// The bytes of a header.
pub(super) const HEAD: usize = 72;
/// What each frame starts with.
pub(super) const MARK: [u8; 4] = *b"PVWF";
/// The longest body. A batch so long is better written as a segment.
const MAX_BODY: usize = 1 << 30;
/// The frame has a request.
const REQUESTED: u32 = 1;
/// The frame has an update.
const UPDATES: u32 = 2;

/// Who asked for a batch, so that a request that is sent again is applied once, over restarts too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// A number that no other client has.
    pub client: u64,
    /// The client's own, which rises.
    pub number: u64,
}

/// A batch, encoded: all its operations are applied, or none.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(super) body: Vec<u8>,
    pub(super) body_sum: u64,
    pub(super) operations: u32,
    pub(super) updates: bool,
    pub(super) request: Option<Request>,
}

impl Frame {
    /// # Errors
    /// `dimension`, `argument` if an operation does not fit the collection, if there is none or if they take more than
    /// 1 GiB; `out-of-memory`.
    pub(crate) fn encode(ops: &[Op<'_>], shape: Shape, request: Option<Request>) -> Result<Self, Error> {
        let mut length = 0usize;
        for op in ops {
            op.check(shape)?;
            length = length.saturating_add(op.length());
        }
        let operations = u32::try_from(ops.len()).unwrap_or(u32::MAX);
        if operations == 0 || length > MAX_BODY {
            let detail = format!(
                "{} operations of {length} bytes: a batch has 1 or more, and at most {MAX_BODY} bytes; divide it",
                ops.len()
            );
            return Err(Error::argument("batch", detail));
        }
        let mut body = room_for(length)?;
        ops.iter().for_each(|op| op.write(&mut body));
        let updates = ops.iter().any(Op::is_update);
        Ok(Frame { body_sum: xxh3_64(&body), body, operations, updates, request })
    }

    /// The bytes that it takes in a log.
    pub(crate) fn length(&self) -> u64 {
        (HEAD + self.body.len()) as u64
    }
}

/// The header of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) body_length: u32,
    /// The number of its first operation, counted since the collection was created.
    pub(super) first_sequence: u64,
    /// All operations before this one were synced when the frame was written.
    pub(super) durable: u64,
    /// The sum of the frame before, in this log or the one before it.
    pub(super) before: u64,
    pub(super) operations: u32,
    /// Whether there may be an update among them.
    pub(super) updates: bool,
    /// Bits that this build does not know.
    pub(super) unknown_flags: u32,
    pub(super) request: Option<Request>,
    pub(super) body_sum: u64,
}

impl FrameHead {
    /// The bytes at `offset` of the log with this seed, and their sum.
    pub(super) fn encode(&self, seed: u64, offset: u64) -> ([u8; HEAD], u64) {
        let flag = |is_set, bit| if is_set { bit } else { 0 };
        let flags =
            self.unknown_flags | flag(self.request.is_some(), REQUESTED) | flag(self.updates, UPDATES);
        let request = self.request.unwrap_or(Request { client: 0, number: 0 });
        let mut bytes = [0; HEAD];
        bytes[..4].copy_from_slice(&MARK);
        bytes[4..8].copy_from_slice(&self.body_length.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.first_sequence.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.durable.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.before.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.operations.to_le_bytes());
        bytes[36..40].copy_from_slice(&flags.to_le_bytes());
        bytes[40..48].copy_from_slice(&request.client.to_le_bytes());
        bytes[48..56].copy_from_slice(&request.number.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.body_sum.to_le_bytes());
        let sum = sum_at(seed, offset, &bytes[..64]);
        bytes[64..].copy_from_slice(&sum.to_le_bytes());
        (bytes, sum)
    }

    /// The header and its sum, or `None` if these bytes are none of this place.
    pub(super) fn decode(bytes: &[u8], seed: u64, offset: u64) -> Option<(Self, u64)> {
        let bytes: &[u8; HEAD] = bytes.try_into().ok()?;
        let sum = u64_at(bytes, 64);
        if bytes[..4] != MARK || sum_at(seed, offset, &bytes[..64]) != sum {
            return None;
        }
        let flags = u32_at(bytes, 36);
        let request = Request { client: u64_at(bytes, 40), number: u64_at(bytes, 48) };
        let head = FrameHead {
            body_length: u32_at(bytes, 4),
            first_sequence: u64_at(bytes, 8),
            durable: u64_at(bytes, 16),
            before: u64_at(bytes, 24),
            operations: u32_at(bytes, 32),
            updates: flags & UPDATES != 0,
            unknown_flags: flags & !(REQUESTED | UPDATES),
            request: (flags & REQUESTED != 0).then_some(request),
            body_sum: u64_at(bytes, 56),
        };
        // No writer makes others, whatever their sums are.
        let right = head.operations > 0
            && head.body_length as usize <= MAX_BODY
            && head.body_length.is_multiple_of(8)
            && head.durable <= head.first_sequence
            && head.first_sequence.checked_add(head.operations.into()).is_some();
        right.then_some((head, sum))
    }

    /// The number of the operation after its last one.
    pub(super) fn next_sequence(&self) -> u64 {
        self.first_sequence + u64::from(self.operations)
    }

    /// Whether this is its body.
    pub(super) fn is_of(&self, body: &[u8]) -> bool {
        xxh3_64(body) == self.body_sum
    }
}

/// The u32 at an offset that is inside.
pub(super) fn u32_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

/// The u64 at an offset that is inside.
pub(super) fn u64_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}
