//! wasm-bindgen's runner of test files, at the version that Cargo.lock pins, so that nothing need be installed.

use std::env::args_os;
use std::ffi::OsString;

fn main() -> anyhow::Result<()> {
    let name = OsString::from("wasm-bindgen-test-runner");
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(
        std::iter::once(name).chain(args_os().skip(1)),
    )
}
