use super::*;
use crate::budget::{Ledger, Part, Reservation};
use crate::error::Error;
use crate::hash::hash;
use crate::pressure::{Budget, MemoryManager};

const TRACES: u64 = 10_000;

/// Calls with pressures, one a tick.
fn trace(pressures: &[f64]) -> Vec<(Level, Alert, Vec<Action>)> {
    let (mut state, mut before) = (State::default(), 0.0);
    let mut tick = |&pressure: &f64| {
        let trend = pressure - std::mem::replace(&mut before, pressure);
        let actions = choose(pressure, trend, 1, &mut state);
        (state.level, state.alert, actions)
    };
    pressures.iter().map(&mut tick).collect()
}

#[test]
fn each_threshold_has_its_actions() {
    use Action::*;
    let table: [(f64, Level, Alert, &[Action]); 9] = [
        (0.0, Level::Normal, Alert::Quiet, &[]),
        (0.699, Level::Normal, Alert::Quiet, &[]),
        (0.7, Level::Optimise, Alert::Quiet, &[Optimise]),
        (0.75, Level::Optimise, Alert::Warning, &[Log, Optimise]),
        (0.8, Level::Preventive, Alert::Warning, &[Log, FlushOldest, CompactSmall]),
        (
            0.9,
            Level::Emergency,
            Alert::Critical,
            &[Log, RejectWrites, Compact, Notify, FlushAll, EvictCaches],
        ),
        (
            0.95,
            Level::Emergency,
            Alert::Full,
            &[Log, RejectWrites, Compact, Notify, StopAccepting, EmergencyFlush, FlushAll, EvictCaches],
        ),
        (
            3.0,
            Level::Emergency,
            Alert::Full,
            &[Log, RejectWrites, Compact, Notify, StopAccepting, EmergencyFlush, FlushAll, EvictCaches],
        ),
        (f64::NAN, Level::Normal, Alert::Quiet, &[]),
    ];
    for (pressure, level, alert, actions) in table {
        assert_eq!(trace(&[pressure]), [(level, alert, actions.to_vec())], "{pressure}");
    }
}

#[test]
fn a_step_is_held_and_left_below_its_margin() {
    let levels = |pressures: &[f64]| trace(pressures).last().unwrap().0;
    let held = |last: f64| [vec![0.82; HOLD as usize], vec![last; 2]].concat();
    assert_eq!(levels(&held(0.79)), Level::Preventive, "within the margin");
    assert_eq!(levels(&held(0.749)), Level::Optimise);
    assert_eq!(levels(&held(0.1)), Level::Normal, "several steps at once");
    assert_eq!(levels(&[0.82, 0.1, 0.1]), Level::Preventive, "it was held too briefly");
    assert_eq!(levels(&[0.82, 0.1, 0.95]), Level::Emergency, "a step up waits for nothing");
}

#[test]
fn a_level_that_lasts_acts_again() {
    let actions = |pressures: &[f64]| -> Vec<usize> {
        let acts = trace(pressures);
        (0..acts.len()).filter(|&at| acts[at].2.contains(&Action::FlushAll)).collect()
    };
    assert_eq!(actions(&[0.91; 25]), [0, 10, 20]);
}

#[test]
fn a_rise_is_foreseen() {
    let rising: Vec<f64> = (0..10).map(|at| 0.6 + 0.012 * f64::from(at)).collect();
    let found = trace(&rising).iter().position(|step| step.0 == Level::Optimise).unwrap();
    assert_eq!(found, 8, "0.696 rises to 0.708");
}

#[test]
fn writes_are_accepted_again() {
    let mut pressures = vec![0.96];
    pressures.extend([0.88; 12]);
    pressures.extend([0.7; 12]);
    let gates: Vec<Action> = trace(&pressures)
        .into_iter()
        .flat_map(|step| step.2)
        .filter(|action| {
            matches!(action, Action::RejectWrites | Action::StopAccepting | Action::AcceptWrites)
        })
        .collect();
    use Action::*;
    assert_eq!(gates, [RejectWrites, StopAccepting, RejectWrites, AcceptWrites]);
}

/// A collection as numbers: what it holds is reserved from real ledgers.
struct Model {
    memory: MemoryManager,
    budget: u64,
    memtable: Reservation,
    scratch: Reservation,
    caches: Reservation,
    /// Of an index that shares the budget, which the controller cannot empty.
    other: Reservation,
    /// Bytes of each segment's front.
    segments: Vec<Reservation>,
    index: Ledger,
    rejected: u64,
    accepted: u64,
    flushed_by_writes: u64,
}

impl Model {
    fn new(budget: u64) -> Self {
        let memory = MemoryManager::new(Budget::bytes(budget));
        let index = Ledger::new(u64::MAX);
        memory.watch(vec![index.clone()]);
        let nothing = |part| index.nothing(part);
        let [scratch, caches, other] = [Part::Scratch, Part::Slots, Part::Sections].map(nothing);
        let memtable = memory.own().nothing(Part::Memtable);
        Model {
            memtable,
            scratch,
            caches,
            other,
            memory,
            budget,
            segments: vec![],
            index,
            rejected: 0,
            accepted: 0,
            flushed_by_writes: 0,
        }
    }

    /// Whether so many bytes more leave room to flush.
    fn fits(&self, bytes: u64) -> bool {
        self.memory.reserved() + bytes + self.memtable.bytes() <= self.budget
    }

    fn write(&mut self, bytes: u64) {
        let memory = self.memory.clone();
        match memory.admit(bytes, bytes / 8, || {
            self.flushed_by_writes += 1;
            self.act(Action::FlushOldest).is_ok()
        }) {
            Ok(admitted) => {
                self.assert_within("a write");
                drop(admitted);
                self.memtable.settle(self.memtable.bytes() + bytes);
                self.accepted += 1;
            }
            Err(Error::Budget { needed, budget }) => {
                assert!(needed > budget && budget == self.budget);
                self.rejected += 1;
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    fn search(&mut self, scratch: u64, read: u64) {
        if self.fits(scratch.saturating_sub(self.scratch.bytes())) {
            self.scratch.settle(scratch.max(self.scratch.bytes()));
        }
        if self.fits(read) && self.caches.bytes() + read <= self.budget / 2 {
            self.caches.settle(self.caches.bytes() + read);
        }
    }

    /// The other index grows into what room there is, or is dropped.
    fn share(&mut self, part: f64) {
        self.other.settle(0);
        let room = self.budget.saturating_sub(self.memory.reserved() + self.memtable.bytes());
        self.other.settle((room as f64 * part) as u64);
    }

    fn act(&mut self, action: Action) -> Result<(), Error> {
        match action {
            Action::Optimise => self.scratch.settle(0),
            Action::FlushOldest | Action::FlushAll | Action::EmergencyFlush if self.memtable.bytes() > 0 => {
                let copied = self.index.reserve(Part::Building, self.memtable.bytes())?;
                self.assert_within("a flush");
                self.segments.push(self.index.reserve(Part::Fronts, copied.bytes() / 64 + 1)?);
                drop(copied);
                self.memtable.settle(0);
            }
            Action::CompactSmall | Action::Compact if self.segments.len() > 1 => {
                let rest = self.segments.split_off(1);
                let sum: u64 = rest.iter().map(Reservation::bytes).sum();
                drop(rest);
                // Dead rows go: a third stays.
                let all = self.segments[0].bytes() + sum;
                self.segments[0].settle(all / 3 + 1);
            }
            Action::EvictCaches => self.caches.settle(0),
            _ => {}
        }
        Ok(())
    }

    fn assert_within(&self, what: &str) {
        let reserved = self.memory.reserved();
        assert!(reserved <= self.budget, "{what}: {reserved} of {}", self.budget);
    }
}

/// Numbers from 0 to 1 that follow from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = hash(self.0.wrapping_add(1));
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.next() * most as f64) as u64
    }
}

/// What a level did: it never falls before it was held, nor while the pressure is within its margin; what fell rises within so many
/// ticks only if the pressure reaches the threshold itself.
struct NoFlapping {
    before: (usize, usize),
    changed: [u64; 2],
}

impl NoFlapping {
    fn look(&mut self, tick: u64, pressure: f64, (level, alert): (Level, Alert)) {
        let ladders = [
            (self.before.0, level as usize, Level::ALL.map(Level::threshold)),
            (self.before.1, alert as usize, Alert::ALL.map(Alert::threshold)),
        ];
        for (ladder, (before, now, thresholds)) in ladders.into_iter().enumerate() {
            if now == before {
                continue;
            }
            let held = tick - self.changed[ladder];
            if now < before {
                assert!(held >= HOLD, "tick {tick}: it fell after {held}");
                assert!(pressure < thresholds[before] - MARGIN, "tick {tick}: it fell at {pressure}");
            } else if held < HOLD {
                assert!(pressure >= thresholds[now], "tick {tick}: it rose at {pressure} after {held}");
            } else {
                assert!(pressure >= thresholds[now] - MARGIN, "tick {tick}: it rose at {pressure}");
            }
            self.changed[ladder] = tick;
        }
        self.before = (level as usize, alert as usize);
    }
}

/// Traces of writes and searches in bursts and pauses: memory never exceeds the budget, neither ladder flaps, all that was
/// done is counted, and writes are accepted again.
#[test]
fn random_traces_keep_to_the_budget() {
    let (mut seen, mut rejected, mut accepted) = ([0u64; Action::ALL.len()], 0, 0);
    for seed in 0..TRACES {
        let mut random = Random(hash(seed));
        let budget = 1 << (16 + random.below(12));
        let mut model = Model::new(budget);
        let mut flapping = NoFlapping { before: (0, 0), changed: [0; 2] };
        let (ticks, mut counted) = (30 + random.below(60), [0u64; Action::ALL.len()]);
        let (mut burst, mut pace) = (0, 0.0);
        for tick in 0..ticks + 30 {
            if random.below(12) == 0 || tick == ticks {
                model.share(if tick < ticks { 1.0 - random.next().powi(2) } else { 0.0 });
            }
            // A burst writes up to the whole budget in ten ticks; at the end nobody writes.
            if burst == 0 {
                (burst, pace) = (1 + random.below(20), random.next().powi(3));
            }
            burst -= 1;
            for _ in 0..if tick < ticks { 1 + random.below(4) } else { 0 } {
                model.write(1 + (pace * random.next() * budget as f64 / 10.0) as u64);
                model.search(random.below(budget / 20), (pace * budget as f64 / 30.0) as u64);
                model.assert_within("between ticks");
            }
            let (memory, pressure) = (model.memory.clone(), model.memory.pressure());
            memory
                .tick(&mut |action| {
                    counted[action as usize] += 1;
                    model.act(action)
                })
                .len();
            flapping.look(tick + 1, pressure, memory.level());
            model.assert_within("after a tick");
        }
        let metrics = model.memory.metrics();
        // Writes flush too.
        counted[Action::FlushOldest as usize] += model.flushed_by_writes;
        assert_eq!(metrics.actions.map(|action| action.1), counted, "seed {seed}");
        assert_eq!((metrics.rejected_writes, metrics.failed_actions), (model.rejected, 0), "seed {seed}");
        assert!(metrics.alert < Alert::Critical, "seed {seed}: {metrics:?}");
        (rejected, accepted) = (rejected + model.rejected, accepted + model.accepted);
        model.write(1);
        assert_eq!(model.rejected, metrics.rejected_writes, "seed {seed}: it is accepted");
        seen.iter_mut().zip(counted).for_each(|(all, one)| *all += one);
    }
    eprintln!("{accepted} writes accepted, {rejected} rejected; actions {seen:?}");
    assert!(seen.iter().all(|&times| times > 0), "{seen:?}: each action was done");
    assert!(rejected > 0 && accepted > rejected);
}
