//! The levels of traces of pressures, in a file that the controller of pages (`pkg/src/engine/memory/levels.js`) is compared with too.

use super::{Action, State, choose};
use crate::hash::hash;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pressure-levels.txt");
const TRACES: u64 = 60;
const TICKS: u64 = 60;

/// Pressures in thousandths, the level at each tick, and whether its actions were due.
fn trace(seed: u64) -> String {
    let (mut state, mut before, mut now) = (State::default(), 0.0, 0i64);
    let [mut pressures, mut levels, mut due] = [const { String::new() }; 3];
    for tick in 0..TICKS {
        let random = hash(seed.wrapping_mul(1_000_003).wrapping_add(tick));
        // Small steps, pauses, and now and then a jump.
        now = match random % 16 {
            0 => (hash(random) % 1100) as i64,
            1..=7 => now,
            _ => (now + (hash(random) % 121) as i64 - 50).clamp(0, 1200),
        };
        let pressure = now as f64 / 1000.0;
        let actions = choose(pressure, pressure - before, 1, &mut state);
        before = pressure;
        let of_level = [Action::Optimise, Action::FlushOldest, Action::FlushAll];
        pressures.push_str(&format!("{}{now}", if tick == 0 { "" } else { "," }));
        levels.push_str(&(state.level as usize).to_string());
        due.push(if actions.iter().any(|action| of_level.contains(action)) { '1' } else { '0' });
    }
    format!("{pressures} {levels} {due}\n")
}

#[test]
fn the_levels_of_these_traces_are_in_a_file() {
    let head = "# Pressures in thousandths at each tick, the level then (0 normal, 1 optimise, 2 preventive, 3 emergency), and whether\n# its actions are due. PAGEVEC_BLESS=1 writes it anew: src/pressure/choose/traces.rs.\n";
    let text = head.to_owned() + &(0..TRACES).map(trace).collect::<String>();
    if std::env::var_os("PAGEVEC_BLESS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), text, "PAGEVEC_BLESS=1 writes those of today");
}
