//! Merges that a host does itself, in a thread of its own: what is to be merged, as bytes, and the work.
//!
//! A job is a manifest of its inputs: their dead rows and the codecs are in it. Beside it are the options of the graph.

use crate::build::BuildOptions;
use crate::collection::files::manifest::{Manifest, SegmentEntry};
use crate::collection::files::segment_name;
use crate::collection::merge::{Input, in_memory, merge_files};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::features::CLUSTERS;
use crate::index::OpenPart;
use crate::memory::room_for;
use crate::payload::Schema;
use crate::row_set::SharedRows;
use crate::storage::{ReadAt, Sink};

/// Bytes before those of the manifest: `m` and the seed of the graph.
const OPTIONS: usize = 16;

/// A merge that is to be done. Others go on meanwhile; its inputs never change.
pub struct MergeJob {
    /// Of the inputs; `next_file` is the output. Which rows are dead is in `alive`.
    pub(crate) manifest: Manifest,
    pub(crate) alive: Vec<Option<SharedRows>>,
    pub(crate) m: usize,
    pub(crate) seed: u64,
}

impl MergeJob {
    /// The name of the file that it makes. No file had it before.
    pub fn output(&self) -> String {
        segment_name(self.manifest.next_file)
    }

    /// The names of the files that it reads.
    pub fn inputs(&self) -> Vec<String> {
        self.manifest.segments.iter().map(|entry| segment_name(entry.number)).collect()
    }

    /// Bytes of the files that it reads.
    pub fn bytes(&self) -> u64 {
        self.manifest.segments.iter().map(|entry| entry.length).sum()
    }

    /// Rows of the file that it makes.
    pub fn rows(&self) -> usize {
        let live = |(entry, alive): (&SegmentEntry, &Option<SharedRows>)| {
            alive.as_ref().map_or(entry.rows as usize, |alive| alive.count())
        };
        self.manifest.segments.iter().zip(&self.alive).map(live).sum()
    }

    /// All that [`run_merge`] needs beside the files.
    ///
    /// # Errors
    /// `out-of-memory`.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut manifest = self.manifest.clone();
        for (entry, alive) in manifest.segments.iter_mut().zip(&self.alive) {
            entry.set_dead(alive.as_deref())?;
        }
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&(self.m as u64).to_le_bytes());
        bytes.extend_from_slice(&self.seed.to_le_bytes());
        bytes.extend_from_slice(&manifest.encode());
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let (options, manifest) =
            bytes.split_at_checked(OPTIONS).ok_or_else(|| Error::corrupt("job", "it is too short"))?;
        let number = |at: usize| options[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let manifest = Manifest::decode(manifest)?;
        let alive = manifest.segments.iter().map(SegmentEntry::alive).collect::<Result<_, Error>>()?;
        Ok(MergeJob { manifest, alive, m: number(0) as usize, seed: number(8) })
    }

    /// Merges the files of its inputs.
    pub(crate) fn write(&self, inputs: &[Input], sink: &mut dyn Sink, ctx: &Ctx<'_>) -> Result<(), Error> {
        let options = BuildOptions::new(self.manifest.settings.metric).clusters(CLUSTERS);
        let schema = self.manifest.schema.clone().unwrap_or_else(Schema::of_parts);
        let options = options.m(self.m).seed(self.seed).schema(schema);
        merge_files(inputs, &self.manifest.epoch, &options, sink, ctx)
    }
}

impl SegmentEntry {
    /// The live rows; `None`: all.
    fn alive(&self) -> Result<Option<SharedRows>, Error> {
        let alive = self.dead_rows()?.map(|dead| dead.into_row_set().complement()).transpose()?;
        Ok(alive.map(SharedRows::new))
    }
}

/// Does a merge that [`MergeJob::encode`] describes: reads the files of its inputs, in their order, and writes the merged one.
///
/// # Errors
/// `corrupt` for files that are others than the job says; their errors and those of the sink; `cancelled`, `out-of-memory`.
pub fn run_merge(
    job: &[u8],
    inputs: &[&dyn ReadAt],
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let job = MergeJob::decode(job)?;
    if inputs.len() != job.alive.len() {
        let detail = format!("it has {} inputs, not {}", job.alive.len(), inputs.len());
        return Err(Error::argument("inputs", detail));
    }
    let mut files = room_for(inputs.len())?;
    for ((file, entry), alive) in inputs.iter().zip(&job.manifest.segments).zip(&job.alive) {
        let (source, length) = (in_memory(*file, entry)?, entry.length);
        if OpenPart::segment_of(&source, length)?.header.file_id != entry.file_id {
            return Err(Error::corrupt("segment", "it is another file than the job names"));
        }
        files.push(Input { source: Box::new(source), length, alive: alive.clone() });
    }
    job.write(&files, sink, ctx)
}
