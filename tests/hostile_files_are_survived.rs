//! Files changed by somebody who knows the format: fields and units of every part changed by their meaning, and then
//! every sum made right again. Whatever a user does with such a file, by every route and source, ends in a well-formed
//! answer or a typed error: no panic, no search without an end, no more memory than a small multiple of the file.
//!
//! `PAGEVEC_FUZZ` is how many inputs to try, `PAGEVEC_FUZZ_SEED` which; `cargo xtask bench fuzz` tries a million.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pagevec::{
    Answer, CodecKind, Error, Id, Index, IndexChoice, Io, Metric, OpenOptions, Operation, SearchOptions,
};
use support::data::Random;
use support::fields::{Field, Meaning, Part, parts};
use support::format::{self, bits, put_bits};
use support::paged::{Remote, least_walk};
use support::{alloc, data, file, options, small_segments, texts};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

/// What the tests try together, unless told.
const INPUTS: u64 = 120_000;
/// Of which manifests, whose inputs are files on a disk, have one part, and each kind of segment `SHARE` parts.
const SHARE: u64 = 12;
const SEGMENTS: u64 = 8;
/// An input that takes longer than this hangs.
const HANG: Duration = Duration::from_secs(60);
const K: usize = 7;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

fn segments() -> Vec<(&'static str, Vec<u8>, usize)> {
    let mut all = small_segments();
    let small = |metric, codec| options(metric, codec).m(2).max_leaf_size(4).branching_factor(2);
    let rows = data::clustered(70, 3, 171);
    all.push((
        "f16, many cells, text ids",
        file(&rows, 3, Some(texts(70)), &small(Metric::L2, CodecKind::F16)),
        3,
    ));
    let rows = data::clustered(24, 130, 172);
    all.push((
        "sq8, one bit a component of lists, l2",
        file(&rows, 130, None, &small(Metric::L2, CodecKind::Sq8)),
        130,
    ));
    assert_eq!(all.len() as u64, SEGMENTS);
    all
}

/// What came of the inputs of one kind.
#[derive(Default)]
struct Tally {
    inputs: u64,
    opened: u64,
    codes: BTreeMap<&'static str, u64>,
    /// Of the file's length.
    memory: f64,
    slowest: Duration,
}

impl Tally {
    fn told<T>(&mut self, result: &Result<T, Error>) {
        *self.codes.entry(support::code(result)).or_default() += 1;
    }

    fn share(&self, code: &str) -> f64 {
        let all: u64 = self.codes.values().sum();
        self.codes.get(code).copied().unwrap_or(0) as f64 / all as f64
    }

    #[expect(clippy::print_stdout, reason = "`cargo xtask bench fuzz` reads it there")]
    fn print(&self, name: &str) {
        let all: u64 = self.codes.values().sum();
        let codes: Vec<String> = self
            .codes
            .iter()
            .map(|(code, count)| format!("{code} {:.2} %", *count as f64 * 100.0 / all as f64))
            .collect();
        println!(
            "fuzz | {name} | {} | {} | {} | {:.1} | {}",
            self.inputs,
            self.opened,
            codes.join(", "),
            self.memory,
            self.slowest.as_millis()
        );
    }
}

fn sound(tally: &mut Tally, result: Result<Answer, Error>, k: usize, count: usize, length: usize) {
    tally.told(&result);
    let Ok(answer) = result else { return };
    assert!(answer.hits.len() <= k.min(count), "{} hits of {count} rows", answer.hits.len());
    assert!(answer.hits.windows(2).all(|w| w[0].score >= w[1].score), "out of order: {answer:?}");
    assert!(answer.hits.iter().all(|h| h.score.is_finite()), "a score that is no number: {answer:?}");
    let mut seen: Vec<u32> = answer.hits.iter().map(|h| h.position).collect();
    seen.sort_unstable();
    assert!(seen.windows(2).all(|w| w[0] < w[1]), "a row twice");
    assert!(seen.last().is_none_or(|&p| (p as usize) < count), "a row beyond the last");
    let most = 16 * length as u64;
    assert!(answer.stats.distances <= most, "{} distances", answer.stats.distances);
}

/// What a user may ask.
struct Asked {
    query: Vec<f32>,
    options: Vec<SearchOptions>,
    ids: [Id; 3],
    walk: u64,
}

fn asked(file: &[u8], dim: usize) -> Asked {
    let all = |index| support::top(K).index(index);
    let mut options: Vec<_> = [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters].map(all).to_vec();
    let wide = all(IndexChoice::Clusters).probes(1000).rescore(1000);
    options.push(wide.clone().k(1000).ef(1000));
    Asked {
        query: data::clustered(1, dim, 173),
        options,
        ids: [Id::Number(7), Id::Number((1 << 40) + 7), Id::Text("wwä-7".into())],
        walk: if format::has(file, format::GRAPH) { least_walk(file) } else { 0 },
    }
}

/// Everything that a user can do with a file.
fn use_all(file: &[u8], asked: &Asked, random: &mut Random, tally: &mut Tally) {
    let index = Index::from_bytes(file);
    tally.told(&index);
    if let Ok(index) = index {
        tally.opened += 1;
        tally.told(&index.verify());
        let count = index.info().count;
        for o in &asked.options {
            sound(tally, index.search(&asked.query, o), o.k, count, file.len());
        }
        let id = &asked.ids[random.below(3)];
        tally.told(&index.position(id).map(|_| ()));
        tally.told(&index.vector(id).map(|_| ()));
    }
    // Over a source that is read: in little memory, in any, and opened for the walk.
    let least = match Remote::open(file, 0).err() {
        Some(Error::Budget { needed, .. }) => needed,
        _ => 0,
    };
    let remote = match random.below(3) {
        0 => Remote::open(file, least),
        1 => Remote::open(file, 1 << 20),
        _ => Remote::walking(file, asked.walk),
    };
    tally.told(&remote);
    let Ok(mut remote) = remote else { return };
    let count = remote.session.segment().count();
    for o in &asked.options[..3] {
        let answer = remote.search(&asked.query, o).map(|(answer, _)| answer);
        sound(tally, answer, o.k, count, file.len());
    }
    let id = || asked.ids[0].clone();
    for operation in [Operation::Find(id()), Operation::Vector(id()), Operation::Load] {
        tally.told(&remote.run(operation).map(|_| ()));
    }
}

/// A number that a field may be changed to.
fn other(random: &mut Random, file: &[u8], field: &Field, part: &Part) -> u64 {
    let old = bits(file, field.at, field.width);
    let most = u64::MAX >> (64 - field.width);
    if random.below(8) == 0 || field.meaning == Meaning::Bits {
        return random.next() & most;
    }
    if field.meaning == Meaning::Float {
        let special = [
            0,
            1 << 31,
            0x7fc0_0000,
            0xffc0_0000,
            0x7f80_0000,
            0xff80_0000,
            0x7f7f_ffff,
            1,
            0x0080_0000,
            0x7e00_0000,
            0x1e3c_e508,
            0x3f80_0000,
            0xbf80_0000,
            0x447a_0000,
        ];
        let word = special[random.below(special.len())];
        return match random.below(3) {
            0 => old ^ 1 << random.below(field.width),
            _ if field.width == 32 => word,
            _ => word >> (32 - field.width.min(32)),
        };
    }
    let sibling = part.fields[random.below(part.fields.len())];
    let count = u64::from(format::u32_at(file, 56));
    let length = file.len() as u64;
    let values = [
        0,
        1,
        2,
        7,
        8,
        9,
        63,
        64,
        255,
        256,
        count,
        count.wrapping_sub(1),
        count + 1,
        length,
        length - 1,
        length + 1,
        most,
        most - 1,
        most >> 1,
        (most >> 1) + 1,
        56,
        57,
        1 << 31,
        (1 << 31) - 1,
        u64::from(u32::MAX) + 1,
        old ^ 1 << random.below(field.width),
    ];
    let small = 1 + random.below(4) as u64;
    match random.below(4) {
        0 => old.wrapping_add(small),
        1 => old.wrapping_sub(small),
        2 => bits(file, sibling.at, sibling.width),
        _ => values[random.below(values.len())],
    }
}

/// Changes one to three fields or units; what was changed.
fn change(random: &mut Random, file: &mut Vec<u8>, parts: &[Part]) -> Vec<String> {
    let mut said = Vec::new();
    for _ in 0..1 + random.below(6).saturating_sub(3) {
        let part = &parts[random.below(parts.len())];
        match random.below(16) {
            0 | 1 if part.units.len() > 1 => {
                let [a, b] = [(); 2].map(|()| part.units[random.below(part.units.len())].clone());
                let length = a.len().min(b.len());
                if file.len() < a.end.max(b.end) {
                    continue;
                }
                file.copy_within(a.start..a.start + length, b.start);
                said.push(format!("{}: {a:?} in the place of {b:?}", part.name));
            }
            // What one gains another loses: sums of lengths stay right.
            2 => {
                let at = random.below(part.fields.len().max(2) - 1);
                let Some([a, b]) = part.fields.get(at..at + 2) else { continue };
                let more = 1 + random.below(9) as u64;
                let [x, y] = [bits(file, a.at, a.width), bits(file, b.at, b.width)];
                put_bits(file, a.at, a.width, x.wrapping_add(more));
                put_bits(file, b.at, b.width, y.wrapping_sub(more));
                said.push(format!("{}: {more} from {b:?} to {a:?}", part.name));
            }
            3 if random.below(8) == 0 => {
                let length = random.below(file.len() + 64);
                file.resize(length.max(format::TABLE), 0);
                if random.below(2) == 0 {
                    format::put(file, 24, &(length as u64).to_le_bytes());
                }
                said.push(format!("{length} bytes long"));
            }
            _ => {
                let field = &part.fields[random.below(part.fields.len())];
                if file.len() <= (field.at + field.width) / 8 {
                    continue;
                }
                let value = other(random, file, field, part);
                put_bits(file, field.at, field.width, value);
                said.push(format!("{}: {value:#x} for {field:?}", part.name));
            }
        }
    }
    said
}

/// Ends the process if an input hangs, as no test can end a thread.
struct Watch(&'static AtomicU64);

impl Watch {
    fn start(name: &'static str) -> Self {
        let now: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        std::thread::spawn(move || {
            let mut before = (u64::MAX, Instant::now());
            loop {
                std::thread::sleep(Duration::from_secs(1));
                match now.load(Ordering::Relaxed) {
                    u64::MAX => return,
                    input if input != before.0 => before = (input, Instant::now()),
                    input if before.1.elapsed() > HANG => {
                        eprintln!("{name}: input {input} hangs");
                        std::process::abort();
                    }
                    _ => {}
                }
            }
        });
        Watch(now)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }
}

/// Tries `inputs` inputs; each has its own numbers, so one can be repeated alone.
fn fuzz(
    name: &'static str,
    inputs: u64,
    mut one: impl FnMut(&mut Random, &mut Tally) -> (Vec<String>, f64, bool),
) -> Tally {
    let watch = Watch::start(name);
    let seed = number("PAGEVEC_FUZZ_SEED", 0);
    let mut tally = Tally::default();
    for input in number("PAGEVEC_FUZZ_FROM", 0)..inputs {
        watch.0.store(input, Ordering::Relaxed);
        let started = Instant::now();
        let mut random = Random(Random(seed ^ input << 20).next());
        let (said, memory, fine) = one(&mut random, &mut tally);
        tally.slowest = tally.slowest.max(started.elapsed());
        tally.memory = tally.memory.max(memory);
        tally.inputs += 1;
        assert!(fine, "{name}: input {input} of seed {seed}: {said:#?}");
    }
    tally.print(name);
    tally
}

fn segment(which: usize) {
    let (name, file, dim) = segments().swap_remove(which);
    let (parts, asked) = (parts(&file), asked(&file, dim));
    let inputs = (number("PAGEVEC_FUZZ", INPUTS) * SHARE).div_ceil(SHARE * SEGMENTS + 1);
    let mut sealed = file.clone();
    format::seal(&mut sealed);
    assert!(sealed == file, "{name}: sums made right again are not those of the build");
    let mut changed = file.clone();
    let tally = fuzz(name, inputs, |random, tally| {
        changed.clone_from(&file);
        let said = change(random, &mut changed, &parts);
        format::seal(&mut changed);
        let run = || catch_unwind(AssertUnwindSafe(|| use_all(&changed, &asked, random, tally)));
        let (result, used) = alloc::used(run);
        let allowed = 16 * file.len() as u64 + (1 << 15);
        if used.peak > allowed {
            eprintln!("{} bytes for a file of {}", used.peak, changed.len());
        }
        (said, used.peak as f64 / file.len() as f64, result.is_ok() && used.peak <= allowed)
    });
    if tally.inputs > 1000 {
        // What is changed must reach the searches: most files open, and sums hide nothing.
        assert!(tally.opened * 2 > tally.inputs, "{name}: {} of {} opened", tally.opened, tally.inputs);
        assert!(tally.share("ok") > 0.3 && tally.share("corrupt") > 0.02, "{name}: {:?}", tally.codes);
        assert!(tally.share("checksum") < 0.01, "{name}: {:?}", tally.codes);
    }
}

#[test]
fn sq8_with_graph_and_text_ids() {
    segment(0);
}

#[test]
fn binary_with_rows() {
    segment(1);
}

#[test]
fn f32_without_graph() {
    segment(2);
}

#[test]
fn sq8_with_f16_rows_and_wide_ids() {
    segment(3);
}

#[test]
fn pq_with_rows_and_exact_rows() {
    segment(4);
}

#[test]
fn sq4_with_rows() {
    segment(5);
}

#[test]
fn f16_in_many_cells() {
    segment(6);
}

#[test]
fn sq8_of_many_components() {
    segment(7);
}

/// The values and the keys of a manifest: where each starts and ends.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = match rest.as_bytes()[0] {
            b'"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            b'0'..=b'9' => rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()),
            _ => 0,
        };
        if length > 0 {
            found.push(at..at + length);
        }
        at += length.max(1);
    }
    found
}

fn changed_manifest(random: &mut Random, text: &str) -> String {
    let values = [
        "0",
        "1",
        "-1",
        "1e999",
        "0.5",
        "9007199254740993",
        "18446744073709551616",
        "null",
        "true",
        "{}",
        "[]",
        "[[0,0]]",
        "\"\"",
        "\"..\"",
        "\"../x\"",
        "\"/\"",
        "\"a/b\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"corrupt",
        "4294967296",
        "64",
    ];
    let mut text = text.to_owned();
    for _ in 0..1 + random.below(2) {
        let tokens = tokens(&text);
        let [a, b] = [(); 2].map(|()| tokens[random.below(tokens.len())].clone());
        match random.below(6) {
            0 => {
                let other = text[b].to_owned();
                text.replace_range(a, &other);
            }
            1 => {
                let at = (0..=random.below(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap();
                let mut bytes = std::mem::take(&mut text).into_bytes();
                bytes[at.min(127)] ^= 1 << random.below(7);
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            2 => {
                let number = text[a.clone()].parse::<u64>().unwrap_or(7);
                text.replace_range(
                    a,
                    &number.wrapping_add(random.below(130) as u64).wrapping_sub(65).to_string(),
                );
            }
            3 => text.replace_range(a.start.min(b.start)..a.start.max(b.start), ""),
            _ => text.replace_range(a, values[random.below(values.len())]),
        }
    }
    text
}

#[test]
fn manifests() {
    let folder = tempfile::tempdir().unwrap();
    let rows = data::clustered(60, 4, 174);
    let segment = file(&rows, 4, None, &options(Metric::Cosine, CodecKind::Sq8));
    pagevec::publish(folder.path(), &segment, &pagevec::PublishOptions::new().form(pagevec::Form::Both))
        .unwrap();
    let path = folder.path().join("index.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let query = data::clustered(1, 4, 175);
    let inputs = number("PAGEVEC_FUZZ", INPUTS).div_ceil(SHARE * SEGMENTS + 1);
    let tally = fuzz("index.json", inputs, |random, tally| {
        let text = changed_manifest(random, &manifest);
        std::fs::write(&path, &text).unwrap();
        let io = [Io::Mmap, Io::Pread, Io::Parts][random.below(3)];
        let open = || Index::open_with(folder.path(), &OpenOptions::new().io(io));
        let run = || {
            catch_unwind(AssertUnwindSafe(|| {
                let index = open();
                tally.told(&index);
                let Ok(index) = index else { return };
                tally.opened += 1;
                for o in [IndexChoice::Flat, IndexChoice::Clusters] {
                    let o = support::top(K).index(o);
                    sound(tally, index.search(&query, &o), K, 60, segment.len());
                }
                tally.told(&index.verify());
            }))
        };
        let (result, used) = alloc::used(run);
        let allowed = 16 * segment.len() as u64 + (4 << 20);
        (vec![text], used.peak as f64 / segment.len() as f64, result.is_ok() && used.peak <= allowed)
    });
    assert!(tally.codes.contains_key("ok") && tally.codes.contains_key("corrupt"), "{:?}", tally.codes);
}
