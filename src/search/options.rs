//! How to search.

use crate::error::Error;
use crate::id::Id;
use crate::metric::Metric;
use crate::payload::Filter;
use crate::row_set::Selected;
use crate::vectors::check_row;

/// Which index answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexChoice {
    /// Every row, if there are few or an eighth of them is wanted, and the codes are small or in memory. Otherwise the
    /// graph if it is in memory or small, else the clusters, else the graph, else every row.
    #[default]
    Auto,
    /// Every row: exact on the codes, slow.
    Flat,
    /// The graph; an error if it is missing or does not fit.
    Hnsw,
    /// The nearest lists of the clustered index and the rows of their best candidates: a small part of a cold file.
    Clusters,
}

impl std::str::FromStr for IndexChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "auto" => Ok(IndexChoice::Auto),
            "flat" => Ok(IndexChoice::Flat),
            "hnsw" => Ok(IndexChoice::Hnsw),
            "clusters" => Ok(IndexChoice::Clusters),
            _ => Err(Error::argument("index", format!("{name:?} is none of auto, flat, hnsw, clusters"))),
        }
    }
}

/// How to search.
///
/// ```
/// use pagevec::{IndexChoice, SearchOptions};
/// let options = SearchOptions::new(20).index(IndexChoice::Clusters).recall(0.99);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchOptions {
    /// Hits wanted, at least 1. More than there are rows gives all rows.
    pub k: usize,
    /// Candidates that a search of the graph keeps: more is slower and finds more. `None`:
    /// [`SearchOptions::DEFAULT_EF`], for binary codes [`SearchOptions::DEFAULT_EF_BINARY`]. Never below `k`.
    pub ef: Option<usize>,
    /// Which index answers.
    pub index: IndexChoice,
    /// How many candidates are ranked again by the `refine` rows; `None`: enough for the codec. If the segment has
    /// `exact` rows, the best 4·k of those candidates (40 at least) are ranked by them.
    pub rescore: Option<usize>,
    /// Lists that the clustered index scans; `None`: as many as `recall` needs.
    pub probes: Option<usize>,
    /// The part of the true nearest rows that the clustered index should find, by the segment's calibration: 0.8 to
    /// 0.99 make a difference. `None`: [`SearchOptions::DEFAULT_RECALL`].
    pub recall: Option<f32>,
    /// Rows with these ids are not hits. An id that no row has is an error.
    pub exclude: Vec<Id>,
    /// Only rows with these ids are hits: with none, there are no hits. `None`: every row may be one. An id that no row
    /// has is an error. A row that is also in `exclude` is no hit.
    pub among: Option<Vec<Id>>,
    /// Only rows that match are hits. `None`: every row may be one.
    pub filter: Option<Filter>,
    /// Whether hits have the stored fields of their rows: they are read when the hits are known, in one wave where the
    /// memory budget holds their blocks. An error for an index without stored fields.
    pub fields: bool,
    /// The rows of `exclude`, `among` and `filter`, if they were looked up before.
    pub(crate) rows: Option<Selected>,
    /// Whether `index` is only for the segments that have such an index.
    pub(crate) where_built: bool,
    /// Whether the fields of `filter` are known to be some row's: of rows that are elsewhere.
    pub(crate) filter_checked: bool,
}

setters!(SearchOptions {
    k: usize,
    ef: impl Into<Option<usize>>,
    index: IndexChoice,
    rescore: impl Into<Option<usize>>,
    probes: impl Into<Option<usize>>,
    recall: impl Into<Option<f32>>,
    exclude: impl Into<Vec<Id>>,
    among: impl Into<Option<Vec<Id>>>,
    filter: impl Into<Option<Filter>>,
    fields: bool,
});

impl SearchOptions {
    /// Candidates kept by default.
    pub const DEFAULT_EF: usize = 100;
    /// Candidates kept by default when codes are one bit a component.
    pub const DEFAULT_EF_BINARY: usize = 400;
    /// The recall that the clustered index aims at by default.
    pub const DEFAULT_RECALL: f32 = 0.95;

    /// The defaults, for `k` hits.
    pub fn new(k: usize) -> Self {
        SearchOptions {
            k,
            ef: None,
            index: IndexChoice::Auto,
            rescore: None,
            probes: None,
            recall: None,
            exclude: Vec::new(),
            among: None,
            filter: None,
            fields: false,
            rows: None,
            where_built: false,
            filter_checked: false,
        }
    }

    /// Refuses options that no search can go by.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.k == 0 {
            return Err(Error::argument("k", "0 hits were asked for: give 1 or more"));
        }
        if self.recall.is_some_and(|r| !(r > 0.0 && r <= 1.0)) {
            return Err(Error::argument(
                "recall",
                "the part of the neighbours to find is above 0 and at most 1",
            ));
        }
        Ok(())
    }
}

/// Refuses queries for which no distance is defined. Under cosine makes each a unit vector.
pub(crate) fn check_queries(queries: &mut [f32], dim: usize, metric: Metric) -> Result<(), Error> {
    let batch = queries.len() > dim;
    for (i, query) in queries.chunks_exact_mut(dim).enumerate() {
        check_row(query, i, metric).map_err(|error| error.of_query(batch.then_some(i)))?;
    }
    Ok(())
}

/// Ten hits.
impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions::new(10)
    }
}
