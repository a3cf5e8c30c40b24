//! Product quantization (Jégou, Douze, Schmid 2011): a vector is cut into m parts, and each part is stored as the
//! number of the nearest of 256 centroids, one byte.
//!
//! A centroid's components are signed bytes c around the data's mean, with one scale for each component: it stands for
//! mean + scale·c. So the parameters are `[mean: f32 × d][scale: f32 × d][nearness: f32][c: i8 × 256, for each
//! component]`, an eighth of floats' bytes at no loss that recall would show, and the centroids lie as [`kernels`] add
//! them up: all 256 of a component side by side. A query becomes a table of 256 bytes a part; a distance is a sum of m
//! of them, an integer.
//!
//! Under cosine rows have length 1, and v, the vector that a code stands for, is shorter, by a part that differs from
//! row to row. Near the cosine w, q·v/‖v‖ is about q·v - w·(‖v‖² - 1)/2, which is a sum over parts. So codes are ranked
//! by that; w, the *nearness*, is the mean cosine of rows to their tenth nearest.

use super::codec::{Codec, Encode, Prepared, f32_bytes};
use crate::error::Error;
use crate::exec;
use crate::hash::hash;
use crate::kernels::{gather_lookup, kernels};
use crate::memory::bytes;
use crate::metric::Metric;
use crate::sort;
use crate::topk::{argmin, minimum};
use crate::vectors::Rows;

/// Of each part.
pub(crate) const CENTROIDS: usize = 256;
/// Rows of the sample from which centroids are found, and rounds of k-means.
const SAMPLE: usize = 32_768;
const ROUNDS: usize = 12;

/// See the head of this file.
pub(crate) struct Pq {
    metric: Metric,
    parts: usize,
    mean: Vec<f32>,
    scale: Vec<f32>,
    /// For each component.
    columns: Vec<[i8; CENTROIDS]>,
    /// Half of each centroid's square, for each part.
    halves: Vec<[f32; CENTROIDS]>,
    /// See the head of this file; 0 but for cosine.
    nearness: f32,
    /// Under cosine, for each part: what each centroid adds to w·(‖v‖² - 1)/2.
    excess: Vec<[f32; CENTROIDS]>,
    /// w·(‖mean‖² - 1)/2.
    beyond: f32,
}

/// Where part `number` of `parts` begins among `dim` components: the first `dim % parts` are one component longer.
fn start(dim: usize, parts: usize, number: usize) -> usize {
    number * (dim / parts) + number.min(dim % parts)
}

impl Pq {
    /// `values` are mean, scales and nearness.
    pub(crate) fn load(metric: Metric, parts: usize, values: &[f32], centroids: &[u8]) -> Self {
        let (mean, rest) = values.split_at(values.len() / 2);
        let (scale, nearness) = rest.split_at(mean.len());
        let (columns, _) = bytemuck::cast_slice::<u8, i8>(centroids).as_chunks();
        let nearness = nearness.first().copied().unwrap_or_default();
        Pq::new(metric, parts, mean.to_vec(), scale.to_vec(), nearness, columns.to_vec())
    }

    fn new(
        metric: Metric,
        parts: usize,
        mean: Vec<f32>,
        scale: Vec<f32>,
        nearness: f32,
        columns: Vec<[i8; CENTROIDS]>,
    ) -> Self {
        let beyond = (super::scale::beyond(&mean) * 0.5 * f64::from(nearness)) as f32;
        let none = Vec::new();
        let mut pq =
            Pq { metric, parts, mean, scale, columns, halves: none.clone(), nearness, excess: none, beyond };
        pq.halves = (0..parts).map(|part| halves(pq.scale_of(part), pq.columns_of(part))).collect();
        if metric == Metric::Cosine {
            pq.excess = (0..parts).map(|part| pq.excess_of(part)).collect();
        }
        pq
    }

    /// w·(½·‖c‖² + mean·c) for each centroid c of a part.
    fn excess_of(&self, part: usize) -> [f32; CENTROIDS] {
        let mean = &self.mean[self.range(part)];
        let weights: Vec<f32> = mean.iter().zip(self.scale_of(part)).map(|(m, s)| m * s).collect();
        let mut excess = self.halves[part];
        (kernels().add_columns)(&weights, self.columns_of(part), &mut excess);
        excess.map(|x| x * self.nearness)
    }

    fn dim(&self) -> usize {
        self.mean.len()
    }

    fn range(&self, part: usize) -> std::ops::Range<usize> {
        start(self.dim(), self.parts, part)..start(self.dim(), self.parts, part + 1)
    }

    fn scale_of(&self, part: usize) -> &[f32] {
        &self.scale[self.range(part)]
    }

    fn columns_of(&self, part: usize) -> &[[i8; CENTROIDS]] {
        &self.columns[self.range(part)]
    }
}

/// Half of each centroid's square.
fn halves(scale: &[f32], columns: &[[i8; CENTROIDS]]) -> [f32; CENTROIDS] {
    let mut halves = [0.0; CENTROIDS];
    for (s, column) in scale.iter().zip(columns) {
        for (half, &c) in halves.iter_mut().zip(column) {
            let x = s * f32::from(c);
            *half += x * x * 0.5;
        }
    }
    halves
}

/// The nearest centroid to a part of a row, `row` less the mean; ties to the lower.
fn nearest(
    row: &[f32],
    scale: &[f32],
    columns: &[[i8; CENTROIDS]],
    halves: &[f32; CENTROIDS],
    weights: &mut Vec<f32>,
) -> u8 {
    // ‖x - c‖² = ‖x‖² + 2·(‖c‖²/2 - x·c)
    weights.clear();
    weights.extend(row.iter().zip(scale).map(|(x, s)| -(x * s)));
    let mut distances = *halves;
    (kernels().add_columns)(weights, columns, &mut distances);
    argmin(&distances).1 as u8
}

/// The rows from which the centroids are found. Rows are in cluster order, so an even stride takes rows of all clusters.
pub(super) fn sample(count: usize) -> Vec<u32> {
    let sample = count.min(SAMPLE);
    (0..sample).map(|i| (i * count / sample) as u32).collect()
}

/// Finds the centroids, from a [`sample`] of the rows.
pub(crate) fn train(metric: Metric, parts: usize, mean: Vec<f32>, rows: Rows<'_>, seed: u64) -> Pq {
    let dim = rows.dim;
    let found = exec::map_chunks(parts, 1, |part| {
        let range = start(dim, parts, part.start)..start(dim, parts, part.end);
        let mean = &mean[range.clone()];
        let cut = |row: &[f32]| row[range.clone()].iter().zip(mean).map(|(x, m)| x - m).collect::<Vec<f32>>();
        let points: Vec<f32> = rows.data.chunks_exact(dim).flat_map(cut).collect();
        centroids(Rows { data: &points, dim: range.len() }, rows.count(), seed ^ hash(part.start as u64))
    });
    let (scale, columns): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let nearness = if metric == Metric::Cosine { nearness(rows) } else { 0.0 };
    Pq::new(metric, parts, mean, scale.concat(), nearness, columns.concat())
}

/// The mean cosine of some of these rows to the tenth nearest of the others.
fn nearness(rows: Rows<'_>) -> f32 {
    const SOME: usize = 32;
    const TENTH: usize = 10;
    let some = rows.count().min(SOME);
    let cosines = exec::map_chunks(some, 1, |i| {
        let row = rows.row((i.start * rows.count() / some) as u32);
        let others = rows.data.chunks_exact(rows.dim);
        let mut cosines: Vec<f32> = others.map(|other| (kernels().dot_f32)(row, other)).collect();
        // The first is that of the row itself.
        let at = TENTH.min(cosines.len() - 1);
        *cosines.select_nth_unstable_by(at, |a, b| b.total_cmp(a)).1
    });
    let sum: f64 = cosines.iter().map(|&c| f64::from(c)).sum();
    (sum / some.max(1) as f64).clamp(0.0, 1.0) as f32
}

/// The scales and centroids of one part's `count` points.
fn centroids(points: Rows<'_>, count: usize, seed: u64) -> (Vec<f32>, Vec<[i8; CENTROIDS]>) {
    let width = points.dim;
    let mut scale = vec![0.0f32; width];
    for point in points.data.chunks_exact(width) {
        scale.iter_mut().zip(point).for_each(|(s, x)| *s = s.max(x.abs()));
    }
    scale.iter_mut().for_each(|s| *s /= 127.0);
    let mut columns = vec![[0i8; CENTROIDS]; width];
    let code = |x: f32, s: f32| if s > 0.0 { super::sq8::round(x / s).clamp(-127.0, 127.0) as i8 } else { 0 };
    let mut order: Vec<u32> = (0..count as u32).collect();
    sort::by_key(&mut order, |&p| (hash(seed ^ hash(u64::from(p))), p));
    for (c, &point) in order.iter().take(CENTROIDS).enumerate() {
        for (i, &x) in points.row(point).iter().enumerate() {
            columns[i][c] = code(x, scale[i]);
        }
    }
    let mut weights = Vec::new();
    for _ in 0..ROUNDS {
        let halves = halves(&scale, &columns);
        let mut sums = vec![0.0f64; CENTROIDS * width];
        let mut members = [0u32; CENTROIDS];
        for point in points.data.chunks_exact(width) {
            let c = nearest(point, &scale, &columns, &halves, &mut weights) as usize;
            members[c] += 1;
            sums[c * width..][..width].iter_mut().zip(point).for_each(|(s, &x)| *s += f64::from(x));
        }
        let before = columns.clone();
        for (c, (sums, &members)) in sums.chunks_exact(width).zip(&members).enumerate() {
            // A centroid without points stays where it was.
            for (i, sum) in sums.iter().enumerate().filter(|_| members > 0) {
                columns[i][c] = code((sum / f64::from(members)) as f32, scale[i]);
            }
        }
        if columns == before {
            break;
        }
    }
    (scale, columns)
}

impl Encode for Pq {
    fn parameters(&self) -> Vec<u8> {
        let centroids = self.columns.iter().flatten().map(|&c| c as u8);
        [f32_bytes(&self.mean), f32_bytes(&self.scale), f32_bytes(&[self.nearness]), centroids.collect()]
            .concat()
    }

    fn encode(&self, row: &[f32], out: &mut [u8]) -> Result<(), Error> {
        let r: Vec<f32> = row.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        let mut weights = Vec::new();
        for (part, o) in out.iter_mut().enumerate() {
            let (scale, columns) = (self.scale_of(part), self.columns_of(part));
            *o = nearest(&r[self.range(part)], scale, columns, &self.halves[part], &mut weights);
        }
        Ok(())
    }
}

impl Codec for Pq {
    fn bytes(&self) -> u64 {
        let tables = bytes(&self.columns) + bytes(&self.halves) + bytes(&self.excess);
        bytes(&self.mean) + bytes(&self.scale) + tables
    }

    fn decode(&self, code: &[u8], out: &mut [f32]) {
        for (part, &centroid) in code.iter().enumerate().take(self.parts) {
            for i in self.range(part) {
                out[i] = self.mean[i] + self.scale[i] * f32::from(self.columns[i][centroid as usize]);
            }
        }
    }

    /// Distances to all centroids, as bytes above the least of their part in steps that all parts share.
    fn prepare(&self, query: &[f32], _fine: bool, prepared: &mut Prepared) {
        prepared.around(self.metric, &self.mean, query);
        let Prepared { floats, bytes, scratch, .. } = prepared;
        // -q·c, and under L2 half of ‖c‖² - 2·q·c.
        floats.iter_mut().zip(&self.scale).for_each(|(x, s)| *x *= -s);
        let (mut base, weight) = match self.metric {
            Metric::Cosine => (prepared.base + self.beyond, 1.0),
            Metric::Dot => (prepared.base, 1.0),
            Metric::L2 => (prepared.base, 2.0),
        };
        scratch.clear();
        scratch.resize(self.parts * CENTROIDS, 0.0);
        let (tables, _) = scratch.as_chunks_mut::<CENTROIDS>();
        for (part, table) in tables.iter_mut().enumerate() {
            match self.metric {
                Metric::Cosine => *table = self.excess[part],
                Metric::Dot => {}
                Metric::L2 => *table = self.halves[part],
            }
            (kernels().add_columns)(&floats[self.range(part)], self.columns_of(part), table);
            let least = minimum(table);
            table.iter_mut().for_each(|t| *t -= least);
            base += weight * least;
        }
        let mut widest = [0.0f32; 16];
        for entries in scratch.as_chunks::<16>().0 {
            widest.iter_mut().zip(entries).for_each(|(w, &t)| *w = if t > *w { t } else { *w });
        }
        let step = widest.into_iter().fold(0.0, f32::max) / 255.0;
        let by = if step > 0.0 { 1.0 / step } else { 0.0 };
        bytes.clear();
        // At 2^23 the bits after the point fall off: to the nearest, ties to even.
        bytes.extend(scratch.iter().map(|t| (t * by + 8_388_608.0).to_bits() as u8));
        (prepared.base, prepared.factor) = (base, weight * step);
    }

    fn distances(&self, prepared: &mut Prepared, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        const GROUP: usize = 64;
        let (tables, _) = prepared.bytes.as_chunks::<CENTROIDS>();
        let mut sums = [0u32; GROUP];
        for (ids, out) in ids.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
            gather_lookup(tables, rows, self.parts, ids, &mut sums[..ids.len()]);
            for (&sum, o) in sums.iter().zip(out) {
                *o = prepared.base + prepared.factor * sum as f32;
            }
        }
    }
}
