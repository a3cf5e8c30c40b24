//! `pagevec search`: the rows nearest to one row or vector.

use super::arguments::{Source, Wanted};
use crate::failure::Failure;
use crate::input::fields::Object;
use crate::input::{self, Vectors, ids};
use crate::output;
use crate::progress::Progress;
use crate::size;
use pagevec::{Answer, Id, SearchOptions, SegmentStats};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

const EXAMPLES: &str = "\
Examples:
  pagevec search site/index --id apple -k 5
  pagevec search site/index --id apple --fields title,url
  pagevec search site/index --vector 0.1,0.2,0.3 --explain
  pagevec search site/index --id apple --among fruit.txt --exclude seen.txt
  pagevec search site/index --vector-file query.npy --io pread --memory-budget 64MB --index hnsw";

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("query").required(true)), after_help = EXAMPLES)]
pub(crate) struct Search {
    #[command(flatten)]
    source: Source,
    /// The id of a row whose nearest rows are searched for; the row itself is left out
    #[arg(long, group = "query", allow_hyphen_values = true)]
    id: Option<String>,
    /// A vector: its components, separated by commas
    #[arg(long, group = "query", value_name = "0.1,0.2,…", allow_hyphen_values = true)]
    vector: Option<String>,
    /// A file with one vector, in a format that build reads; with --json it may have several, and a line is printed for
    /// each
    #[arg(long, group = "query", value_name = "FILE")]
    vector_file: Option<PathBuf>,
    #[command(flatten)]
    wanted: Wanted,
    /// A file with one id per line (- is stdin): rows with these ids are no hits
    #[arg(long, value_name = "FILE")]
    exclude: Option<PathBuf>,
    /// A file with one id per line (- is stdin): only rows with these ids may be hits
    #[arg(long, value_name = "FILE")]
    among: Option<PathBuf>,
    /// Candidates that a search of the graph keeps: with more it finds more and is slower [default: 100, for binary
    /// codes 400]
    #[arg(long)]
    ef: Option<usize>,
    /// Show the stored fields of the hits, or those that are named
    #[arg(long, value_name = "NAMES", num_args = 0..=1, value_delimiter = ',', default_missing_value = "")]
    fields: Option<Vec<String>>,
    /// Show which index was searched and what it cost
    #[arg(long)]
    explain: bool,
    /// Print one JSON object; for several vectors, one per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Report {
    hits: Vec<Hit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explain>,
}

#[derive(Serialize)]
struct Hit {
    id: JsonId,
    /// The number of the row's segment in the index.
    segment: u32,
    /// Larger is nearer.
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Object>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonId {
    Number(u64),
    Text(String),
}

#[derive(Serialize)]
struct Explain {
    index: &'static str,
    distances: u64,
    rescored: u64,
    bytes: u64,
    requests: u64,
    waves: u64,
    microseconds: u64,
    /// The cost by segment, where the index has several.
    segments: Vec<BySegment>,
}

#[derive(Serialize)]
struct BySegment {
    index: &'static str,
    distances: u64,
    rescored: u64,
}

impl Search {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let index = self.source.open_for(self.wanted.index)?;
        let kind = index.info().ids;
        let options = self.wanted.options().ef(self.ef).fields(self.fields.is_some());
        let options = options.exclude(self.list(self.exclude.as_deref(), kind)?.unwrap_or_default());
        let options = options.among(self.list(self.among.as_deref(), kind)?);
        if let Some(id) = &self.id {
            let id =
                ids::parse(id, kind).ok_or_else(|| Failure::usage(format!("--id {id}: {}", ids::NUMBERS)))?;
            return self.print(&self.report(&options, Some(&id), || index.similar(&id, &options))?);
        }
        let queries = self.queries()?;
        // The ids are looked up once for all of several vectors, and as a part of the search for one.
        let options = match queries.rows {
            0 | 1 => options,
            _ => index.select(&options).map_err(|error| self.named(&options, None, error))?,
        };
        for row in 0..queries.rows {
            let query = &queries.data[row * queries.dim..][..queries.dim];
            self.print(&self.report(&options, None, || index.search(query, &options))?)?;
        }
        Ok(())
    }

    fn list(&self, path: Option<&Path>, kind: &str) -> Result<Option<Vec<Id>>, Failure> {
        let stdin = [&self.exclude, &self.among, &self.vector_file].into_iter().flatten();
        if stdin.filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(Failure::usage("stdin can be one file only: write the others and name them"));
        }
        path.map(|path| ids::list(path, kind)).transpose()
    }

    fn report(
        &self,
        options: &SearchOptions,
        own: Option<&Id>,
        search: impl FnOnce() -> Result<Answer, pagevec::Error>,
    ) -> Result<Report, Failure> {
        let started = Instant::now();
        let Answer { hits, stats, segments, .. } =
            search().map_err(|error| self.named(options, own, error))?;
        let microseconds = started.elapsed().as_micros() as u64;
        let explain = self.explain.then_some(Explain {
            index: stats.index,
            distances: stats.distances,
            rescored: stats.rescored,
            bytes: stats.bytes,
            requests: stats.requests,
            waves: stats.waves,
            microseconds,
            segments: segments.into_iter().map(by_segment).collect(),
        });
        let hit = |hit: pagevec::Hit| {
            let fields = hit.fields.map(|json| self.fields_of(&json)).transpose()?;
            Ok(Hit { segment: hit.segment, id: hit.id.into(), score: hit.score, fields })
        };
        Ok(Report { hits: hits.into_iter().map(hit).collect::<Result<_, Failure>>()?, explain })
    }

    /// Those of a row's fields that are wanted, in the order in which they are named.
    fn fields_of(&self, json: &str) -> Result<Object, Failure> {
        let all: Result<Object, _> = serde_json::from_str(json);
        let mut all = all.map_err(|error| {
            let message = format!("the stored fields of a row are no JSON object: {error}; build it again");
            Failure::Told { exit: 1, code: "corrupt", message }
        })?;
        Ok(match self.fields.as_deref() {
            None | Some([]) => all,
            Some([all_of_them]) if all_of_them.is_empty() => all,
            Some(names) => names.iter().filter_map(|name| all.shift_remove_entry(name)).collect(),
        })
    }

    /// The failure of a search. An id that a file names is told with it.
    fn named(&self, options: &SearchOptions, own: Option<&Id>, error: pagevec::Error) -> Failure {
        let pagevec::Error::UnknownId { id, .. } = &error else { return error.into() };
        let excluded = options.exclude.iter().any(|other| other.to_string() == *id);
        let path = if excluded { &self.exclude } else { &self.among };
        match path {
            Some(path) if own.is_none_or(|own| own.to_string() != *id) => Failure::of_file(path, error),
            _ => error.into(),
        }
    }

    fn queries(&self) -> Result<Vectors, Failure> {
        let data = match (&self.vector, &self.vector_file) {
            (Some(text), _) => parse_vector(text)?,
            (_, Some(path)) => return self.read_vectors(path),
            // The argument group excludes this.
            _ => return Err(Failure::usage("give --id, --vector or --vector-file")),
        };
        Ok(Vectors { dim: data.len(), rows: 1, total: Some(1), data, ids: None })
    }

    fn read_vectors(&self, path: &Path) -> Result<Vectors, Failure> {
        let limit = if self.json { usize::MAX } else { 2 };
        let vectors = input::vectors(path, limit, &Progress::new())?;
        if vectors.rows != 1 && !self.json {
            let rows = vectors.total.map_or("several".to_owned(), |rows| rows.to_string());
            let message = format!(
                "holds {rows} vectors where --vector-file wants one: take one row, give --json, or use eval"
            );
            return Err(Failure::input(path, message));
        }
        Ok(vectors)
    }

    fn print(&self, report: &Report) -> Result<(), Failure> {
        if self.json {
            return output::json(report);
        }
        output::text(|out| {
            for hit in &report.hits {
                match &hit.id {
                    JsonId::Number(id) => writeln!(out, "{:>12.6}  {id}", hit.score)?,
                    JsonId::Text(id) => writeln!(out, "{:>12.6}  {}", hit.score, printable(id))?,
                }
                for (name, value) in hit.fields.iter().flatten() {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    writeln!(out, "{:>14}{}: {}", "", printable(name), printable(&value))?;
                }
            }
            let Some(e) = &report.explain else { return Ok(()) };
            writeln!(
                out,
                "\n{}: {} distances, {} rows rescored, {} µs",
                e.index, e.distances, e.rescored, e.microseconds
            )?;
            for (number, s) in e.segments.iter().enumerate() {
                let (distances, rescored) = (s.distances, s.rescored);
                writeln!(
                    out,
                    "segment {number}: {}, {distances} distances, {rescored} rows rescored",
                    s.index
                )?;
            }
            writeln!(out, "read {} in {} requests, {} waves", size::show(e.bytes), e.requests, e.waves)
        })
    }
}

fn by_segment(stats: SegmentStats) -> BySegment {
    BySegment { index: stats.index, distances: stats.distances, rescored: stats.rescored }
}

impl From<Id> for JsonId {
    fn from(id: Id) -> Self {
        match id {
            Id::Number(n) => JsonId::Number(n),
            Id::Text(t) => JsonId::Text(t),
        }
    }
}

fn parse_vector(text: &str) -> Result<Vec<f32>, Failure> {
    let number = |part: &str| {
        let part = part.trim();
        part.parse().map_err(|_| Failure::usage(format!("--vector: {part:?} is no number")))
    };
    text.trim_matches(['[', ']']).split(',').map(number).collect()
}

/// An id from a file must not move the cursor or part a line.
fn printable(id: &str) -> String {
    id.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
