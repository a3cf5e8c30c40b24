//! `cargo xtask pkg`: the npm package, checked, typed and packed. It is assembled in target/pkg/stage, so that pkg/
//! holds only sources and what .gitignore names.
//!
//! What is shipped is not pkg/src but pkg/dist, which `xtask/bundle.mjs` makes of it: few files without comments, as a
//! page without a bundler makes a request for each. pkg/types carries the comments to editors.

use crate::shell::{self, Stamp, copy, copy_dir, files, output, run};
use crate::{node, size, wasm};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Builds the wasm modules and our JS, and checks what a page downloads of them.
pub(crate) fn build_modules() -> Result<()> {
    wasm::make()?;
    compile()?;
    size::check()
}

/// Builds the package and checks what a page downloads of it.
pub(crate) fn build() -> Result<()> {
    pack()?;
    size::check()
}

/// Builds the package and returns its tarball.
pub(crate) fn pack() -> Result<PathBuf> {
    wasm::make()?;
    compile()?;
    let stage = shell::target().join("pkg/stage");
    assemble(&stage)?;
    let text = output(node::npm()?.current_dir(&stage).args(["pack", "--json", "--pack-destination", ".."]))?;
    let report: serde_json::Value =
        serde_json::from_str(&text).context("npm pack printed something else than JSON")?;
    // npm 10 prints a list of packages, npm 12 an object that names them.
    let packed = report.get(0).or_else(|| report.get("pagevec")).context("npm pack reported no package")?;
    print(packed);
    let Some(name) = packed["filename"].as_str() else { bail!("npm pack named no file") };
    let tarball = shell::target().join("pkg").join(name);
    println!("{}", tarball.display());
    Ok(tarball)
}

/// Packs the package, and does all that publishing it would do but sending it.
pub(crate) fn publish_dry() -> Result<()> {
    let tarball = pack()?;
    let report = output(node::npm()?.args(["publish", "--dry-run", "--offline", "--json"]).arg(&tarball))?;
    let report: serde_json::Value = serde_json::from_str(&report).context("npm publish printed no JSON")?;
    let published = report.get("pagevec").unwrap_or(&report);
    for file in ["bin/pagevec.js", "LICENSE-MIT", "README.md"] {
        let has = |one: &serde_json::Value| one["path"] == file;
        if !published["files"].as_array().is_some_and(|files| files.iter().any(has)) {
            bail!("{file} would not be published with the npm package");
        }
    }
    Ok(())
}

/// Checks the JS of pkg/src with tsc, writes one .d.ts file for each entry to pkg/types and bundles its code into pkg/dist, if
/// it has changed. The wasm modules must be there: their types are checked against, and some files of dist have one inside.
pub(crate) fn compile() -> Result<()> {
    let pkg = shell::root().join("pkg");
    let made = [pkg.join("types"), pkg.join("dist")];
    let mut inputs = files(&pkg.join("src"))?;
    inputs.extend(files(&pkg.join("declarations"))?);
    let more = [
        "package.json",
        "tsconfig.json",
        "scripts/types.mjs",
        "../xtask/package-lock.json",
        "../xtask/bundle.mjs",
    ];
    inputs.extend(more.map(|name| pkg.join(name)));
    inputs.push(pkg.join("wasm/search/pagevec_wasm_bg.wasm"));
    for module in ["filter", "build", "collection"] {
        let made = ["pagevec_wasm.d.ts", "pagevec_wasm_bg.wasm", "instance.js"];
        inputs.extend(made.map(|name| pkg.join("wasm").join(module).join(name)));
    }
    let stamp = Stamp::new(shell::target().join("pkg.stamp"), &inputs)?;
    if stamp.fresh(&made) {
        return Ok(());
    }
    made.iter().try_for_each(|dir| shell::remove_dir(dir))?;
    run(node::tool("typescript/bin/tsc")?.args(["--project", "pkg"]))
        .context("the JS in pkg/ does not type-check")?;
    run(node::node()?.arg("pkg/scripts/types.mjs"))?;
    run(node::node()?.arg("xtask/bundle.mjs"))?;
    stamp.set()
}

/// Puts together what is published, and the licences, which lie in the repository's folder.
pub(crate) fn assemble(stage: &Path) -> Result<()> {
    let root = shell::root();
    shell::remove_dir(stage)?;
    let published = |file: &Path| {
        !["src", "scripts", "declarations", "tsconfig.json"].iter().any(|own| file.starts_with(own))
    };
    copy_dir(&root.join("pkg"), stage, &published)?;
    // The page that `npx pagevec serve` and the demo show.
    copy_dir(&root.join("www/explorer"), &stage.join("explorer"), &|_| true)?;
    for name in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
        if root.join(name).exists() && !stage.join(name).exists() {
            copy(&root.join(name), &stage.join(name))?;
        }
    }
    Ok(())
}

fn print(packed: &serde_json::Value) {
    for file in packed["files"].as_array().into_iter().flatten() {
        println!("{:>9}  {}", file["size"].as_u64().unwrap_or(0), file["path"].as_str().unwrap_or(""));
    }
    let size = |key: &str| packed[key].as_u64().unwrap_or(0);
    println!("{:>9}  bytes unpacked, {} packed", size("unpackedSize"), size("size"));
}

/// A project that uses the package.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    /// What is installed in it.
    pub(crate) tarball: PathBuf,
}

/// Makes a project in target/js that has the tarball installed, as a user's has, with a copy of tests/ in it: there,
/// `import "pagevec"` finds the package and nothing of this repository.
pub(crate) fn project() -> Result<Project> {
    let tarball = pack()?;
    let folder = shell::target().join("js");
    shell::remove_dir(&folder)?;
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("package.json"),
        "{ \"name\": \"uses-pagevec\", \"private\": true, \"type\": \"module\" }\n",
    )?;
    run(node::npm()?.current_dir(&folder).args(["install", "--offline", "--no-save"]).arg(&tarball))?;
    copy_dir(&shell::root().join("tests"), &folder.join("tests"), &|_| true)?;
    // The tests' own tools, not dependencies of the package.
    for tool in ["playwright-core", "axe-core"] {
        copy_dir(&node::modules()?.join(tool), &folder.join("node_modules").join(tool), &|_| true)?;
    }
    Ok(Project { folder, tarball })
}
