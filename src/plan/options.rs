//! What a plan is asked for, and whether it can be asked.

use crate::build::BuildOptions;
use crate::error::Error;
use crate::metric::Metric;
use crate::payload::{FieldType, nearest};
use crate::quant::CodecKind;
use crate::segment::limits::{MAX_COUNT, MAX_DIM};

/// What a plan is asked for: so many rows, in so many bytes of memory. The rest has defaults.
///
/// ```
/// use pagevec::{CodecKind, plan::{PlanOptions, plan}};
/// let options = PlanOptions::new(1_000_000, 768, 100_000_000).refine(CodecKind::F16);
/// assert!(plan(&options)?.resident.total() <= 100_000_000);
/// # Ok::<(), pagevec::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Rows, 1 to 2³¹ − 1.
    pub rows: u64,
    /// Components of a vector, 1 to 65,535.
    pub dim: u64,
    /// Bytes of memory for all that an open index holds.
    pub budget: u64,
    /// The measure of nearness.
    pub metric: Metric,
    /// The codec of the codes; `None`: the plan chooses it.
    pub codec: Option<CodecKind>,
    /// Finer rows, which rank the candidates again; `None`: those that the codec needs.
    pub refine: Option<CodecKind>,
    /// Links of a node of the graph, 2 to 256.
    pub m: usize,
    /// Mean bytes of ids that are texts; `None`: ids are numbers from 0 on.
    pub text_ids: Option<u64>,
    /// Fields that filters may name.
    pub payload: Vec<PayloadField>,
}

setters!(PlanOptions {
    metric: Metric,
    codec: impl Into<Option<CodecKind>>,
    refine: impl Into<Option<CodecKind>>,
    m: usize,
    text_ids: impl Into<Option<u64>>,
    payload: impl Into<Vec<PayloadField>>,
});

/// A field that each row has a value of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadField {
    /// The type of its values.
    pub of: FieldType,
    /// Different values, of a keyword.
    pub distinct: u64,
}

/// Different values of a keyword, unless they are told.
const DISTINCT: u64 = 100;
const CODECS: [CodecKind; 6] =
    [CodecKind::F32, CodecKind::F16, CodecKind::Sq8, CodecKind::Sq4, CodecKind::Binary, CodecKind::Pq(64)];

/// The name of a type, and behind a colon how many different values a keyword has: `keyword:10000`, `float`.
impl std::str::FromStr for PayloadField {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, count) = text.split_once(':').map_or((text, None), |(name, count)| (name, Some(count)));
        let Some(of) = FieldType::ALL.into_iter().find(|of| of.name() == name) else {
            let near = nearest(name, FieldType::ALL.map(FieldType::name));
            let near = near.map_or(String::new(), |near| format!(": did you mean {near}?"));
            let all =
                "keyword:10000 (with how many different values), integer, float, boolean, timestamp, geo";
            return Err(Error::argument("payload", format!("{name:?} is none of {all}{near}")));
        };
        let distinct = match (count, of) {
            (None, _) => Some(DISTINCT),
            (Some(count), FieldType::Keyword) => count.parse().ok().filter(|&count| count > 0),
            (Some(_), _) => None,
        };
        let distinct = distinct.ok_or_else(|| {
            let detail = format!(
                "{text:?}: only a keyword has a number behind it, of 1 or more values: keyword:10000"
            );
            Error::argument("payload", detail)
        })?;
        Ok(PayloadField { of, distinct })
    }
}

/// The codec of a name.
///
/// # Errors
/// `argument`, which suggests a name that is like it.
pub fn codec(name: &'static str, text: &str) -> Result<CodecKind, Error> {
    text.parse().map_err(|error| {
        let Error::Argument { detail, .. } = error else { return error };
        let names = CODECS.map(|codec| codec.to_string());
        let near = nearest(text, names.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!(": did you mean {near}?"));
        Error::argument(name, format!("{detail}{near}"))
    })
}

/// The mean bytes of ids that are texts.
fn text_ids(text: &str) -> Result<Option<u64>, Error> {
    let bytes = text.strip_prefix("text:").map(str::parse);
    match bytes {
        None if text == "number" => Ok(None),
        Some(Ok(bytes)) => Ok(Some(bytes)),
        _ => Err(Error::argument(
            "ids",
            format!("{text:?} is neither number nor text:12, with their mean bytes"),
        )),
    }
}

/// A whole number from 1 on that is given as a float, as on a command line (`1e6`) and in JavaScript.
///
/// # Errors
/// `argument`.
pub fn whole(name: &'static str, number: f64) -> Result<u64, Error> {
    const EXACT: f64 = (1u64 << 53) as f64;
    match (1.0..EXACT).contains(&number) && number.fract() == 0.0 {
        true => Ok(number as u64),
        false => Err(Error::argument(name, "a whole number from 1 on is needed, such as 1000000 or 1e6")),
    }
}

impl PlanOptions {
    /// A plan for so many rows of so many components in so many bytes.
    pub fn new(rows: u64, dim: u64, budget: u64) -> Self {
        let BuildOptions { metric, m, .. } = BuildOptions::default();
        let (codec, refine, text_ids, payload) = (None, None, None, Vec::new());
        PlanOptions { rows, dim, budget, metric, codec, refine, m, text_ids, payload }
    }

    /// A plan for so many rows of so many components in so many bytes, with options that are given as words: `codec`, `refine`
    /// and `metric` by their names, `payload` as [`PayloadField`]s with commas between them, `ids` as `number`, or as `text:12`
    /// with their mean bytes.
    ///
    /// # Errors
    /// `argument`.
    pub fn of_words(rows: f64, dim: f64, budget: f64, words: &[(&'static str, &str)]) -> Result<Self, Error> {
        let [rows, dim] = [whole("rows", rows)?, whole("dim", dim)?];
        let mut options = PlanOptions::new(rows, dim, whole("budget", budget)?);
        for &(name, text) in words {
            options = match name {
                "codec" => options.codec(codec(name, text)?),
                "refine" if text == "none" => options.refine(None),
                "refine" => options.refine(codec(name, text)?),
                "metric" => options.metric(text.parse()?),
                "payload" => options.payload(text.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?),
                "ids" => options.text_ids(text_ids(text)?),
                name => return Err(Error::argument("options", format!("a plan has no option {name}"))),
            };
        }
        Ok(options)
    }

    /// Refuses what no segment can be.
    pub(super) fn check(&self) -> Result<(), Error> {
        let ranges = [("rows", self.rows, MAX_COUNT as u64), ("dim", self.dim, MAX_DIM as u64)];
        if let Some((name, value, most)) = ranges.into_iter().find(|r| r.1 == 0 || r.1 > r.2) {
            let more =
                if name == "rows" { ", of which a segment holds no more: plan one of several" } else { "" };
            return Err(Error::argument(name, format!("{value} is outside 1..={most}{more}")));
        }
        if self.text_ids.is_some_and(|bytes| bytes == 0 || bytes > crate::id::Ids::MAX_TEXT as u64) {
            let detail = format!("texts of 1 to {} bytes", crate::id::Ids::MAX_TEXT);
            return Err(Error::argument("text_ids", detail));
        }
        if self.payload.len() > MOST_FIELDS {
            return Err(Error::argument("payload", format!("{MOST_FIELDS} fields are planned at most")));
        }
        let codec = self.codec.unwrap_or(CodecKind::Sq8);
        let build = self.build(codec, self.refine_of(codec));
        build.check()?;
        build.check_codec(self.dim as usize)
    }

    /// The refine rows that were asked for, where they rank better than the codes.
    pub(super) fn refine_of(&self, codec: CodecKind) -> Option<CodecKind> {
        self.refine
            .filter(|&refine| self.codec.is_some() || refine.is_coarse() || refine.is_finer_than(codec))
    }

    /// The options of a build that makes what is planned.
    pub(super) fn build(&self, codec: CodecKind, refine: Option<CodecKind>) -> BuildOptions {
        BuildOptions::new(self.metric).codec(codec).refine(refine).m(self.m)
    }
}

/// More are of no use, and each takes time to plan.
const MOST_FIELDS: usize = 32;
