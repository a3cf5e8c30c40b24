//! Every figure in the documents is true today: it is what the code says, or it says when and where it was measured.
//!
//! A figure is a number in prose, a heading or a table. It is held in one of these ways:
//!
//! * **By the code**: `64 MiB<!-- = DEFAULT_BUDGET -->`. Each expression, parted by commas, is one of the last figures
//!   before it on the line: a constant by its name, wherever it stands; `Type.field` of a default; arithmetic.
//! * **By a date**: a section with a line that begins ``Measured on 2026-11-21, `machine` ``, a machine that
//!   docs/benchmarks.md describes. With "the date of its row" only rows of tables that have a date in a cell.
//!   What others write is dated by a line that begins "Read on 2026-11-21".
//! * **By a second reading**: a section with `<!-- figures of FILE, FILE -->` has no number that these tests, which read
//!   the format a second time, do not have. One with `<!-- compared by FILE -->` is compared as a whole by that test.
//! * **By its formula**: the last figure of a row in a table below `<!-- evaluated with d = 384 -->`.
//! * **By its form**: list numbers, dates, years of citations, powers of two and ten, statuses of HTTP as code (`206`), versions
//!   of programs, digits of a name (sq8, HTTP/2), and 0 and 1 without a unit.
//!
//! Blocks of code and code in a line are examples and formulas, not figures; a number alone as code is one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "support/documents/mod.rs"]
mod documents;
mod support;

use documents::values::Values;
use documents::{Count, Known, check, formula, value};
use pagevec::{BuildOptions, CodecKind, Index, Metric, OpenOptions, SearchOptions};
use std::fs;
use std::path::{Path, PathBuf};
use support::format;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All documents but the log of changes and results of measurements, which are dated as a whole.
fn documents() -> Vec<String> {
    let mut names: Vec<String> = [
        "README.md",
        "ARCHITECTURE.md",
        "FORMAT.md",
        "CONTRIBUTING.md",
        "pkg/README.md",
        "www/data/README.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            names.push(format!("docs/{name}"));
        }
    }
    names.sort();
    names
}

fn known() -> Known {
    let folders = ["src", "bindings/cli/src", "bindings/wasm/src", "pkg/src", "xtask/src"]
        .map(|folder| root().join(folder));
    let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let defaults = vec![
        ("BuildOptions", format!("{:?}", BuildOptions::default())),
        ("SearchOptions", format!("{:?}", SearchOptions::default())),
        ("OpenOptions", format!("{:?}", OpenOptions::default())),
        ("words", words()),
    ];
    let readers = [
        "tests/support/format.rs",
        "tests/support/clusters.rs",
        "tests/a_second_reader_gets_the_same_scores.rs",
        "tests/a_second_reader_finds_the_same_by_clusters.rs",
        "tests/the_worked_example_is_this_file.rs",
        "tests/sections_have_the_documented_bytes.rs",
        "tests/position_sets_are_small_and_checked.rs",
        "tests/support/positions.rs",
        "tests/support/stored.rs",
        "tests/support/indexes.rs",
        "tests/the_figures_of_texts_are_reproduced.rs",
    ];
    let readers = readers.map(|name| (name.to_owned(), read(name))).to_vec();
    Known {
        values: Values::read(&folders, defaults),
        machines: machines(&read("docs/benchmarks.md")),
        readers,
    }
}

/// How many words the demo has, and components a vector: after its head, halves fill the file.
fn words() -> String {
    let rows = read("www/data/words.txt").lines().count();
    let file = fs::read(root().join("www/data/words.f16.npy")).unwrap();
    let head = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    assert_eq!((file.len() - head) % (2 * rows), 0);
    format!("words {{ rows: {rows}, dim: {} }}", (file.len() - head) / (2 * rows))
}

/// The names that begin the list below the heading "Machines".
fn machines(text: &str) -> Vec<String> {
    let list =
        text.split("\n## Machines\n").nth(1).unwrap_or_default().split("\n## ").next().unwrap_or_default();
    list.lines().filter_map(|line| Some(line.strip_prefix("- `")?.split_once('`')?.0.to_owned())).collect()
}

#[test]
fn figures() {
    let known = known();
    let mut count = Count::default();
    let complaints: Vec<String> =
        documents().iter().flat_map(|name| check(name, &read(name), &known, &mut count)).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    assert!(count.derived > 50 && count.dated > 50 && count.read > 50, "{count:?}");
}

/// Files and folders that documents name are there, from the root, from `src/` or from `pkg/src/`.
#[test]
fn paths() {
    let roots = [root(), root().join("src"), root().join("pkg/src")];
    let mut missing = Vec::new();
    let mut count = 0;
    for name in documents() {
        let text = read(&name);
        for path in text.split(['`', ' ', '\n', ',']).filter(|word| is_path(word, &roots)) {
            count += 1;
            if !roots.iter().any(|root| root.join(path).exists()) {
                missing.push(format!("{name}: {path}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(count > 100, "only {count} paths");
}

/// A flag that stands in a line with the command line tool or with xtask is one of theirs.
#[test]
fn flags() {
    let sources: String = ["bindings/cli/src", "pkg/src/cli", "xtask/src"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .collect();
    let (mut unknown, mut count) = (Vec::new(), 0);
    for name in documents() {
        let text = read(&name);
        for line in text
            .lines()
            .filter(|l| ["pagevec ", "xtask ", "CLI", "`build ", "`--"].iter().any(|w| l.contains(w)))
        {
            // What follows `--` alone, and lines about other tools, are not ours.
            let ours = line.split(" -- ").next().unwrap_or_default();
            for flag in
                ours.split(|c: char| !c.is_ascii_lowercase() && c != '-').filter_map(|w| w.strip_prefix("--"))
            {
                if flag.is_empty() || OTHERS.contains(&flag) {
                    continue;
                }
                count += 1;
                let field = format!(" {}:", flag.replace('-', "_"));
                if !sources.contains(&field) && !sources.contains(&format!("\"{flag}\"")) {
                    unknown.push(format!("{name}: --{flag}"));
                }
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
    assert!(count > 15, "only {count} flags");
}

/// Flags of cargo, clap, nextest and hosts that documents name.
const OTHERS: [&str; 9] =
    ["lib", "path", "help", "test", "features", "cache-control", "content-type", "base", "follow"];

fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![std::fs::read_to_string(&path).unwrap()],
        })
        .collect()
}

/// Whether a word is a path below a folder that there is.
fn is_path(code: &str, roots: &[PathBuf]) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let first = code.split('/').next().unwrap_or_default();
    let folder =
        !["", ".", "..", "target"].contains(&first) && roots.iter().any(|root| root.join(first).is_dir());
    code.contains('/') && code.chars().all(plain) && folder
}

/// What docs/sizes.md says that a row takes in a codec is what it takes in a file.
#[test]
fn sizes() {
    let text = read("docs/sizes.md");
    let mut found = Vec::new();
    for line in text.lines() {
        let Some(name) = line.strip_prefix("| codes `").and_then(|rest| rest.split('`').next()) else {
            continue;
        };
        let metric = if line.contains("under l2") { Metric::L2 } else { Metric::Cosine };
        let codec: CodecKind = name.parse().unwrap();
        for dim in [1, 7, 96, 200] {
            let CodecKind::Pq(parts) = codec else {
                assert_stride(codec, metric, dim, &formula(line).unwrap());
                continue;
            };
            if dim >= parts.into() {
                assert_stride(codec, metric, dim, &formula(line).unwrap());
            }
        }
        found.push(name.to_owned());
    }
    for name in ["f32", "f16", "sq8", "sq4", "binary", "pq"] {
        assert!(found.iter().any(|found| found == name), "docs/sizes.md has no row for {name}");
    }
}

fn assert_stride(codec: CodecKind, metric: Metric, dim: usize, formula: &str) {
    let mut options = support::options(metric, codec);
    (options.graph, options.clusters) = (false, false);
    let rows = support::data::clustered(3, dim, 5);
    let index = Index::from_bytes(&support::file(&rows, dim, None, &options)).unwrap();
    let codes = index.info().sections.iter().find(|section| section.name == "codes").unwrap().length;
    let said = value(formula, &[("d".to_owned(), dim as f64)]).unwrap();
    assert_eq!(codes as f64, 3.0 * said, "{codec:?} {metric:?} with {dim} components: {formula}");
}

/// The kinds of sections that FORMAT.md lists are those of a file that has them all.
#[test]
fn kinds_of_sections() {
    // Beside binary codes there are refine rows.
    let mut options = support::options(Metric::Cosine, CodecKind::Binary);
    options.exact = Some(CodecKind::F32);
    let (fields, schema) = support::indexed_fields(700);
    let options = options.fields(fields).schema(schema);
    let bytes = support::file(&support::data::clustered(700, 9, 5), 9, None, &options);
    let index = Index::from_bytes(&bytes).unwrap();
    let said = numbered_below("\n## Sections\n");
    let kinds = format::sections(&bytes).into_iter().map(|section| section.kind);
    let names = index.info().sections.iter().map(|section| section.name.to_string());
    let kinds: Vec<(u32, String)> = kinds.zip(names).collect();
    assert_eq!(said, kinds);
}

/// The numbers of codecs and metrics that FORMAT.md lists are those in the header.
#[test]
fn numbers_of_codecs() {
    let said = numbered_below("\n### Codecs\n");
    assert_eq!(said.len(), 6);
    for (number, name) in said {
        let name = if name == "pq" { "pq2".to_owned() } else { name };
        let options = support::options(Metric::Cosine, name.parse().unwrap());
        let bytes = support::file(&support::data::clustered(5, 9, 5), 9, None, &options);
        assert_eq!(u32::from(bytes[65]), number, "{name}");
    }
}

/// The rows of the first table below a heading of FORMAT.md.
fn numbered_below(heading: &str) -> Vec<(u32, String)> {
    let text = read("FORMAT.md");
    let below = text.split(heading).nth(1).unwrap();
    let table = below.lines().skip_while(|line| !line.starts_with('|'));
    table.take_while(|line| line.starts_with('|')).filter_map(row).collect()
}

/// Number and name in the first two cells.
fn row(line: &str) -> Option<(u32, String)> {
    let mut cells = line.split('|').skip(1).map(str::trim);
    Some((cells.next()?.parse().ok()?, cells.next()?.to_owned()))
}

/// In a table of fields each one begins where the one before it ends.
#[test]
fn fields_follow_one_another() {
    let mut pairs = 0;
    let text = read("FORMAT.md");
    for table in text.split("\n| offset ").skip(1) {
        let rows: Vec<(u64, u64)> = table
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                Some((cells.get(1)?.parse().ok()?, bytes(cells.get(2)?)?))
            })
            .collect();
        assert!(rows.first().is_none_or(|&(first, _)| first == 0), "the first field begins at 0");
        for pair in rows.windows(2) {
            assert_eq!(pair[0].0 + pair[0].1, pair[1].0, "the field at {} and the next", pair[0].0);
            pairs += 1;
        }
    }
    assert!(pairs > 30, "only {pairs} pairs of fields");
}

/// Of a type like u32, 16 bytes, 4 × u32 or 4 × 8 × 28 bytes.
fn bytes(kind: &str) -> Option<u64> {
    kind.split(" × ")
        .map(|factor| {
            let factor = factor.split(' ').next()?;
            let bits = factor.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            if bits == factor { factor.parse::<u64>().ok() } else { Some(bits.parse::<u64>().ok()? / 8) }
        })
        .product()
}

mod the_checker {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let values = Values::of(&[
            (
                "plan.rs",
                "/// About 7.\nconst WIDE: usize = 8;\nconst SMALL: u64 = 1 << 20;\npub const ALL: [usize; 2] =\n    [160, 192];",
            ),
            ("pool.rs", "const WIDE: usize = 2048;"),
            (
                "open.js",
                "const LIMITS = { h2: { requests: 60, waste: 24 * 1024 }, h1: { requests: 6 } };\nfunction f({ retries = 2, a }) {}",
            ),
        ]);
        let readers = [
            ("tests/reader.rs", "let t = max / 63.0; let tag = 0x4C49;"),
            ("tests/example.rs", "find(\"## Example\") in read(\"a.md\")"),
        ];
        let readers = readers.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
        let known = Known { values, machines: vec!["epyc".to_owned()], readers };
        check("a.md", text, &known, &mut Count::default())
    }

    #[test]
    fn notices_what_nothing_holds() {
        for text in [
            "It reads 0.36 MB.",
            "It answers 12 queries.",
            "| a | 31,440 |",
            "| offset | type | field |\n|---|---|---|\n| 12 | u32 | n, below 13 |",
            "## Ten in 3 ms",
            "A default of `100`.",
            "Up to 1 MiB<!-- = plan.rs:WIDE -->.",
            "Up to 2 MiB<!-- = SMALL -->.",
            "One of 9<!-- = plan.rs:WIDE -->.",
            "One of 8<!-- = WIDE -->, of two files.",
            "One of 8<!-- = NOWHERE -->.",
            "With 12<!-- = retries -->.",
            "From 160 to 191<!-- = ALL[0], ALL[1] -->.",
            "Only one<!-- = SMALL -->.",
            "It is 12<!-- = 12 -->.",
            "k is 11<!-- = Options.k -->.",
            "# A\n## B\nMeasured on 2026-11-21, `epyc`: 12.\n## C\nIt is 13.",
            "Measured on 2026-11-21, `unknown`: 12.",
            "Measured on some day, `epyc`: 12.",
            "# A\nMeasured on the date of its row, `epyc`.\n\n| 3 days | 12 |",
            "<!-- figures of tests/reader.rs -->\nBy 64.",
            "<!-- figures of tests/other.rs -->\nBy 63.",
            "# A\n## B\n<!-- compared by tests/reader.rs -->\nBy 12.",
            "# A\n<!-- figures of tests/reader.rs -->\n## B\nBy 12.",
            "Read on some day in stored copies: 12.",
            "<!-- evaluated with d = 384 -->\n| a | b | c |\n|---|---|---|\n| sq8 | `d + 8` | 393 |",
            "<!-- evaluated with d = 384 -->\n| sq8 | `d + m` | 392 |",
            "Status 206 in prose.",
        ] {
            assert!(!complaints(text).is_empty(), "nothing is said about {text:?}");
        }
    }

    #[test]
    fn leaves_alone_what_is_held() {
        for text in [
            "Up to 1 MiB<!-- = SMALL --> and 8<!-- = plan.rs:WIDE -->, an eighth.",
            "Up to 8<!-- = plan:WIDE --> and 2,048<!-- = pool.rs:WIDE -->.",
            "From 160 to 192<!-- = ALL[0], ALL[1] --> queries; 2<!-- = retries --> retries.",
            "It merges into 60<!-- = LIMITS.h2.requests --> requests with 24 KiB<!-- = LIMITS.h2.waste --> of gaps.",
            "k is 10<!-- = Options.k -->, the limit 7<!-- = Options.limit -->, half 4<!-- = plan.rs:WIDE / 2 -->.",
            "# A\nMeasured on 2026-11-21, `epyc`, idle.\n\n| 12 ms | 3.5x |\n## B\nand 13.",
            "# A\nMeasured on the date of its row, `epyc`.\n\n| 2026-11-21 | 12 |",
            "<!-- figures of tests/reader.rs -->\nBy 63, with 0x4C49.",
            "# A\n## Example\n<!-- compared by tests/example.rs -->\nBy 12.",
            "# A\nRead on 2026-11-21 in stored copies.\n## B\nBy 12.",
            "| offset | type | field |\n|---|---|---|\n| 12 | u32 | n |",
            "<!-- evaluated with d = 384, b = 2 -->\n| a | b | c |\n|---|---|---|\n| sq8 | `⌈d/9⌉ + b·8` | 59 |",
            "1. sq8 of UTF-8 over HTTP/2, recall@10, XXH3-64.\n\n```\n12 of 13\n```",
            "On 2026-11-21 (Malkov and Yashunin, 2016): `206`, Node 20 and `--limit 12`, 2³² − 1, 0 or 1.",
            "[a page](https://example.org/12/13) and ![a plot](12.svg)",
        ] {
            assert_eq!(complaints(text), Vec::<String>::new(), "{text:?}");
        }
    }
}
