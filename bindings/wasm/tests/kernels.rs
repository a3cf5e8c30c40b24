//! Every table of kernels that this module has, against scalar, in a wasm engine.
#![cfg(target_arch = "wasm32")]

use pagevec::kernels::{Kernels, available, gather_lookup};
use wasm_bindgen_test::wasm_bindgen_test;

#[path = "../../../src/kernels/tests.rs"]
mod tests;

#[wasm_bindgen_test]
fn every_table_computes_the_same_results() {
    for k in available() {
        tests::check_all(k);
    }
}

#[wasm_bindgen_test]
fn simd_is_compiled_in() {
    assert_eq!(available().last().map(|k| k.name), Some("simd128"));
}
