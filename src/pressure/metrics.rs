//! All figures of memory at one moment. They are counted always, whether anybody asks or not.

use super::choose::{Action, Alert, Level};
use super::machine::Machine;
use super::meter::Counts;
use super::tracker::{MemoryTracker, Tracked};
use crate::budget::Part;

/// All figures of memory at one moment: of a [`MemoryManager`](super::MemoryManager), an index or a collection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemoryMetrics {
    /// Bytes that may be reserved; `None`: no limit.
    pub budget: Option<u64>,
    /// Bytes that are reserved.
    pub reserved: u64,
    /// Bytes that may still be reserved; `None`: no limit.
    pub available: Option<u64>,
    /// What is reserved, as a part of the budget; 0 without one.
    pub pressure: f64,
    /// Where the controller stands.
    pub level: Level,
    /// Where the thresholds stand.
    pub alert: Alert,
    /// Each part of memory.
    pub tracker: MemoryTracker,
    /// What the files hold, and how much of it is in memory.
    pub contents: Contents,
    /// Bytes of rows that are in memory and in no segment yet.
    pub memtable: u64,
    /// Bytes of the write-ahead log, on disk, that were written since the last flush.
    pub log: u64,
    /// Bytes that were ever reserved.
    pub allocated: u64,
    /// Bytes reserved in a second, on average since the index or collection was opened; `None` where there is no clock.
    pub allocation_rate: Option<f64>,
    /// Reservations that were refused.
    pub refused: u64,
    /// Queries that were answered.
    pub searches: u64,
    /// 95 of 100 calls to search took no more microseconds, to a fourth; `None` before the first, and where there is no clock.
    pub p95_micros: Option<u64>,
    /// Units of files that were dropped from memory to make room for others.
    pub evictions: u64,
    /// How often each action was done.
    pub actions: [(Action, u64); Action::ALL.len()],
    /// Actions that failed.
    pub failed_actions: u64,
    /// Changes of the level.
    pub level_changes: u64,
    /// Changes of the alert.
    pub alert_changes: u64,
    /// Writes that were refused.
    pub rejected_writes: u64,
    /// Of this process and of the machine.
    pub machine: Machine,
}

/// Bytes of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldBytes {
    /// In the files.
    pub stored: u64,
    /// Of them in memory; of a mapped file those whose pages this process has.
    pub resident: u64,
}

/// What the files of segments hold, and how much of it is in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contents {
    /// Codes, refine rows and exact rows.
    pub vectors: HeldBytes,
    /// Links of the graph.
    pub graph: HeldBytes,
    /// Lists of the clustered index, and what says where they are.
    pub lists: HeldBytes,
    /// Indexes of fields.
    pub payload: HeldBytes,
    /// Stored fields.
    pub fields: HeldBytes,
    /// Ids.
    pub ids: HeldBytes,
    /// Headers, parameters and checksums.
    pub other: HeldBytes,
}

impl Contents {
    /// Adds a section by its name in the file.
    pub(crate) fn add(&mut self, section: &str, stored: u64, resident: u64) {
        let kind = match section {
            "codes" | "refine rows" | "exact rows" => &mut self.vectors,
            "graph" => &mut self.graph,
            "cells" | "leaves" | "lists" | "list parameters" => &mut self.lists,
            "payload" | "terms" | "sets" | "sorted" => &mut self.payload,
            "field directory" | "fields" => &mut self.fields,
            "ids" | "id order" => &mut self.ids,
            _ => &mut self.other,
        };
        kind.stored += stored;
        kind.resident += resident;
    }

    /// Each kind, with a stable short name.
    pub fn each(&self) -> [(&'static str, HeldBytes); 7] {
        [
            ("vectors", self.vectors),
            ("graph", self.graph),
            ("lists", self.lists),
            ("payload_indexes", self.payload),
            ("fields", self.fields),
            ("ids", self.ids),
            ("other", self.other),
        ]
    }
}

impl MemoryMetrics {
    pub(super) fn of(
        budget: u64,
        tracker: MemoryTracker,
        (allocated, refused): (u64, u64),
        (level, alert): (Level, Alert),
        counts: Counts,
    ) -> Self {
        let reserved = tracker.current();
        let budget = (budget != u64::MAX).then_some(budget);
        MemoryMetrics {
            budget,
            reserved,
            available: budget.map(|budget| budget.saturating_sub(reserved)),
            pressure: budget.map_or(0.0, |budget| reserved as f64 / budget.max(1) as f64),
            level,
            alert,
            memtable: tracker.of_part(Part::Memtable).current,
            tracker,
            contents: Contents::default(),
            log: 0,
            allocated,
            allocation_rate: counts.micros.map(|micros| allocated as f64 * 1e6 / micros.max(1) as f64),
            refused,
            searches: counts.searches,
            p95_micros: counts.p95_micros,
            evictions: 0,
            actions: counts.actions,
            failed_actions: counts.failed_actions,
            level_changes: counts.level_changes,
            alert_changes: counts.alert_changes,
            rejected_writes: counts.rejected_writes,
            machine: Machine::now(),
        }
    }

    /// One part of memory.
    pub fn part(&self, part: Part) -> Tracked {
        self.tracker.of_part(part)
    }

    /// How often an action was done.
    pub fn times(&self, action: Action) -> u64 {
        self.actions[action as usize].1
    }
}
