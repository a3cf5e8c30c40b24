//! Odd data: rows as other engines' users report them, each kind from a seed, with held-out queries; and what a search
//! finds of the exact answer, as a mean and over the worst tenth of the queries.

use super::data::Random;
use super::oracle;
use pagevec::{Index, Metric, SearchOptions};

/// Rows and queries that were drawn like them but are none of them.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) metric: Metric,
    pub(crate) dim: usize,
    pub(crate) rows: Vec<f32>,
    pub(crate) queries: Vec<Vec<f32>>,
}

/// What a search found of the `k` nearest rows, where a row as near as the k-th counts, and what it cost per query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) mean: f64,
    /// The mean recall of the worst 10 % of the queries.
    pub(crate) worst_tenth: f64,
    pub(crate) distances: f64,
    pub(crate) rescored: f64,
}

impl Case {
    /// Draws `count` rows and then `queries` more by the same rule, which are the queries.
    fn drawn(
        name: String,
        metric: Metric,
        dim: usize,
        [count, queries]: [usize; 2],
        mut draw: impl FnMut(usize) -> Vec<f32>,
    ) -> Self {
        let rows = (0..count).flat_map(&mut draw).collect();
        let queries = (count..count + queries).map(draw).collect();
        Case { name, metric, dim, rows, queries }
    }

    pub(crate) fn count(&self) -> usize {
        self.rows.len() / self.dim
    }

    /// Recall at `k` of `options` (whose `k` is replaced) over `index`, whose ids are row numbers.
    pub(crate) fn measure(&self, index: &Index, k: usize, options: &SearchOptions) -> Measured {
        self.measure_by(&self.truth(), index, k, options)
    }

    /// The exact scores of all rows for each query.
    pub(crate) fn truth(&self) -> Vec<Vec<f64>> {
        self.queries.iter().map(|query| oracle::scores(self.metric, &self.rows, query)).collect()
    }

    /// As [`Case::measure`], with a truth that serves several.
    pub(crate) fn measure_by(
        &self,
        truth: &[Vec<f64>],
        index: &Index,
        k: usize,
        options: &SearchOptions,
    ) -> Measured {
        let k = k.min(self.count());
        let options = options.clone().k(k);
        let (mut recalls, mut distances, mut rescored) = (Vec::new(), 0, 0);
        for (query, scores) in self.queries.iter().zip(truth) {
            let answer = index.search(query, &options).expect("a search of good data");
            assert_eq!(answer.hits.len(), k, "{}: fewer hits than rows", self.name);
            let least = oracle::kth(scores, k);
            let least = least - 1e-9 * least.abs().max(1.0);
            let near = answer.hits.iter().filter(|h| scores[oracle::row(&h.id)] >= least).count();
            recalls.push(near as f64 / k as f64);
            distances += answer.stats.distances;
            rescored += answer.stats.rescored;
        }
        Measured::of(recalls, [distances, rescored])
    }
}

impl Measured {
    /// Of the recall of each query, and of the distances and the rows ranked again of all together.
    pub(crate) fn of(mut recalls: Vec<f64>, [distances, rescored]: [u64; 2]) -> Self {
        let count = recalls.len() as f64;
        recalls.sort_unstable_by(f64::total_cmp);
        let worst = &recalls[..recalls.len().div_ceil(10)];
        Measured {
            mean: recalls.iter().sum::<f64>() / count,
            worst_tenth: worst.iter().sum::<f64>() / worst.len() as f64,
            distances: distances as f64 / count,
            rescored: rescored as f64 / count,
        }
    }
}

/// Normal with variance 1.
pub(crate) fn normal(random: &mut Random) -> f32 {
    random.normal() + random.normal() + random.normal()
}

fn normals(random: &mut Random, dim: usize, scale: f32) -> Vec<f32> {
    (0..dim).map(|_| normal(random) * scale).collect()
}

fn around(random: &mut Random, centres: &[Vec<f32>], spread: f32) -> Vec<f32> {
    let centre = &centres[random.below(centres.len())];
    centre.iter().map(|c| c + normal(random) * spread).collect()
}

/// Rows around 200 centres that are as far apart as their rows are wide: what an index finds easy.
pub(crate) fn ordinary(metric: Metric, counts: [usize; 2], dim: usize, seed: u64) -> Case {
    let mut random = Random(seed);
    let centres: Vec<Vec<f32>> = (0..200).map(|_| normals(&mut random, dim, 1.0)).collect();
    Case::drawn(format!("ordinary {metric:?}"), metric, dim, counts, |_| around(&mut random, &centres, 0.8))
}

/// 20 clusters whose centres are `ratio` times as far apart as their rows are wide, under l2.
pub(crate) fn far_clusters(counts: [usize; 2], dim: usize, ratio: f32, seed: u64) -> Case {
    let mut random = Random(seed);
    let centres: Vec<Vec<f32>> = (0..20).map(|_| normals(&mut random, dim, ratio)).collect();
    Case::drawn(format!("clusters {ratio}:1"), Metric::L2, dim, counts, |_| {
        around(&mut random, &centres, 1.0)
    })
}

/// Rows within `spread` of one of 20 topics, under cosine: two rows of a topic have a cosine of about 1 / (1 + spread²).
pub(crate) fn topics(counts: [usize; 2], dim: usize, spread: f32, seed: u64) -> Case {
    let mut random = Random(seed);
    let centres: Vec<Vec<f32>> = (0..20).map(|_| normals(&mut random, dim, 1.0)).collect();
    Case::drawn(format!("topics {spread}"), Metric::Cosine, dim, counts, |_| {
        around(&mut random, &centres, spread)
    })
}

/// Longitude and latitude in degrees, under l2.
pub(crate) fn places(counts: [usize; 2], seed: u64) -> Case {
    let mut random = Random(seed);
    let mut uniform = move |width: f64| ((random.next() >> 11) as f64 / (1u64 << 53) as f64 - 0.5) * width;
    Case::drawn("places".to_owned(), Metric::L2, 2, counts, |_| {
        vec![uniform(360.0) as f32, uniform(170.0) as f32]
    })
}

/// Points in a cube, under l2.
pub(crate) fn points(counts: [usize; 2], seed: u64) -> Case {
    let mut random = Random(seed);
    let mut uniform = move || ((random.next() >> 11) as f64 / (1u64 << 53) as f64 * 1000.0) as f32;
    Case::drawn("points".to_owned(), Metric::L2, 3, counts, |_| (0..3).map(|_| uniform()).collect())
}

/// Item factors under dot: a falling spectrum, and lengths that are e to a normal of deviation `sigma`. Queries have no
/// such factor. With `long`, one row is 50 times longer besides.
pub(crate) fn lengths(counts: [usize; 2], dim: usize, sigma: f32, long: bool, seed: u64) -> Case {
    let mut random = Random(seed);
    Case::drawn(format!("lengths {sigma}, long {long}"), Metric::Dot, dim, counts, |i| {
        let length = if i < counts[0] { (sigma * normal(&mut random)).exp() } else { 1.0 };
        let more = if long && i == 7 { 50.0 } else { 1.0 };
        (0..dim).map(|c| normal(&mut random) * length * more / (1.0 + c as f32).sqrt()).collect()
    })
}

/// As [`ordinary`] under cosine, one component 30 times as wide as the others.
pub(crate) fn one_wide_component(counts: [usize; 2], dim: usize, seed: u64) -> Case {
    let mut case = ordinary(Metric::Cosine, counts, dim, seed);
    case.name = "one wide component".to_owned();
    case.rows.iter_mut().skip(dim / 9).step_by(dim).for_each(|x| *x *= 30.0);
    case.queries.iter_mut().for_each(|query| query[dim / 9] *= 30.0);
    case
}

/// One-hot rows of so many categories, each many times; the queries are the first 100 categories.
pub(crate) fn categories(metric: Metric, count: usize, categories: usize, seed: u64) -> Case {
    let mut random = Random(seed);
    let hot =
        |category: usize| (0..categories).map(|c| f32::from(u8::from(c == category))).collect::<Vec<f32>>();
    let rows = (0..count).flat_map(|_| hot(random.below(categories))).collect();
    let queries = (0..categories.min(100)).map(hot).collect();
    Case { name: format!("{categories} categories {metric:?}"), metric, dim: categories, rows, queries }
}

/// `distinct` rows, each in about `count / distinct` copies that differ by at most `noise`, in mixed order.
pub(crate) fn copies(
    metric: Metric,
    [count, queries]: [usize; 2],
    dim: usize,
    distinct: usize,
    noise: f32,
    seed: u64,
) -> Case {
    let mut random = Random(seed);
    let centres: Vec<Vec<f32>> = (0..distinct).map(|_| normals(&mut random, dim, 1.0)).collect();
    let name = format!("copies of {distinct}, noise {noise}, {metric:?}");
    Case::drawn(name, metric, dim, [count, queries], |_| around(&mut random, &centres, noise))
}

/// A clump of near-copies and, behind it, rows far apart; queries lie beside the latter.
pub(crate) fn behind_a_clump(clump: usize, behind: usize, dim: usize, seed: u64) -> Case {
    let mut random = Random(seed);
    let mut rows: Vec<f32> = (0..clump * dim).map(|_| 1.0 + 1e-4 * normal(&mut random)).collect();
    rows.extend((0..behind * dim).map(|_| 5.0 * normal(&mut random)));
    let far = rows[clump * dim..].chunks_exact(dim);
    let queries = far.map(|row| row.iter().map(|x| x + 0.01 * normal(&mut random)).collect()).collect();
    Case { name: "behind a clump".to_owned(), metric: Metric::L2, dim, rows, queries }
}

/// Ordinary rows, of which the first `same` are one and the same; queries are from the others' clusters.
pub(crate) fn many_equal(metric: Metric, counts: [usize; 2], dim: usize, same: usize, seed: u64) -> Case {
    let mut case = ordinary(metric, counts, dim, seed);
    case.name = format!("{same} of {} equal, {metric:?}", counts[0]);
    let first = case.rows[..dim].to_vec();
    case.rows[..same * dim].chunks_exact_mut(dim).for_each(|row| row.copy_from_slice(&first));
    case
}

/// As [`ordinary`] under cosine, all around one direction: `spread` of a row's length is its own.
pub(crate) fn narrow_cone(counts: [usize; 2], dim: usize, spread: f32, seed: u64) -> Case {
    let mut case = ordinary(Metric::Cosine, counts, dim, seed);
    let axis = normals(&mut Random(!seed), dim, 1.0);
    case.name = format!("cone {spread}");
    let rows = case.rows.chunks_exact_mut(dim);
    for row in rows.chain(case.queries.iter_mut().map(Vec::as_mut_slice)) {
        row.iter_mut().zip(&axis).for_each(|(x, a)| *x = a + spread * *x);
    }
    case
}
