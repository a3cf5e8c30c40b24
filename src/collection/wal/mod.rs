//! The write-ahead log: every batch of operations is written here, and synced, before it is acknowledged. After a crash
//! the batches are read back and applied again.
//!
//! ```text
//! write     ops ─ Frame::encode ─► frames ─ Wal::append ─► one write ─ Wal::sync ─► acknowledged
//! recover   slots ─ headers ─► chain of logs ─ frames ─► batches, whole and in order ─► apply
//! ```
//!
//! | file | duty |
//! |---|---|
//! | `op`      | operations and their bytes |
//! | `frame`   | a batch as one frame; its header |
//! | `header`  | the header of a log |
//! | `slots`   | the files: found, reused, created |
//! | `writer`  | appends and syncs; a failure is final |
//! | `reader`  | reads frames, and looks for frames behind a place that is bad |
//! | `recover` | what is recovered; batches |
//! | `chain`   | which log goes on from which, where they end, and what is damage |
//! | `repair`  | goes on behind damage, and keeps a copy |
//! | `info`    | what the logs of a folder hold |
//!
//! FORMAT.md has the bytes. What must hold:
//!
//! * **A batch is a frame**, so it is applied whole or not at all. Operations name ids, never positions.
//! * **A log is written by one writer, from its start, until something fails.** Recovery never appends: the first write
//!   after it goes to a new log. So a place in a log is written once.
//! * **What is behind is synced first.** [`Wal::begin`] syncs the logs before the new one, and each frame says how far
//!   the log was synced when it was written. So a place that cannot be read is a torn tail, which nobody was promised,
//!   unless something that was written later says that it was synced: then it is damage, and told.
//! * **Slots are reused.** The sums are seeded by collection, log and offset, so the bytes of the log that was there
//!   before are no frames.

mod chain;
mod frame;
mod header;
mod info;
mod op;
mod planted;
mod reader;
mod recover;
mod repair;
mod slots;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use frame::Frame;
pub use frame::Request;
pub(crate) use header::LogHead;
pub use info::{WalInfo, wal_info};
pub(crate) use op::{Codes, Kinds, Op, Shape};
pub(crate) use recover::{Batch, Expected, Recovered, recover};
pub(crate) use repair::repair;
pub(crate) use slots::next_names;
pub(crate) use writer::Wal;
