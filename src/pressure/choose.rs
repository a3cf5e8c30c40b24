//! What is done as memory fills: a choice by numbers alone, so that a trace of pressures always gives the same actions.
//!
//! Two ladders stand beside each other. The *level* is the controller's: it gives memory back, early and step by step. The *alert*
//! is for people: it tells, and refuses writes where the controller was not enough. A step up is taken at once. A step down is
//! taken once the pressure is below the step's threshold by [`MARGIN`] and the step was held for [`HOLD`] ticks, so neither flaps.

/// By so much the pressure must have fallen below the threshold of a step that is left.
pub(crate) const MARGIN: f64 = 0.05;
/// Ticks for which a step is held at least.
pub(crate) const HOLD: u64 = 5;
/// Ticks after which the actions of a level that lasts are done again.
pub(crate) const AGAIN: u64 = 10;

/// The parts of the budget from which the levels hold, and the alerts.
const AT_OPTIMISE: f64 = 0.7;
const AT_PREVENTIVE: f64 = 0.8;
const AT_EMERGENCY: f64 = 0.9;
const AT_WARNING: f64 = 0.75;
const AT_CRITICAL: f64 = 0.9;
const AT_FULL: f64 = 0.95;

/// How full memory is, for the controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is to be done.
    #[default]
    Normal,
    /// From 0.7 of the budget: what nobody uses is given back.
    Optimise,
    /// From 0.8: rows in memory are flushed, and small segments merged.
    Preventive,
    /// From 0.9: all rows in memory are flushed, segments merged, caches emptied.
    Emergency,
}

/// How full memory is, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alert {
    /// There is room.
    #[default]
    Quiet,
    /// From 75 % of the budget: it is logged.
    Warning,
    /// From 90 %: rows are refused, deletes are not.
    Critical,
    /// From 95 %: no write is accepted.
    Full,
}

/// Something that is done about memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Gives back what is kept for later and is in no use now: scratch memory, the columns of filters.
    Optimise,
    /// Flushes the memtable whose first row is oldest. A collection has one.
    FlushOldest,
    /// Does a merge of small segments, if one is due.
    CompactSmall,
    /// Flushes every memtable.
    FlushAll,
    /// Merges what can be merged.
    Compact,
    /// Empties caches: the pages of mapped files, slots of files that are read piece by piece.
    EvictCaches,
    /// Logs that memory is filling.
    Log,
    /// Refuses rows from here on.
    RejectWrites,
    /// Tells that rows are refused.
    Notify,
    /// Refuses all writes from here on.
    StopAccepting,
    /// Flushes every memtable, whatever else is going on.
    EmergencyFlush,
    /// Accepts writes again.
    AcceptWrites,
}

impl Level {
    /// All, from below.
    pub const ALL: [Level; 4] = [Level::Normal, Level::Optimise, Level::Preventive, Level::Emergency];

    /// A stable short name.
    pub fn name(self) -> &'static str {
        ["normal", "optimise", "preventive", "emergency"][self as usize]
    }

    /// The part of the budget from which it holds.
    pub fn threshold(self) -> f64 {
        [0.0, AT_OPTIMISE, AT_PREVENTIVE, AT_EMERGENCY][self as usize]
    }

    fn actions(self) -> &'static [Action] {
        match self {
            Level::Normal => &[],
            Level::Optimise => &[Action::Optimise],
            Level::Preventive => &[Action::FlushOldest, Action::CompactSmall],
            Level::Emergency => &[Action::FlushAll, Action::Compact, Action::EvictCaches],
        }
    }
}

impl Alert {
    /// All, from below.
    pub const ALL: [Alert; 4] = [Alert::Quiet, Alert::Warning, Alert::Critical, Alert::Full];

    /// A stable short name.
    pub fn name(self) -> &'static str {
        ["quiet", "warning", "critical", "full"][self as usize]
    }

    /// The part of the budget from which it holds.
    pub fn threshold(self) -> f64 {
        [0.0, AT_WARNING, AT_CRITICAL, AT_FULL][self as usize]
    }

    fn actions(self) -> &'static [Action] {
        match self {
            Alert::Quiet => &[],
            Alert::Warning => &[Action::Log],
            Alert::Critical => &[Action::RejectWrites, Action::Compact, Action::Notify],
            Alert::Full => &[Action::StopAccepting, Action::EmergencyFlush],
        }
    }
}

impl Action {
    /// All, in order.
    pub const ALL: [Action; 12] = [
        Action::Optimise,
        Action::FlushOldest,
        Action::CompactSmall,
        Action::FlushAll,
        Action::Compact,
        Action::EvictCaches,
        Action::Log,
        Action::RejectWrites,
        Action::Notify,
        Action::StopAccepting,
        Action::EmergencyFlush,
        Action::AcceptWrites,
    ];

    /// Whether it is of the alert alone, and not of the controller.
    pub fn is_of_alert(self) -> bool {
        matches!(
            self,
            Action::Log
                | Action::RejectWrites
                | Action::Notify
                | Action::StopAccepting
                | Action::EmergencyFlush
                | Action::AcceptWrites
        )
    }

    /// A stable short name.
    pub fn name(self) -> &'static str {
        match self {
            Action::Optimise => "optimise",
            Action::FlushOldest => "flush-oldest",
            Action::CompactSmall => "compact-small",
            Action::FlushAll => "flush-all",
            Action::Compact => "compact",
            Action::EvictCaches => "evict-caches",
            Action::Log => "log",
            Action::RejectWrites => "reject-writes",
            Action::Notify => "alert",
            Action::StopAccepting => "stop-accepting",
            Action::EmergencyFlush => "emergency-flush",
            Action::AcceptWrites => "accept-writes",
        }
    }
}

/// Where both ladders stand, and for how many ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct State {
    /// The controller's.
    pub(crate) level: Level,
    /// The thresholds'.
    pub(crate) alert: Alert,
    level_for: u64,
    alert_for: u64,
    /// Ticks since the actions of the level were chosen.
    acted: u64,
}

/// The actions that are due. `pressure` is what is reserved, as a part of the budget; `trend` by how much it rises in a tick, and
/// `since` how many ticks ago the call before was. `state` is where the ladders stood then, and is where they stand now.
///
/// A step is also taken up if the pressure, as it rises, will be there at the next tick.
pub(crate) fn choose(pressure: f64, trend: f64, since: u64, state: &mut State) -> Vec<Action> {
    let before = *state;
    let [held, warned] = [before.level_for, before.alert_for].map(|ticks| ticks.saturating_add(since));
    let ahead = if held >= HOLD { pressure + trend.max(0.0) } else { pressure };
    let level = step(before.level as usize, held, &Level::ALL.map(Level::threshold), pressure, ahead);
    let alert = step(before.alert as usize, warned, &Alert::ALL.map(Alert::threshold), pressure, pressure);
    let (level, alert) = (Level::ALL[level], Alert::ALL[alert]);
    *state = State {
        level,
        alert,
        level_for: if level == before.level { held } else { 0 },
        alert_for: if alert == before.alert { warned } else { 0 },
        acted: before.acted.saturating_add(since),
    };
    let mut actions = Vec::new();
    if alert > before.alert {
        // What lower steps do comes first: a jump to the top still logs.
        let steps = Alert::ALL.into_iter().filter(|&step| step > before.alert && step <= alert);
        actions.extend(steps.flat_map(Alert::actions));
    } else if alert < before.alert && before.alert >= Alert::Critical {
        actions.push(if alert == Alert::Critical { Action::RejectWrites } else { Action::AcceptWrites });
    }
    if level > before.level || (level > Level::Normal && state.acted >= AGAIN) {
        let wanted = level.actions().iter().filter(|&action| !actions.contains(action));
        let wanted: Vec<Action> = wanted.copied().collect();
        actions.extend(wanted);
        state.acted = 0;
    }
    actions
}

/// The step of a ladder after one that was held for so many ticks.
fn step(now: usize, held: u64, thresholds: &[f64; 4], pressure: f64, ahead: f64) -> usize {
    let reaches = |step: &usize, margin: f64| pressure >= thresholds[*step] - margin;
    // A rise that is foreseen counts where the pressure would not lead down again at once.
    let foreseen = |step: &usize| ahead >= thresholds[*step] && reaches(step, MARGIN);
    let up = (now + 1..4).rev().find(|step| reaches(step, 0.0) || foreseen(step));
    let down = || (0..=now).rev().find(|step| *step == 0 || reaches(step, MARGIN)).unwrap_or(0);
    up.unwrap_or_else(|| if held >= HOLD { down() } else { now })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod traces;
