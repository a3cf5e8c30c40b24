//! Which index answers, and how wide it looks: a pure choice from what the segment has, what fits and what is here.
//!
//! Once chosen, hits depend on the file, the queries and the options alone.

use super::clusters::Width;
use super::{IndexChoice, SearchOptions};
use crate::error::Error;
use crate::quant::CodecKind;
use crate::segment::{SectionKind, Segment};
use crate::storage::Source;

/// Below so many bytes codes and graph are fetched whole: it costs no more than a few lists and their round trips.
const SMALL: u64 = 1 << 20;
/// Candidates of lists whose rows may be read, per hit.
const KEEP: usize = 12;

/// How a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Flat,
    Hnsw,
    /// The graph, node by node: codes or links do not fit.
    Walk,
    Clusters,
}

impl Route {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Route::Flat => "flat",
            Route::Hnsw | Route::Walk => "hnsw",
            Route::Clusters => "clusters",
        }
    }
}

/// What a choice rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// There is a graph, and codes and graph can be here as a whole.
    pub(crate) graph_fits: bool,
    /// They are here already, or reading them costs nothing.
    pub(crate) graph_here: bool,
    /// Their bytes.
    pub(crate) graph_bytes: u64,
    pub(crate) graph: bool,
    /// There is room to walk it node by node.
    pub(crate) walk_fits: bool,
    pub(crate) clusters: bool,
    /// Codes can be here, as a whole or chunk by chunk.
    pub(crate) codes_fit: bool,
}

impl Facts {
    pub(crate) fn of(segment: &Segment, source: &dyn Source) -> Self {
        let extent = |kind| segment.extent(kind).filter(|e| e.length > 0);
        let parts = [extent(SectionKind::Codes), extent(SectionKind::Graph)];
        let codes = segment.codes.extent;
        Facts {
            graph: segment.header.m > 0,
            walk_fits: walk_fits(segment, source),
            graph_fits: segment.header.m > 0 && parts.iter().all(|e| e.is_some_and(|e| source.holds(e))),
            graph_here: source.spare() == u64::MAX
                || parts.iter().all(|e| e.is_some_and(|e| source.get(e).is_some())),
            graph_bytes: parts.iter().flatten().map(|e| e.length).sum(),
            clusters: segment.clusters.is_some(),
            codes_fit: source.holds(codes) || source.room(codes).1 > segment.codes.stride,
        }
    }
}

fn walk_fits(segment: &Segment, source: &dyn Source) -> bool {
    let sums = segment.extent(SectionKind::NodeSums).filter(|e| e.length > 0);
    let (Some(sums), Some(graph)) = (sums, segment.graph_parts()) else { return false };
    let links = source.room(graph.base);
    source.holds(sums) && source.holds(graph.upper) && links.0 > 0 && links.1 >= graph.stride
}

/// Chooses, or says why a pinned choice cannot be.
pub(crate) fn route(choice: IndexChoice, f: Facts) -> Result<Route, Error> {
    let no = |detail: &str| Err(Error::argument("index", detail));
    match choice {
        IndexChoice::Auto if f.graph_fits && (f.graph_here || f.graph_bytes <= SMALL) => Ok(Route::Hnsw),
        IndexChoice::Auto if f.clusters => Ok(Route::Clusters),
        IndexChoice::Auto if f.graph_fits => Ok(Route::Hnsw),
        IndexChoice::Auto | IndexChoice::Flat if f.codes_fit => Ok(Route::Flat),
        IndexChoice::Auto | IndexChoice::Flat => {
            no("codes do not fit the memory budget: raise it or use clusters")
        }
        IndexChoice::Hnsw if f.graph_fits => Ok(Route::Hnsw),
        IndexChoice::Hnsw if f.walk_fits => Ok(Route::Walk),
        IndexChoice::Hnsw if !f.graph => {
            no("this segment has no graph: search it flat or rebuild it with one")
        }
        IndexChoice::Hnsw => no(
            "codes and graph do not fit the memory budget: raise it, open for hnsw (natively), or use clusters or flat",
        ),
        IndexChoice::Clusters if f.clusters => Ok(Route::Clusters),
        IndexChoice::Clusters => no("this segment has no clusters: search it flat or rebuild it with them"),
    }
}

/// How many candidates are found, and how many of them ranked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Depth {
    pub(crate) k: usize,
    pub(crate) ef: usize,
    /// 0: the candidates' distances are final.
    pub(crate) rescore: usize,
}

/// Fills in what the options leave open.
pub(crate) fn depth(segment: &Segment, o: &SearchOptions) -> Depth {
    let k = o.k.min(segment.count());
    let codec = segment.header.stages.first();
    let default = match codec {
        Some(CodecKind::Binary) => SearchOptions::DEFAULT_EF_BINARY,
        _ => SearchOptions::DEFAULT_EF,
    };
    let ef = o.ef.unwrap_or(default).clamp(k.max(1), segment.count().max(1));
    // Codes that are ranked again in place cost no reads; coarse ones want all their candidates ranked.
    let alone = segment.finer.is_empty();
    // Half a byte a component ranks well: wordnet, flat: recall@10 0.943 alone, 0.9956 (that of SQ8) with 20 ranked again.
    let enough = if alone || codec == Some(&CodecKind::Sq4) { few(k) } else { ef };
    let rescore = match codec {
        Some(CodecKind::Sq8) => o.rescore.unwrap_or(enough).max(k),
        _ if alone => 0,
        _ => o.rescore.unwrap_or(enough).max(k),
    };
    Depth { k, ef, rescore }
}

/// How many candidates whose distances are good already are ranked once more.
pub(crate) fn few(k: usize) -> usize {
    k.saturating_mul(4).max(32)
}

/// How wide the clustered index looks.
pub(crate) fn width(segment: &Segment, o: &SearchOptions, k: usize) -> Width {
    let Some(clusters) = &segment.clusters else { return Width { cells: 0, probes: 0, k, keep: k } };
    let curve = &clusters.cells.curve;
    let last = curve.last().copied().unwrap_or_default();
    // The first point of the curve that is enough; beyond the last, as many more cells as there are more probes.
    let (cells, probes) = match o.probes {
        Some(probes) => match curve.iter().find(|w| w.probes as usize >= probes) {
            Some(width) => (width.cells as usize, probes),
            None => {
                let ratio = probes as f64 / f64::from(last.probes.max(1));
                ((f64::from(last.cells) * ratio).ceil() as usize, probes)
            }
        },
        None => {
            let wanted = (o.recall.unwrap_or(SearchOptions::DEFAULT_RECALL) * 10_000.0).round() as u32;
            let width = curve.iter().find(|w| w.recall >= wanted).copied().unwrap_or(last);
            (width.cells as usize, width.probes as usize)
        }
    };
    let probes = probes.clamp(1, clusters.cells.leaf_count().max(1));
    let keep = o.rescore.unwrap_or(k.saturating_mul(KEEP)).max(k);
    Width { cells: cells.clamp(1, clusters.cells.len().max(1)), probes, k, keep }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Facts = Facts {
        graph: false,
        walk_fits: false,
        graph_fits: false,
        graph_here: false,
        graph_bytes: 100 << 20,
        clusters: false,
        codes_fit: false,
    };

    #[test]
    fn each_case_has_its_route() {
        let all = Facts {
            graph: true,
            graph_fits: true,
            graph_here: true,
            clusters: true,
            codes_fit: true,
            ..NONE
        };
        let cold = Facts { graph_here: false, ..all };
        let tight = Facts { graph_fits: false, codes_fit: false, ..cold };
        let table = [
            ("everything is here", IndexChoice::Auto, all, Some(Route::Hnsw)),
            ("cold and large", IndexChoice::Auto, cold, Some(Route::Clusters)),
            (
                "cold and small",
                IndexChoice::Auto,
                Facts { graph_bytes: 900 << 10, ..cold },
                Some(Route::Hnsw),
            ),
            ("too large for memory", IndexChoice::Auto, tight, Some(Route::Clusters)),
            ("no clusters", IndexChoice::Auto, Facts { clusters: false, ..cold }, Some(Route::Hnsw)),
            ("codes only", IndexChoice::Auto, Facts { codes_fit: true, ..NONE }, Some(Route::Flat)),
            ("nothing fits", IndexChoice::Auto, NONE, None),
            ("pinned flat", IndexChoice::Flat, all, Some(Route::Flat)),
            ("pinned flat, too large", IndexChoice::Flat, tight, None),
            ("pinned graph, cold", IndexChoice::Hnsw, cold, Some(Route::Hnsw)),
            ("pinned graph, too large", IndexChoice::Hnsw, tight, None),
            (
                "pinned graph, too large, opened for it",
                IndexChoice::Hnsw,
                Facts { walk_fits: true, ..tight },
                Some(Route::Walk),
            ),
            (
                "too large, opened for it",
                IndexChoice::Auto,
                Facts { walk_fits: true, ..tight },
                Some(Route::Clusters),
            ),
            ("pinned clusters, all here", IndexChoice::Clusters, all, Some(Route::Clusters)),
            ("pinned clusters, none", IndexChoice::Clusters, NONE, None),
        ];
        for (case, choice, facts, expected) in table {
            assert_eq!(route(choice, facts).ok(), expected, "{case}");
        }
    }
}
