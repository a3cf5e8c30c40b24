//! libFuzzer over `pagevec_fuzz::PAYLOAD`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pagevec_fuzz::PAYLOAD;

fuzz_target!(|input: &[u8]| PAYLOAD.run(input, &mut |_| ()));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    pagevec_fuzz::mutate(&PAYLOAD, data, size, max_size, seed)
});
