//! What is searched for, and how: of an index, or of a collection.

use super::Searched;
use super::report::{Explain, Hit, Report, by_segment};
use crate::commands::arguments::Wanted;
use crate::failure::Failure;
use crate::input::fields::Object;
use crate::input::{self, Vectors, ids};
use crate::progress::Progress;
use pagevec::{Answer, Id, SearchOptions};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("query").required(true)))]
pub(in crate::commands) struct Query {
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
    pub(super) wanted: Wanted,
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
    pub(in crate::commands) json: bool,
}

impl Query {
    /// Searches, and prints what is found.
    pub(in crate::commands) fn run(&self, index: &impl Searched) -> Result<(), Failure> {
        let kind = index.ids();
        let options = self.wanted.options()?.ef(self.ef).fields(self.fields.is_some());
        let options = options.exclude(self.list(self.exclude.as_deref(), kind)?.unwrap_or_default());
        let options = options.among(self.list(self.among.as_deref(), kind)?);
        if let Some(id) = &self.id {
            let id =
                ids::parse(id, kind).ok_or_else(|| Failure::usage(format!("--id {id}: {}", ids::NUMBERS)))?;
            return self.report(&options, Some(&id), || index.similar(&id, &options))?.print(self.json);
        }
        let queries = self.queries()?;
        // The ids are looked up once for all of several vectors, and as a part of the search for one.
        let options = match queries.rows {
            0 | 1 => options,
            _ => index.select(&options).map_err(|error| self.named(&options, None, error))?,
        };
        for row in 0..queries.rows {
            let query = &queries.data[row * queries.dim..][..queries.dim];
            self.report(&options, None, || index.search(query, &options))?.print(self.json)?;
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
            let names = self.fields.as_deref().unwrap_or_default();
            let fields = hit.fields.map(|json| fields_of(&json, names)).transpose()?;
            Ok(Hit { segment: hit.segment, id: hit.id.into(), score: hit.score, fields })
        };
        Ok(Report { hits: hits.into_iter().map(hit).collect::<Result<_, Failure>>()?, explain })
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
}

/// Those of a row's fields that are named, in that order; all of them if none is.
pub(in crate::commands) fn fields_of(json: &str, names: &[String]) -> Result<Object, Failure> {
    let all: Result<Object, _> = serde_json::from_str(json);
    let mut all = all.map_err(|error| {
        let message = format!("the stored fields of a row are no JSON object: {error}; write them again");
        Failure::Told { exit: 1, code: "corrupt", message }
    })?;
    Ok(match names {
        [] => all,
        [all_of_them] if all_of_them.is_empty() => all,
        names => names.iter().filter_map(|name| all.shift_remove_entry(name)).collect(),
    })
}

fn parse_vector(text: &str) -> Result<Vec<f32>, Failure> {
    let number = |part: &str| {
        let part = part.trim();
        part.parse().map_err(|_| Failure::usage(format!("--vector: {part:?} is no number")))
    };
    text.trim_matches(['[', ']']).split(',').map(number).collect()
}
