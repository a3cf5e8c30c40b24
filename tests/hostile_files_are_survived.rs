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

use pagevec::{CodecKind, Error, Index, IndexChoice, Io, Metric, OpenOptions};
use support::data::Random;
use support::fields::parts;
use support::mutate::{change, change_manifest};
use support::survive::{BUDGETS, asked, sound, use_remote, use_whole};
use support::{alloc, data, file, format, options, small_segments, texts};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

/// What the tests try together, unless told.
const INPUTS: u64 = 120_000;
/// Of which manifests, whose inputs are files on a disk, have one part, and each kind of segment `SHARE` parts.
const SHARE: u64 = 12;
const SEGMENTS: u64 = 9;
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
    fn told(&mut self, error: Option<&Error>) {
        *self.codes.entry(error.map_or("ok", Error::code)).or_default() += 1;
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
    let routes = [IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters];
    let (parts, asked) = (parts(&file), asked(&file, dim, &routes));
    let inputs = (number("PAGEVEC_FUZZ", INPUTS) * SHARE).div_ceil(SHARE * SEGMENTS + 1);
    let mut sealed = file.clone();
    format::seal(&mut sealed);
    assert!(sealed == file, "{name}: sums made right again are not those of the build");
    let mut changed = file.clone();
    let tally = fuzz(name, inputs, |random, tally| {
        changed.clone_from(&file);
        let said = change(random, &mut changed, &parts);
        format::seal(&mut changed);
        let run = || {
            catch_unwind(AssertUnwindSafe(|| {
                let id = &asked.ids[random.below(3)];
                tally.opened += u64::from(use_whole(&changed, &asked, id, &mut |error| tally.told(error)));
                use_remote(&changed, &asked, random.below(BUDGETS), &mut |error| tally.told(error));
            }))
        };
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
fn sq8_with_stored_fields() {
    segment(6);
}

#[test]
fn f16_in_many_cells() {
    segment(7);
}

#[test]
fn sq8_of_many_components() {
    segment(8);
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
        let text = change_manifest(random, &manifest);
        std::fs::write(&path, &text).unwrap();
        let io = [Io::Mmap, Io::Pread, Io::Parts][random.below(3)];
        let open = || Index::open_with(folder.path(), &OpenOptions::new().io(io));
        let run = || {
            catch_unwind(AssertUnwindSafe(|| {
                let index = open();
                tally.told(index.as_ref().err());
                let Ok(index) = index else { return };
                tally.opened += 1;
                for o in [IndexChoice::Flat, IndexChoice::Clusters] {
                    let o = support::top(K).index(o);
                    let answer = index.search(&query, &o);
                    sound(answer, K, 60, segment.len(), &mut |error| tally.told(error));
                }
                tally.told(index.verify().as_ref().err());
            }))
        };
        let (result, used) = alloc::used(run);
        let allowed = 16 * segment.len() as u64 + (4 << 20);
        (vec![text], used.peak as f64 / segment.len() as f64, result.is_ok() && used.peak <= allowed)
    });
    assert!(tally.codes.contains_key("ok") && tally.codes.contains_key("corrupt"), "{:?}", tally.codes);
}
