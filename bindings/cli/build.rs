//! Lists the files of the explorer, the page that `pagevec serve` shows for an index, to be embedded: the page from
//! www/explorer, and what it imports of the npm package, which `cargo xtask pkg` builds. Where that was not built the list
//! is empty, and `serve` says so.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::{env, fs, io};

const ENTRY: &str = "explorer/main.js";
const PAGE: [&str; 3] = ["explorer/index.html", "explorer/style.css", "explorer/favicon.svg"];
const WASM: &str = "wasm/search/pagevec_wasm_bg.wasm";
/// What the page does not load: the builder, and the scripts with a module inside, as the module itself is there.
const LEFT_OUT: [&str; 2] = ["dist/builder.js", "dist/inlined-"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    for watched in ["www/explorer", "pkg"].map(|name| root.join(name)) {
        if watched.exists() {
            println!("cargo:rerun-if-changed={}", watched.display());
        }
    }
    let files = explorer(&root).unwrap_or_default();
    let row = |(name, file): &(String, PathBuf)| format!("    ({name:?}, include_bytes!({file:?})),\n");
    let rows: String = files.iter().map(row).collect();
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("explorer_files.rs");
    fs::write(out, format!("pub(super) const FILES: &[(&str, &[u8])] = &[\n{rows}];\n"))
}

/// The files by their paths in the package, or nothing if one of them is missing.
fn explorer(root: &Path) -> Option<Vec<(String, PathBuf)>> {
    let place = |name: &str| match name.strip_prefix("explorer/") {
        Some(rest) => root.join("www/explorer").join(rest),
        None => root.join("pkg").join(name),
    };
    let mut found: BTreeSet<String> = PAGE.into_iter().chain([WASM, ENTRY]).map(String::from).collect();
    let mut left = vec![ENTRY.to_owned()];
    while let Some(name) = left.pop() {
        for import in imports(&fs::read_to_string(place(&name)).ok()?) {
            let import = join(&name, &import);
            let left_out = LEFT_OUT.iter().any(|name| import.starts_with(name));
            if !left_out && found.insert(import.clone()) {
                left.push(import);
            }
        }
    }
    let rows: Vec<_> = found.into_iter().map(|name| (name.clone(), place(&name))).collect();
    rows.iter().all(|(_, file)| file.is_file()).then_some(rows)
}

/// The relative modules that a module imports, at once or later; a comment may name others. Bundled code has no space
/// before the quote, and may have quotes in pairs that are not strings.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with(['/', '*']));
    let mut found = Vec::new();
    for line in code {
        let pieces: Vec<&str> = line.split('"').collect();
        for pair in pieces.windows(2) {
            let imported =
                ["from", "import", "import("].iter().any(|word| pair[0].trim_end().ends_with(word));
            if imported && pair[1].starts_with('.') && pair[1].ends_with(".js") {
                found.push(pair[1].to_owned());
            }
        }
    }
    found
}

/// `dist/core/a.js` and `../b.js` are `dist/b.js`.
fn join(from: &str, to: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in Path::new(to).components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.extend(name.to_str()),
            _ => {}
        }
    }
    parts.join("/")
}
