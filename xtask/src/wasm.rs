//! `cargo xtask wasm`: four modules, to search with filters and without, to build, and for collections, each made by cargo,
//! wasm-bindgen (linked into xtask, so nothing need be installed) and wasm-opt (npm's binaryen).

use crate::shell::{self, Stamp, add_target, cargo, run};
use crate::{node, panics};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use wasm_bindgen_cli_support::Bindgen;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const NAME: &str = "pagevec_wasm";

/// What each is called: its folder in pkg/wasm and in target/wasm, and its feature of bindings/wasm. Those of a group share the glue
/// of the first, which has all that the others need.
const GROUPS: [&[&str]; 3] = [&["filter", "search"], &["build"], &["collection"]];

/// What our modules may use: SIMD, and what rustc takes for granted in every wasm module.
const OPTIMISE: [&str; 12] = [
    "-O3",
    // A second run finds more to drop: 0.4 KB less to download.
    "-O3",
    // The first KiB of memory is the far end of the stack, which no pointer of ours reaches: 1 KB less to download.
    "--low-memory-unused",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--strip-producers",
];

/// Builds what has changed.
pub(crate) fn make() -> Result<()> {
    check_versions()?;
    add_target(TARGET)?;
    GROUPS.into_iter().try_for_each(make_group)
}

fn make_group(modules: &[&str]) -> Result<()> {
    let raws = modules.iter().map(|module| compile(module)).collect::<Result<Vec<_>>>()?;
    let outs: Vec<_> = modules.iter().map(|module| shell::root().join("pkg/wasm").join(module)).collect();
    let recipe = ["Cargo.lock", "xtask/package-lock.json", "xtask/src/wasm.rs", "pkg/scripts/instance.mjs"];
    let inputs: Vec<_> = recipe.iter().map(|name| shell::root().join(name)).chain(raws.clone()).collect();
    let stamp = Stamp::new(raws[0].with_extension("stamp"), &inputs)?;
    let mut made = vec![outs[0].join("instance.js")];
    made.extend(outs.iter().map(|out| out.join("pagevec_wasm_bg.wasm")));
    if stamp.fresh(&made) {
        return Ok(());
    }
    for (raw, out) in raws.iter().zip(&outs) {
        bind(raw, out).with_context(|| format!("wasm-bindgen failed on {}", raw.display()))?;
        optimise(&out.join("pagevec_wasm_bg.wasm"))?;
    }
    run(node::node()?.arg("pkg/scripts/instance.mjs").args(&outs))?;
    stamp.set()
}

/// Cargo for wasm, in a target folder of its own where one is named.
pub(crate) fn wasm_cargo(line: &str, folder: Option<&Path>) -> Result<Command> {
    add_target(TARGET)?;
    let mut command = cargo(line);
    // Paths of this machine do not belong in a module that is published.
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
    let flags = [
        "-Ctarget-feature=+simd128".to_owned(),
        // A function is copied into its callers if it is tiny or says `inline`: 4 kB less to download to search, 23 kB
        // less to build, and as fast.
        "-Cllvm-args=-inline-threshold=50".to_owned(),
        format!("--remap-path-prefix={}=cargo", home.display()),
        format!("--remap-path-prefix={}=pagevec", shell::root().display()),
    ];
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    if let Some(folder) = folder {
        command.env("CARGO_TARGET_DIR", folder);
    }
    command.args(["--target", TARGET]);
    Ok(command)
}

/// Each module has its own folder: cargo gives a cdylib one name whatever its features, so in one folder the second
/// module would silently take the place of the first. The second folder starts as a copy of the first, which has all
/// that both depend on. Only the cdylib is asked for, as an rlib beside it would switch link-time optimisation off.
fn compile(module: &str) -> Result<PathBuf> {
    let folder = |module: &str| shell::target().join("wasm").join(module);
    let [first, own] = [folder(GROUPS[0][0]), folder(module)];
    if first.exists() && !own.exists() {
        shell::copy_tree(&first, &own)?;
    }
    let line = "rustc --package pagevec-wasm --lib --crate-type cdylib --profile wasm --no-default-features";
    run(wasm_cargo(line, Some(&own))?.args(["--features", module]))?;
    Ok(own.join(TARGET).join("wasm").join(format!("{NAME}.wasm")))
}

fn bind(raw: &Path, out: &Path) -> Result<()> {
    shell::remove_dir(out)?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_bytes(NAME, panics::taken_out(raw)?)
        .out_name(NAME)
        .web(true)?
        .typescript(true)
        .remove_producers_section(true);
    bindgen.generate(out)
}

fn optimise(module: &Path) -> Result<()> {
    let smaller = module.with_extension("optimised");
    run(node::tool("binaryen/bin/wasm-opt")?.args(OPTIMISE).arg(module).arg("-o").arg(&smaller))?;
    fs::rename(&smaller, module)?;
    Ok(())
}

/// wasm-bindgen writes into the module what only the same version can read.
fn check_versions() -> Result<()> {
    let lock = fs::read_to_string(shell::root().join("Cargo.lock"))?;
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split_once('"').map(|(version, _)| version.to_owned())
    };
    let (library, tool) = (version("wasm-bindgen"), version("wasm-bindgen-cli-support"));
    if library != tool {
        bail!(
            "Cargo.lock has wasm-bindgen {} and wasm-bindgen-cli-support {}, which must be the same version: \
             change xtask/Cargo.toml or run `cargo update -p wasm-bindgen --precise VERSION`",
            library.unwrap_or_default(),
            tool.unwrap_or_default()
        );
    }
    Ok(())
}

/// The tests of bindings/wasm and the corpus of fuzz/, in Node, by the runner in xtask/test-runner.
pub(crate) fn test() -> Result<()> {
    node::node()?;
    run(&mut cargo("build --package wasm-test-runner"))?;
    let runner = shell::target().join("debug").join(format!("wasm-test-runner{}", env::consts::EXE_SUFFIX));
    let line = "test --package pagevec-wasm --package pagevec-fuzz --lib --tests --features pagevec-wasm/build,pagevec-wasm/collection";
    let config = format!("target.{TARGET}.runner=[{runner:?}]");
    run(wasm_cargo(line, None)?.args(["--config", &config]))
}
