//! libFuzzer over `pagevec_fuzz::SETS`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pagevec_fuzz::SETS;

fuzz_target!(|input: &[u8]| SETS.run(input, &mut |_| ()));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    pagevec_fuzz::mutate(&SETS, data, size, max_size, seed)
});
