//! Memory as a budget that is kept and shown: what fills it, what is done as it fills, and all figures. What is reserved is in
//! the ledger (`budget.rs`); nothing is counted a second time here.
//!
//! | file | duty |
//! |---|---|
//! | `manager` | a budget over ledgers: pressure, admission of writes, events |
//! | `choose`  | the controller: pressure, trend and state in, actions out |
//! | `tracker` | bytes by part, beside what was expected |
//! | `meter`   | counters: searches and their times, actions, refusals |
//! | `metrics`, `text` | all figures at one moment; as Prometheus reads them |
//! | `machine` | what the operating system says of process and machine |
//!
//! Who acts is above: `collection/keep.rs`.

pub(crate) mod choose;
mod machine;
mod manager;
mod meter;
mod metrics;
mod text;
mod tracker;

pub use choose::{Action, Alert, Level};
pub use machine::Machine;
#[cfg(feature = "native")]
pub(crate) use machine::memory_size;
pub use manager::{Budget, MemoryEvent, MemoryManager};
pub(crate) use meter::Meter;
pub use metrics::{Contents, HeldBytes, MemoryMetrics};
pub use tracker::{Leak, MemoryTracker, Tracked};
