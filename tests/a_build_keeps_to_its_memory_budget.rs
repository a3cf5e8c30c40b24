//! A build that may need more memory than its budget ends in `budget` before the stage that may need it, says how much
//! that would be, and writes nothing. What it reserves is above what it allocates.

mod support;

use pagevec::{
    BuildInput, BuildOptions, CodecKind, Ctx, Error, Ids, Index, Metric, Sink, build_into, merge_into,
    with_threads,
};
use support::{alloc, data, options, texts};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 96;
const N: usize = 12_000;

/// Counts what it is given.
#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn begin(&mut self, _length: u64) -> Result<(), Error> {
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.0 += piece.len() as u64;
        Ok(())
    }
}

/// Runs `work` with every budget that ends one stage later than the one before, until it is enough. Returns that budget
/// and the peak of the allocator. `given` are the bytes that the caller made, which were allocated before.
fn least(what: &str, given: u64, work: impl Fn(Option<u64>, &mut Count) -> Result<(), Error>) -> (u64, u64) {
    let (mut budget, mut stages) = (0, 0);
    loop {
        let mut sink = Count::default();
        let (result, used) = alloc::used(|| work(Some(budget), &mut sink));
        match result {
            Ok(()) => {
                assert!(stages >= 4 && sink.0 > 0, "{what}: {stages} stages");
                return (budget, used.peak);
            }
            Err(Error::Budget { needed, budget: limit }) => {
                assert!(limit == budget && needed > budget, "{what}: {needed} of {limit}");
                assert_eq!((sink.0, used.kept), (0, 0), "{what}");
                assert!(
                    used.peak <= budget + given,
                    "{what}: {} bytes were allocated in {budget}",
                    used.peak
                );
                let short = work(Some(needed - 1), &mut sink);
                assert!(
                    matches!(short, Err(Error::Budget { needed: n, .. }) if n == needed),
                    "{what}: {short:?}"
                );
                (budget, stages) = (needed, stages + 1);
            }
            Err(error) => panic!("{what}: {error}"),
        }
        assert!(stages < 20, "{what}: {budget} is not enough");
    }
}

fn is_near(what: &str, (budget, peak): (u64, u64)) {
    eprintln!("{what}: {budget} reserved, {peak} allocated: {:.2}", budget as f64 / peak as f64);
    assert!(peak <= budget, "{what}: {peak} allocated, {budget} reserved");
    assert!(budget <= 3 * peak + (16 << 20), "{what}: {budget} reserved, {peak} allocated");
}

fn quick(codec: CodecKind) -> BuildOptions {
    options(Metric::Cosine, codec).max_iterations(2).ef_construction(60)
}

#[test]
fn a_build_is_refused_before_it_allocates() {
    let rows = data::clustered(N, DIM, 211);
    let cases = [
        ("sq8", quick(CodecKind::Sq8), false),
        ("f32", quick(CodecKind::F32), false),
        ("binary, texts", quick(CodecKind::Binary).exact(CodecKind::F32), true),
        ("pq24", quick(CodecKind::Pq(24)), false),
        ("without graph", quick(CodecKind::Sq8).graph(false), false),
        ("without clusters", quick(CodecKind::Sq8).clusters(false), false),
    ];
    with_threads(1, || {
        let given = (N * (DIM * 4 + 64)) as u64;
        for (what, options, text) in cases {
            let found = least(what, given, |budget, sink| {
                let input = BuildInput::Memory { vectors: rows.clone(), dim: DIM };
                let ids = if text { texts(N) } else { Ids::Numbers((0..N as u64).collect()) };
                build_into(input, Some(ids), &options.clone().memory_budget(budget), sink, &Ctx::default())
            });
            is_near(what, found);
        }
    })
    .unwrap();
}

#[test]
fn a_merge_is_refused_too_and_the_budget_does_not_change_the_file() {
    let rows = data::clustered(N / 2, DIM, 212);
    let file = |budget: Option<u64>| {
        pagevec::build(rows.clone(), DIM, None, &quick(CodecKind::Sq8).memory_budget(budget), &Ctx::default())
            .unwrap()
    };
    let without = file(None);
    assert!(without == file(Some(1 << 30)));
    let index = Index::from_bytes(&without).unwrap();
    let merge = |budget, sink: &mut Count| {
        merge_into(&[&index], &quick(CodecKind::Sq8).memory_budget(budget), sink, &Ctx::default())
    };
    is_near("merge", with_threads(1, || least("merge", 1 << 10, merge)).unwrap());
}
