//! `cargo xtask wasm`: three modules, one to search, the same for engines with relaxed SIMD, and one that also builds, each made by cargo, wasm-bindgen (linked
//! into xtask, so nothing need be installed) and wasm-opt (npm's binaryen).

use crate::shell::{self, Stamp, cargo, output, run};
use crate::{node, package, size};
use anyhow::{Context as _, Result, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use wasm_bindgen_cli_support::Bindgen;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const NAME: &str = "pagevec_wasm";

/// Folder in pkg/wasm and in target/wasm, the features of bindings/wasm, and what the engine must know.
const MODULES: [(&str, &str, &str); 3] = [
    ("search", "search", PLAIN),
    // The same for engines with relaxed SIMD, with the same glue: JS takes the one or the other.
    ("relaxed", "search", RELAXED),
    ("build", "search,build", PLAIN),
];
pub(crate) const PLAIN: &str = "+simd128";
pub(crate) const RELAXED: &str = "+simd128,+relaxed-simd";

/// What our modules may use: SIMD, and what rustc takes for granted in every wasm module.
const OPTIMISE: [&str; 10] = [
    "-O3",
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

/// Builds what has changed, then reports the sizes and holds the search module to its limit.
pub(crate) fn build() -> Result<()> {
    make()?;
    package::compile()?;
    size::check()
}

/// Builds what has changed.
pub(crate) fn make() -> Result<()> {
    check_versions()?;
    add_target()?;
    for (folder, features, simd) in MODULES {
        let raw = compile(folder, features, simd)?;
        let out = shell::root().join("pkg/wasm").join(folder);
        let lock = shell::root().join("Cargo.lock");
        let tools = shell::root().join("xtask/package-lock.json");
        let recipe = shell::root().join("xtask/src/wasm.rs");
        let factory = shell::root().join("pkg/scripts/instance.mjs");
        let stamp = Stamp::new(raw.with_extension("stamp"), &[raw.clone(), lock, tools, recipe, factory])?;
        let made = ["pagevec_wasm.js", "pagevec_wasm_bg.wasm", "instance.js"].map(|file| out.join(file));
        if !stamp.fresh(&made) {
            bind(&raw, &out).with_context(|| format!("wasm-bindgen failed on {}", raw.display()))?;
            optimise(&out.join("pagevec_wasm_bg.wasm"), simd)?;
            run(node::node()?.arg("pkg/scripts/instance.mjs").arg(&out))?;
            stamp.set()?;
        }
    }
    let [search, relaxed] =
        ["search", "relaxed"].map(|folder| shell::root().join("pkg/wasm").join(folder).join("instance.js"));
    if fs::read(search)? != fs::read(relaxed)? {
        bail!(
            "pkg/wasm/search and pkg/wasm/relaxed have different glue, but pkg/src/open.js loads one for both"
        );
    }
    Ok(())
}

/// Cargo for wasm, in a target folder of its own: other flags there would throw the native builds away.
pub(crate) fn wasm_cargo(line: &str, folder: &str, simd: &str) -> Result<Command> {
    add_target()?;
    let mut command = cargo(line);
    // Paths of this machine do not belong in a module that is published.
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
    let flags = [
        format!("-Ctarget-feature={simd}"),
        format!("--remap-path-prefix={}=cargo", home.display()),
        format!("--remap-path-prefix={}=pagevec", shell::root().display()),
    ];
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    command.env("CARGO_TARGET_DIR", shell::target().join("wasm").join(folder));
    command.args(["--target", TARGET]);
    Ok(command)
}

/// Each module has its own folder: cargo gives a cdylib one name whatever its features, so in one folder the second
/// module would silently take the place of the first. Only the cdylib is asked for, as an rlib beside it would switch
/// link-time optimisation off.
fn compile(folder: &str, features: &str, simd: &str) -> Result<PathBuf> {
    let line = "rustc --package pagevec-wasm --lib --crate-type cdylib --profile wasm --no-default-features";
    run(wasm_cargo(line, folder, simd)?.args(["--features", features]))?;
    Ok(shell::target().join("wasm").join(folder).join(TARGET).join("wasm").join(format!("{NAME}.wasm")))
}

fn bind(raw: &Path, out: &Path) -> Result<()> {
    shell::remove_dir(out)?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(raw).out_name(NAME).web(true)?.typescript(true).remove_producers_section(true);
    bindgen.generate(out)
}

fn optimise(module: &Path, simd: &str) -> Result<()> {
    let relaxed = (simd == RELAXED).then_some("--enable-relaxed-simd");
    let smaller = module.with_extension("optimised");
    run(node::tool("binaryen/bin/wasm-opt")?
        .args(OPTIMISE)
        .args(relaxed)
        .arg(module)
        .arg("-o")
        .arg(&smaller))?;
    fs::rename(&smaller, module)?;
    Ok(())
}

fn add_target() -> Result<()> {
    let libraries = output(command_rustc().args(["--print", "target-libdir", "--target", TARGET]))?;
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    run(shell::command("rustup").args(["target", "add", TARGET])).context(
        "Rust cannot compile for wasm here. With rustup, `rustup target add wasm32-unknown-unknown` does it; a Rust \
         from elsewhere needs its own package for that target",
    )
}

fn command_rustc() -> Command {
    shell::command(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
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

/// Node 20 knows relaxed SIMD only by this flag, later versions without it.
pub(crate) const RELAXED_FLAG: &str = "--experimental-wasm-relaxed-simd";

/// The tests of bindings/wasm, in Node, for each kind of module; xtask is its own test runner.
pub(crate) fn test() -> Result<()> {
    let line = "test --package pagevec-wasm --lib --tests --features build";
    let runner = format!("{:?}", env::current_exe()?);
    let config = format!("target.{TARGET}.runner=[{runner},\"wasm-test-runner\"]");
    run(wasm_cargo(line, "test", PLAIN)?.args(["--config", &config]))?;
    let mut relaxed = wasm_cargo(line, "test-relaxed", RELAXED)?;
    if output(node::node()?.args([RELAXED_FLAG, "--version"])).is_ok() {
        relaxed.env("NODE_ARGS", RELAXED_FLAG);
    }
    run(relaxed.args(["--config", &config]))
}

/// What cargo calls for each test file.
pub(crate) fn run_tests(args: Vec<OsString>) -> Result<()> {
    let name = OsString::from("wasm-bindgen-test-runner");
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::iter::once(name).chain(args))
}
