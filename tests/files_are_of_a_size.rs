//! A file is read in one sitting and no room of src/ holds what should be two: no file above 300 lines unless its head
//! says `Long because …`, no room above a fifth of src/. Tests are left out: files of them, and a module at a file's end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ROOMS: [&str; 4] = ["src", "pkg/src", "bindings", "xtask/src"];
const MOST_LINES: usize = 300;
/// Lines at the top of a file in which the reason stands.
const HEAD: usize = 15;
const REASONS: [&str; 3] = ["//! Long because ", "// Long because ", "* Long because "];
/// A room is at most one in so many lines of src/.
const PART: usize = 5;

#[test]
fn no_file_is_long_without_a_reason() {
    let files: Vec<_> = ROOMS.iter().flat_map(|room| sources(&root().join(room))).collect();
    assert!(files.len() > 150, "only {} files were found", files.len());
    let complaint = |(path, text): &(PathBuf, String)| {
        let lines = lines(text);
        let name = path.strip_prefix(root()).unwrap().display();
        (lines > MOST_LINES && !gives_a_reason(text)).then(|| format!("{lines:>5} {name}"))
    };
    let complaints: Vec<String> = files.iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "above {MOST_LINES} lines:\n{}", complaints.join("\n"));
}

#[test]
fn no_room_of_src_is_more_than_a_fifth_of_it() {
    let src = root().join("src");
    let mut rooms: BTreeMap<String, usize> = BTreeMap::new();
    for (path, text) in sources(&src) {
        let within = path.strip_prefix(&src).unwrap();
        let room = within.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        *rooms.entry(room).or_default() += lines(&text);
    }
    let all: usize = rooms.values().sum();
    assert!(rooms.len() > 5 && all > 5_000, "{rooms:?}");
    let large: Vec<_> = rooms.iter().filter(|&(_, &lines)| lines * PART > all).collect();
    assert!(large.is_empty(), "of {all} lines: {large:?}");
}

#[test]
fn lines_and_reasons_are_told() {
    let text = "//! A head.\n\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
    assert_eq!(lines(text), 4);
    assert_eq!(lines("#[cfg(test)]\nmod tests;\nfn f() {}\n"), 3);
    assert!(gives_a_reason("//! A head.\n//! Long because a table is read whole.\n"));
    assert!(gives_a_reason("/**\n * Long because a table is read whole.\n */\n"));
    assert!(!gives_a_reason(&format!("{}// Long because it came late.\n", "\n".repeat(HEAD))));
    assert!(!gives_a_reason("//! Long because \n"), "a reason is more than a word");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Without the module of tests that ends the file.
fn lines(text: &str) -> usize {
    let tests = text.rfind("\n#[cfg(test)]\nmod tests {").map_or(text.len(), |at| at + 1);
    text[..tests].lines().count()
}

fn gives_a_reason(text: &str) -> bool {
    let reason = |line: &str| {
        REASONS
            .iter()
            .any(|reason| line.trim_start().strip_prefix(reason).is_some_and(|why| why.contains(' ')))
    };
    text.lines().take(HEAD).any(reason)
}

/// Every source below a folder, and what it says; no tests, nothing that was made or fetched.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["tests", "node_modules", "target"].contains(&name.as_str()) {
                found.extend(sources(&path));
            }
        } else if name != "tests.rs" && [".rs", ".js", ".mjs"].iter().any(|end| name.ends_with(end)) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}
