//! The checks of `cargo xtask test`, in the order in which they run: quick ones first.
//!
//! | file | stages |
//! |---|---|
//! | `rust.rs` | fmt, clippy, native, docs, package |
//! | `aarch64.rs` | aarch64: compiled, and run where qemu is |
//! | `js.rs` | js, browser, embedding: the packed package in a project of its own |
//! | `links.rs` | the links of every .md file, a part of docs |
//!
//! `wasm`, `size` and `packaging` are in `../wasm.rs`, `../size.rs` and `../packaging.rs`, beside what they share with
//! other commands.

mod aarch64;
pub(crate) mod js;
mod links;
mod rust;

use anyhow::Result;

/// One check: it prints what its tools print, and fails with what to do.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) quick: bool,
    pub(crate) run: fn() -> Result<()>,
}

const fn stage(name: &'static str, quick: bool, about: &'static str, run: fn() -> Result<()>) -> Stage {
    Stage { name, about, quick, run }
}

pub(crate) const ALL: [Stage; 12] = [
    stage("fmt", true, "rustfmt", rust::fmt),
    stage("clippy", true, "lints of every crate with each set of features, native and wasm", rust::clippy),
    stage("native", true, "tests of the crates and of the examples in their docs", rust::native),
    stage("aarch64", false, "the core for ARM: lints, and results under qemu", aarch64::check),
    stage("wasm", false, "tests of bindings/wasm and the corpus of fuzz/ in Node", crate::wasm::test),
    stage("size", false, "what a page downloads to search", crate::package::build_modules),
    stage("js", false, "the packed npm package in Node", js::node),
    stage("browser", false, "the packed npm package in Chromium", js::browser),
    stage(
        "embedding",
        false,
        "README's first steps and the recipes of docs/embedding.md, with a real model",
        js::embedding,
    ),
    stage("packaging", false, "the packed npm package in a bundler of each kind", crate::packaging::fast),
    stage("docs", false, "rustdoc, and the links of every .md file", rust::docs),
    stage("package", false, "what would be published of the core, and to npm", rust::package),
];
