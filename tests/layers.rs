//! The layers of src/ hold: imports go down only, the platform shows at its doors only, `unsafe` stays in its rooms.

use std::fs;
use std::path::Path;

/// Bottom to top. Modules of one floor may not import each other. The leaves are usable by all;
/// `crate::Error` is what everyone calls theirs.
const FLOORS: [&[&str]; 10] = [
    &["kernels"],
    &["vectors", "payload", "pressure"],
    &["quant", "storage"],
    &["segment", "rows"],
    &["search", "roaring"],
    &["build", "session"],
    &["index", "plan"],
    &["collection"],
    &["folder"],
    &["lib"],
];
const LEAVES: [&str; 15] = [
    "error", "id", "metric", "ctx", "exec", "features", "hash", "sort", "topk", "row_set", "memory",
    "budget", "metrics", "trace", "Error",
];
const DOORS: [&str; 12] = [
    "lib.rs",
    "exec.rs",
    "features.rs",
    "sort.rs",
    "kernels/mod.rs",
    "storage/mod.rs",
    "storage/mmap.rs",
    "storage/dir/mod.rs",
    "folder/process_lock/holder.rs",
    "pressure/machine.rs",
    "pressure/mod.rs",
    "trace.rs",
];
const UNSAFE_FILE: &str = "storage/mmap.rs";
/// What divides its work among threads: a build, the merges of a collection, and the batch of queries at the top; the heartbeat of
/// a lock. A search does not, so that none
/// waits for the pool in which others wait for it.
const DIVIDES: [&str; 9] = [
    "lib.rs",
    "exec.rs",
    "quant/",
    "rows/",
    "segment/writer.rs",
    "build/",
    "index/mod.rs",
    "folder/collection.rs",
    "folder/process_lock/mod.rs",
];
/// Rooms that know neither threads nor files, so that they are the same in a page and in a server.
const PLAIN: [&str; 6] = ["vectors", "quant", "rows", "segment", "search", "session"];
const OUTSIDE: [&str; 8] = ["fs", "thread", "sync", "net", "process", "path", "time", "env"];

#[test]
fn the_source_keeps_to_its_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in rust_files(&src) {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        complaints.extend(check(&name, &fs::read_to_string(&file).unwrap()));
        count += 1;
    }
    assert!(count > 5, "only {count} files found in {}", src.display());
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_bad_source_is_noticed() {
    let bad = [
        ("kernels/scalar.rs", "use crate::search::Hit;"),
        ("kernels/scalar.rs", "fn f() { crate::quant::train() }"),
        ("quant/sq8.rs", "use crate::storage::Source;"),
        ("storage/paged.rs", "use crate::{error::Error, quant::{Codec, sq8}};"),
        ("storage/paged.rs", "use crate::{\n    error::Error,\n    segment::Segment,\n};"),
        ("payload/program.rs", "use crate::segment::Segment;"),
        ("search/plan.rs", "use crate::build::BuildOptions;"),
        ("search/hnsw/walk.rs", "#[cfg(test)]\nmod tests { use crate::build::build; }"),
        ("session/mod.rs", "use crate::build::build;"),
        ("build/mod.rs", "use crate::session::Session;"),
        ("quant/pq.rs", "use crate::build::nearest;"),
        ("search/driver.rs", "use std::sync::Mutex;"),
        ("session/mod.rs", "use std::{cell::Cell, thread};"),
        ("segment/reader.rs", "let file = std::fs::read(path);"),
        ("segment/reader.rs", "use super::super::search::Hit;"),
        ("segment/reader/ids.rs", "use super::super::super::index::Index;"),
        ("error.rs", "use crate::segment::Segment;"),
        ("collection/files/open.rs", "use crate::Session;"),
        ("collection/files/open.rs", "pub(in crate::nowhere) fn f() {}"),
        ("search/flat.rs", "#[cfg(target_arch = \"wasm32\")]"),
        ("search/flat.rs", "#[cfg(all(test, feature = \"native\"))]"),
        ("search/flat.rs", "#[cfg_attr(not(feature = \"native\"), allow(dead_code))]"),
        ("search/flat.rs", "if cfg!(debug_assertions) {}"),
        ("storage/paged.rs", "let x = unsafe { *p };"),
        ("search/flat.rs", "unsafe impl Send for X {}"),
        ("search/flat.rs", "use crate::exec;"),
        ("session/mod.rs", "let a = crate::exec::map_chunks(n, 1, f);"),
        ("search/clusters/probe.rs", "use crate::{error::Error, exec};"),
        ("index/paged.rs", "use rayon::prelude::*;"),
    ];
    for (name, text) in bad {
        assert!(!check(name, text).is_empty(), "nothing said about {text:?} in {name}");
    }
}

#[test]
fn a_good_source_is_left_alone() {
    let good = [
        (
            "search/flat.rs",
            "use crate::{error::Error, segment::Segment, quant::{Codec, sq8}};\nuse crate::kernels::dot;",
        ),
        (
            "build/hnsw/layer0.rs",
            "use super::super::nearest; use crate::segment::Graph; use crate::search::flat; use crate::exec;",
        ),
        ("build/clusters/tree.rs", "use crate::exec; // rayon"),
        (
            "segment/reader.rs",
            "// use crate::search::Hit;\nuse crate::id::Id; // unlike unsafe { } elsewhere",
        ),
        ("quant/sq8.rs", "#[cfg(test)]\nmod tests { use crate::metric::Metric; }"),
        ("metric.rs", "mod tests { use super::*; use super::Metric; }"),
        ("search/flat.rs", "let quote = '\"'; let escaped = '\\\"'; /* crate::collection */"),
        (
            "quant/sq8.rs",
            "let s = \"crate::collection is above, unsafe too\"; let lifetime: &'static str = s;",
        ),
        ("exec.rs", "#[cfg(feature = \"native\")] use rayon::prelude::*;"),
        ("kernels/avx2.rs", "unsafe { load(p) }"),
        ("storage/mmap.rs", "unsafe { Mmap::map(&file) }"),
        ("lib.rs", "pub use collection::Index; pub use crate::search::Hit;"),
        ("session/mod.rs", "use std::cell::RefCell; use std::collections::HashMap;"),
    ];
    for (name, text) in good {
        assert_eq!(check(name, text), Vec::<String>::new(), "{text:?} in {name}");
    }
}

/// What is wrong with one file. `name` is its path in src/, with slashes.
fn check(name: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut complaints = Vec::new();
    for target in imports(name, &code) {
        if !may_import(module(name), &target) {
            complaints.push(format!("src/{name} reaches {target}, which is not below it (a name re-exported by lib.rs: import it from its module)"));
        }
    }
    let may_divide = DIVIDES.iter().any(|d| name == *d || (d.ends_with('/') && name.starts_with(d)));
    let divides = words(&code).any(|word| word == "rayon") && name != "exec.rs";
    if divides || (imports(name, &code).contains(&"exec".to_owned()) && !may_divide) {
        complaints.push(format!(
            "src/{name} divides its work among threads: only a build and a batch of queries may, and by exec"
        ));
    }
    for what in words_after(&code, "std").filter(|what| OUTSIDE.contains(&what.as_str())) {
        if PLAIN.contains(&module(name)) {
            complaints.push(format!(
                "src/{name} uses std::{what}: rooms below `index` know neither threads nor files"
            ));
        }
    }
    if !DOORS.contains(&name) && platform(&code) {
        complaints.push(format!("src/{name} asks for the platform: only {} may", DOORS.join(", ")));
    }
    if !name.starts_with("kernels/") && name != UNSAFE_FILE && words(&code).any(|word| word == "unsafe") {
        complaints.push(format!("src/{name} has unsafe code: only kernels/ and {UNSAFE_FILE} may"));
    }
    complaints
}

fn may_import(from: &str, to: &str) -> bool {
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    if from == to || from == "lib" || LEAVES.contains(&to) {
        return true;
    }
    match (floor(from), floor(to)) {
        (Some(from), Some(to)) => from > to,
        _ => false,
    }
}

/// The module at the top of src/ to which a file belongs.
fn module(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}

/// The top modules that a file names, by `crate::…` or by enough `super::`, alone or in braces.
fn imports(name: &str, code: &str) -> Vec<String> {
    let depth = name.matches('/').count() + usize::from(!name.ends_with("/mod.rs") && name != "lib.rs");
    let mut found = Vec::new();
    for prefix in ["crate::".to_owned(), "super::".repeat(depth.max(1))] {
        for (at, _) in code.match_indices(&prefix) {
            let before = &code[..at];
            let goes_on =
                before.ends_with("super::") || before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if goes_on {
                continue;
            }
            for head in heads(&code[at + prefix.len()..]) {
                match (is_module(&head), prefix == "crate::") {
                    (true, _) => found.push(head),
                    // What lib.rs re-exports as `crate::Name` belongs to lib.
                    (false, true) => found.push("lib".to_owned()),
                    // From a module within the file, `super` is the file itself.
                    (false, false) => {}
                }
            }
        }
    }
    found
}

fn is_module(head: &str) -> bool {
    LEAVES.contains(&head) || FLOORS.iter().any(|floor| floor.contains(&head))
}

/// The first name of a path, or of each path in `{a::b, c::{d, e}}`.
fn heads(path: &str) -> Vec<String> {
    let word = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    let Some(list) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                found.push(word(&list[start..at]));
                start = at + 1;
            }
            '}' if depth == 0 => {
                found.push(word(&list[start..at]));
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    found.retain(|head| !head.is_empty() && head != "self");
    found
}

/// Whether a cfg looks at the target or a feature, or any `cfg!` is asked.
fn platform(code: &str) -> bool {
    let attribute = |marker: &str| {
        code.match_indices(marker).any(|(at, _)| {
            let rest = &code[at..];
            let end = rest.find(']').unwrap_or(rest.len());
            words(&rest[..end])
                .any(|word| word.starts_with("target_") || ["feature", "unix", "windows"].contains(&word))
        })
    };
    code.contains("cfg!(") || attribute("cfg(") || attribute("cfg_attr(")
}

/// What is named in a path after `root::`, alone or first in braces.
fn words_after<'a>(code: &'a str, root: &'a str) -> impl Iterator<Item = String> + 'a {
    let paths = code.match_indices("::").filter(move |(at, _)| {
        let before = &code[..*at];
        before.ends_with(root)
            && !before[..before.len() - root.len()].ends_with(|c: char| c.is_alphanumeric() || c == '_')
    });
    paths.flat_map(move |(at, _)| heads(&code[at + 2..]))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The text without comments and with empty string literals.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if let Some(after) = ["'\"'", "'\\\"'"].iter().find_map(|quote| rest.strip_prefix(quote)) {
            rest = after;
        } else if c == '"' {
            code.push_str("\"\"");
            rest = after_string(&rest[1..]);
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    code
}

fn after_string(text: &str) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == '"' && !escaped {
            return &text[at + 1..];
        }
        escaped = c == '\\' && !escaped;
    }
    ""
}

fn rust_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
