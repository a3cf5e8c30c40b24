//! The options of a build: their defaults, the values that are allowed, and the text that enters the file id.

use std::sync::Arc;

use super::fields::Fields;
use crate::error::Error;
use crate::features::CLUSTERS;
use crate::metric::Metric;
use crate::payload::Schema;
use crate::quant::CodecKind;
use crate::segment::{Header, limits};

/// How to build a segment. The same rows, ids and options give the same bytes on every target.
///
/// ```
/// use pagevec::{BuildOptions, CodecKind, Metric};
/// let options = BuildOptions::new(Metric::L2).codec(CodecKind::Binary).refine(CodecKind::F16).graph(false);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BuildOptions {
    /// The measure of nearness.
    pub metric: Metric,
    /// The codec of the codes that a search scans.
    pub codec: CodecKind,
    /// Finer rows by which a search ranks again the candidates that the codes find: F32, F16 or SQ8. `None` stores SQ8
    /// rows beside binary, SQ4 and PQ codes, and no such rows beside SQ8 codes and floats, which rank well enough
    /// alone.
    pub refine: Option<CodecKind>,
    /// Rows finer than those, F16 or F32, by which a search ranks the best candidates once more.
    pub exact: Option<CodecKind>,
    /// Whether to build the HNSW graph. Without it and without clusters every search scores every row.
    pub graph: bool,
    /// Whether to write the clustered index, by which a file that is not in memory is searched. Each row is in two
    /// lists, with Z·⌈d/8⌉ + 8 bytes and its id in each: Z is 4 up to 128 components, 2 up to 256, else 1.
    pub clusters: bool,
    /// Links per node (2..=256); layer 0 has twice as many.
    pub m: usize,
    /// Candidates from which the links of each node are chosen (1..=65536).
    pub ef_construction: usize,
    /// The seed of graph layers, insertion order and k-means starts.
    pub seed: u64,
    /// About how many leaves a cell of the cluster tree has (2..=4096).
    pub branching_factor: usize,
    /// About how many rows a leaf of that tree has (1..=65536).
    pub max_leaf_size: usize,
    /// Rounds of k-means over all rows (1..=1000).
    pub max_iterations: usize,
    /// Real queries (row-major; the first 192 are used) by which the build calibrates how many lists a recall needs.
    /// Real queries are rarely distributed as the rows are; without any, the build calibrates with queries made of
    /// rows.
    pub tuning_queries: Arc<[f32]>,
    /// The fields of the rows, which searches return with their hits. `None`: the segment stores none.
    pub fields: Option<Fields>,
    /// Which of the fields are indexed, so that filters may name them. By default the types of all fields are inferred.
    pub schema: Schema,
    /// The build ends in `budget` before a stage that may need more bytes of memory in all: rows that are given in
    /// memory, ids, and what it makes. `None`: no limit. It does not change the file.
    pub memory_budget: Option<u64>,
}

impl Default for BuildOptions {
    fn default() -> Self {
        BuildOptions {
            metric: Metric::Cosine,
            codec: CodecKind::Sq8,
            refine: None,
            exact: None,
            graph: true,
            clusters: true,
            m: 16,
            ef_construction: 200,
            seed: 42,
            branching_factor: 64,
            max_leaf_size: 32,
            max_iterations: 8,
            tuning_queries: Arc::default(),
            fields: None,
            schema: Schema::default(),
            memory_budget: None,
        }
    }
}

setters!(BuildOptions {
    metric: Metric,
    codec: CodecKind,
    refine: impl Into<Option<CodecKind>>,
    exact: impl Into<Option<CodecKind>>,
    graph: bool,
    clusters: bool,
    m: usize,
    ef_construction: usize,
    seed: u64,
    branching_factor: usize,
    max_leaf_size: usize,
    max_iterations: usize,
    tuning_queries: impl Into<Arc<[f32]>>,
    fields: impl Into<Option<Fields>>,
    schema: Schema,
    memory_budget: impl Into<Option<u64>>,
});

impl BuildOptions {
    /// The defaults, for this measure of nearness.
    pub fn new(metric: Metric) -> Self {
        BuildOptions { metric, ..Default::default() }
    }

    /// These options with the metric and the codecs of a segment.
    pub(super) fn like(&self, header: &Header) -> Self {
        self.of_stages(header.metric, &header.stages)
    }

    /// These options with this metric and these codecs.
    pub(super) fn of_stages(&self, metric: Metric, stages: &[CodecKind]) -> Self {
        let [codec, refine, exact] = [0, 1, 2].map(|stage| stages.get(stage).copied());
        BuildOptions { metric, codec: codec.unwrap_or(self.codec), refine, exact, ..self.clone() }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let ranges = [
            ("m", self.m, 2, limits::MAX_DEGREE),
            ("ef_construction", self.ef_construction, 1, limits::MAX_EF_CONSTRUCTION),
            ("branching_factor", self.branching_factor, 2, 4096),
            ("max_leaf_size", self.max_leaf_size, 1, 65_536),
            ("max_iterations", self.max_iterations, 1, 1000),
        ];
        if let Some((name, value, low, high)) = ranges.into_iter().find(|r| r.1 < r.2 || r.1 > r.3) {
            return Err(Error::argument(name, format!("{value} is outside {low}..={high}")));
        }
        if self.clusters && !CLUSTERS {
            let detail =
                "this build of pagevec makes none: turn the crate's feature `clusters` on, or leave them out";
            return Err(Error::argument("clusters", detail));
        }
        let codec = self.codec;
        let before = self.inexact_stages().last().copied().unwrap_or(codec);
        let refused = match (self.refine, self.exact) {
            (Some(refine), _) if refine.is_coarse() => {
                ("refine", format!("{refine} is too coarse to rank by: use sq8, f16 or f32"))
            }
            (Some(refine), _) if codec.is_finer_than(refine) => {
                ("refine", format!("{refine} would rank worse than the {codec} codes: leave it out"))
            }
            (_, Some(exact)) if !matches!(exact, CodecKind::F16 | CodecKind::F32) => {
                ("exact", format!("{exact} is not exact: use f16 or f32"))
            }
            (_, Some(exact)) if !exact.is_finer_than(before) => {
                ("exact", format!("{exact} after {before} would rank no better: leave it out"))
            }
            _ => return Ok(()),
        };
        Err(Error::argument(refused.0, refused.1))
    }

    /// Refuses codes that do not fit vectors of `dim` components.
    pub(crate) fn check_codec(&self, dim: usize) -> Result<(), Error> {
        match self.codec {
            CodecKind::Pq(parts) if parts == 0 || parts as usize > dim => {
                let most = dim.min(u16::MAX as usize);
                let detail = format!("pq of {parts} parts for {dim} components: use pq1 to pq{most}");
                Err(Error::argument("codec", detail))
            }
            _ => Ok(()),
        }
    }

    /// The codecs of all that is stored, each finer than the one before.
    pub(crate) fn stages(&self) -> Vec<CodecKind> {
        let mut stages = self.inexact_stages();
        stages.extend(self.exact);
        stages
    }

    fn inexact_stages(&self) -> Vec<CodecKind> {
        let refine = self.refine.or(self.codec.is_coarse().then_some(CodecKind::Sq8));
        let refine = refine.filter(|&refine| refine != self.codec);
        [Some(self.codec), refine].into_iter().flatten().collect()
    }

    /// The text of the options that enters the file id. It must never change, since another text would give the same
    /// input another file: so it keeps the names that options first had (`rows`, `branching`, `max_leaf`), and it holds
    /// an option of a later version only where that is used (`exact`).
    pub(super) fn fingerprint(&self) -> String {
        let BuildOptions { metric, codec, refine, exact, graph, clusters, m, .. } = self;
        let BuildOptions { ef_construction, seed, branching_factor, max_leaf_size, max_iterations, .. } =
            self;
        let exact = exact.map_or(String::new(), |exact| format!("exact: {exact:?}, "));
        format!(
            "BuildOptions {{ metric: {metric:?}, codec: {codec:?}, rows: {refine:?}, {exact}graph: {graph}, \
             clusters: {clusters}, m: {m}, ef_construction: {ef_construction}, seed: {seed}, \
             branching: {branching_factor}, max_leaf: {max_leaf_size}, max_iterations: {max_iterations} }}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These texts were the `Debug` output of the options before they were renamed.
    #[test]
    fn the_fingerprint_is_the_text_of_the_first_version() {
        assert_eq!(
            BuildOptions::default().fingerprint(),
            "BuildOptions { metric: Cosine, codec: Sq8, rows: None, graph: true, clusters: true, m: 16, \
             ef_construction: 200, seed: 42, branching: 64, max_leaf: 32, max_iterations: 8 }"
        );
        let options = BuildOptions::new(Metric::L2).codec(CodecKind::Pq(64)).refine(CodecKind::F16);
        let options = options.exact(CodecKind::F32).graph(false).branching_factor(7).tuning_queries([1.0]);
        assert_eq!(
            options.fingerprint(),
            "BuildOptions { metric: L2, codec: Pq(64), rows: Some(F16), exact: F32, graph: false, clusters: true, m: 16, \
             ef_construction: 200, seed: 42, branching: 7, max_leaf: 32, max_iterations: 8 }"
        );
    }
}
