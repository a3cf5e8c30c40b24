//! The target whose input is a set of positions.

use crate::support::data::Random;
use crate::support::positions::{CHUNK, FILE, OFFSET, change, seal, small};
use crate::{Target, Tell};
use pagevec::PositionSet;

/// A set of positions, decoded and encoded again.
pub const SETS: Target = Target { name: "sets", run, seeds, change };

/// Those of the seed with all kinds of chunks.
const ROWS: usize = 2 * CHUNK + 40;

fn seeds() -> Vec<(String, Vec<u8>)> {
    let (rows, kinds) = small();
    assert_eq!(rows, ROWS);
    let mut random = Random(176);
    let set = |positions: Vec<u32>| {
        let set = PositionSet::from_positions(ROWS, positions).expect("the positions are below the rows");
        set.encode(&FILE, OFFSET)
    };
    let few = (0..200).map(|_| random.below(ROWS) as u32).collect();
    vec![
        ("kinds".into(), kinds),
        ("empty".into(), set(Vec::new())),
        ("full".into(), set((0..ROWS as u32).collect())),
        ("one".into(), set(vec![CHUNK as u32])),
        ("few".into(), set(few)),
    ]
}

/// Uses the set as it is, and with its sums made right if they are not.
fn run(input: &[u8], tell: &mut Tell) {
    use_set(input, tell);
    let mut sealed = input.to_vec();
    seal(&mut sealed);
    if sealed != input {
        use_set(&sealed, tell);
    }
}

fn use_set(input: &[u8], tell: &mut Tell) {
    let set = PositionSet::decode(input, ROWS, &FILE, OFFSET);
    tell(set.as_ref().err());
    let Ok(set) = set else { return };
    assert!(set.iter().is_sorted_by(|a, b| a < b) && set.iter().all(|position| (position as usize) < ROWS));
    assert_eq!(set.iter().count(), set.len());
    let again = PositionSet::decode(&set.encode(&FILE, OFFSET), ROWS, &FILE, OFFSET);
    assert!(again.is_ok_and(|again| again == set), "a set does not come back");
}
