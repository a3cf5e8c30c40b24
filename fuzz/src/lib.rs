//! Fuzz targets of pagevec. A target takes any bytes as a file and does with it what a user can do; it panics where
//! an answer is not well formed. The same functions serve libFuzzer (`fuzz_targets/`), the replay of the corpus in
//! every test run, native and in wasm (`tests/corpus.rs`), and `cargo xtask fuzz`, which made the corpus.
//!
//! | target | what the bytes are | how they are changed |
//! |---|---|---|
//! | [`SEGMENT`] | a segment: opened, verified and searched by every route | any field, by its meaning |
//! | [`LISTS`] | the same, searched by its clusters | cells, leaves and lists |
//! | [`LINKS`] | the same, searched by its graph, in memory and from disk | the graph |
//! | [`PAYLOAD`] | a segment with payload indexes: counted and filtered | heads, terms, sets, sorted blocks |
//! | [`SETS`] | a set of positions: decoded, encoded again | any byte |
//! | [`WAL`] | the files of a write-ahead log, read as recovery reads them | headers, frames, operations |
//! | [`MANIFEST`] | the `index.json` of a folder, opened by every `Io` (not in wasm) | values |
//!
//! A changed segment, set or log has its checksums made right again, as somebody who means harm would do; otherwise nearly every
//! input would end at the first of them.

#[cfg(not(target_arch = "wasm32"))]
mod manifest;
mod payload;
mod segments;
mod sets;
#[path = "../../tests/support/mod.rs"]
mod support;
mod wal;

#[cfg(not(target_arch = "wasm32"))]
pub use manifest::{MANIFEST, bless_segment};
pub use payload::PAYLOAD;
pub use segments::{LINKS, LISTS, SEGMENT};
pub use sets::SETS;
pub use wal::WAL;

use pagevec::Error;
use support::data::Random;

/// One fuzz target.
pub struct Target {
    /// The name of its folder in the corpus.
    pub name: &'static str,
    run: fn(&[u8], &mut Tell),
    seeds: fn() -> Vec<(String, Vec<u8>)>,
    change: fn(&mut Vec<u8>, &mut Random),
}

/// Hears how each call of the crate ended.
pub type Tell<'a> = dyn FnMut(Option<&Error>) + 'a;

/// Every target that runs on this platform.
#[cfg(not(target_arch = "wasm32"))]
pub const TARGETS: [&Target; 7] = [&SEGMENT, &LISTS, &LINKS, &PAYLOAD, &SETS, &WAL, &MANIFEST];
/// Every target that runs on this platform.
#[cfg(target_arch = "wasm32")]
pub const TARGETS: [&Target; 6] = [&SEGMENT, &LISTS, &LINKS, &PAYLOAD, &SETS, &WAL];

impl Target {
    /// Does with `input` what a user can do.
    ///
    /// # Panics
    /// Where an answer is not well formed; that is a defect of pagevec.
    pub fn run(&self, input: &[u8], tell: &mut Tell) {
        (self.run)(input, tell);
    }

    /// Right inputs, with their names: what the others are made from.
    #[must_use]
    pub fn seeds(&self) -> Vec<(String, Vec<u8>)> {
        (self.seeds)()
    }

    /// Changes an input as somebody would who knows the format; the same `seed` makes the same change.
    pub fn change(&self, input: &mut Vec<u8>, seed: u64) {
        (self.change)(input, &mut Random(seed));
    }
}

/// [`Target::change`] in the shape in which libFuzzer calls it: `size` bytes of `data` are the input, and there is room
/// for `max_size`. Returns the new size.
#[must_use]
pub fn mutate(target: &Target, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut input = data[..size].to_vec();
    target.change(&mut input, seed.into());
    let length = input.len().min(max_size).min(data.len());
    data[..length].copy_from_slice(&input[..length]);
    length
}
