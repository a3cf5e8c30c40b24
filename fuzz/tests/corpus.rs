//! Every input of the corpus is survived, natively and in wasm: no panic, no more memory than a small multiple of the
//! file, and what its name says. `real-…` opens and says nothing of damage; `CODE-…` ends at least one call in that
//! code. `cargo xtask fuzz --bless` makes the corpus anew.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "../../tests/support/alloc.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod alloc;

use pagevec::Error;
use pagevec_fuzz::{TARGETS, Target};
use std::collections::BTreeSet;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
/// Of a target; fewer and the corpus was not found or has withered.
const LEAST_INPUTS: usize = 20;

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
fn every_input_is_survived() {
    for target in TARGETS {
        let inputs = files::inputs(&format!("{CORPUS}/{}", target.name));
        assert!(inputs.len() >= LEAST_INPUTS, "{}: only {} inputs", target.name, inputs.len());
        for (name, input) in inputs {
            replay(target, &name, &input);
        }
    }
}

fn replay(target: &Target, name: &str, input: &[u8]) {
    let mut codes = BTreeSet::new();
    let (_, used) = alloc::used(|| {
        target.run(input, &mut |error| {
            codes.insert(error.map_or("ok", Error::code));
        });
    });
    let whole = format!("{}/{name} ({codes:?})", target.name);
    let fixed = match target.name {
        // The folder of the manifests, which is no secret, is read whole.
        "manifest" => 4 << 20,
        // A set takes a bit for each row, and two bytes for each position of a chunk that is encoded again.
        "sets" => 1 << 18,
        _ => 1 << 17,
    };
    assert!(used.peak <= 16 * input.len() as u64 + fixed, "{whole}: {} bytes", used.peak);
    if name.starts_with("real-") {
        assert!(codes.contains("ok"), "{whole}");
        let damage = ["corrupt", "checksum", "length", "not-a-segment", "version", "wal-damaged"];
        assert!(damage.iter().all(|code| !codes.contains(code)), "{whole}");
    } else {
        assert!(codes.iter().any(|code| name.starts_with(&format!("{code}-"))), "{whole}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod files {
    pub(crate) fn inputs(folder: &str) -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let read = |path: std::path::PathBuf| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
        };
        paths.into_iter().map(read).collect()
    }
}

/// The tests in wasm run in Node, whose files these are.
#[cfg(target_arch = "wasm32")]
mod files {
    use js_sys::{Array, Uint8Array};
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen(module = "node:fs")]
    extern "C" {
        #[wasm_bindgen(js_name = readdirSync)]
        fn read_dir(path: &str) -> Array;
        #[wasm_bindgen(js_name = readFileSync)]
        fn read(path: &str) -> Uint8Array;
    }

    pub(crate) fn inputs(folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut names: Vec<String> = read_dir(folder).iter().filter_map(|name| name.as_string()).collect();
        names.sort();
        names.into_iter().map(|name| (name.clone(), read(&format!("{folder}/{name}")).to_vec())).collect()
    }
}
