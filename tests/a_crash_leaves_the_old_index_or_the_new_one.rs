//! Wherever a publication ends, by a power cut or the end of the process, a reader finds the index of before or the new
//! one, whole; after success the new one. The disk is simulated: what was not synced is lost, torn, or happens in
//! another order.
//!
//! `PAGEVEC_CRASH_IMAGES` is how many images to try, `PAGEVEC_CRASH_SEED` the first round of them; `cargo xtask crash`
//! tries a million. A failure prints its seed, its round and the operations.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "support/publications.rs"]
mod publications;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use pagevec::{Form, Index, prune_in};
use publications::{
    FOLDER, FORMS, Found, Generation, Scenario, allowed, appended, content_ids, found, generation, published,
    rows, scenarios, segment, temporaries,
};
use support::data::Random;
use support::disk::Disk;
use support::disk::state::{LOSSES, Loss, State};

/// What the tests try together, unless told.
const IMAGES: u64 = 20_000;
/// One of so many images is also opened from a real folder, and one is published into again.
const REAL: u64 = 211;
const AGAIN: u64 = 499;
/// The seeds of a round are its number, shifted by so many bits, and those that follow.
const ROUND: u32 = 20;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// One violation, if there is any among the images of these seeds.
fn violation(
    scenario: &Scenario,
    disk: &Disk,
    seeds: std::ops::Range<u64>,
    look: &mut dyn FnMut(&State, Found),
) -> Option<String> {
    let (history, operations) = (disk.history(), disk.operations());
    for (number, (at, state)) in history.iter().enumerate() {
        for loss in LOSSES {
            let all = if matches!(loss, Loss::Nothing | Loss::Everything) { 0..1 } else { seeds.clone() };
            for seed in all {
                let mut random = Random(seed);
                let image = state.crash(loss, &mut random);
                let what = match found(&image, scenario, &mut random) {
                    Ok(which) if allowed(scenario, number + 1 == history.len()).contains(&which) => {
                        look(&image, which);
                        continue;
                    }
                    Ok(which) => format!("{which:?} is found"),
                    Err(what) => what,
                };
                return Some(format!(
                    "{}: {what}\nseed {seed} (PAGEVEC_CRASH_SEED={}), {loss:?} of:\n{:#?}\nafter {:#?}",
                    scenario.name,
                    seed >> ROUND,
                    state.unsynced(),
                    &operations[..*at]
                ));
            }
        }
    }
    None
}

/// Opens an image from a real folder, mapped or by its parts.
fn open_really(image: &State, which: Found, scenario: &Scenario) {
    let place = tempfile::tempdir().unwrap();
    for (path, bytes) in image.all() {
        match bytes {
            None => std::fs::create_dir_all(place.path().join(path)).unwrap(),
            Some(bytes) => std::fs::write(place.path().join(path), bytes).unwrap(),
        }
    }
    let opened = Index::open(place.path().join(FOLDER));
    let expected = match which {
        Found::Nothing => return assert!(opened.is_err()),
        Found::Old => scenario.old.as_ref().unwrap(),
        Found::New => &scenario.new,
    };
    let index = opened.unwrap();
    index.verify().unwrap();
    assert_eq!(content_ids(&index), expected.content_ids);
}

/// Publishes into an image once more, and crashes that too; then leftovers are gone.
fn publish_again(image: &State, which: Found, scenario: &Scenario, seed: u64) -> u64 {
    let mut images = 0;
    let old = match which {
        Found::Nothing => None,
        Found::Old => scenario.old.clone(),
        Found::New => Some(scenario.new.clone()),
    };
    // Finishes what was begun, or goes back.
    let new = match &scenario.old {
        Some(before) if which == Found::New => before.whole(),
        _ => scenario.new.clone(),
    };
    let name = format!("{}, again", scenario.name);
    let again = Scenario { name, start: image.clone(), old, new, needed_syncs: None };
    let disk = Disk::of(image);
    again.new.publish(&disk).unwrap();
    let bad = violation(&again, &disk, seed..seed + 1, &mut |_, _| images += 1);
    assert_eq!(bad, None, "{}", bad.as_deref().unwrap_or_default());
    let state = disk.state();
    assert_eq!(temporaries(&state), BTreeSet::new(), "{}", scenario.name);
    let before = disk.operations().len();
    again.new.publish(&disk).unwrap();
    assert!(disk.state().all() == state.all(), "{}: another publication changes it", scenario.name);
    assert!(disk.operations().len() > before);
    images
}

#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask crash` reads it there")]
fn a_crash_leaves_the_old_index_or_the_new_one() {
    let (wanted, first) = (number("PAGEVEC_CRASH_IMAGES", IMAGES), number("PAGEVEC_CRASH_SEED", 0));
    let scenarios = scenarios();
    let mut tally: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    let (mut images, mut round) = (0, first);
    while images < wanted {
        for scenario in &scenarios {
            let disk = Disk::of(&scenario.start);
            scenario.new.publish(&disk).unwrap();
            let counts = tally.entry(&scenario.name).or_default();
            let seeds = round << ROUND..(round << ROUND) + 2;
            let bad = violation(scenario, &disk, seeds, &mut |image, which| {
                images += 1;
                counts[which as usize] += 1;
                if images % REAL == 0 && !scenario.new.content_ids.is_empty() {
                    open_really(image, which, scenario);
                }
                if images % AGAIN == 0 {
                    let again = publish_again(image, which, scenario, round << ROUND);
                    counts[3] += again;
                    images += again;
                }
            });
            assert!(bad.is_none(), "{}", bad.unwrap_or_default());
        }
        round += 1;
    }
    for (name, [nothing, old, new, again]) in &tally {
        let all = nothing + old + new + again;
        println!("crash | {name} | {all} | {nothing} | {old} | {new} | {again}");
        assert!(*new > 0 && nothing + old > 0, "{name}: both are seen");
    }
}

/// The writer is killed anywhere, and nothing of what it has written is synced; then another finishes.
#[test]
fn what_a_killed_writer_has_left_is_made_durable() {
    let mut images = 0;
    for (number, scenario) in scenarios().into_iter().enumerate() {
        let disk = Disk::of(&scenario.start);
        scenario.new.publish(&disk).unwrap();
        for (at, left) in disk.history().into_iter().skip(number % 7).step_by(7) {
            let name = format!("{}, killed after {at} operations", scenario.name);
            let disk = Disk::of(&left);
            let (old, new) = (scenario.old.clone(), scenario.new.clone());
            let next = Scenario { name, start: left, old, new, needed_syncs: None };
            next.new.publish(&disk).unwrap();
            let bad = violation(&next, &disk, 0..2, &mut |_, _| images += 1);
            assert!(bad.is_none(), "{}", bad.unwrap_or_default());
        }
    }
    assert!(images > 5_000, "only {images} images");
}

/// A publication without one of its syncs must be noticed; else the sync is not needed, or the test above cannot fail.
#[test]
fn each_sync_is_needed() {
    let mut tried = 0;
    for scenario in &scenarios() {
        let Some(first) = scenario.needed_syncs else { continue };
        let disk = Disk::of(&scenario.start);
        scenario.new.publish(&disk).unwrap();
        for number in first..disk.syncs() {
            let disk = Disk::of(&scenario.start).leave_out_sync(number);
            scenario.new.publish(&disk).unwrap();
            // Most are noticed by a few images.
            let seeds = [0..1, 1..4, 4..40];
            let bad = seeds.into_iter().find_map(|seeds| violation(scenario, &disk, seeds, &mut |_, _| {}));
            let operations = disk.operations();
            assert!(bad.is_some(), "{}: sync {number} is not needed:\n{operations:#?}", scenario.name);
            tried += 1;
        }
    }
    assert!(tried > 30, "only {tried} syncs were left out");
}

/// Removing what is no longer named, from here, leaves the last generation.
fn prune_leaves(name: String, start: State, last: &Generation, removed: usize) {
    let scenario = Scenario { name, start, old: None, new: last.whole(), needed_syncs: None };
    let disk = Disk::of(&scenario.start);
    assert_eq!(prune_in(&disk, FOLDER).unwrap().len(), removed, "{}", scenario.name);
    for (_, state) in disk.history() {
        for (seed, loss) in LOSSES.into_iter().enumerate() {
            let image = state.crash(loss, &mut Random(seed as u64));
            assert_eq!(found(&image, &scenario, &mut Random(0)), Ok(Found::New), "{}", scenario.name);
        }
    }
    assert_eq!(disk.state().all().len(), published(&[&scenario.new]).all().len());
}

#[test]
fn removing_old_segments_leaves_the_index() {
    for form in FORMS {
        let (a, b) = (generation(segment(1), form), generation(segment(2), form));
        let files = if form == Form::Both { 2 } else { 1 };
        prune_leaves(format!("prune {form:?}"), published(&[&a, &b]), &b, files);
        // Two appends replace all rows of the base: first some, then the others.
        let first = appended(&b, rows(3, 0..30), form);
        let second = appended(&first, rows(4, 20..60), form);
        let all = published(&[&b, &first, &second]);
        prune_leaves(format!("prune {form:?} after two appends"), all, &second, 1);
        let all = published(&[&b, &first, &second, &a]);
        prune_leaves(format!("prune {form:?} after appends and another"), all, &a, 3 * files + 3);
    }
}
