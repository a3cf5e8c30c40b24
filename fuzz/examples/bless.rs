//! Makes the corpus anew: of every target its seeds, and of their changed copies those that ended in something that
//! none before had, and some in which no call noticed anything, as these go furthest. `cargo xtask fuzz --bless` runs it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of the repository")]

use pagevec::Error;
use pagevec_fuzz::{TARGETS, Target};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Changed copies tried of a target.
const TRIES: u64 = 4_000;
/// Of a target, so that the corpus stays small: all, and those in which nothing was noticed.
const MOST_INPUTS: usize = 80;
const MOST_UNNOTICED: usize = 16;

const DAMAGE: [&str; 6] = ["corrupt", "checksum", "length", "not-a-segment", "version", "wal-damaged"];

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    pagevec_fuzz::bless_segment();
    for target in TARGETS {
        let folder = corpus.join(target.name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let inputs = inputs(target);
        let bytes: usize = inputs.iter().map(|(_, input)| input.len()).sum();
        println!("{}: {} inputs, {bytes} bytes", target.name, inputs.len());
        for (name, input) in inputs {
            fs::write(folder.join(name), input).unwrap();
        }
    }
}

fn inputs(target: &Target) -> Vec<(String, Vec<u8>)> {
    let mut seen = BTreeSet::new();
    let seeds = target.seeds();
    let mut inputs = Vec::new();
    let mut unnoticed = 0;
    for (name, input) in &seeds {
        seen.extend(endings(target, input).into_iter().map(|(_, ending)| ending));
        inputs.push((format!("real-{name}"), input.clone()));
    }
    for seed in 0..TRIES {
        if inputs.len() >= MOST_INPUTS {
            break;
        }
        let mut input = seeds[seed as usize % seeds.len()].1.clone();
        // One change meets the check made for it; three may reach what two checks together leave open.
        (0..1 + seed % 3).for_each(|i| target.change(&mut input, seed << 8 | i));
        let endings = endings(target, &input);
        let new = endings.iter().filter(|(_, ending)| seen.insert(ending.clone()));
        if let Some((code, _)) = new.last() {
            inputs.push((format!("{code}-{seed:04}"), input));
        } else if unnoticed < MOST_UNNOTICED && endings.iter().all(|(code, _)| !DAMAGE.contains(code)) {
            unnoticed += 1;
            inputs.push((format!("ok-{seed:04}"), input));
        }
    }
    inputs
}

/// How the calls ended: the code, and what was said without its numbers and quotations, which tells one check from
/// another.
fn endings(target: &Target, input: &[u8]) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    target.run(input, &mut |error| {
        let said = error.map(ToString::to_string).unwrap_or_default();
        let said: String = said.split(['"', '`']).step_by(2).collect();
        let said = said.replace(|c: char| c.is_ascii_digit(), "");
        all.push((error.map_or("ok", Error::code), said));
    });
    all
}
