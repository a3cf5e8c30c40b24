//! libFuzzer over `pagevec_fuzz::MANIFEST`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pagevec_fuzz::MANIFEST;

fuzz_target!(|input: &[u8]| MANIFEST.run(input, &mut |_| ()));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    pagevec_fuzz::mutate(&MANIFEST, data, size, max_size, seed)
});
