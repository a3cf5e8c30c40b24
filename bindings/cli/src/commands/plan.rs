//! `pagevec plan`: which codes and index fit a budget of memory, and what each part takes.

use crate::failure::Failure;
use crate::{output, size};
use pagevec::plan::{PlanOptions, plan, whole};

const EXAMPLES: &str = "\
Examples:
  pagevec plan --rows 1e6 --dim 768 --budget 100MB
  pagevec plan --rows 1e6 --dim 768 --budget 1GB --codec sq8 --refine f16 --json
  pagevec plan --rows 200000 --dim 384 --budget 64MiB --payload keyword:10000,float";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Plan {
    /// Rows, such as 1000000 or 1e6
    #[arg(long, value_name = "N", value_parser = number)]
    rows: f64,
    /// Components of a vector
    #[arg(long, value_name = "N", value_parser = number)]
    dim: f64,
    /// Memory for all that an open index holds: 100MB, 64MiB
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    budget: u64,
    /// The codes: f32, f16, sq8, sq4, binary, pq, or pq with the number of its parts (pq96) [default: the plan chooses]
    #[arg(long, value_name = "CODEC")]
    codec: Option<String>,
    /// Finer rows: sq8, f16, f32 or none [default: sq8 for binary, sq4 and pq codes, else none]
    #[arg(long, value_name = "CODEC")]
    refine: Option<String>,
    /// cosine, dot or l2 [default: cosine]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// Fields that filters may name: keyword:10000 (with how many different values), integer, float, boolean, timestamp, geo
    #[arg(long, value_name = "FIELDS")]
    payload: Option<String>,
    /// number, or text:12 with the mean bytes of an id [default: number]
    #[arg(long, value_name = "IDS")]
    ids: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A whole number, which may be written as 1e6.
fn number(text: &str) -> Result<f64, String> {
    let number = text.parse().unwrap_or(f64::NAN);
    whole("number", number)
        .map(|_| number)
        .map_err(|_| "use a whole number from 1 on, such as 1000000 or 1e6".to_owned())
}

impl Plan {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let words = [
            ("codec", &self.codec),
            ("refine", &self.refine),
            ("metric", &self.metric),
            ("payload", &self.payload),
            ("ids", &self.ids),
        ];
        let words = words.iter().filter_map(|(name, text)| Some((*name, text.as_deref()?)));
        let words: Vec<(&str, &str)> = words.collect();
        let plan = plan(&PlanOptions::of_words(self.rows, self.dim, self.budget as f64, &words)?)?;
        output::text(|out| match self.json {
            true => writeln!(out, "{}", plan.to_json()),
            false => write!(out, "{}", plan.to_text()),
        })
    }
}
