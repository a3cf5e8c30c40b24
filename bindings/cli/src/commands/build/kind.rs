//! How the rows of a segment are stored and found: of a new index, or of one that is appended to.

use crate::failure::Failure;
use pagevec::{BuildOptions, CodecKind, Info, Metric};

#[derive(clap::Args)]
pub(super) struct Kind {
    /// cosine, dot (or ip) or l2 (or euclidean) [default: cosine]
    #[arg(long, value_parser = metric)]
    metric: Option<Metric>,
    /// The codes that are searched, in bytes per vector of d components:
    /// f32 4·d, f16 2·d, sq8 d + 8 (l2: d + 12), sq4 d/2 + 4 (l2: d/2 + 8), binary d/8, pq 64, pq96 96 (pq1 to pq<d>)
    /// [default: sq8]
    #[arg(long)]
    codec: Option<CodecKind>,
    /// Finer rows by which the candidates are ranked again: f32 4·d, f16 2·d, sq8 d + 8 bytes more per vector, none 0
    /// [default: sq8 for binary, sq4 and pq codes, else none]
    #[arg(long)]
    refine: Option<Refine>,
    /// Rows finer than those, by which the best candidates are ranked once more: f32 4·d, f16 2·d bytes more per vector
    #[arg(long)]
    exact: Option<Exact>,
    /// Leave out the graph: saves about 5·M bytes per vector; searches use the clusters instead
    #[arg(long)]
    no_graph: bool,
    /// Leave out the clustered index: saves about d/4 + 20 bytes per vector (d/2 up to 256 components, d up to 128),
    /// but a page has to fetch the whole file
    #[arg(long)]
    no_clusters: bool,
    /// Links per node of the graph (2·M on its lowest layer): about 5·M bytes per vector [default: 16]
    #[arg(short = 'M', long = "m", value_name = "M")]
    m: Option<usize>,
    /// Candidates from which the links of each node are chosen: more take time, but no bytes [default: 200]
    #[arg(long, value_name = "N")]
    ef_construction: Option<usize>,
    /// The seed; the same input, options and seed give the same file, byte for byte
    #[arg(long, value_name = "N", default_value_t = BuildOptions::default().seed)]
    seed: u64,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(in crate::commands) enum Refine {
    None,
    Sq8,
    F16,
    F32,
}

impl Refine {
    pub(in crate::commands) fn codec(self) -> Option<CodecKind> {
        match self {
            Refine::None => None,
            Refine::Sq8 => Some(CodecKind::Sq8),
            Refine::F16 => Some(CodecKind::F16),
            Refine::F32 => Some(CodecKind::F32),
        }
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Exact {
    F16,
    F32,
}

impl Kind {
    /// The options of a new index.
    pub(super) fn of_new(&self) -> Result<BuildOptions, Failure> {
        let defaults = BuildOptions::default();
        let codec = self.codec.unwrap_or(defaults.codec);
        if let (Some(Refine::None), CodecKind::Binary | CodecKind::Sq4 | CodecKind::Pq(_)) =
            (self.refine, codec)
        {
            let message =
                format!("--refine none: {codec} codes are too coarse to rank by alone; use sq8, f16 or f32");
            return Err(Failure::usage(message));
        }
        Ok(BuildOptions::new(self.metric.unwrap_or(defaults.metric))
            .codec(codec)
            .refine(self.refine())
            .exact(self.exact())
            .graph(!self.no_graph)
            .clusters(!self.no_clusters)
            .m(self.m.unwrap_or(defaults.m))
            .ef_construction(self.ef_construction.unwrap_or(defaults.ef_construction))
            .seed(self.seed))
    }

    /// The options of rows for an index with these facts. What is given and contradicts them is refused.
    pub(super) fn like(&self, index: &Info) -> Result<BuildOptions, Failure> {
        let refuse = |option: &str, given: String, stored: String| {
            let message = format!(
                "{option} {given}: the index has {stored}; leave it out to append, or build another index"
            );
            Err(Failure::usage(message))
        };
        let named = |codec: Option<CodecKind>| codec.map_or("none".to_owned(), |codec| codec.to_string());
        if let Some(metric) = self.metric.filter(|&metric| metric != index.metric) {
            return refuse("--metric", metric.name().to_owned(), index.metric.name().to_owned());
        }
        if let Some(codec) = self.codec.filter(|&codec| codec != index.codec) {
            return refuse("--codec", codec.to_string(), index.codec.to_string());
        }
        if self.refine.is_some() && self.refine() != index.refine {
            return refuse("--refine", named(self.refine()), named(index.refine));
        }
        if self.exact.is_some() && self.exact() != index.exact {
            return refuse("--exact", named(self.exact()), named(index.exact));
        }
        let like = like(index);
        let (m, ef_construction) = (like.m, like.ef_construction);
        Ok(like
            .graph(index.graph && !self.no_graph)
            .clusters(index.clusters && !self.no_clusters)
            .m(self.m.unwrap_or(m))
            .ef_construction(self.ef_construction.unwrap_or(ef_construction))
            .seed(self.seed))
    }

    fn refine(&self) -> Option<CodecKind> {
        self.refine.and_then(Refine::codec)
    }

    fn exact(&self) -> Option<CodecKind> {
        self.exact.map(|exact| match exact {
            Exact::F16 => CodecKind::F16,
            Exact::F32 => CodecKind::F32,
        })
    }
}

/// The options by which an index with these facts would be built. One without a graph does not tell its links.
pub(in crate::commands) fn like(index: &Info) -> BuildOptions {
    let defaults = BuildOptions::default();
    let known = |value: usize, otherwise| if value > 0 { value } else { otherwise };
    BuildOptions::new(index.metric)
        .codec(index.codec)
        .refine(index.refine)
        .exact(index.exact)
        .graph(index.graph)
        .clusters(index.clusters)
        .m(known(index.m, defaults.m))
        .ef_construction(known(index.ef_construction, defaults.ef_construction))
}

/// Parses the name of a metric, in any case. `ip` and `euclidean` are the names that other tools use for dot and l2.
pub(in crate::commands) fn metric(name: &str) -> Result<Metric, pagevec::Error> {
    match name.to_ascii_lowercase().as_str() {
        "ip" => Ok(Metric::Dot),
        "euclidean" => Ok(Metric::L2),
        name => name.parse(),
    }
}
