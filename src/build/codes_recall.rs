//! Measures the recall of the stored codes and warns where it is low: 32 rows are searched for among all rows, once
//! exactly and once by the codes. On wordnet it takes about 0.3 s of the build's 28 on one core.

use super::options::BuildOptions;
use super::row_distances::float_distances;
use crate::ctx::{Ctx, Warning};
use crate::error::Error;
use crate::exec;
use crate::features::CLUSTERS;
use crate::hash::hash;
use crate::metric::Metric;
use crate::quant::{CodecKind, Prepared};
use crate::rows::{Encoded, Reader};
use crate::search::{SearchOptions, flat, plan};
use crate::topk::TopK;

const QUERIES: usize = 32;
/// Recall is measured among so many nearest rows.
const K: usize = 10;
/// Rows that are compared with all queries before the next ones, so that they are read from memory once.
const BLOCK: usize = 512;
/// Long rows are read fewer at a time: so many floats.
const BLOCK_FLOATS: usize = 1 << 18;
/// The rows are scanned in at most so many parts.
const PARTS: usize = 64;
/// Below this recall the build warns. Clusters 30:1 apart have 0.8, 100:1 about 0.45.
const LOW: f32 = 0.7;
/// Distances that differ by less than this part of the mean distance, 2⁻²⁶, count as equal. So near-copies count as
/// equal, but not the rows of clusters that are a thousand times as far apart as they are wide.
const TIE: f64 = 1.0 / (1 << 26) as f64;
/// A codec with this recall is recommended instead.
const GOOD: f32 = 0.9;

/// Warns if a scan of the codes finds few of the nearest rows, and names a codec that finds them. `rows` and `stored`
/// are in the same order.
pub(super) fn check(
    options: &BuildOptions,
    rows: Reader<'_>,
    mean: &[f32],
    stored: &[Encoded],
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let exact = stored.first().is_none_or(|codes| codes.kind == CodecKind::F32);
    if !CLUSTERS || ctx.warning.is_none() || exact || rows.count() < 2 {
        return Ok(());
    }
    let sample = Sample::new(options.metric, rows, options.seed)?;
    let recall = sample.recall(stored)?;
    if recall >= LOW {
        return Ok(());
    }
    // f16 may be no better, for rows far from the origin; and encoding fails for values beyond its range.
    let half = match stored {
        [only] if only.kind == CodecKind::F16 => None,
        _ => Encoded::new(CodecKind::F16, options.metric, options.seed, mean, rows).ok(),
    };
    let is_good = half.map(|half| sample.recall(&[half])).transpose()?.is_some_and(|recall| recall >= GOOD);
    let names: Vec<String> = stored.iter().map(|stage| stage.kind.to_string()).collect();
    ctx.warn(Warning::CodesRecall {
        codec: names.join(", then "),
        recall,
        better: if is_good { CodecKind::F16 } else { CodecKind::F32 }.to_string(),
    });
    Ok(())
}

/// The rows that serve as queries, and all rows.
struct Sample<'a> {
    metric: Metric,
    rows: Reader<'a>,
    queries: Vec<u32>,
    /// The rows of these numbers, row-major.
    vectors: Vec<f32>,
}

/// What a scan found for one query.
#[derive(Default)]
struct Scanned {
    /// The nearest rows by exact distance; the query is one of them.
    nearest: TopK,
    /// The sum of the exact distances to all rows.
    sum: f64,
    /// The nearest rows by their codes.
    candidates: TopK,
}

impl<'a> Sample<'a> {
    /// Draws one row from each of equally long runs of the cluster order.
    fn new(metric: Metric, rows: Reader<'a>, seed: u64) -> Result<Self, Error> {
        let count = rows.count();
        let queries = count.min(QUERIES);
        let one = |i: usize| {
            let (from, to) = (i * count / queries, (i + 1) * count / queries);
            (from as u64 + hash(seed ^ hash(i as u64)) % (to - from).max(1) as u64) as u32
        };
        let queries: Vec<u32> = (0..queries).map(one).collect();
        let vectors = rows.gather(&queries)?;
        Ok(Sample { metric, rows, queries, vectors })
    }

    /// The queries with their rows.
    fn each(&self) -> impl Iterator<Item = (u32, &[f32])> {
        self.queries.iter().copied().zip(self.vectors.chunks_exact(self.rows.dim()))
    }

    /// The distances of a query to some rows (row-major).
    fn exact(&self, query: &[f32], rows: &[f32], out: &mut Vec<f32>) {
        let all: Vec<u32> = (0..(rows.len() / query.len()) as u32).collect();
        out.resize(all.len(), 0.0);
        float_distances(self.metric, query, rows, &all, out);
    }

    /// The mean recall at [`K`]: a row that was found counts if it is no farther than the exact tenth nearest, or
    /// farther by less than [`TIE`].
    fn recall(&self, stages: &[Encoded]) -> Result<f32, Error> {
        let k = K.min(self.rows.count() - 1);
        let mut found = 0;
        for (mut seen, (query, vector)) in self.seen(stages)?.into_iter().zip(self.each()) {
            let others = |top: &mut TopK| top.sorted().filter(|c| c.1 != query).take(k).collect::<Vec<_>>();
            let nearest = others(&mut seen.nearest);
            let (least, most) = (nearest.first(), nearest.last());
            let mean = seen.sum / self.rows.count() as f64;
            let tie = least.map_or(0.0, |l| (mean - f64::from(l.0)).max(0.0) * TIE);
            let limit = most.map_or(0.0, |m| f64::from(m.0)) + tie;
            let hits = others(&mut self.ranked(vector, &mut seen.candidates, stages));
            let hits: Vec<u32> = hits.iter().map(|hit| hit.1).collect();
            let mut distances = Vec::new();
            self.exact(vector, &self.rows.gather(&hits)?, &mut distances);
            found += distances.iter().filter(|&&distance| f64::from(distance) <= limit).count();
        }
        Ok(found as f32 / (k * self.queries.len()) as f32)
    }

    /// Scans all rows for each query.
    fn seen(&self, stages: &[Encoded]) -> Result<Vec<Scanned>, Error> {
        let count = self.rows.count();
        // The number of parts is limited, since each part holds candidates of every query.
        let size = count.div_ceil(PARTS).max(BLOCK);
        let parts = exec::map_chunks(count, size, |range| self.seen_in(range, stages));
        let mut parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut all: Vec<Scanned> = self.queries.iter().map(|_| Scanned::new(stages)).collect();
        for part in &mut parts {
            for (all, part) in all.iter_mut().zip(part) {
                all.sum += part.sum;
                part.nearest.unsorted().for_each(|(distance, row)| all.nearest.offer(distance, row));
                part.candidates.unsorted().for_each(|(distance, row)| all.candidates.offer(distance, row));
            }
        }
        Ok(all)
    }

    fn seen_in(&self, range: std::ops::Range<usize>, stages: &[Encoded]) -> Result<Vec<Scanned>, Error> {
        let Some(codes) = stages.first() else { return Ok(Vec::new()) };
        let stride = codes.stride;
        let mut seen: Vec<(Scanned, Prepared)> =
            self.queries.iter().map(|_| (Scanned::new(stages), Prepared::default())).collect();
        for ((_, vector), (_, prepared)) in self.each().zip(&mut seen) {
            codes.codec.prepare(vector, false, prepared);
        }
        let block = (BLOCK_FLOATS / self.rows.dim()).clamp(1, BLOCK);
        let mut distances = Vec::new();
        for first in range.clone().step_by(block) {
            let length = block.min(range.end - first);
            let ids: Vec<u32> = (first as u32..(first + length) as u32).collect();
            let rows = self.rows.gather(&ids)?;
            let coded = &codes.bytes[first * stride..][..length * stride];
            for ((_, vector), (seen, prepared)) in self.each().zip(&mut seen) {
                self.exact(vector, &rows, &mut distances);
                for (&distance, &row) in distances.iter().zip(&ids) {
                    seen.sum += f64::from(distance);
                    seen.nearest.offer(distance, row);
                }
                flat::scan(&*codes.codec, prepared, coded, first as u32, length, &mut seen.candidates);
            }
        }
        Ok(seen.into_iter().map(|(seen, _)| seen).collect())
    }

    /// Ranks the candidates as a search does: by each finer stage, or by the codes again if they are all there is.
    fn ranked(&self, query: &[f32], candidates: &mut TopK, stages: &[Encoded]) -> TopK {
        let mut best: Vec<u32> = candidates.sorted().map(|c| c.1).collect();
        let mut prepared = Prepared::default();
        let mut ranked = TopK::default();
        for stage in &stages[usize::from(stages.len() > 1)..] {
            stage.codec.prepare(query, true, &mut prepared);
            let mut distances = vec![0.0; best.len()];
            stage.codec.distances(&mut prepared, &stage.bytes, &best, &mut distances);
            ranked.reset(plan::rerank_count(K));
            distances.iter().zip(&best).for_each(|(&distance, &row)| ranked.offer(distance, row));
            best = ranked.sorted().map(|c| c.1).collect();
        }
        ranked
    }
}

impl Scanned {
    fn new(stages: &[Encoded]) -> Self {
        let mut seen = Scanned::default();
        seen.nearest.reset(K + 1);
        // The query is among its own candidates.
        seen.candidates.reset(
            1 + match stages {
                [_] => plan::rerank_count(K),
                [codes, ..] if codes.kind == CodecKind::Binary => SearchOptions::DEFAULT_EF_BINARY,
                _ => SearchOptions::DEFAULT_EF,
            },
        );
        seen
    }
}
