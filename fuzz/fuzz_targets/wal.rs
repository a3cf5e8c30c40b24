//! libFuzzer over `pagevec_fuzz::WAL`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pagevec_fuzz::WAL;

fuzz_target!(|input: &[u8]| WAL.run(input, &mut |_| ()));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    pagevec_fuzz::mutate(&WAL, data, size, max_size, seed)
});
