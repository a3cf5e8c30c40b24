//! How a collection is opened, and what is fixed when it is created.

use crate::error::Error;
use crate::metric::Metric;
use crate::payload::Schema;
use crate::quant::CodecKind;
use crate::segment::limits;

/// When the rows in memory are written to a segment: as soon as one of these is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushAt {
    /// Rows in memory.
    pub rows: usize,
    /// Bytes of the write-ahead log since the last flush.
    pub bytes: u64,
    /// Milliseconds since the first write after the last flush, looked at by [`Collection::tick`](super::Collection::tick).
    pub age: u64,
}

impl Default for FlushAt {
    /// Rows in memory are scanned by every search, so there are few of them.
    fn default() -> Self {
        FlushAt { rows: 16_384, bytes: 32 << 20, age: 300_000 }
    }
}

setters!(FlushAt { rows: usize, bytes: u64, age: u64 });

/// When a write is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the call returns: it survives a loss of power.
    #[default]
    Strict,
    /// When [`Collection::sync`](super::Collection::sync) returns, or after 1 MiB of the log: until then it survives the end of the
    /// process, and not a loss of power.
    Relaxed,
}

/// How a collection is created and opened.
///
/// ```
/// use pagevec::{CodecKind, CollectionOptions, Metric};
/// let options = CollectionOptions::new(384).metric(Metric::Dot).refine(CodecKind::F16);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CollectionOptions {
    /// Components of a vector. 0: those of the collection that is there.
    pub dim: usize,
    /// The measure of nearness; `None`: that of the collection that is there, cosine for a new one.
    pub metric: Option<Metric>,
    /// The codec of the codes; `None`: that of the collection that is there, sq8 for a new one. PQ is not possible.
    pub codec: Option<CodecKind>,
    /// Finer rows that are kept beside the codes: F16 or F32. Only read when a collection is created.
    pub refine: Option<CodecKind>,
    /// The types of fields: each row that is written must have values of these. `None`: those of the collection that is there; of a new
    /// one they are inferred.
    pub schema: Option<Schema>,
    /// Whether a collection is created where there is none.
    pub create: bool,
    /// Whether it is opened to be read only, also while another process writes.
    pub read_only: bool,
    /// Whether it is opened, to be read only, without the segments that cannot be opened and without what a damaged log does not
    /// give: [`Collection::stats`](super::Collection::stats) says what is missing.
    pub degraded: bool,
    /// When rows in memory are written to a segment.
    pub flush: FlushAt,
    /// When a write is durable.
    pub durability: Durability,
    /// Bytes of a log file that are allocated ahead.
    pub log_bytes: u64,
    /// Bytes of memory for segments, where their files are not mapped.
    pub memory_budget: u64,
    /// Links of a graph's node, for segments that are merged.
    pub m: usize,
    /// Rows of a merged segment at most.
    pub segment_rows: usize,
    /// The seed of merges.
    pub seed: u64,
}

setters!(CollectionOptions {
    dim: usize,
    metric: impl Into<Option<Metric>>,
    codec: impl Into<Option<CodecKind>>,
    refine: impl Into<Option<CodecKind>>,
    schema: impl Into<Option<Schema>>,
    create: bool,
    read_only: bool,
    degraded: bool,
    flush: FlushAt,
    durability: Durability,
    log_bytes: u64,
    memory_budget: u64,
    m: usize,
    segment_rows: usize,
    seed: u64,
});

impl Default for CollectionOptions {
    fn default() -> Self {
        CollectionOptions {
            dim: 0,
            metric: None,
            codec: None,
            refine: None,
            schema: None,
            create: true,
            read_only: false,
            degraded: false,
            flush: FlushAt::default(),
            durability: Durability::default(),
            log_bytes: 32 << 20,
            memory_budget: 256 << 20,
            m: 16,
            segment_rows: 1 << 20,
            seed: 42,
        }
    }
}

impl CollectionOptions {
    /// The defaults, for vectors of `dim` components.
    pub fn new(dim: usize) -> Self {
        CollectionOptions { dim, ..Default::default() }
    }

    /// What a new collection is fixed to.
    ///
    /// # Errors
    /// `argument`.
    pub(super) fn settings(&self) -> Result<Settings, Error> {
        let settings = Settings {
            dim: self.dim,
            metric: self.metric.unwrap_or(Metric::Cosine),
            codec: self.codec.unwrap_or(CodecKind::Sq8),
            refine: self.refine,
        };
        if settings.dim == 0 || settings.dim > limits::MAX_DIM {
            let detail =
                format!("{} is outside 1..={}: a new collection needs it", settings.dim, limits::MAX_DIM);
            return Err(Error::argument("dim", detail));
        }
        settings.check()?;
        Ok(settings)
    }

    /// The schema that they declare, if they do.
    ///
    /// # Errors
    /// `argument` for one that infers types beside those that it declares.
    pub(super) fn declared(&self) -> Result<Option<&Schema>, Error> {
        match self.schema.as_ref().filter(|schema| !schema.infers_all()) {
            Some(schema) if schema.infers() => {
                let detail =
                    "a collection has the types of all its fields or of none: begin with Schema::new()";
                Err(Error::argument("schema", detail))
            }
            declared => Ok(declared),
        }
    }

    /// Refuses to open a collection by another schema than it was created with.
    ///
    /// # Errors
    /// `argument`.
    pub(super) fn check_schema(&self, own: Option<&Schema>) -> Result<(), Error> {
        if self.schema.is_none() || self.declared()? == own {
            return Ok(());
        }
        let told = |schema: Option<&Schema>| schema.map_or("none".to_owned(), Schema::to_json);
        let (is, asked) = (told(own), told(self.declared()?));
        let detail =
            format!("the collection has {is}, not {asked}: leave it out, or create another collection");
        Err(Error::argument("schema", detail))
    }
}

/// What a collection is fixed to when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(super) dim: usize,
    pub(super) metric: Metric,
    pub(super) codec: CodecKind,
    pub(super) refine: Option<CodecKind>,
}

impl Settings {
    /// The codecs of what is stored, each finer than the one before.
    pub(super) fn stages(&self) -> Vec<CodecKind> {
        let finer = self.codec.is_coarse().then_some(CodecKind::Sq8);
        [Some(self.codec), self.refine.or(finer)].into_iter().flatten().collect()
    }

    /// Refuses codecs that a collection cannot have.
    pub(super) fn check(&self) -> Result<(), Error> {
        if matches!(self.codec, CodecKind::Pq(_)) {
            let detail = "pq must be trained on all rows, which a collection does not have: use sq8, sq4, binary, f16 or f32";
            return Err(Error::argument("codec", detail));
        }
        match self.refine {
            Some(refine) if refine.is_coarse() || !refine.is_finer_than(self.codec) => {
                let detail =
                    format!("{refine} rows would rank no better than {} codes: leave it out", self.codec);
                Err(Error::argument("refine", detail))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to open a collection by options that it was not created with.
    pub(super) fn agree(&self, options: &CollectionOptions) -> Result<(), Error> {
        if options.dim != 0 && options.dim != self.dim {
            return Err(Error::Dimension { expected: self.dim, got: options.dim });
        }
        let differ = |name, is: String, asked: String| {
            let detail =
                format!("the collection has {is}, not {asked}: leave it out, or create another collection");
            Err(Error::argument(name, detail))
        };
        match (options.metric, options.codec, options.refine) {
            (Some(metric), ..) if metric != self.metric => {
                differ("metric", self.metric.name().to_owned(), metric.name().to_owned())
            }
            (_, Some(codec), _) if codec != self.codec => {
                differ("codec", self.codec.to_string(), codec.to_string())
            }
            (_, _, Some(refine)) if Some(refine) != self.refine => {
                let is = self.refine.map_or("none".to_owned(), |refine| refine.to_string());
                differ("refine", is, refine.to_string())
            }
            _ => Ok(()),
        }
    }
}
