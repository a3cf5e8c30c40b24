//! FORMAT.md is enough to read a file: a reader written here from it alone finds the same rows by a scan of the codes
//! and the same scores, bit for bit, whatever the codec and the metric; and every checksum that it computes is the one
//! in the file.

mod support;

use pagevec::{BuildOptions, CodecKind, Index, IndexChoice, Metric};
use support::data::Random;
use support::format::{self, u32_at};
use support::{METRICS, data, file, options};

/// Not a multiple of sixteen, nor of the parts of pq.
const DIM: usize = 37;
const ROWS: usize = 400;
const K: usize = 6;

/// The sum of sixteen lanes, each in order; the upper half is folded onto the lower.
fn lanes(terms: impl Iterator<Item = f32>) -> f32 {
    let mut sums = [0.0f32; 16];
    terms.enumerate().for_each(|(i, term)| sums[i % 16] += term);
    for half in [8, 4, 2, 1] {
        (0..half).for_each(|j| sums[j] += sums[j + half]);
    }
    sums[0]
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    lanes(a.iter().zip(b).map(|(x, y)| x * y))
}

fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn f16(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    };
    if sign == 1 { -size } else { size }
}

/// To whole numbers, ties to even, within `most` of 0; 0 where there is no step.
fn whole(x: f32, step: f32, most: f32) -> i32 {
    if step > 0.0 { (x / step).round_ties_even().clamp(-most, most) as i32 } else { 0 }
}

/// Codes or rows, as the header and the table tell of them.
struct Stage<'a> {
    codec: u8,
    metric: Metric,
    parts: usize,
    stride: usize,
    parameters: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Stage<'a> {
    /// What the header says at `byte`, with the sections of its parameters and its rows; `None` where there is none.
    fn read(file: &'a [u8], metric: Metric, byte: usize, [parameters, rows]: [u32; 2]) -> Option<Self> {
        let codec = Some(file[byte]).filter(|&codec| codec != 0)?;
        let section = |kind| {
            let s = format::section(file, kind);
            &file[s.offset..s.offset + s.length]
        };
        let (bytes, parts) = (section(rows), usize::from(file[86]) + usize::from(file[87]) * 256);
        let stride = bytes.len() / u32_at(file, 56) as usize;
        Some(Stage { codec, metric, parts, stride, parameters: section(parameters), bytes })
    }

    fn row(&self, position: usize) -> &[u8] {
        &self.bytes[position * self.stride..][..self.stride]
    }

    fn l2(&self) -> bool {
        self.metric == Metric::L2
    }

    /// The query less the mean where that is asked for, and b.
    fn around(&self, query: &[f32]) -> (Vec<f32>, f32) {
        let mean = &f32s(self.parameters)[..query.len()];
        if !self.l2() {
            return (query.to_vec(), -dot(query, mean));
        }
        let query: Vec<f32> = query.iter().zip(mean).map(|(q, m)| q - m).collect();
        let b = dot(&query, &query);
        (query, b)
    }

    /// The distances of all rows; `fine` is rescoring.
    fn distances(&self, query: &[f32], fine: bool) -> Vec<f32> {
        let all = |distance: &dyn Fn(&[u8]) -> f32| (0..ROWS).map(|p| distance(self.row(p))).collect();
        match self.codec {
            1 => all(&|row| self.float(query, &f32s(row))),
            2 => all(&|row| {
                let x: Vec<f32> =
                    row.chunks_exact(2).map(|b| f16(u16::from_le_bytes([b[0], b[1]]))).collect();
                self.float(query, &x)
            }),
            3 => self.sq8(query, fine),
            4 => {
                let above: Vec<bool> = query.iter().zip(f32s(self.parameters)).map(|(q, t)| *q > t).collect();
                let differs = |row: &[u8], i: usize| (row[i / 8] >> (i % 8) & 1 == 1) != above[i];
                let count = |row: &[u8]| (0..query.len()).filter(|&i| differs(row, i)).count();
                all(&|row| -1.0 + (2.0 / query.len() as f32) * count(row) as f32)
            }
            5 => self.sq4(query),
            _ => self.pq(query),
        }
    }

    fn float(&self, query: &[f32], x: &[f32]) -> f32 {
        match self.l2() {
            true => lanes(query.iter().zip(x).map(|(q, x)| (q - x) * (q - x))),
            false => -dot(query, x),
        }
    }

    /// b − t·(s·D), under l2 (b − 2·t·(s·D)) + norm.
    fn scaled(&self, b: f32, t: f32, s: f32, d: f32, norm: impl Fn() -> f32) -> f32 {
        let product = t * (s * d);
        if self.l2() { (b - 2.0 * product) + norm() } else { b - product }
    }

    fn sq8(&self, query: &[f32], fine: bool) -> Vec<f32> {
        let d = query.len();
        let (q, b) = self.around(query);
        let t = q.iter().fold(0.0f32, |a, x| a.max(x.abs())) / 63.0;
        let u: Vec<i32> = q.iter().map(|&x| whole(x, t, 63.0) + 64).collect();
        let distance = |row: &[u8]| {
            let c = row[..d].iter().map(|&c| i32::from(c as i8));
            let terms = f32s(&row[d..]);
            let sum = u32_at(row, d + 4) as i32;
            let (t, product) = match fine {
                true => (1.0, lanes(q.iter().zip(c).map(|(q, c)| q * c as f32))),
                false => (t, (u.iter().zip(c).map(|(u, c)| u * c).sum::<i32>() - 64 * sum) as f32),
            };
            self.scaled(b, t, terms[0], product, || terms[2])
        };
        (0..ROWS).map(|p| distance(self.row(p))).collect()
    }

    fn sq4(&self, query: &[f32]) -> Vec<f32> {
        let d = query.len();
        let (q, b) = self.around(query);
        let t = q.iter().fold(0.0f32, |a, x| a.max(x.abs())) / 127.0;
        let u: Vec<i32> = q.iter().map(|&x| whole(x, t, 127.0)).collect();
        let distance = |row: &[u8]| {
            let v = (0..d).map(|i| i32::from(row[i / 2] >> (i % 2 * 4) & 15));
            let product = 2 * u.iter().zip(v).map(|(u, v)| u * v).sum::<i32>() - 15 * u.iter().sum::<i32>();
            let terms = f32s(&row[d.div_ceil(2)..]);
            self.scaled(b, t, terms[0], product as f32, || terms[1])
        };
        (0..ROWS).map(|p| distance(self.row(p))).collect()
    }

    fn pq(&self, query: &[f32]) -> Vec<f32> {
        let d = query.len();
        let numbers = f32s(&self.parameters[..8 * d + 4]);
        let ((mean, scales), w) = (numbers[..2 * d].split_at(d), numbers[2 * d]);
        let centroid = |i: usize, b: usize| f32::from(self.parameters[8 * d + 4 + i * 256 + b] as i8);
        let (q, mut b) = self.around(query);
        if self.metric == Metric::Cosine {
            let beyond = mean.iter().fold(-1.0, |sum, &m| sum + f64::from(m) * f64::from(m));
            b += (f64::from(w) * beyond / 2.0) as f32;
        }
        let f = if self.l2() { 2.0 } else { 1.0 };
        let (mut tables, mut from, mut widest) = (Vec::new(), 0, 0.0f32);
        for part in 0..self.parts {
            let to = from + d / self.parts + usize::from(part < d % self.parts);
            let mut table: Vec<f32> = (0..256)
                .map(|entry| {
                    let half = |i: usize| {
                        let x = scales[i] * centroid(i, entry);
                        x * x * 0.5
                    };
                    let halves = (from..to).fold(0.0, |sum, i| sum + half(i));
                    let start = match self.metric {
                        Metric::Cosine => {
                            let along = |i: usize| (mean[i] * scales[i]) * centroid(i, entry);
                            w * (from..to).fold(halves, |sum, i| sum + along(i))
                        }
                        Metric::Dot => 0.0,
                        Metric::L2 => halves,
                    };
                    (from..to).fold(start, |sum, i| sum + -(q[i] * scales[i]) * centroid(i, entry))
                })
                .collect();
            let least = table.iter().copied().fold(f32::INFINITY, f32::min);
            table.iter_mut().for_each(|entry| *entry -= least);
            widest = table.iter().copied().fold(widest, f32::max);
            b += f * least;
            tables.push(table);
            from = to;
        }
        let step = widest / 255.0;
        let by = if step > 0.0 { 1.0 / step } else { 0.0 };
        let entry = |part: usize, code: u8| (tables[part][usize::from(code)] * by).round_ties_even() as u32;
        let sum = |row: &[u8]| row.iter().enumerate().map(|(part, &code)| entry(part, code)).sum::<u32>();
        (0..ROWS).map(|p| b + (f * step) * sum(self.row(p)) as f32).collect()
    }
}

/// The `count` nearest of `positions`, ties to the lower.
fn nearest(distances: &[f32], mut positions: Vec<usize>, count: usize) -> Vec<usize> {
    positions.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]).then(a.cmp(&b)));
    positions.truncate(count);
    positions
}

fn score(metric: Metric, distance: f32) -> f32 {
    match metric {
        Metric::Cosine => (0.0 - distance).clamp(-1.0, 1.0),
        Metric::Dot => 0.0 - distance,
        Metric::L2 => (0.0 - distance).min(0.0),
    }
}

fn scores_agree(options: &BuildOptions, seed: u64) {
    let metric = options.metric;
    let rows = data::clustered(ROWS, DIM, seed);
    let file = file(&rows, DIM, None, options);
    let mut sealed = file.clone();
    format::seal(&mut sealed);
    assert!(sealed == file, "{options:?}: other checksums");

    let places = [(65, [1, format::CODES]), (66, [2, format::ROWS]), (84, [6, format::EXACT])];
    let stages: Vec<Stage<'_>> =
        places.into_iter().filter_map(|(byte, kinds)| Stage::read(&file, metric, byte, kinds)).collect();
    let index = Index::from_bytes(&file).expect("a file just built opens");
    let mut random = Random(seed + 1);
    for _ in 0..12 {
        let mut query: Vec<f32> = random.vector(DIM).iter().map(|x| x * 3.0).collect();
        let asked = query.clone();
        if metric == Metric::Cosine {
            let length = dot(&query, &query).sqrt();
            query.iter_mut().for_each(|x| *x /= length);
        }
        let last = stages.last().expect("there are codes").distances(&query, true);
        // With as many candidates as hits, the codes alone choose: each stage keeps all of them.
        let found = nearest(&stages[0].distances(&query, false), (0..ROWS).collect(), K);
        let mut expected: Vec<(u32, u32)> =
            found.into_iter().map(|p| (p as u32, score(metric, last[p]).to_bits())).collect();
        expected.sort_unstable();
        let search = |index_choice| {
            let o = support::top(K).index(index_choice).rescore(K).ef(K);
            let answer = index.search(&asked, &o).expect("a search of good data");
            let mut hits: Vec<(u32, u32)> =
                answer.hits.iter().map(|h| (h.position, h.score.to_bits())).collect();
            hits.sort_unstable();
            hits
        };
        assert_eq!(search(IndexChoice::Flat), expected, "{options:?}");
        for choice in [IndexChoice::Hnsw, IndexChoice::Clusters] {
            for (position, bits) in search(choice) {
                assert_eq!(bits, score(metric, last[position as usize]).to_bits(), "{choice:?}, {options:?}");
            }
        }
    }
}

#[test]
fn of_every_codec_under_every_metric() {
    let codecs = [
        CodecKind::F32,
        CodecKind::F16,
        CodecKind::Sq8,
        CodecKind::Binary,
        CodecKind::Sq4,
        CodecKind::Pq(5),
        CodecKind::Pq(DIM as u16),
    ];
    for (i, (codec, metric)) in codecs.into_iter().flat_map(|c| METRICS.map(|m| (c, m))).enumerate() {
        scores_agree(&options(metric, codec), 300 + i as u64);
    }
}

#[test]
fn of_finer_rows() {
    let with = |codec, rows, exact, metric| options(metric, codec).refine(rows).exact(exact);
    let half = Some(CodecKind::F16);
    scores_agree(&with(CodecKind::Sq8, half, None, Metric::L2), 401);
    scores_agree(&with(CodecKind::Pq(3), None, half, Metric::Dot), 402);
    scores_agree(&with(CodecKind::Binary, half, Some(CodecKind::F32), Metric::Cosine), 403);
}
