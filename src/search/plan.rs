//! The choice of the index that answers, and of how many candidates it finds. It is a pure function of what the segment
//! has, what fits in memory, and what is in memory already.
//!
//! After the choice hits depend on the file, the queries and the options alone.

use super::clusters::Wanted;
use super::view::View;
use super::{IndexChoice, SearchOptions};
use crate::error::Error;
use crate::quant::CodecKind;
use crate::row_set::RowSet;
use crate::segment::SectionKind;
use crate::storage::{Extent, WALKS_FROM_DISK};

/// Codes, or codes and graph, of at most so many bytes are fetched whole: that costs no more than a few lists and their
/// round trips.
const SMALL: u64 = 1 << 20;
/// Up to so many rows, if their codes are small, a scan costs no more than a walk, and it is exact. Natively both take
/// the same time at 4,000 rows of sq8 codes in 8 or 64 components, 3,300 in 384; of f32 2,300, 4,700 and 2,200; of f16
/// 1,400, 4,800 and 2,200; of sq4 2,300, 5,000 and 3,500; of pq 2,900, 3,200 and 1,700; of binary codes beyond 16,000.
/// In wasm of sq8 at 1,200, 2,000 and 1,400. At 1,000 rows a scan takes 0.2 to 0.8 of a walk, in wasm 0.75 to 0.95.
const SCAN_ROWS: usize = 1500;
/// If one row of so many is wanted, a walk or lists would score most rows: a scan costs less, and it is exact.
const WIDE: usize = 8;

/// Up to so many rows of a set are scanned rather than found by clusters.
const SET_ROWS: usize = 15_000;
/// Up to so many hundredths of the distances of a walk, a scan of a set is taken: a walk under a set needs no fewer.
const SCAN_FIRST: u64 = 130;

/// A walk computes about so many distances for each candidate that it keeps: 16 on wordnet, 19 on GloVe.
const WALKED: u64 = 16;
/// A row costs a scan so many hundredths of what a distance costs a walk.
const SCAN_COST: u64 = 55;
/// A walk that looks hopeless may take so many hundredths of a scan.
const TRY: u64 = 30;

/// How candidates are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Flat,
    /// The rows of a set, by the finest rows at once.
    Listed,
    Hnsw,
    /// The graph, node by node from disk: codes or links do not fit.
    Walk,
    Clusters,
}

impl Route {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Route::Flat => "flat",
            Route::Listed => "listed",
            Route::Hnsw | Route::Walk => "hnsw",
            Route::Clusters => "clusters",
        }
    }
}

/// What the choice depends on. *Fits* is within the memory budget; *here* is in memory, or free to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// There is a graph, and it fits together with the codes.
    pub(crate) graph_fits: bool,
    /// Codes and graph are here, and the machine's memory can hold both.
    pub(crate) graph_here: bool,
    /// Bytes of codes and graph.
    pub(crate) graph_bytes: u64,
    pub(crate) graph: bool,
    /// There are slots to walk the graph node by node.
    pub(crate) walk_fits: bool,
    pub(crate) clusters: bool,
    /// Codes fit, whole or chunk by chunk.
    pub(crate) codes_fit: bool,
    /// All codes are here.
    pub(crate) codes_here: bool,
    pub(crate) codes_bytes: u64,
    /// The finest rows are here.
    pub(crate) rows_here: bool,
    pub(crate) count: usize,
    /// Rows that may be hits, if these are not all.
    pub(crate) allowed: Option<usize>,
    /// Hits wanted.
    pub(crate) k: usize,
    /// Candidates that are ranked again; 0: none are.
    pub(crate) candidates: usize,
    /// Candidates that a walk keeps.
    pub(crate) ef: usize,
}

impl Facts {
    pub(crate) fn of(view: &View<'_>) -> Self {
        let View { segment, source, .. } = *view;
        let extent = |kind| segment.extent(kind).filter(|e| e.length > 0);
        let parts = [extent(SectionKind::Codes), extent(SectionKind::Graph)];
        let codes = segment.codes.extent;
        let free = source.speculative_bytes() == u64::MAX;
        let here = |e: Extent| source.get(e).is_some() || (free && source.fits(e));
        let graph_bytes = parts.iter().flatten().map(|e| e.length).sum();
        Facts {
            graph: segment.header.m > 0,
            walk_fits: walk_fits(view),
            graph_fits: segment.header.m > 0 && parts.iter().all(|e| e.is_some_and(|e| source.fits(e))),
            graph_here: graph_bytes <= source.memory() && parts.iter().all(|e| e.is_some_and(here)),
            graph_bytes,
            clusters: segment.clusters.is_some(),
            codes_fit: source.fits(codes) || source.slots(codes).bytes > segment.codes.stride,
            codes_here: here(codes),
            codes_bytes: codes.length,
            rows_here: here(segment.finest().extent),
            count: segment.count(),
            allowed: view.rows.map(RowSet::count),
            k: SearchOptions::default().k,
            candidates: 0,
            ef: SearchOptions::DEFAULT_EF,
        }
    }

    /// Whether every row that may be a hit is ranked by the finest rows anyway.
    fn is_listed(&self) -> bool {
        self.allowed.is_some_and(|rows| rows <= self.candidates)
    }

    /// Whether a scan costs less than the other ways. It is exact on the codes.
    fn scan_is_best(&self) -> bool {
        let small = self.codes_fit && self.codes_bytes <= SMALL;
        let wide = self.k >= self.allowed.unwrap_or(self.count) / WIDE;
        match self.allowed {
            _ if !small && !self.codes_here => false,
            _ if wide => true,
            None => self.count <= SCAN_ROWS && small,
            Some(rows) if self.graph_is_cheap() => {
                rows as u64 * SCAN_COST <= self.ef as u64 * WALKED * SCAN_FIRST
            }
            Some(rows) => rows <= SET_ROWS,
        }
    }

    /// Whether codes and graph fit, and are here or fetched as one.
    fn graph_is_cheap(&self) -> bool {
        self.graph_fits && (self.graph_here || self.graph_bytes <= SMALL)
    }
}

fn walk_fits(view: &View<'_>) -> bool {
    let View { segment, source, .. } = *view;
    if !WALKS_FROM_DISK {
        return false;
    }
    let checksums = segment.extent(SectionKind::NodeChecksums).filter(|e| e.length > 0);
    let (Some(checksums), Some(graph)) = (checksums, segment.graph_parts()) else { return false };
    let links = source.slots(graph.base);
    source.fits(checksums) && source.fits(graph.upper) && links.count > 0 && links.bytes >= graph.stride
}

/// The route of a search by these options, and its counts.
pub(crate) fn choose(view: &View<'_>, o: &SearchOptions) -> Result<(Route, CandidateCounts), Error> {
    let counts = counts(view, o);
    let facts = Facts { k: o.k, candidates: counts.rescore, ef: counts.ef, ..Facts::of(view) };
    let is_built = match o.index {
        IndexChoice::Hnsw => facts.graph,
        IndexChoice::Clusters => facts.clusters,
        IndexChoice::Auto | IndexChoice::Flat => true,
    };
    let index = if is_built || !o.where_built { o.index } else { IndexChoice::Auto };
    Ok((route(index, facts)?, counts))
}

/// The route of a choice; an error if the segment, or the memory, does not allow for it.
pub(crate) fn route(choice: IndexChoice, f: Facts) -> Result<Route, Error> {
    let no = |detail: &str| Err(Error::argument("index", detail));
    match choice {
        IndexChoice::Auto if f.rows_here && f.is_listed() => Ok(Route::Listed),
        IndexChoice::Auto if f.scan_is_best() => Ok(Route::Flat),
        IndexChoice::Auto if f.graph_is_cheap() => Ok(Route::Hnsw),
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

/// How many candidates are found, and how many of them are ranked again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CandidateCounts {
    pub(crate) k: usize,
    pub(crate) ef: usize,
    /// How many candidates are ranked again; with 0 their distances on codes are final.
    pub(crate) rescore: usize,
}

impl CandidateCounts {
    /// How many candidates the codes must find.
    pub(crate) fn candidates(self) -> usize {
        self.rescore.max(self.k)
    }
}

/// The counts by the options, and by defaults where these leave them open.
pub(super) fn counts(view: &View<'_>, o: &SearchOptions) -> CandidateCounts {
    let segment = view.segment;
    let k = o.k.min(view.count());
    let codec = segment.header.stages.first();
    let default = match codec {
        Some(CodecKind::Binary) => SearchOptions::DEFAULT_EF_BINARY,
        _ => SearchOptions::DEFAULT_EF,
    };
    let ef = o.ef.unwrap_or(default).clamp(k.max(1), segment.count().max(1));
    // For each hit as many as the default has for each of ten. Of use to a scan only: a walk finds at most `ef`.
    let many = k.saturating_mul(default / 10);
    // Sq8 codes, which rank their own candidates again, are nearly right already; of coarse codes all candidates are
    // ranked. Of sq4, 20 candidates are enough on wordnet; but among clusters 10:1 apart 40 of 100 find 0.72 instead of
    // 0.90.
    let alone = segment.finer.is_empty();
    let enough = if alone { rerank_count(k) } else { ef.max(many).max(rerank_count(k)) };
    let rescore = match codec {
        Some(CodecKind::Sq8) => o.rescore.unwrap_or(enough).max(k),
        _ if alone => 0,
        _ => o.rescore.unwrap_or(enough).max(k),
    };
    CandidateCounts { k, ef, rescore }
}

/// How many candidates are ranked once more if their distances are nearly right already. A query of 7 bits ranks the
/// true nearest among the first 40 wherever the codes distinguish the rows (clusters up to 30:1 apart, topics at cosine
/// 0.99).
pub(crate) fn rerank_count(k: usize) -> usize {
    k.saturating_mul(4).max(40)
}

/// So many of a hundred near rows must be in a set for their part to say what is around the hits: those of a set that is far
/// from the query may lie close together.
const SEEN: u64 = 5;

/// How many candidates a walk under a set of rows keeps, `least` or more, when `found` of the `near` nearest rows so far are in
/// the set. The fewer there are, the farther it walks for each candidate, so it finds as much with fewer: of wordnet's rows 100
/// find 0.990 over all, 90 of random 0.7 of them, 70 of 0.5, 60 of 0.3 and of 0.2, 50 of 0.1.
pub(crate) fn kept_under_rows(ef: usize, least: usize, [near, found]: [u64; 2]) -> usize {
    if found * 100 < near * SEEN || near == 0 {
        return ef;
    }
    let part = found as f64 / near as f64;
    ((ef as f64 * (0.3 + 0.7 * part.sqrt())).ceil() as usize).max(least).min(ef)
}

/// After how many distances a walk under a set of rows costs more than a scan of them, so that it gives up: 0 if it
/// should give up now. `found` of the `near` rows, the nearest so far, are in the set; the walk takes about as many times
/// the distances of a walk over all as there are near rows for each of them. It keeps `kept` of `ef` candidates.
pub(crate) fn worth_walking(rows: &RowSet, [near, found]: [u64; 2], (ef, kept): (usize, usize)) -> u64 {
    let scan = rows.count() as u64 * SCAN_COST / 100;
    let walk = ef as u64 * WALKED;
    let expected = kept as u64 * WALKED * near / found.max(1);
    match scan * TRY / 100 {
        _ if expected <= scan => scan,
        // Rows of the set may begin right beyond: among many, a short walk costs little.
        short if short >= 2 * walk => short,
        _ => 0,
    }
}

/// The least part of what it would do alone that a segment does of a search through many.
const LEAST: f64 = 0.4;

/// The part of what it would do alone that a segment with this part of all rows does of a search through several, so that all
/// together find what one segment of all rows finds (wordnet in eight parts, in order and shuffled; benches/segments.rs).
pub(crate) fn part_of_many(rows: f64) -> f64 {
    LEAST + (1.0 - LEAST) * rows.sqrt()
}

/// What the options say of a search by clusters for `k` hits.
pub(crate) fn wanted(o: &SearchOptions, k: usize) -> Wanted {
    let recall = o.recall.unwrap_or(SearchOptions::DEFAULT_RECALL);
    Wanted { k, recall, probes: o.probes, rescore: o.rescore }
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
        codes_here: false,
        codes_bytes: 60 << 20,
        rows_here: false,
        count: 150_000,
        allowed: None,
        k: 10,
        candidates: 100,
        ef: 100,
    };

    const ALL: Facts = Facts {
        graph: true,
        graph_fits: true,
        graph_here: true,
        clusters: true,
        codes_fit: true,
        codes_here: true,
        ..NONE
    };

    #[test]
    fn each_case_has_its_route() {
        let all = ALL;
        let cold = Facts { graph_here: false, codes_here: false, ..all };
        let tight = Facts { graph_fits: false, codes_fit: false, ..cold };
        let few = |f: Facts| Facts { count: 1500, codes_bytes: 800 << 10, graph_bytes: 1000 << 10, ..f };
        let lists = Facts { graph: false, graph_fits: false, ..all };
        let table = [
            ("everything is here", IndexChoice::Auto, all, Some(Route::Hnsw)),
            ("cold and large", IndexChoice::Auto, cold, Some(Route::Clusters)),
            (
                "cold and small",
                IndexChoice::Auto,
                Facts { codes_bytes: 700 << 10, graph_bytes: 900 << 10, ..cold },
                Some(Route::Hnsw),
            ),
            ("few rows", IndexChoice::Auto, few(all), Some(Route::Flat)),
            ("few rows, cold", IndexChoice::Auto, few(cold), Some(Route::Flat)),
            ("few rows, pinned graph", IndexChoice::Hnsw, few(all), Some(Route::Hnsw)),
            ("few rows, pinned clusters", IndexChoice::Clusters, few(all), Some(Route::Clusters)),
            ("few and one more", IndexChoice::Auto, Facts { count: 1501, ..few(all) }, Some(Route::Hnsw)),
            (
                "few rows, very long",
                IndexChoice::Auto,
                Facts { codes_bytes: (1 << 20) + 1, ..few(all) },
                Some(Route::Hnsw),
            ),
            (
                "few rows, long, cold",
                IndexChoice::Auto,
                Facts { codes_bytes: 2 << 20, graph_bytes: 3 << 20, ..few(cold) },
                Some(Route::Clusters),
            ),
            ("few rows, too large for memory", IndexChoice::Auto, few(tight), Some(Route::Clusters)),
            ("few rows, no graph", IndexChoice::Auto, few(lists), Some(Route::Flat)),
            ("many rows, no graph", IndexChoice::Auto, lists, Some(Route::Clusters)),
            ("most rows are wanted", IndexChoice::Auto, Facts { k: 18_750, ..all }, Some(Route::Flat)),
            ("a little less", IndexChoice::Auto, Facts { k: 18_749, ..all }, Some(Route::Hnsw)),
            ("most rows, no graph", IndexChoice::Auto, Facts { k: 1 << 40, ..lists }, Some(Route::Flat)),
            ("most rows, cold", IndexChoice::Auto, Facts { k: 1 << 40, ..cold }, Some(Route::Clusters)),
            (
                "most rows, cold and small",
                IndexChoice::Auto,
                Facts { k: 4000, count: 5000, codes_bytes: 1000 << 10, ..cold },
                Some(Route::Flat),
            ),
            ("most rows, pinned graph", IndexChoice::Hnsw, Facts { k: 1 << 40, ..all }, Some(Route::Hnsw)),
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

    #[test]
    fn each_set_has_its_route() {
        let all = Facts { rows_here: true, ..ALL };
        let cold = Facts { graph_here: false, codes_here: false, rows_here: false, ..all };
        let lists = Facts { graph: false, graph_fits: false, graph_here: false, ..all };
        let table = [
            ("as few as are ranked again", all, 100, Route::Listed),
            ("one more", all, 101, Route::Flat),
            ("a scan costs as much as a walk over all", all, 3781, Route::Flat),
            ("a walk may cost less", all, 3782, Route::Hnsw),
            ("an eighth is wanted", Facts { k: 1000, ..all }, 8007, Route::Flat),
            ("few, the finest rows elsewhere", Facts { rows_here: false, ..all }, 100, Route::Flat),
            ("no graph", lists, 15_000, Route::Flat),
            ("no graph, many", lists, 15_001, Route::Clusters),
            ("cold", cold, 100, Route::Clusters),
            ("cold, many", cold, 100_000, Route::Clusters),
            ("cold and small", Facts { codes_bytes: 700 << 10, ..cold }, 1000, Route::Flat),
        ];
        for (case, facts, rows, expected) in table {
            let facts = Facts { allowed: Some(rows), ..facts };
            assert_eq!(route(IndexChoice::Auto, facts).ok(), Some(expected), "{case}");
            assert_eq!(route(IndexChoice::Hnsw, facts).ok(), facts.graph_fits.then_some(Route::Hnsw));
            assert_eq!(route(IndexChoice::Clusters, facts).ok(), Some(Route::Clusters));
        }
    }

    #[test]
    fn a_walk_keeps_fewer_where_few_of_the_near_rows_may_be_hits() {
        let kept = |found| kept_under_rows(100, 40, [100, found]);
        assert_eq!([kept(100), kept(50), kept(20), kept(10)], [100, 80, 62, 53]);
        assert_eq!(kept(4), 100, "too few to tell");
        assert_eq!(kept_under_rows(100, 90, [100, 20]), 90, "so many are ranked again");
        assert_eq!(kept_under_rows(100, 100, [100, 20]), 100, "ef was asked for");
        assert_eq!(kept_under_rows(100, 40, [0, 0]), 100);
    }

    #[test]
    fn a_walk_is_given_up_where_a_scan_costs_less() {
        let limit = |rows: u32, found| {
            worth_walking(&RowSet::of(1 << 20, 0..rows).unwrap(), [100, found], (100, 100))
        };
        // A scan of 20,000 rows costs as much as 11,000 distances; a walk over all takes 1,600.
        assert_eq!(limit(20_000, 100), 11_000, "all of the nearest are in the set");
        assert_eq!(limit(20_000, 15), 11_000, "10,666 distances are expected");
        assert_eq!(limit(20_000, 14), 3300, "too many, but three tenths of a scan are two walks over all");
        assert_eq!(limit(19_000, 0), 0, "and here they are not");
        let limit = |kept| worth_walking(&RowSet::of(1 << 20, 0..20_000).unwrap(), [100, 10], (100, kept));
        assert_eq!(
            [limit(53), limit(68), limit(69)],
            [11_000, 11_000, 3300],
            "fewer are kept, so fewer are expected"
        );
    }
}
