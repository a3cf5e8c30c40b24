//! FORMAT.md is enough to search by clusters: a reader written here from it alone goes the same way through cells, leaves
//! and lists, and finds the same rows.

mod support;

use pagevec::{CodecKind, Id, Ids, Index, IndexChoice, Metric};
use support::clusters::{self, Block, Cells, Leaf};
use support::data::Random;
use support::format::{self, u32_at};
use support::{METRICS, data, file, options};

/// The sum of sixteen lanes, each in order; the upper half is folded onto the lower.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    a.iter().zip(b).enumerate().for_each(|(i, (x, y))| sums[i % 16] += x * y);
    for half in [8, 4, 2, 1] {
        (0..half).for_each(|j| sums[j] += sums[j + half]);
    }
    sums[0]
}

fn f32_at(file: &[u8], at: usize) -> f32 {
    f32::from_bits(u32_at(file, at))
}

fn bf16(file: &[u8], at: usize) -> f32 {
    f32::from_bits(u32::from(u16::from_le_bytes([file[at], file[at + 1]])) << 16)
}

/// SplitMix64's finaliser.
fn h(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

fn rotated(x: &[f32]) -> Vec<f32> {
    let (mut x, d) = (x.to_vec(), x.len());
    let block = 1 << d.ilog2();
    for k in 0..4 {
        for (number, x) in (k * d..).zip(&mut x) {
            *x *= if h(number as u64 ^ 0x726F_7461_7465).is_multiple_of(2) { 1.0 } else { -1.0 };
        }
        let part = if k % 2 == 0 { &mut x[..block] } else { &mut x[d - block..] };
        let mut half = 1;
        while half < block {
            for a in (0..block).filter(|i| i & half == 0) {
                (part[a], part[a + half]) = (part[a] + part[a + half], part[a] - part[a + half]);
            }
            half *= 2;
        }
        part.iter_mut().for_each(|x| *x *= 1.0 / (block as f32).sqrt());
    }
    x
}

/// A file, and a query turned.
struct Reader<'a> {
    file: &'a [u8],
    metric: Metric,
    dim: usize,
    cells: Cells,
    blocks: Vec<Block>,
    /// R(m).
    mean: Vec<f32>,
    query: Vec<f32>,
    b: f32,
    /// ‖R(q − m)‖.
    length: f32,
}

/// A row of a list.
struct Copy {
    position: u32,
    distance: f32,
    error: f32,
}

impl<'a> Reader<'a> {
    fn new(file: &'a [u8], metric: Metric, query: &[f32]) -> Self {
        let cells = clusters::cells(file).expect("there are clusters");
        let at = format::section(file, 4).offset;
        let m: Vec<f32> = (0..query.len()).map(|i| f32_at(file, at + i * 4)).collect();
        let less: Vec<f32> = query.iter().zip(&m).map(|(q, m)| q - m).collect();
        let (mut turned, mean) = (rotated(&less), rotated(&m));
        let square = dot(&turned, &turned);
        let b = if metric == Metric::L2 { square } else { -dot(query, &m) };
        if metric != Metric::L2 {
            turned.iter_mut().zip(&mean).for_each(|(q, m)| *q += m);
        }
        let blocks = clusters::blocks(file);
        Reader { file, metric, dim: m.len(), cells, blocks, mean, query: turned, b, length: square.sqrt() }
    }

    /// Scale and components of a centroid's code.
    fn centroid(&self, at: usize) -> (f32, Vec<f32>) {
        let c = self.file[at..at + self.dim].iter().map(|&c| f32::from(c as i8));
        (f32_at(self.file, at + self.dim), c.collect())
    }

    fn add(&self, centre: &mut [f32], at: usize) {
        let (s, c) = self.centroid(at);
        centre.iter_mut().zip(c).for_each(|(x, c)| *x += s * c);
    }

    /// What a centroid at this distance promises; `level` is 0 for cells and 1 for leaves.
    fn promise(&self, distance: f32, spread: f32, level: usize) -> f32 {
        let a = f32_at(self.file, self.cells.at + clusters::SHARES + level * 4);
        if self.metric != Metric::L2 {
            return distance - (a * self.length) * spread;
        }
        let h = (a * distance.max(0.0).sqrt()) * spread;
        (distance + spread * spread) - (h + h)
    }

    fn cell(&self, cell: usize) -> f32 {
        let (s, c) = self.centroid(self.cells.codes + cell * self.cells.centroid);
        let product = s * dot(&self.query, &c);
        let distance = match self.metric {
            Metric::L2 => {
                ((self.b - 2.0 * product) + (s * s) * c.iter().map(|c| c * c).sum::<f32>()).max(0.0)
            }
            _ => self.b - product,
        };
        self.promise(distance, f32_at(self.file, self.cells.spreads + cell * 4), 0)
    }

    /// Distance and error of `count` short codes around a centre.
    fn short(&self, at: usize, count: usize, centre: &[f32]) -> Vec<(f32, f32)> {
        let zip = |a: &[f32], f: &dyn Fn(f32, f32) -> f32| -> Vec<f32> {
            a.iter().zip(centre).map(|(&x, &c)| f(x, c)).collect()
        };
        let (v, distance, alpha, f) = match self.metric {
            Metric::L2 => {
                let v = zip(&self.query, &|q, c| q - c);
                (v.clone(), dot(&v, &v), 0.0, 1.2)
            }
            _ => {
                let a = zip(&self.mean, &|m, c| m + c);
                let square = dot(&a, &a);
                let alpha = if square > 0.0 { dot(&self.query, &a) / square } else { 0.0 };
                let v = self.query.iter().zip(&a).map(|(q, a)| q - alpha * a).collect();
                (v, self.b - dot(&self.query, centre), alpha, 0.6)
            }
        };
        let length = dot(&v, &v).sqrt();
        let (low, high) = v.iter().fold((f32::MAX, f32::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        let step = (high - low) / 63.0;
        let by = if step > 0.0 { 1.0 / step } else { 0.0 };
        let u: Vec<i64> =
            v.iter().map(|x| ((x - low) * by).round_ties_even().clamp(0.0, 63.0) as i64).collect();
        let planes = u32_at(self.file, self.cells.at + 16) as usize;
        let bytes = self.dim.div_ceil(8);
        let estimate = |at: usize| {
            let bit =
                |plane: usize, i: usize| i64::from(self.file[at + plane * bytes + i / 8] >> (i % 8) & 1);
            let level = |i: usize| (0..planes).fold(0, |level, plane| 2 * level + bit(plane, i));
            let w: Vec<i64> = (0..self.dim).map(|i| 2 * level(i) - ((1 << planes) - 1)).collect();
            let product: i64 = w.iter().zip(&u).map(|(w, u)| w * u).sum();
            let e = low * w.iter().sum::<i64>() as f32 + step * product as f32;
            let [s, t] = [0, 2].map(|term| bf16(self.file, at + planes * bytes + term));
            let offset = match self.metric {
                Metric::L2 => t - 2.0 * (s * e),
                _ => -(s * e + alpha * t),
            };
            (distance + offset, (f * length) * s)
        };
        (0..count).map(|i| estimate(at + i * self.cells.stride)).collect()
    }

    fn centre(&self, cell: usize) -> Vec<f32> {
        let mut centre = vec![0.0; self.dim];
        self.add(&mut centre, self.cells.codes + cell * self.cells.centroid);
        centre
    }

    /// What the leaves of a cell promise.
    fn leaves(&self, cell: usize) -> Vec<(f32, usize, &Leaf)> {
        let block = &self.blocks[cell];
        let codes = block.bytes.end - block.leaves.len() * self.cells.stride;
        let spreads = codes - block.leaves.len() * 2;
        let distances = self.short(codes, block.leaves.len(), &self.centre(cell));
        let promise = |(i, leaf): (usize, _)| {
            (self.promise(distances[i].0, bf16(self.file, spreads + i * 2), 1), cell, leaf)
        };
        block.leaves.iter().enumerate().map(promise).collect()
    }

    fn list(&self, cell: usize, leaf: &Leaf) -> Vec<Copy> {
        let list = clusters::list(self.file, leaf, &self.cells).expect("the list fits its leaf");
        let mut centre = self.centre(cell);
        list.centre.clone().step_by(self.cells.centroid).for_each(|code| self.add(&mut centre, code));
        let positions = clusters::positions(self.file, leaf, &list);
        let found = self.short(list.codes.start, positions.len(), &centre);
        let copy = |(position, (distance, error))| Copy { position, distance, error };
        positions.into_iter().zip(found).map(copy).collect()
    }

    /// Of the given widths, the positions whose rows are read.
    fn candidates(&self, k: usize, [cells, probes, keep]: [usize; 3], doubt: f32) -> Vec<u32> {
        let rows = |cell: usize| {
            let at = self.cells.positions + cell * 4;
            (u32_at(self.file, at + 4) - u32_at(self.file, at)) as usize
        };
        let mut order: Vec<usize> = (0..self.cells.count).collect();
        order.sort_by(|&a, &b| self.cell(a).total_cmp(&self.cell(b)));
        let total = u32_at(self.file, self.cells.positions + self.cells.count * 4) as usize;
        let lists = u32_at(self.file, self.cells.at + 4) as usize;
        let wanted = |number: usize, of: usize| (number * total).div_ceil(of).max(k);
        let near = enough(&order, wanted(cells, self.cells.count), |&cell| rows(cell));
        let mut leaves: Vec<_> = near.iter().flat_map(|&cell| self.leaves(cell)).collect();
        leaves.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.rows.start.cmp(&b.2.rows.start)));
        let near = enough(&leaves, wanted(probes, lists), |leaf| leaf.2.rows.len());
        let mut copies: Vec<Copy> = near.iter().flat_map(|(_, cell, leaf)| self.list(*cell, leaf)).collect();
        copies.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        copies.truncate(2 * keep);
        copies.sort_by(|a, b| a.position.cmp(&b.position).then(a.error.total_cmp(&b.error)));
        copies.dedup_by_key(|copy| copy.position);
        copies.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.position.cmp(&b.position)));
        copies.truncate(keep);
        let mut worst: Vec<f32> = copies.iter().map(|c| c.distance + doubt * c.error).collect();
        worst.sort_by(f32::total_cmp);
        let w = worst.get(k - 1).copied().unwrap_or(f32::INFINITY);
        copies.retain(|c| c.distance - doubt * c.error <= w);
        copies.into_iter().map(|c| c.position).collect()
    }
}

/// The first of `all` that hold so many rows together.
fn enough<T>(all: &[T], wanted: usize, rows: impl Fn(&T) -> usize) -> &[T] {
    let mut held = 0;
    let short = all.iter().take_while(|one| {
        let short = held < wanted;
        held += rows(one);
        short
    });
    &all[..short.count()]
}

/// The width for `k` nearest rows, one of the four numbers of the file, and a recall in parts of 10,000.
fn width(file: &[u8], k: usize, recall: u32) -> ([usize; 3], f32) {
    let cells = clusters::cells(file).expect("there are clusters");
    let curve = [1, 10, 100, 1000].iter().position(|&n| n == k).expect("there is a curve for it");
    let at = |width: usize| cells.at + clusters::CURVES + (curve * 8 + width) * clusters::WIDTH;
    let width = (0..8).find(|&width| u32_at(file, at(width) + 4) >= recall).unwrap_or(7);
    let number = |i: usize| u32_at(file, at(width) + i * 4).max(1) as usize;
    let leaves = u32_at(file, cells.at + 4) as usize;
    ([number(2).min(cells.count), number(3).min(leaves), number(4).max(k)], f32_at(file, at(width) + 20))
}

#[test]
fn with_the_widths_of_the_file() {
    for (seed, (dim, metric)) in (410..).zip([37, 150, 300].into_iter().flat_map(|d| METRICS.map(|m| (d, m))))
    {
        let n = 3000;
        let rows = data::clustered(n, dim, seed);
        let ids = Ids::Numbers((0..n as u64).collect());
        let built = options(metric, CodecKind::F32).graph(false).branching_factor(8);
        let file = file(&rows, dim, Some(ids), &built);
        let index = Index::from_bytes(&file).expect("a file just built opens");
        let mut random = Random(seed);
        for (k, recall) in [1, 10, 100].into_iter().flat_map(|k| [0.8, 0.95, 0.99].map(|r| (k, r))) {
            let asked = random.vector(dim);
            let mut query = asked.clone();
            if metric == Metric::Cosine {
                let length = dot(&query, &query).sqrt();
                query.iter_mut().for_each(|x| *x /= length);
            }
            let reader = Reader::new(&file, metric, &query);
            let (widths, doubt) = width(&file, k, (recall * 10_000.0f32).round() as u32);
            let read = reader.candidates(k, widths, doubt);
            let o = support::top(k).index(IndexChoice::Clusters).recall(recall);
            let answer = index.search(&asked, &o).expect("a search of good data");
            assert_eq!(answer.stats.rescored, read.len() as u64, "{metric:?} {dim}: k {k}, recall {recall}");
            // Of f32 rows: the exact nearest of those that are read.
            let all =
                index.search(&asked, &support::top(n).index(IndexChoice::Flat)).expect("a scan of good data");
            let near = all.hits.iter().filter(|hit| read.contains(&hit.position)).take(k);
            let near: Vec<(Id, u32)> = near.map(|hit| (hit.id.clone(), hit.score.to_bits())).collect();
            let found: Vec<(Id, u32)> =
                answer.hits.iter().map(|hit| (hit.id.clone(), hit.score.to_bits())).collect();
            assert_eq!(found, near, "{metric:?} {dim}: k {k}, recall {recall}");
        }
    }
}
