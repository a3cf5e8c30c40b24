//! How many cells, lists and candidates a search uses: by the curves of the file, for the recall and the number of hits
//! that are wanted.

use crate::segment::Clusters;
use crate::segment::clusters::{CurvePoint, NEIGHBOURS};

/// Candidates per hit whose rows may be read, if the options give the number of probes instead of a recall.
const KEEP: usize = 12;
/// The [`ProbeWidth::doubt`] of such a search.
const DOUBT: f32 = 1.5;

/// How wide a search is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ProbeWidth {
    pub(crate) cells: usize,
    pub(crate) probes: usize,
    /// Hits wanted.
    pub(crate) k: usize,
    /// Candidates kept for them.
    pub(crate) keep: usize,
    /// A candidate's row is read if its estimate may be wrong by so many standard deviations.
    pub(crate) doubt: f32,
}

/// What the options of a search say of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) k: usize,
    /// 0 to 1.
    pub(crate) recall: f32,
    pub(crate) probes: Option<usize>,
    pub(crate) rescore: Option<usize>,
}

/// The width of a search, by its options or else by the curves.
#[inline(never)]
pub(crate) fn width(clusters: &Clusters, wanted: Wanted) -> ProbeWidth {
    let cells = &clusters.cells;
    let k = wanted.k;
    let point = match wanted.probes {
        Some(probes) => with_probes(&points(&cells.curves, k), k, probes),
        None => enough(&points(&cells.curves, k), (wanted.recall * 10_000.0).round() as u32),
    };
    let keep = wanted.rescore.unwrap_or(point.keep as usize).max(k);
    // `rescore` means that all of so many candidates are ranked.
    let doubt = if wanted.rescore.is_some() { f32::INFINITY } else { point.doubt };
    ProbeWidth {
        cells: (point.cells as usize).clamp(1, cells.len().max(1)),
        probes: (point.probes as usize).clamp(1, cells.leaf_count().max(1)),
        k,
        keep,
        doubt,
    }
}

/// The first point that reached the recall; where none did, the last.
fn enough(points: &[CurvePoint], recall: u32) -> CurvePoint {
    points.iter().find(|p| p.reached >= recall).or(points.last()).copied().unwrap_or_default()
}

/// The point for a number of probes: the cells of the first that has as many; beyond the last, cells in proportion.
fn with_probes(points: &[CurvePoint], k: usize, probes: usize) -> CurvePoint {
    let last = points.last().copied().unwrap_or_default();
    let cells = match points.iter().find(|p| p.probes as usize >= probes) {
        Some(point) => point.cells,
        None => (f64::from(last.cells) * (probes as f64 / f64::from(last.probes.max(1)))).ceil() as u32,
    };
    let keep = u32::try_from(k.saturating_mul(KEEP)).unwrap_or(u32::MAX);
    CurvePoint { cells, probes: u32::try_from(probes).unwrap_or(u32::MAX), keep, doubt: DOUBT, ..last }
}

/// The curve for `k` rows: one of the file's, or between two of them, linear in the logarithm of k. Beyond the last,
/// widths grow in proportion to k.
fn points(curves: &[impl AsRef<[CurvePoint]>], k: usize) -> Vec<CurvePoint> {
    let curve = |at: usize| curves.get(at).map(AsRef::as_ref).unwrap_or_default();
    let next = NEIGHBOURS.iter().position(|&n| n as usize >= k);
    match next {
        Some(at) if at == 0 || NEIGHBOURS[at] as usize == k => curve(at).to_vec(),
        Some(at) => {
            let (low, high) = (NEIGHBOURS[at - 1], NEIGHBOURS[at]);
            let share =
                (log2(k as u64) - log2(u64::from(low))) / (log2(u64::from(high)) - log2(u64::from(low)));
            curve(at - 1).iter().zip(curve(at)).map(|(a, b)| between(a, b, share)).collect()
        }
        None => {
            let last = NEIGHBOURS.len() - 1;
            let more = k as f64 / f64::from(NEIGHBOURS[last]);
            curve(last).iter().map(|p| scaled(p, more)).collect()
        }
    }
}

fn between(a: &CurvePoint, b: &CurvePoint, share: f64) -> CurvePoint {
    let mix = |a: u32, b: u32| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).ceil() as u32;
    CurvePoint {
        wanted: a.wanted,
        reached: a.reached.min(b.reached),
        cells: mix(a.cells, b.cells),
        probes: mix(a.probes, b.probes),
        keep: mix(a.keep, b.keep),
        doubt: a.doubt.max(b.doubt),
        bound: a.bound.max(b.bound),
    }
}

fn scaled(p: &CurvePoint, more: f64) -> CurvePoint {
    let scale = |x: u32| (f64::from(x) * more).ceil() as u32;
    CurvePoint { cells: scale(p.cells), probes: scale(p.probes), keep: scale(p.keep), ..*p }
}

/// The logarithm to base 2, linear between powers of 2: the same on every target.
fn log2(x: u64) -> f64 {
    let whole = x.max(1).ilog2();
    f64::from(whole) + (x.max(1) as f64 / (1u64 << whole) as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(wanted: u32, reached: u32, probes: u32) -> CurvePoint {
        CurvePoint { wanted, reached, cells: probes / 2, probes, keep: probes * 10, doubt: 1.5, bound: 0.0 }
    }

    #[test]
    fn the_first_point_that_reached_the_recall_is_taken() {
        let points = [point(9000, 9010, 4), point(9500, 9480, 8), point(9900, 9800, 16)];
        assert_eq!(enough(&points, 9000).probes, 4);
        assert_eq!(enough(&points, 9400).probes, 8);
        assert_eq!(enough(&points, 9500).probes, 16, "what was wanted was not reached");
        assert_eq!(enough(&points, 9900).probes, 16, "none is enough");
    }

    #[test]
    fn between_two_numbers_of_rows_the_width_is_between_theirs() {
        let curves = [5, 10, 40, 200].map(|probes| [point(9500, 9500, probes)]);
        let probes = |k: usize| points(&curves, k)[0].probes;
        assert_eq!([1, 10, 100, 1000, 2000].map(probes), [5, 10, 40, 200, 400]);
        assert!(
            (20..30).contains(&probes(30)) && (100..130).contains(&probes(300)),
            "{} {}",
            probes(30),
            probes(300)
        );
    }
}
