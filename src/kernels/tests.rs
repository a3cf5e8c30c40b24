//! Every table against the plain formulas, and against scalar bit for bit.
//!
//! `check_all` is the whole suite for one table. Another crate can include this file with
//! `#[path]` and run it elsewhere (the WebAssembly tests do): it needs `Kernels` and `available`
//! in the module above.

use super::{Kernels, available};

#[test]
fn every_table_computes_the_same_results() {
    // Who knows the CPU may name its best table: without that table this must not pass.
    if let Ok(best) = std::env::var("PAGEVEC_KERNELS") {
        assert_eq!(available().last().map(|k| k.name), Some(&*best));
    }
    for k in available() {
        check_all(k);
    }
}

#[test]
fn scalar_comes_first() {
    assert_eq!(available()[0].name, "scalar");
}

/// Panics at the first result of `k` that is not what it should be.
pub(super) fn check_all(k: &Kernels) {
    check_limits(k);
    let mut random = Random(7);
    for length in 0..=257 {
        for offset in 0..4 {
            let case = Case::new(&mut random, length, offset);
            check_floats(k, &case);
            check_integers(k, &case);
        }
    }
    check_gather(k, &mut random);
    check_columns(k, &mut random);
    check_matrix(k, &mut random);
}

/// Numbers without a dependency (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn float(&mut self) -> f32 {
        match self.next() % 16 {
            0 => -0.0,
            1 => f32::from_bits((self.next() % (1 << 23)) as u32), // subnormal
            2 => 1e30,
            3 => -1e30,
            4 => 1e-30,
            _ => (self.next() % 20_001) as f32 / 10_000.0 - 1.0,
        }
    }

    /// Finite, with subnormals.
    fn half(&mut self) -> u16 {
        let half = self.next() as u16;
        if half & 0x7c00 == 0x7c00 { half & 0x83ff } else { half }
    }
}

/// One query and four rows of each kind, starting `offset` elements into their buffers.
struct Case {
    offset: usize,
    floats: [Vec<f32>; 5],
    halves: Vec<u8>,
    codes: [Vec<i8>; 5],
    small: Vec<u8>,
    bits: [Vec<u8>; 5],
}

impl Case {
    fn new(random: &mut Random, length: usize, offset: usize) -> Self {
        let n = length + offset;
        // One case in four has only the values with the greatest products.
        let extreme = random.next().is_multiple_of(4);
        let mut code = || match (extreme, random.next()) {
            (true, r) => {
                if r.is_multiple_of(2) {
                    127
                } else {
                    -127
                }
            }
            (false, r) => (r % 255) as u8 as i8,
        };
        let codes = [(); 5].map(|()| (0..n).map(|_| code().max(-127)).collect());
        Self {
            offset,
            codes,
            floats: [(); 5].map(|()| (0..n).map(|_| random.float()).collect()),
            halves: (0..n).flat_map(|_| random.half().to_le_bytes()).chain([0; 1]).collect(),
            small: (0..n).map(|_| if extreme { 127 } else { (random.next() % 128) as u8 }).collect(),
            bits: [(); 5]
                .map(|()| (0..n).map(|_| random.next() as u8 | if extreme { 255 } else { 0 }).collect()),
        }
    }

    fn cut<'a, T>(&self, all: &'a [Vec<T>; 5]) -> (&'a [T], [&'a [T]; 4]) {
        let [q, a, b, c, d] = all.each_ref().map(|v| &v[self.offset..]);
        (q, [a, b, c, d])
    }
}

/// The order of summation, as `mod.rs` states it.
fn sixteen_lanes(terms: impl Iterator<Item = f32>) -> f32 {
    let mut lanes = [0.0f32; 16];
    let mut n = 0;
    for term in terms {
        lanes[n % 16] += term;
        n += 1;
    }
    while n % 16 != 0 {
        lanes[n % 16] += 0.0;
        n += 1;
    }
    for half in [8, 4, 2, 1] {
        for j in 0..half {
            lanes[j] += lanes[j + half];
        }
    }
    lanes[0]
}

/// Equal bit for bit; one NaN is as good as another.
#[track_caller]
fn same(k: &Kernels, what: &str, got: f32, expected: f32) {
    let equal = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
    assert!(equal, "{} {what}: {got:e} instead of {expected:e}", k.name);
}

fn check_floats(k: &Kernels, case: &Case) {
    let s = available()[0];
    let (q, rows) = case.cut(&case.floats);
    let (_, codes) = case.cut(&case.codes);
    let (dots, l2s, mixed) = ((k.dot_f32x4)(q, rows), (k.l2_f32x4)(q, rows), (k.dot_f32_i8x4)(q, codes));
    for r in 0..4 {
        let pairs = || q.iter().zip(rows[r]);
        let dot = sixteen_lanes(pairs().map(|(a, b)| a * b));
        same(k, "dot_f32", (k.dot_f32)(q, rows[r]), dot);
        same(k, "dot_f32x4", dots[r], dot);
        let l2 = sixteen_lanes(pairs().map(|(a, b)| (a - b) * (a - b)));
        same(k, "l2_f32", (k.l2_f32)(q, rows[r]), l2);
        same(k, "l2_f32x4", l2s[r], l2);
        let dot = sixteen_lanes(q.iter().zip(codes[r]).map(|(a, &b)| a * f32::from(b)));
        same(k, "dot_f32_i8", (k.dot_f32_i8)(q, codes[r]), dot);
        same(k, "dot_f32_i8x4", mixed[r], dot);
    }
    // Bytes, so that odd offsets occur.
    let halves = &case.halves[case.offset..case.offset + 2 * q.len()];
    same(k, "dot_f32_f16", (k.dot_f32_f16)(q, halves), (s.dot_f32_f16)(q, halves));
}

fn check_integers(k: &Kernels, case: &Case) {
    let (q, rows) = case.cut(&case.codes);
    let small = &case.small[case.offset..];
    let (dots, small_dots) = ((k.dot_i8x4)(q, rows), (k.dot_u7_i8x4)(small, rows));
    for r in 0..4 {
        let dot = q.iter().zip(rows[r]).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>();
        assert_eq!([(k.dot_i8)(q, rows[r]), dots[r]], [dot; 2], "{} dot_i8 of {}", k.name, q.len());
        let dot = small.iter().zip(rows[r]).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>();
        let got = [(k.dot_u7_i8)(small, rows[r]), small_dots[r]];
        assert_eq!(got, [dot; 2], "{} dot_u7_i8 of {}", k.name, q.len());
    }
    let (q, rows) = case.cut(&case.bits);
    let x4 = (k.hamming_x4)(q, rows);
    for r in 0..4 {
        let bits = q.iter().zip(rows[r]).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        assert_eq!([(k.hamming)(q, rows[r]), x4[r]], [bits; 2], "{} hamming of {}", k.name, q.len());
    }
}

/// The longest vectors allowed with the greatest products, sums that cancel, and every half float.
fn check_limits(k: &Kernels) {
    const N: usize = 65_535;
    assert_eq!((k.dot_i8)(&[-127; N], &[-127; N]), 127 * 127 * N as i32);
    assert_eq!((k.dot_u7_i8)(&[127; N], &[-127; N]), -127 * 127 * N as i32);
    assert_eq!((k.hamming)(&[0; N / 8 + 1], &[255; N / 8 + 1]), 65_536);
    for (pair, row, product) in
        [([-127; 2], 0xff, -127 * 15 * 2), ([127, 0], 0xf0, 0), ([0, 127], 0xf0, 127 * 15)]
    {
        let mut out = [0];
        (k.gather_i8_u4)(&[pair; N / 2 + 1], &[row; N / 2 + 1], 0, &[0], &mut out);
        assert_eq!(out, [product * (N as i32 / 2 + 1)], "{} gather_i8_u4 at its limits", k.name);
    }

    let big: Vec<f32> = (0..N).map(|i| if i % 2 == 0 { 1e30 } else { -1e30 }).collect();
    let ones: Vec<f32> = (0..N).map(|i| if i % 3 == 0 { 1.0 } else { 1.0 + f32::EPSILON }).collect();
    let dot = sixteen_lanes(big.iter().zip(&ones).map(|(a, b)| a * b));
    same(k, "dot_f32 that cancels", (k.dot_f32)(&big, &ones), dot);
    same(k, "dot_f32 that overflows", (k.dot_f32)(&big, &big), f32::INFINITY);
    same(k, "dot_f32 of -0.0", (k.dot_f32)(&[-0.0; 3], &[1.0; 3]), 0.0);

    let s = available()[0];
    for bits in 0..=u16::MAX {
        let half = bits.to_le_bytes();
        same(k, "dot_f32_f16", (k.dot_f32_f16)(&[1.0], &half), (s.dot_f32_f16)(&[1.0], &half));
    }
    let subnormal = (s.dot_f32_f16)(&[1.0], &1u16.to_le_bytes());
    same(s, "least half float", subnormal, 2.0f32.powi(-24));
}

fn check_gather(k: &Kernels, random: &mut Random) {
    for d in [0usize, 1, 7, 16, 31, 32, 33, 48, 100, 128, 257] {
        for (gap, count) in [0, 8, 12].into_iter().flat_map(|gap| (0..=9).map(move |count| (gap, count))) {
            let rows = 11;
            let ids: Vec<u32> = (0..count).map(|_| (random.next() % rows) as u32).collect();
            check_gather_bytes(k, random, d, d + gap, rows as usize, &ids);
            check_gather_floats(k, random, d, 4 * d + gap + 1, rows as usize, &ids);
        }
    }
}

fn check_gather_bytes(k: &Kernels, random: &mut Random, d: usize, stride: usize, n: usize, ids: &[u32]) {
    // The last row ends with the buffer: reading past it would be seen by a sanitizer.
    let length = ((n - 1) * stride + d).max(1);
    let bytes: Vec<u8> = (0..length).map(|_| (random.next() % 255 + 129) as u8).collect();
    let row = |id: u32| &bytes[id as usize * stride..][..d];
    let code = |id: u32| row(id).iter().map(|&b| b as i8).collect::<Vec<_>>();
    let q: Vec<u8> = (0..d).map(|_| (random.next() % 128) as u8).collect();
    let signed: Vec<i8> = q.iter().map(|&b| if b % 2 == 0 { b as i8 } else { -(b as i8) }).collect();

    let mut out = vec![0; ids.len()];
    (k.gather_u7_i8)(&q, &bytes, stride, ids, &mut out);
    let expected: Vec<i32> = ids.iter().map(|&id| (k.dot_u7_i8)(&q, &code(id))).collect();
    assert_eq!(out, expected, "{} gather_u7_i8, d = {d}, stride = {stride}", k.name);

    (k.gather_i8)(&signed, &bytes, stride, ids, &mut out);
    let expected: Vec<i32> = ids.iter().map(|&id| (k.dot_i8)(&signed, &code(id))).collect();
    assert_eq!(out, expected, "{} gather_i8, d = {d}, stride = {stride}", k.name);

    let pairs: Vec<[i8; 2]> = signed.iter().map(|&x| [x, x.wrapping_mul(3).max(-127)]).collect();
    (k.gather_i8_u4)(&pairs, &bytes, stride, ids, &mut out);
    let of = |id: u32| {
        let halves = row(id).iter().zip(&pairs);
        let product = |(&b, q): (&u8, &[i8; 2])| {
            i32::from(q[0]) * i32::from(b & 15) + i32::from(q[1]) * i32::from(b >> 4)
        };
        halves.map(product).sum::<i32>()
    };
    let expected: Vec<i32> = ids.iter().map(|&id| of(id)).collect();
    assert_eq!(out, expected, "{} gather_i8_u4, d = {d}, stride = {stride}", k.name);

    let mut out = vec![0; ids.len()];
    (k.gather_hamming)(&q, &bytes, stride, ids, &mut out);
    let expected: Vec<u32> = ids.iter().map(|&id| (k.hamming)(&q, row(id))).collect();
    assert_eq!(out, expected, "{} gather_hamming, d = {d}, stride = {stride}", k.name);
}

fn check_matrix(k: &Kernels, random: &mut Random) {
    for d in [0usize, 1, 7, 16, 33, 64, 100, 130, 257] {
        for (n, m) in [(0, 3), (3, 0), (1, 1), (2, 5), (4, 4), (5, 11), (9, 2)] {
            let stride = d + random.next() as usize % 9;
            let (of, count) = (7, n + m);
            // The last row ends with the buffer. -128 is no code.
            let mut codes = || (0..6 * stride + d).map(|_| (random.next() % 255 + 129) as u8).collect();
            let buffers: [Vec<u8>; 2] = [codes(), codes()];
            let ids: Vec<u32> = (0..count).map(|_| (random.next() % of) as u32).collect();
            let (queries, rows) = ids.split_at(n);
            let code = |buffer: &[u8], id: u32| -> Vec<i8> {
                buffer[id as usize * stride..][..d].iter().map(|&b| b as i8).collect()
            };
            let mut out = vec![0; n * m];
            (k.matrix_i8)((&buffers[0], queries), (&buffers[1], rows), stride, d, &mut out);
            for (at, &got) in out.iter().enumerate() {
                let (query, row) = (code(&buffers[0], queries[at / m]), code(&buffers[1], rows[at % m]));
                let expected = (k.dot_i8)(&query, &row);
                assert_eq!(got, expected, "{} matrix_i8, {n} x {m}, d = {d}, stride = {stride}", k.name);
            }
        }
    }
}

/// Products in order of the components, on top of what was there.
fn check_columns(k: &Kernels, random: &mut Random) {
    for d in 0..20 {
        let query: Vec<f32> = (0..d).map(|_| random.float()).collect();
        let columns: Vec<[i8; 256]> = (0..d + 1).map(|_| [(); 256].map(|()| random.next() as i8)).collect();
        let start = [(); 256].map(|()| random.float());
        let mut sums = start;
        (k.add_columns)(&query, &columns, &mut sums);
        for j in 0..256 {
            let expected = query.iter().zip(&columns).fold(start[j], |sum, (q, c)| sum + q * f32::from(c[j]));
            same(k, "add_columns", sums[j], expected);
        }
    }
}

fn check_gather_floats(k: &Kernels, random: &mut Random, d: usize, stride: usize, n: usize, ids: &[u32]) {
    let q: Vec<f32> = (0..d).map(|_| random.float()).collect();
    let vectors: Vec<Vec<f32>> = (0..n).map(|_| (0..d).map(|_| random.float()).collect()).collect();
    let mut bytes = vec![0; (n - 1) * stride + 4 * d];
    for (i, vector) in vectors.iter().enumerate() {
        let row: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
        bytes[i * stride..][..4 * d].copy_from_slice(&row);
    }
    let mut out = vec![0.0; ids.len()];
    (k.gather_f32)(&q, &bytes, stride, ids, &mut out);
    for (&id, &got) in ids.iter().zip(&out) {
        same(k, "gather_f32", got, (k.dot_f32)(&q, &vectors[id as usize]));
    }
    (k.gather_l2_f32)(&q, &bytes, stride, ids, &mut out);
    for (&id, &got) in ids.iter().zip(&out) {
        same(k, "gather_l2_f32", got, (k.l2_f32)(&q, &vectors[id as usize]));
    }
}

#[test]
fn lookups_are_summed() {
    let mut random = Random(9);
    for m in [0usize, 1, 3, 4, 7, 64, 97] {
        let tables: Vec<[u8; 256]> = (0..m).map(|_| [(); 256].map(|()| random.next() as u8)).collect();
        let rows: Vec<u8> = (0..5 * (m + 2)).map(|_| random.next() as u8).collect();
        let ids = [3, 0, 4, 3];
        let mut out = [0; 4];
        super::gather_lookup(&tables, &rows, m + 2, &ids, &mut out);
        for (id, sum) in ids.into_iter().zip(out) {
            let row = &rows[id as usize * (m + 2)..][..m];
            assert_eq!(sum, (0..m).map(|j| u32::from(tables[j][row[j] as usize])).sum::<u32>());
        }
    }
    let mut most = [0];
    super::gather_lookup(&[[255; 256]; 1000], &[7; 1000], 1000, &[0], &mut most);
    assert_eq!(most, [255_000]);
}

#[test]
#[should_panic(expected = "out of range")]
fn lookups_refuse_a_row_that_does_not_fit() {
    super::gather_lookup(&[[1; 256]; 16], &[0; 47], 16, &[2], &mut [0]);
}

#[test]
#[should_panic(expected = "a row lies outside of rows")]
fn gather_refuses_a_row_that_does_not_fit() {
    (available()[0].gather_u7_i8)(&[1; 16], &[0; 47], 16, &[0, 2, 1], &mut [0; 3]);
}

#[test]
#[should_panic(expected = "a row lies outside of rows")]
fn gather_refuses_a_row_whose_address_overflows() {
    (available()[0].gather_u7_i8)(&[1; 16], &[0; 48], usize::MAX / 2, &[3], &mut [0]);
}

#[test]
#[should_panic(expected = "query and row differ in length")]
fn unequal_lengths_are_refused() {
    (available()[0].dot_f32)(&[1.0; 16], &[1.0; 15]);
}

#[test]
#[should_panic(expected = "a row lies outside of rows")]
fn a_matrix_refuses_a_row_that_does_not_fit() {
    (available()[0].matrix_i8)((&[1; 48], &[0, 1]), (&[1; 47], &[2, 0]), 16, 16, &mut [0; 4]);
}

#[test]
#[should_panic(expected = "out of range")]
fn a_matrix_refuses_a_query_that_does_not_fit() {
    (available()[0].matrix_i8)((&[1; 47], &[0, 2]), (&[1; 48], &[2, 0]), 16, 16, &mut [0; 4]);
}
