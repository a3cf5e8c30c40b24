//! The worked example of FORMAT.md is the file that its rows and options give: the dump, byte for byte, and what its
//! remarks quote of it.
//!
//! `PAGEVEC_BLESS=1` writes the bytes of today into the dump; remarks stay with the place in their section that they
//! stood at, and are mended by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use pagevec::{BuildOptions, Id, Ids, Index, IndexChoice};
use support::format::{self, Section};
use support::{clusters, file};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const BEGIN: &str = "lines of zeros and of curves that need no remark are left out.\n\n```\n";
/// Columns of a line before its remark: the address, sixteen bytes in two halves, and what parts them.
const REMARK: usize = 57;

fn built() -> Vec<u8> {
    let ids = ["north", "east", "northeast"].map(str::to_owned).to_vec();
    let options = BuildOptions::default().m(2).ef_construction(4).seed(1);
    file(&[0.0, 1.0, 1.0, 0.0, 0.6, 0.8], 2, Some(Ids::Texts(ids)), &options)
}

fn document() -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

fn dump(text: &str) -> &str {
    let start = text.find(BEGIN).unwrap() + BEGIN.len();
    &text[start..start + text[start..].find("```").unwrap()]
}

/// A line of the dump; `None` for an empty one.
fn parse(line: &str) -> Option<(usize, Vec<u8>, &str)> {
    let (address, rest) = line.split_once("  ")?;
    let address = usize::from_str_radix(address, 16).unwrap();
    let columns = &rest[..rest.len().min(REMARK - 8)];
    let bytes = columns.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    Some((address, bytes, line.get(REMARK..).unwrap_or("")))
}

/// The part of a file that a line shows: the kind of the section (0 for the header), and which row of it.
fn place(sections: &[Section], address: usize) -> (u32, usize) {
    let section = sections.iter().rev().find(|s| s.offset <= address && s.length > 0);
    section.map_or((0, address), |s| (s.kind, address - s.offset))
}

/// The dump of `file` with the remarks and the empty lines of an older one.
fn rewritten(file: &[u8], old: &str) -> String {
    let mut before = vec![0; 1 << 16];
    for (address, bytes, _) in old.lines().filter_map(parse) {
        format::put(&mut before, address, &bytes);
    }
    let sections = format::sections(&before);
    let (mut remarks, mut gaps, mut gap) = (BTreeMap::new(), Vec::new(), false);
    for line in old.lines() {
        let Some((address, _, remark)) = parse(line) else {
            gap = true;
            continue;
        };
        if !remark.is_empty() {
            remarks.insert(place(&sections, address), remark);
        }
        if std::mem::take(&mut gap) {
            gaps.push(place(&sections, address));
        }
    }
    let sections = format::sections(file);
    // Widths of one kind repeat one another.
    let cells = format::section(file, format::CELLS).offset;
    let curves = cells + clusters::CURVES..cells + clusters::OFFSETS;
    let mut text = String::new();
    for (i, row) in file.chunks(16).enumerate() {
        let place = place(&sections, i * 16);
        let dull = row.iter().all(|&byte| byte == 0) || curves.contains(&(i * 16));
        if !remarks.contains_key(&place) && dull {
            continue;
        }
        let hex = |half: &[u8]| half.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let (low, high) = row.split_at(row.len().min(8));
        let line = format!(
            "{:04x}  {:<23}  {:<23}   {}",
            i * 16,
            hex(low),
            hex(high),
            remarks.get(&place).unwrap_or(&"")
        );
        text += if gaps.contains(&place) { "\n" } else { "" };
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// What stands between `before` and `after`, everywhere.
fn quoted<'a>(text: &'a str, before: &str, after: fn(char) -> bool) -> Vec<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

#[test]
fn bytes() {
    let (path, text) = document();
    let file = built();
    let old = dump(&text);
    let new = rewritten(&file, old);
    let said = format!("The file has {} bytes; {BEGIN}", file.len());
    if std::env::var_os("PAGEVEC_BLESS").is_some() {
        let start = text.find(old).unwrap();
        let head = &text[..start - BEGIN.len()];
        let head = &head[..head.rfind("The file has").unwrap()];
        std::fs::write(path, format!("{head}{said}{new}{}", &text[start + old.len()..])).unwrap();
        return;
    }
    for (is, should) in old.lines().zip(new.lines()) {
        assert_eq!(is, should, "PAGEVEC_BLESS=1 writes the bytes of today");
    }
    assert_eq!(old, new);
    assert!(text.contains(&said), "the file has {} bytes", file.len());
}

/// Sums, places and lengths that the example names are those of the file.
#[test]
fn remarks() {
    let (_, text) = document();
    let file = built();
    let sections = format::sections(&file);
    let example = &text[text.find("## Worked example").unwrap()..];

    let seed = xxh3_64_with_seed(&file[40..56], 0);
    assert!(example.contains(&format!("file_seed is {seed:#018x}.")), "file_seed is {seed:#018x}");

    let example = example.replace(&format!("{seed:#018x}"), "");
    for digits in
        quoted(&example, "0x", |c: char| !c.is_ascii_hexdigit()).into_iter().filter(|d| d.len() >= 8)
    {
        let value = u64::from_str_radix(digits, 16).unwrap();
        let bytes = &value.to_le_bytes()[..digits.len() / 2];
        assert!(file.windows(bytes.len()).any(|window| window == bytes), "0x{digits} is not in the file");
    }
    let head = dump(&text).lines().filter_map(parse).filter(|(at, ..)| *at < format::header_end(&file));
    let head: Vec<&str> = head.map(|(.., remark)| remark).collect();
    let head = head.join(" ");
    let offsets: Vec<String> = sections.iter().map(|s| format!("{:x}", s.offset)).collect();
    let named = quoted(&head, "at 0x", |c: char| !c.is_ascii_hexdigit());
    assert_eq!(named, offsets, "where sections stand");
    let number = |text: &str| text.replace(',', "").parse::<usize>().ok();
    let lengths =
        head.split(" bytes, grain ").zip(head.split(" bytes, grain ").skip(1)).map(|(before, after)| {
            let length = number(before.rsplit(' ').next().unwrap());
            (length, number(after.split(' ').next().unwrap().trim_end_matches(',')))
        });
    let expected = sections.iter().filter(|s| s.length > 0).map(|s| (Some(s.length), Some(s.grain)));
    assert_eq!(lengths.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "lengths and grains of sections");

    let front = format::u64_at(&file, 32);
    for said in [format!("file length {}", file.len()), format!("front length {front};")] {
        assert!(head.contains(&said), "{said}");
    }
    let manifest = format!("\"length\": {}, \"front\": {front},", file.len());
    assert!(text.contains(&manifest), "{manifest}");
    let first = format!("[[\"code parameters\", {}, {}], …]", sections[0].offset, sections[0].length);
    assert!(text.contains(&first), "{first}");

    let all: Vec<&str> = dump(&text).lines().filter_map(parse).map(|(.., remark)| remark).collect();
    let all = all.join(" ");
    for (number, row) in file[format::section(&file, format::CODES).offset..].chunks(10).take(3).enumerate() {
        let scale = f32::from_bits(format::u32_at(row, 2));
        let [c, d] = [row[0] as i8, row[1] as i8];
        let sum = format::u32_at(row, 6) as i32;
        let said = format!("row {number}: c ({c}, {d}), s {scale:.5}, Σc {sum}");
        assert!(all.contains(&said), "{said}");
    }
}

/// The search that the example follows has the scores it says.
#[test]
fn search() {
    let (_, text) = document();
    let index = Index::from_bytes(&built()).unwrap();
    for choice in [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
        let o = support::top(1).index(choice);
        let best = index.search(&[0.6, 0.8], &o).unwrap().hits.remove(0);
        assert_eq!(best.id, Id::Text("northeast".to_owned()));
        let said = format!("= −{:.4}, score {:.4}.", best.score, best.score);
        assert!(text.contains(&said), "{said}");
    }
}
