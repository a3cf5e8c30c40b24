//! `pagevec build`: builds an index folder from vectors and ids, or appends to one. If it fails, nothing is published.
//!
//! | file | duty |
//! |---|---|
//! | `kind`    | the options by which rows are stored and found |
//! | `base`    | the index that is appended to |
//! | `reading` | the rows, their ids and fields, and the queries to tune by |
//! | `segment` | builds a segment into a file that is gone however the program ends |
//! | `summary` | what was built, as text or JSON |

pub(super) mod base;
pub(super) mod kind;
mod reading;
pub(super) mod segment;
pub(super) mod summary;

use crate::failure::Failure;
use crate::input::fields::Store;
use crate::input::id_field::IdField;
use crate::input::ids::IdsType;
use crate::input::rows::Rows;
use crate::output;
use crate::progress::Progress;
use base::Base;
use kind::Kind;
use pagevec::{BuildInput, BuildOptions, Form, Ids, SegmentFacts};
use segment::{Built, nearest_folder};
use std::path::{Path, PathBuf};
use std::time::Instant;
use summary::{Added, Summary, field_bytes, live_rows, merge_hint, not_in_parts, old};

const EXAMPLES: &str = "\
Examples:
  pagevec build words.npy --ids words.txt -o site/index
  pagevec build pages.jsonl --store title,url -o site/index
  pagevec build words.npy --ids words.txt --payload words.jsonl -o site/index
  pagevec build words.npy --payload words.jsonl --id-field url --schema schema.json -o site/index
  pagevec build docs.parquet --vector-column embedding --id-field url -o site/index
  pagevec build words.npy --codec binary --refine sq8 --exact f16 -o site/index
  pagevec build more.npy --ids more.txt --append -o site/index
  pagevec build rows.jsonl --metric l2 --tuning-queries queries.npy --parts -o site/index";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Build {
    /// .npy (float16, float32, float64), .fvecs, .jsonl of {"id": …, "vector": […]}, .json with an array of those,
    /// or - for such lines from stdin; .parquet with the vectors as lists in a column
    input: PathBuf,
    /// The column of .parquet that has the vectors: lists of float16, float32 or float64 [default: vector]
    #[arg(long, value_name = "NAME")]
    vector_column: Option<String>,
    /// One id per line, in the order of the vectors; without it rows are named 0, 1, 2, …, or with --append by the
    /// numbers that follow those of the index
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Whether the ids are stored as text or as numbers; numbers take less space [default: text, or as the index has
    /// them with --append]
    #[arg(long, value_enum, requires = "ids")]
    ids_type: Option<IdsType>,
    /// The field that has the ids, texts or whole numbers: of the payload, or of the lines where there is none. It is stored
    /// as a field too only if --store names it
    #[arg(long, value_name = "NAME", conflicts_with = "ids")]
    id_field: Option<String>,
    #[command(flatten)]
    kind: Kind,
    /// Real queries, in a format of the input, by which the clustered index is calibrated; the first 192 are used
    #[arg(long, value_name = "FILE", conflicts_with = "no_clusters")]
    tuning_queries: Option<PathBuf>,
    /// Fields of the rows from another file, in the order of the vectors: JSON lines, an array of objects, .parquet,
    /// or .csv or .tsv with their names in the first line. Where the input has a field of the same name, that of this file counts
    #[arg(long, value_name = "FILE", conflicts_with = "no_store")]
    payload: Option<PathBuf>,
    /// The fields to store, which searches return with their hits [default: all but id and vector]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "no_store")]
    store: Option<Vec<String>>,
    /// Store no fields: ids and vectors alone
    #[arg(long)]
    no_store: bool,
    /// A file with the types of the fields that filters may name, like {"pos": "keyword", "price": "float"}; other fields are
    /// only stored [default: types are inferred from the values]
    #[arg(long, value_name = "FILE", conflicts_with = "no_store")]
    schema: Option<PathBuf>,
    /// The name of the model that made the vectors, kept in index.json: who searches by text is refused with another one
    /// [default: none, or with --append as the index has it]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Threads [default: one per core]; the file does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Read only so many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Add the rows to the index that is in the folder: with its metric and codecs, in a segment of their own. A row whose
    /// id the index has replaces the earlier one. `pagevec merge` makes one segment of all
    #[arg(long)]
    append: bool,
    /// Publish the segment also as part files, for hosts that ignore the Range header; --parts=only publishes no single
    /// file [default: one file, or with --append as the last segment of the index]
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "also")]
    parts: Option<Parts>,
    /// Remove the files that the index no longer has from the folder. Pages that have one open will fail if a host serves it
    #[arg(long)]
    prune: bool,
    /// The index folder; index.json and one seg-….bin are written into it, with --append also a dead-….bin for each
    /// segment in which rows are replaced
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Parts {
    /// Part files and the single file
    Also,
    /// Part files only
    Only,
}

impl Build {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let there = nearest_folder(&self.output)?;
        let base = self.append.then(|| Base::to_append(&self.output)).transpose()?;
        let options = match &base {
            Some(base) => self.kind.like(base.index.info())?,
            None => self.kind.of_new()?,
        };
        let progress = Progress::new();
        let started = Instant::now();
        let mut store = Store::of(self.store.as_deref(), self.no_store)?;
        store.id_field = self.id_field.as_deref().map(|name| IdField::new(name, self.payload.is_some()));
        if let Some(column) = &self.vector_column {
            store.vectors = self.column_of_input(column)?;
        }
        let (mut input, ids) = self.read(there, base.as_ref(), &mut store, &progress)?;
        let schema = self.schema()?;
        let options = options.fields(self.fields(&mut input, &schema, &mut store, there, &progress)?);
        let options = options.schema(schema);
        let ids = self.ids_of_field(&mut store)?.or(ids);
        let (rows, dim) = (input.count(), input.dim());
        let options = options.tuning_queries(self.queries(dim, &progress)?);
        // Another writer may take the same numbers meanwhile.
        let generation = base.as_ref().filter(|_| ids.is_none()).map(|base| base.generation);
        let ids = match (&base, ids) {
            (Some(base), None) => Some(base.numbers(&self.output, rows)?),
            (_, ids) => ids,
        };
        let read_seconds = started.elapsed().as_secs_f64();

        let started = Instant::now();
        let Built { file: segment, mut warnings } =
            self.build(&input, ids, &options, base.as_ref(), there, &progress)?;
        let segment = segment.as_ref();
        let build_seconds = started.elapsed().as_secs_f64();
        let form = match self.parts {
            None => base.as_ref().map_or(Form::File, |base| base.form),
            Some(Parts::Also) => Form::Both,
            Some(Parts::Only) => Form::Parts,
        };
        let publish = pagevec::PublishOptions::new().form(form).generation(generation).model(self.model);
        let (file, replaced) = progress.spin("write", || match &base {
            None => pagevec::publish(&self.output, segment, &publish).map(|path| (path, 0)),
            Some(_) => {
                pagevec::append(&self.output, segment, &publish).map(|done| (done.path, done.replaced))
            }
        })?;
        let old = old(&self.output, self.prune)?;
        drop(progress);

        let info = pagevec::Segment::open(segment, segment.len() as u64)?.info();
        let content_id = pagevec::content_id(segment);
        let folder = pagevec::folder_info(&self.output)?;
        warnings.extend(not_in_parts(&self.output, &folder));
        for warning in &warnings {
            eprintln!("warning: {}", warning.message);
        }
        let published = folder.segments.iter().find(|published| published.content_id == content_id);
        let parts = published.and_then(|published| published.parts.as_ref());
        let is_same = |other: &SegmentFacts| other.content_id.as_ref() == Some(&content_id);
        let added = base.as_ref().map(|base| Added {
            again: base.index.segments().iter().any(is_same),
            hint: merge_hint(&self.output, &folder),
        });
        Summary {
            folder: self.output.clone(),
            file,
            parts: parts.map_or(0, |parts| parts.count),
            content_id,
            generation: folder.generation,
            segments: folder.segments.len(),
            index_rows: live_rows(&folder),
            replaced,
            added,
            rows,
            dim,
            bytes: segment.len(),
            bytes_per_vector: segment.len() as f64 / rows.max(1) as f64,
            read_seconds,
            build_seconds,
            vectors_per_second: rows as f64 / build_seconds,
            fields: if options.fields.is_some() { store.stored } else { Vec::new() },
            field_bytes: field_bytes(&info.sections),
            curve: output::curve(&info.curve),
            warnings,
            old_segments: old,
            pruned: self.prune,
        }
        .print(self.json)
    }

    fn build(
        &self,
        rows: &Rows,
        ids: Option<Ids>,
        options: &BuildOptions,
        base: Option<&Base>,
        there: &Path,
        progress: &Progress,
    ) -> Result<Built, Failure> {
        let threads = self.threads.map_or(0, usize::from);
        let built = segment::build(&self.output, there, threads, progress, |sink, ctx| {
            let input = BuildInput::Source(rows.source());
            match base {
                Some(base) => pagevec::append_into(&base.index, input, ids, options, sink, ctx),
                None => pagevec::build_into(input, ids, options, sink, ctx),
            }
        });
        // If the file was changed, that is the reason also of an error.
        if !matches!(&built, Err(Failure::Told { code: "cancelled", .. })) {
            rows.check_unchanged()?;
        }
        built
    }
}
