//! `pagevec build`: builds an index folder from vectors and ids. If it fails, nothing is published.

mod summary;

use crate::failure::Failure;
use crate::input;
use crate::input::ids::{self, IdsType};
use crate::input::rows::Rows;
use crate::output;
use crate::progress::Progress;
use pagevec::{BuildInput, BuildOptions, CodecKind, Ctx, FileBytes, FileSink, Form, Ids, Metric, OldSegment};
use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use summary::{Old, Summary, Warning};

const EXAMPLES: &str = "\
Examples:
  pagevec build words.npy --ids words.txt -o site/index
  pagevec build words.npy --codec binary --refine sq8 --exact f16 -o site/index
  pagevec build rows.jsonl --metric l2 --tuning-queries queries.npy --parts -o site/index";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Build {
    /// .npy (float16, float32, float64), .fvecs, .jsonl of {"id": …, "vector": […]}, .json with an array of those,
    /// or - for such lines from stdin
    input: PathBuf,
    /// One id per line, in the order of the vectors; without it rows are named 0, 1, 2, …
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Whether the ids are stored as text or as numbers; numbers take less space
    #[arg(long, value_enum, default_value = "text", requires = "ids")]
    ids_type: IdsType,
    /// cosine, dot (or ip) or l2 (or euclidean)
    #[arg(long, default_value = "cosine", value_parser = metric)]
    metric: Metric,
    /// The codes that are searched, in bytes per vector of d components:
    /// f32 4·d, f16 2·d, sq8 d + 8 (l2: d + 12), sq4 d/2 + 4 (l2: d/2 + 8), binary d/8, pq 64, pq96 96 (pq1 to pq<d>)
    #[arg(long, default_value = "sq8")]
    codec: CodecKind,
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
    /// Real queries, in a format of the input, by which the clustered index is calibrated; the first 192 are used
    #[arg(long, value_name = "FILE", conflicts_with = "no_clusters")]
    tuning_queries: Option<PathBuf>,
    /// Leave out the clustered index: saves about d/4 + 20 bytes per vector (d/2 up to 256 components, d up to 128),
    /// but a page has to fetch the whole file
    #[arg(long)]
    no_clusters: bool,
    /// Links per node of the graph (2·M on its lowest layer): about 5·M bytes per vector
    #[arg(short = 'M', long = "m", value_name = "M", default_value_t = BuildOptions::default().m)]
    m: usize,
    /// Candidates from which the links of each node are chosen: more take time, but no bytes
    #[arg(long, value_name = "N", default_value_t = BuildOptions::default().ef_construction)]
    ef_construction: usize,
    /// The seed; the same input, options and seed give the same file, byte for byte
    #[arg(long, value_name = "N", default_value_t = BuildOptions::default().seed)]
    seed: u64,
    /// Threads [default: one per core]; the file does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Read only so many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Publish the segment also as part files, for hosts that ignore the Range header; --parts=only publishes no single
    /// file
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "also")]
    parts: Option<Parts>,
    /// Remove the segments of earlier versions from the folder. Pages that have one open will fail if a host serves it
    #[arg(long)]
    prune: bool,
    /// The index folder; index.json and one seg-….bin are written into it
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tuning queries that are read; a build uses no more.
const TUNING: usize = 256;

#[derive(Clone, Copy, clap::ValueEnum)]
enum Refine {
    None,
    Sq8,
    F16,
    F32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Exact {
    F16,
    F32,
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
        let options = self.options()?;
        let there = self.check_output()?;
        let progress = Progress::new();
        let started = Instant::now();
        let (input, ids) = self.read(there, &progress)?;
        let (rows, dim) = (input.count(), input.dim());
        let options = options.tuning_queries(self.queries(dim, &progress)?);
        let read_seconds = started.elapsed().as_secs_f64();
        let mut warnings = Vec::from_iter(not_stored(&input.extra));

        let started = Instant::now();
        let (segment, found) = self.build(&input, ids, &options, there, &progress)?;
        let segment = segment.as_ref();
        warnings.extend(found.iter().map(|w| Warning { code: w.code(), message: w.to_string() }));
        let build_seconds = started.elapsed().as_secs_f64();
        let form = match self.parts {
            None => Form::File,
            Some(Parts::Also) => Form::Both,
            Some(Parts::Only) => Form::Parts,
        };
        let file = progress.spin("write", || {
            pagevec::publish(&self.output, segment, &pagevec::PublishOptions::new().form(form))
        })?;
        let old =
            if self.prune { pagevec::prune(&self.output) } else { pagevec::old_segments(&self.output) }?;
        drop(progress);

        for warning in &warnings {
            eprintln!("warning: {}", warning.message);
        }
        Summary {
            folder: self.output.clone(),
            file,
            content_id: pagevec::content_id(segment),
            parts: pagevec::parts(&self.output)?.map_or(0, |parts| parts.count),
            rows,
            dim,
            bytes: segment.len(),
            bytes_per_vector: segment.len() as f64 / rows.max(1) as f64,
            read_seconds,
            build_seconds,
            vectors_per_second: rows as f64 / build_seconds,
            curve: output::curve(&pagevec::Segment::open(segment, segment.len() as u64)?.info().curve),
            warnings,
            old_segments: old.into_iter().map(|OldSegment { path, bytes, .. }| Old { path, bytes }).collect(),
            pruned: self.prune,
        }
        .print(self.json)
    }

    /// Refuses an output folder that cannot be written, before the build takes its time. Returns the folder, or if it
    /// does not exist, the nearest above it that does: temporary files are written there.
    fn check_output(&self) -> Result<&Path, Failure> {
        let named = |path: &&Path| !path.as_os_str().is_empty() && path.exists();
        let there = self.output.ancestors().find(named).unwrap_or(Path::new("."));
        if !there.is_dir() {
            return Err(Failure::usage(format!("{} is a file: -o must name a folder", there.display())));
        }
        let probe = there.join(format!(".pagevec-{}.tmp", std::process::id()));
        let written = File::create(&probe).and_then(|_| std::fs::remove_file(&probe));
        written.map_err(|error| Failure::io(there, &error))?;
        Ok(there)
    }

    fn options(&self) -> Result<BuildOptions, Failure> {
        let refine = match (self.refine, self.codec) {
            (Some(Refine::None), CodecKind::Binary | CodecKind::Sq4 | CodecKind::Pq(_)) => {
                let message = format!(
                    "--refine none: {} codes are too coarse to rank by alone; use sq8, f16 or f32",
                    self.codec
                );
                return Err(Failure::usage(message));
            }
            (None | Some(Refine::None), _) => None,
            (Some(Refine::Sq8), _) => Some(CodecKind::Sq8),
            (Some(Refine::F16), _) => Some(CodecKind::F16),
            (Some(Refine::F32), _) => Some(CodecKind::F32),
        };
        Ok(BuildOptions::new(self.metric)
            .codec(self.codec)
            .refine(refine)
            .exact(self.exact.map(|exact| match exact {
                Exact::F16 => CodecKind::F16,
                Exact::F32 => CodecKind::F32,
            }))
            .graph(!self.no_graph)
            .clusters(!self.no_clusters)
            .m(self.m)
            .ef_construction(self.ef_construction)
            .seed(self.seed))
    }

    fn read(&self, there: &Path, progress: &Progress) -> Result<(Rows, Option<Ids>), Failure> {
        let limit = self.limit.map_or(usize::MAX, |n| n as usize);
        let mut rows = Rows::open(&self.input, limit, there, progress)?;
        let ids = match (rows.ids.take(), &self.ids) {
            (Some(_), Some(path)) => {
                let message = format!("--ids {}: the lines of the input have ids already", path.display());
                return Err(Failure::usage(message));
            }
            (None, Some(path)) => Some(ids::read(path, self.ids_type, rows.count(), rows.total)?),
            (own, None) => own,
        };
        Ok((rows, ids))
    }

    fn queries(&self, dim: usize, progress: &Progress) -> Result<Vec<f32>, Failure> {
        let Some(path) = &self.tuning_queries else { return Ok(Vec::new()) };
        let queries = input::vectors(path, TUNING, progress)?;
        match queries.dim == dim {
            true => Ok(queries.data),
            false => Err(Failure::usage(format!(
                "--tuning-queries {}: its vectors have {} components, the input's {dim}",
                path.display(),
                queries.dim
            ))),
        }
    }

    /// Builds the segment into a temporary file without a name, so that it is gone however the program ends.
    fn build(
        &self,
        rows: &Rows,
        ids: Option<Ids>,
        options: &BuildOptions,
        there: &Path,
        progress: &Progress,
    ) -> Result<(FileBytes, Vec<pagevec::Warning>), Failure> {
        // The handler is set only now: before, an interrupt may end the process at once, even while it waits for stdin.
        // Once the build writes, it completes, and so does `publish`.
        static STOP: AtomicBool = AtomicBool::new(false);
        ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed)).map_err(|e| Failure::Told {
            exit: 1,
            code: "io",
            message: format!("signals: {e}"),
        })?;

        let file = tempfile::tempfile_in(there).map_err(|error| Failure::io(there, &error))?;
        let mut sink = FileSink::new(file, there);
        let threads = self.threads.map_or(0, usize::from);
        let (built, warnings) = pagevec::with_threads(threads, || {
            let warnings = RefCell::new(Vec::new());
            let warn = |warning| warnings.borrow_mut().push(warning);
            let report = |p: pagevec::Progress| progress.tick(p.phase, p.done, p.total);
            let cancelled = || STOP.load(Ordering::Relaxed);
            let ctx = Ctx { progress: Some(&report), cancelled: Some(&cancelled), warning: Some(&warn) };
            let input = BuildInput::Source(rows.source());
            let built = pagevec::build_into(input, ids, options, &mut sink, &ctx);
            (built, warnings.into_inner())
        })?;
        if let Err(pagevec::Error::Cancelled) = built {
            return Err(Failure::Told {
                exit: 1,
                code: "cancelled",
                message: format!("interrupted: nothing was written to {}", self.output.display()),
            });
        }
        // If the file was changed, that is the reason also of an error.
        rows.check_unchanged()?;
        built?;
        Ok((sink.into_bytes()?, warnings))
    }
}

/// Parses the name of a metric, in any case. `ip` and `euclidean` are the names that other tools use for dot and l2.
fn metric(name: &str) -> Result<Metric, pagevec::Error> {
    match name.to_ascii_lowercase().as_str() {
        "ip" => Ok(Metric::Dot),
        "euclidean" => Ok(Metric::L2),
        name => name.parse(),
    }
}

fn not_stored(extra: &[String]) -> Option<Warning> {
    let message = match extra {
        [] => return None,
        [one] => format!("the field {one} is not stored: an index holds ids and vectors"),
        more => format!("the fields {} are not stored: an index holds ids and vectors", more.join(", ")),
    };
    Some(Warning { code: "extra-fields", message })
}
