//! Merges: one segment, with graph and clusters, of the live rows of several. The work is done beside the writer, on files that
//! do not change; the result is put in their place under the writer's lock. Rows that died meanwhile are found in it by id.
//!
//! | file | duty |
//! |---|---|
//! | `plan` | which segments are merged |
//! | `job` | a merge as bytes, for a host that does it in a thread of its own |
//! | `hosted` | what such a host calls |

pub(crate) mod hosted;
pub(crate) mod job;
pub(crate) mod plan;

use std::sync::Arc;

use crate::build::{BuildOptions, Live, merge_as};
use crate::collection::files::manifest::{Manifest, SegmentEntry};
use crate::collection::files::segments::{Written, find, with_segments};
use crate::collection::files::{Place, Writing, create, done, segment_name};
use crate::collection::merge::job::MergeJob;
use crate::collection::state::State;
use crate::collection::write::Writer;
use crate::collection::write::segments::Made;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Id;
use crate::index::{Index, OpenPart};
use crate::quant::CodecKind;
use crate::row_set::{RowSet, SharedRows};
use crate::storage::{Access, Buffer, DirReader, Extent, InMemory, ReadAt, Sink, Source};
use crate::trace;
use plan::Facts;

/// The result of a merge; `None` in place of a file without rows.
pub(crate) struct Merged {
    job: MergeJob,
    output: Option<(SegmentEntry, OpenPart)>,
}

impl Merged {
    /// Of inputs without live rows.
    pub(crate) fn nothing(job: MergeJob) -> Self {
        Merged { job, output: None }
    }
}

impl Writer {
    /// The numbers of the segments whose merge is due, or, where `all` is set, possible; empty: none. Those that are being merged
    /// are left out.
    pub(crate) fn choose(&self, state: &State, all: bool) -> Vec<usize> {
        let is_free = |(_, entry): &(usize, &SegmentEntry)| !self.merging.contains(&entry.number);
        let free: Vec<(usize, &SegmentEntry)> = state.entries.iter().enumerate().filter(is_free).collect();
        let facts = |&(at, entry): &(usize, &SegmentEntry)| Facts {
            rows: entry.rows as usize,
            live: state.live(at, entry),
            merged: entry.merged,
        };
        let facts: Vec<Facts> = free.iter().map(facts).collect();
        let most = self.options.segment_rows;
        let chosen = if all { plan::all(&facts, most) } else { plan::due(&facts, most, self.is_idle(state)) };
        chosen.into_iter().map(|at| free[at].0).collect()
    }

    /// The merge that is due, or, where `all` is set, one that is possible. Its segments are in no other until they are released.
    pub(crate) fn job(&mut self, state: &State, all: bool) -> Result<Option<MergeJob>, Error> {
        self.check(state)?;
        let chosen = self.choose(state, all);
        let Some(index) = state.index.as_ref().filter(|_| !chosen.is_empty()) else { return Ok(None) };
        let alive = chosen.iter().map(|&at| index.alive(at)).collect();
        let manifest = Manifest {
            next_file: self.number(Made::Merged),
            epoch: state.memtable.epoch.stored(),
            segments: chosen.iter().map(|&at| state.entries[at].clone()).collect(),
            applied: Vec::new(),
            ..self.manifest.clone()
        };
        self.reserve(&manifest.segments);
        Ok(Some(MergeJob { manifest, alive, m: self.options.m, seed: self.options.seed }))
    }

    /// Puts the result of a merge in place of its inputs. Returns the state after it; `None` if an input is gone meanwhile.
    pub(crate) fn put_merged(
        &mut self,
        state: &Arc<State>,
        merged: Merged,
    ) -> Result<Option<Arc<State>>, Error> {
        self.check(state)?;
        let Merged { job, output } = merged;
        let place =
            |entry: &SegmentEntry| state.entries.iter().position(|segment| segment.number == entry.number);
        let places: Option<Vec<usize>> = job.manifest.segments.iter().map(place).collect();
        let (Some(index), Some(places)) = (&state.index, places) else {
            self.remove(job.manifest.next_file);
            return Ok(None);
        };
        let mut died: Vec<Id> = Vec::new();
        for (&at, before) in places.iter().zip(&job.alive) {
            let positions = died_since(before.as_deref(), index.alive(at).as_deref())?;
            died.extend(index.ids_at(at, &positions)?.into_each());
        }
        let mut next = State::clone(state);
        let (entry, part) = output.unzip();
        next.index = with_segments(Some(index), &places, part.into_iter().collect(), &self.options)?;
        if let (Some(entry), Some(index)) = (&entry, &mut next.index) {
            kill(index, state.entries.len() - places.len(), entry.rows as usize, &died)?;
        }
        let stays = state.entries.iter().enumerate().filter(|(at, _)| !places.contains(at));
        next.entries = stays.map(|(_, stays)| stays.clone()).chain(entry).collect();
        self.commit_manifest(&next, false)?;
        Ok(Some(Arc::new(next)))
    }
}

/// Marks rows of the segment `at` dead that have these ids.
fn kill(index: &mut Arc<Index>, at: usize, rows: usize, ids: &[Id]) -> Result<(), Error> {
    let places = find(index, &ids.iter().collect::<Vec<_>>())?;
    let positions: Vec<u32> = places
        .into_iter()
        .flatten()
        .filter(|place| place.segment as usize == at)
        .map(|place| place.position)
        .collect();
    if !positions.is_empty() {
        let alive = RowSet::of(rows, positions)?.complement()?;
        *index = Arc::new(index.with_alive(vec![(at, SharedRows::new(alive))])?);
    }
    Ok(())
}

/// Rows that were alive then and are not now.
fn died_since(before: Option<&RowSet>, now: Option<&RowSet>) -> Result<Vec<u32>, Error> {
    let Some(now) = now else { return Ok(Vec::new()) };
    let dead = now.clone().complement()?;
    let died = if let Some(before) = before { dead.and(before)? } else { dead };
    Ok(died.from(0).collect())
}

impl MergeJob {
    /// Merges, and makes the file durable.
    pub(crate) fn run(self, place: &Place, ctx: &Ctx<'_>) -> Result<Merged, Error> {
        let _span = trace::merge(self.alive.len());
        if self.rows() == 0 {
            return Ok(Merged::nothing(self));
        }
        let path = place.path(&self.output());
        let mut writing = Writing { file: create(&*place.dir, &path)?, length: 0 };
        let merged = self.read_and_write(place, &mut writing, ctx);
        let merged = merged.and_then(|()| writing.file.sync()).and_then(|()| place.sync_folder());
        if let Err(error) = merged {
            let _ = place.dir.remove(&path);
            return Err(error);
        }
        self.written(place, writing.length)
    }

    /// The file, of `length` bytes, was written and is durable.
    pub(crate) fn written(self, place: &Place, length: u64) -> Result<Merged, Error> {
        let entries = &self.manifest.segments;
        let sequence = entries.iter().map(|entry| entry.sequence).max().unwrap_or(0);
        let facts = Written { length, rows: self.rows() as u32, sequence, merged: true };
        let output = SegmentEntry::of_file(place, self.manifest.next_file, facts)?;
        Ok(Merged { job: self, output: Some(output) })
    }

    fn read_and_write(&self, place: &Place, writing: &mut Writing, ctx: &Ctx<'_>) -> Result<(), Error> {
        let input = |(entry, alive): (&SegmentEntry, &Option<SharedRows>)| {
            Ok(Input { source: whole(place, entry)?, length: entry.length, alive: alive.clone() })
        };
        let inputs = self.manifest.segments.iter().zip(&self.alive).map(input);
        self.write(&inputs.collect::<Result<Vec<_>, Error>>()?, writing, ctx)
    }
}

/// A segment file of a merge, as a whole.
pub(crate) struct Input {
    pub(crate) source: Box<dyn Source + Send + Sync>,
    pub(crate) length: u64,
    pub(crate) alive: Option<SharedRows>,
}

/// Merges the live rows of files into one segment, by these codecs.
pub(crate) fn merge_files(
    inputs: &[Input],
    epoch: &[(CodecKind, Vec<u8>)],
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    with_live(inputs, |live| merge_as(live, epoch, options, sink, ctx))
}

/// Opens files to be merged.
pub(crate) fn with_live<T>(
    inputs: &[Input],
    call: impl FnOnce(&[Live<'_>]) -> Result<T, Error>,
) -> Result<T, Error> {
    let segment = |input: &Input| OpenPart::segment_of(&*input.source, input.length);
    let segments = inputs.iter().map(segment).collect::<Result<Vec<_>, Error>>()?;
    let live = |(segment, input)| {
        let input: &Input = input;
        Live { segment, source: &*input.source, alive: input.alive.as_deref() }
    };
    let live: Vec<Live<'_>> = segments.iter().zip(inputs).map(live).collect();
    call(&live)
}

/// The bytes of a segment: mapped, or read into memory.
pub(crate) fn whole(place: &Place, entry: &SegmentEntry) -> Result<Box<dyn Source + Send + Sync>, Error> {
    let path = place.path(&segment_name(entry.number));
    let file = done(&path, place.dir.open(&path, Access::Read))?;
    if let Some(mapped) = file.map()? {
        return Ok(mapped);
    }
    Ok(Box::new(in_memory(&DirReader::new(file)?, entry)?))
}

/// The bytes of a segment, read into memory.
pub(crate) fn in_memory(file: &dyn ReadAt, entry: &SegmentEntry) -> Result<InMemory<Buffer>, Error> {
    let length = file.length();
    if length != entry.length {
        return Err(Error::Length { section: "segment", expected: entry.length, got: length });
    }
    let mut bytes = Buffer::zeroed(length)?;
    file.read(Extent { offset: 0, length }, bytes.as_mut())?;
    Ok(InMemory(bytes))
}
