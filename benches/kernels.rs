//! Measures nanoseconds per vector, for every table of kernels that this machine can run.
//!
//! `cargo bench --bench kernels [-- filter]`. Divan prints the time of one call: a call of `one` is one vector, `four`
//! is 4 vectors, `gather` is 32 and `matrix` 32 times 64, all in cache; `gather_*_cold` is 32 of a million rows (of 300
//! 000, for floats), which are prefetched. The `ns/vector` is the time divided by that, or the reciprocal of the
//! throughput shown in items per second.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use pagevec::kernels::{Kernels, available, prefetch};

fn main() {
    divan::main();
}

const IN_CACHE: usize = 64;
const PER_CALL: usize = 32;
/// So many calls of gather before the same rows come again.
const CALLS: usize = 20_000;

fn cases() -> Vec<(&'static str, usize)> {
    let names: Vec<_> = available().iter().map(|k| k.name).collect();
    names.into_iter().flat_map(|name| [128, 384, 768].map(|d| (name, d))).collect()
}

fn table(name: &str) -> &'static Kernels {
    available().into_iter().find(|k| k.name == name).expect("cases() names tables of this machine")
}

/// A number without pattern (splitmix64), so that no hardware prefetcher follows the cold rows.
fn noise(i: usize) -> usize {
    let z = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 33) as usize
}

fn floats(n: usize) -> Vec<f32> {
    (0..n).map(|i| (noise(i) % 255) as f32 / 127.0 - 1.0).collect()
}

fn codes(n: usize) -> Vec<i8> {
    (0..n).map(|i| (noise(i) % 255) as i8).map(|c| c.max(-127)).collect()
}

fn bits(n: usize) -> Vec<u8> {
    (0..n).map(|i| noise(i) as u8).collect()
}

fn small(n: usize) -> Vec<u8> {
    (0..n).map(|i| (noise(i) % 128) as u8).collect()
}

macro_rules! one {
    ($name:ident, $field:ident, $query:expr, $rows:expr, $bytes:expr) => {
        #[divan::bench(args = cases())]
        fn $name(bencher: Bencher<'_, '_>, (name, d): (&'static str, usize)) {
            let (f, query, length) = (table(name).$field, $query(d), $bytes(d));
            let rows = $rows(IN_CACHE * length);
            let mut i = 0;
            bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
                i = (i + 1) % IN_CACHE;
                f(black_box(&query), &rows[i * length..][..length])
            });
        }
    };
}

macro_rules! four {
    ($name:ident, $field:ident, $query:expr, $rows:expr) => {
        #[divan::bench(args = cases())]
        fn $name(bencher: Bencher<'_, '_>, (name, d): (&'static str, usize)) {
            let (f, query) = (table(name).$field, $query(d));
            let rows = $rows(IN_CACHE * query.len());
            let mut i = 0;
            bencher.counter(ItemsCount::new(4usize)).bench_local(|| {
                i = (i + 4) % IN_CACHE;
                let four = [i, i + 1, i + 2, i + 3].map(|i| &rows[i * query.len()..][..query.len()]);
                f(black_box(&query), four)
            });
        }
    };
}

/// Rows as segments store them: `$bytes` of elements and 8 more.
macro_rules! gather {
    ($name:ident, $field:ident, $query:expr, $bytes:expr, $rows:expr) => {
        #[divan::bench(args = cases())]
        fn $name(bencher: Bencher<'_, '_>, (name, d): (&'static str, usize)) {
            let (f, query, stride) = (table(name).$field, $query(d), $bytes(d) + 8);
            let rows = vec![60u8; $rows * stride];
            let mut out = vec![Default::default(); PER_CALL];
            let ids: Vec<u32> = (0..CALLS * PER_CALL).map(|i| (noise(i) % $rows) as u32).collect();
            let mut call = 0;
            bencher.counter(ItemsCount::new(PER_CALL)).bench_local(|| {
                call = (call + 1) % CALLS;
                let ids = &ids[call * PER_CALL..][..PER_CALL];
                if $rows > IN_CACHE {
                    ids.iter().for_each(|&id| prefetch(&rows[id as usize * stride..][..stride]));
                }
                f(black_box(&query), &rows, stride, ids, &mut out);
            });
        }
    };
}

one!(dot_f32, dot_f32, floats, floats, |d| d);
one!(l2_f32, l2_f32, floats, floats, |d| d);
one!(dot_f32_i8, dot_f32_i8, floats, codes, |d| d);
one!(dot_f32_f16, dot_f32_f16, floats, |n| vec![60u8; n], |d| 2 * d);
one!(dot_u7_i8, dot_u7_i8, small, codes, |d| d);
one!(dot_i8, dot_i8, codes, codes, |d| d);
one!(hamming, hamming, |d| bits(d / 8), bits, |d| d / 8);

four!(dot_f32x4, dot_f32x4, floats, floats);
four!(l2_f32x4, l2_f32x4, floats, floats);
four!(dot_f32_i8x4, dot_f32_i8x4, floats, codes);
four!(dot_u7_i8x4, dot_u7_i8x4, small, codes);
four!(dot_i8x4, dot_i8x4, codes, codes);
four!(hamming_x4, hamming_x4, |d| bits(d / 8), bits);

gather!(gather_f32, gather_f32, floats, |d| 4 * d, 64);
gather!(gather_u7_i8, gather_u7_i8, small, |d| d, 64);
gather!(gather_i8, gather_i8, codes, |d| d, 64);
gather!(gather_hamming, gather_hamming, |d| bits(d / 8), |d| d / 8, 64);
gather!(gather_f32_cold, gather_f32, floats, |d| 4 * d, 300_000);
gather!(gather_u7_i8_cold, gather_u7_i8, small, |d| d, 1_000_000);
gather!(gather_i8_cold, gather_i8, codes, |d| d, 1_000_000);
gather!(gather_hamming_cold, gather_hamming, |d| bits(d / 8), |d| d / 8, 1_000_000);

/// 32 rows against 64, in cache.
#[divan::bench(args = cases())]
fn matrix_i8(bencher: Bencher<'_, '_>, (name, d): (&'static str, usize)) {
    let (f, stride) = (table(name).matrix_i8, d + 8);
    let rows = vec![60u8; IN_CACHE * stride];
    let ids: Vec<u32> = (0..IN_CACHE as u32).collect();
    let mut out = vec![0; PER_CALL * IN_CACHE];
    bencher.counter(ItemsCount::new(PER_CALL * IN_CACHE)).bench_local(|| {
        f((black_box(&rows), &ids[..PER_CALL]), (&rows, &ids), stride, d, &mut out);
    });
}
