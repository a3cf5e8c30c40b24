//! A budget over ledgers: how full memory is, what is done about it, and whether writes are accepted.
//!
//! It reserves nothing of its own: indexes and collections reserve from their ledgers, and it looks at these. The rows of a
//! collection are reserved from the manager's first ledger.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::choose::{Action, Alert, Level, State, choose};
use super::meter::Meter;
use super::metrics::MemoryMetrics;
use super::tracker::MemoryTracker;
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::memory::lock;

/// How much memory there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(u64);

impl Budget {
    /// So many bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Budget(bytes)
    }

    /// No limit: the pressure is always 0.
    pub const fn unlimited() -> Self {
        Budget(u64::MAX)
    }
}

/// A budget, and what is reserved of it by the ledgers that it looks at. A clone is the same manager.
///
/// ```
/// use pagevec::{Budget, Index, MemoryManager, Part};
/// # let rows = vec![1.0, 0.0, 0.8, 0.6];
/// # let file = pagevec::build(rows, 2, None, &pagevec::BuildOptions::new(pagevec::Metric::Dot), &pagevec::Ctx::default())?;
/// let index = Index::from_bytes(&file)?;
/// let memory = MemoryManager::new(Budget::bytes(100 << 20));
/// memory.watch(vec![index.ledger().clone()]);
/// assert!(memory.pressure() < 0.01);
/// memory.expect_as_now();
/// assert!(memory.tracker().check_for_leaks().is_empty());
/// assert!(memory.metrics().part(Part::Sections).current >= file.len() as u64);
/// # Ok::<(), pagevec::Error>(())
/// ```
#[derive(Clone)]
pub struct MemoryManager(Arc<Inner>);

/// What has changed, for a listener.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MemoryEvent {
    /// The controller's: its level, and what it has just done. It comes when the level changes, and whenever it acts.
    Memory {
        /// The level from here on.
        level: Level,
        /// What is reserved, as a part of the budget, before that was done.
        pressure: f64,
        /// What was done.
        actions: Vec<Action>,
    },
    /// The thresholds': the alert has changed.
    Alert {
        /// The alert from here on.
        alert: Alert,
        /// What is reserved, as a part of the budget.
        pressure: f64,
        /// What is done at this alert.
        actions: Vec<Action>,
    },
}

type Listener = Box<dyn Fn(&MemoryEvent) + Send + Sync>;

/// Which writes are accepted.
const OPEN: u8 = 0;
const NO_ROWS: u8 = 1;
const CLOSED: u8 = 2;

struct Inner {
    own: Ledger,
    budget: AtomicU64,
    watched: Mutex<Vec<Ledger>>,
    expected: Mutex<[Option<u64>; Part::ALL.len()]>,
    meter: Meter,
    control: Mutex<Control>,
    gate: AtomicU8,
    listeners: Mutex<Vec<Listener>>,
}

#[derive(Default)]
struct Control {
    state: State,
    pressure: f64,
}

impl MemoryManager {
    /// A manager that looks at no ledger yet.
    pub fn new(budget: Budget) -> Self {
        MemoryManager::over(budget, Meter::default())
    }

    /// A manager of searches that `meter` counts.
    pub(crate) fn over(budget: Budget, meter: Meter) -> Self {
        MemoryManager(Arc::new(Inner {
            own: Ledger::new(u64::MAX),
            budget: AtomicU64::new(budget.0),
            watched: Mutex::default(),
            expected: Mutex::new([None; Part::ALL.len()]),
            meter,
            control: Mutex::default(),
            gate: AtomicU8::new(OPEN),
            listeners: Mutex::default(),
        }))
    }

    /// Looks at these ledgers from here on, in place of those before: [`Index::ledger`](crate::Index::ledger).
    pub fn watch(&self, ledgers: Vec<Ledger>) {
        *lock(&self.0.watched) = ledgers;
    }

    /// The budget, in bytes; `u64::MAX`: no limit.
    pub fn budget(&self) -> u64 {
        self.0.budget.load(Relaxed)
    }

    /// Sets the budget. What is reserved already stays: the controller gives it back.
    pub fn set_budget(&self, budget: Budget) {
        self.0.budget.store(budget.0, Relaxed);
    }

    /// Bytes that are reserved now.
    pub fn reserved(&self) -> u64 {
        let watched: u64 = lock(&self.0.watched).iter().map(|ledger| ledger.memory().reserved()).sum();
        self.0.own.memory().reserved() + watched
    }

    /// What is reserved, as a part of the budget. It may be above 1: what is open already is counted, whatever the budget.
    pub fn pressure(&self) -> f64 {
        match self.budget() {
            u64::MAX => 0.0,
            budget => self.reserved() as f64 / budget.max(1) as f64,
        }
    }

    /// Where the controller stands, and the thresholds.
    pub fn level(&self) -> (Level, Alert) {
        let control = lock(&self.0.control);
        (control.state.level, control.state.alert)
    }

    /// Sets how many bytes a part is expected to have, for [`MemoryTracker::check_for_leaks`].
    pub fn expect(&self, part: Part, bytes: u64) {
        lock(&self.0.expected)[part as usize] = Some(bytes);
    }

    /// Expects of each part what it has now: call it once what follows has warmed up.
    pub fn expect_as_now(&self) {
        let now = self.tracker();
        *lock(&self.0.expected) = Part::ALL.map(|part| Some(now.of_part(part).current));
    }

    /// The bytes of each part.
    pub fn tracker(&self) -> MemoryTracker {
        MemoryTracker::of(&self.each(|ledger| ledger.memory()), &*lock(&self.0.expected))
    }

    /// All figures.
    pub fn metrics(&self) -> MemoryMetrics {
        let totals = self.each(|ledger| (ledger.granted(), ledger.refused()));
        let total = totals.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        MemoryMetrics::of(self.budget(), self.tracker(), total, self.level(), self.0.meter.counts())
    }

    /// Calls `listener` with every event from here on. It is called by the thread that acts, and should be quick.
    pub fn on_event(&self, listener: impl Fn(&MemoryEvent) + Send + Sync + 'static) {
        lock(&self.0.listeners).push(Box::new(listener));
    }

    /// Looks at the pressure, as is to be done about ten times a second, and has done what the controller chooses: `act` is
    /// called with each action, and may fail. Returns what was chosen.
    pub fn tick(&self, act: &mut dyn FnMut(Action) -> Result<(), Error>) -> Vec<Action> {
        let pressure = self.pressure();
        let (before, now, actions) = {
            let mut control = lock(&self.0.control);
            let (before, trend) = (control.state, pressure - control.pressure);
            control.pressure = pressure;
            let actions = choose(pressure, trend, 1, &mut control.state);
            (before, control.state, actions)
        };
        let (level_changed, alert_changed) = (before.level != now.level, before.alert != now.alert);
        self.0.meter.changed(level_changed, alert_changed);
        for &action in &actions {
            self.gate(action);
            let done = act(action);
            self.0.meter.acted(action, done.is_ok());
        }
        let (of_alert, of_level): (Vec<Action>, Vec<Action>) =
            actions.iter().partition(|action| action.is_of_alert());
        if level_changed || !of_level.is_empty() {
            self.tell(&MemoryEvent::Memory { level: now.level, pressure, actions: of_level });
        }
        if alert_changed {
            self.tell(&MemoryEvent::Alert { alert: now.alert, pressure, actions: of_alert });
        }
        actions
    }

    /// Reserves for a write of so many bytes in memory, which it is admitted with: `rows` are those of rows that it adds. Beside
    /// them stays room to flush what is in memory. Where there is too little, `flush` is called once, which returns whether it
    /// gave anything back.
    ///
    /// # Errors
    /// `budget`, with what the write would need, or while writes are refused.
    pub(crate) fn admit(
        &self,
        rows: u64,
        frame: u64,
        flush: impl FnOnce() -> bool,
    ) -> Result<[Reservation; 2], Error> {
        let refused = match self.0.gate.load(Relaxed) {
            OPEN => false,
            NO_ROWS => rows > 0,
            _ => true,
        };
        let mut admitted = if refused { None } else { self.reserve(rows, frame)? };
        if !refused && admitted.is_none() && self.0.own.memory().of(Part::Memtable).reserved > 0 {
            let flushed = flush();
            self.0.meter.acted(Action::FlushOldest, flushed);
            admitted = if flushed { self.reserve(rows, frame)? } else { None };
        }
        admitted.ok_or_else(|| {
            self.0.meter.rejected();
            let (wanted, budget) = (self.needed().saturating_add(2 * rows + frame), self.budget());
            let needed = (wanted as f64 / Alert::Full.threshold()) as u64;
            Error::Budget { needed: needed.max(budget.saturating_add(1)), budget }
        })
    }

    /// `None` where that would leave too little for searches, which have what is above the last alert.
    fn reserve(&self, rows: u64, frame: u64) -> Result<Option<[Reservation; 2]>, Error> {
        let most = self.budget() as f64 * Alert::Full.threshold();
        let fits = |more: u64| rows == 0 || self.needed().saturating_add(more) as f64 <= most;
        // What is refused should not show in the peaks; another thread may be faster.
        if !fits(2 * rows + frame) {
            return Ok(None);
        }
        let own = &self.0.own;
        let reserved = [own.reserve(Part::Memtable, rows)?, own.reserve(Part::Log, frame)?];
        Ok(fits(0).then_some(reserved))
    }

    /// What is reserved, and room for the copy that a flush makes.
    fn needed(&self) -> u64 {
        self.reserved().saturating_add(self.0.own.memory().of(Part::Memtable).reserved)
    }

    pub(crate) fn own(&self) -> &Ledger {
        &self.0.own
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    fn gate(&self, action: Action) {
        let gate = match action {
            Action::RejectWrites => NO_ROWS,
            Action::StopAccepting => CLOSED,
            Action::AcceptWrites => OPEN,
            _ => return,
        };
        self.0.gate.store(gate, Relaxed);
    }

    fn tell(&self, event: &MemoryEvent) {
        lock(&self.0.listeners).iter().for_each(|listener| listener(event));
    }

    fn each<T>(&self, of: impl Fn(&Ledger) -> T) -> Vec<T> {
        std::iter::once(&self.0.own).chain(&*lock(&self.0.watched)).map(of).collect()
    }
}
