//! Flushes: the rows in memory become a plain segment, which has neither graph nor clusters. Codes are copied.

use std::sync::Arc;

use crate::build::{FieldSource, PlainRows, PlainStage, plain};
use crate::collection::files::manifest::SegmentEntry;
use crate::collection::files::segments::{Written, with_segments};
use crate::collection::files::{Writing, create, segment_name};
use crate::collection::state::epoch::{Epoch, TRAINED_AT};
use crate::collection::state::memtable::{Chunk, Memtable};
use crate::collection::state::{Snapshot, State};
use crate::collection::write::Writer;
use crate::collection::write::segments::Made;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::{Id, Ids};
use crate::index::OpenPart;
use crate::memory::room_for;
use crate::storage::Sink;
use crate::trace;

impl Writer {
    /// Flushes the rows in memory, and begins another log. Returns the state after it; `None` if there is nothing to do.
    ///
    /// # Errors
    /// `io`: then the rows stay in memory and in the log.
    pub(crate) fn flush(&mut self, state: &Arc<State>) -> Result<Option<Arc<State>>, Error> {
        self.check(state)?;
        if state.sequence == self.manifest.sequence {
            return Ok(None);
        }
        let flushed = self.flush_anyway(state);
        if let Err(error) = &flushed {
            self.flush_error = Some(crate::collection::write::queue::same(error));
        }
        flushed.map(Some)
    }

    /// As [`Writer::flush`], also if there is nothing to write: then another log is begun.
    pub(crate) fn flush_anyway(&mut self, state: &Arc<State>) -> Result<Arc<State>, Error> {
        let _span = trace::flush(state.memtable.live());
        let mut next = State::clone(state);
        if state.memtable.live() > 0 {
            let (entry, part) = self.write_segment(state)?;
            next.index = with_segments(state.index.as_deref(), &[], vec![part], &self.options)?;
            next.entries = state.entries.iter().cloned().chain([entry]).collect();
        }
        // Where the segments cannot be read, searches tell.
        let trained = trained_by_segments(&next).ok().flatten();
        next.memtable = Memtable::new(trained.unwrap_or_else(|| state.memtable.epoch.clone()));
        self.commit_manifest(&next, true)?;
        Ok(Arc::new(next))
    }

    /// Writes the segment of the rows in memory, and makes it durable.
    fn write_segment(&mut self, state: &State) -> Result<(SegmentEntry, OpenPart), Error> {
        let memtable = &state.memtable;
        let number = self.number(Made::Flushed);
        let path = self.place.path(&segment_name(number));
        let file = create(&*self.place.dir, &path)?;
        let mut writing = Writing { file, length: 0 };
        let written = write_rows(state, &mut writing).and_then(|()| writing.file.sync());
        let written = written.and_then(|()| self.place.sync_folder());
        if let Err(error) = written {
            // What cannot be removed now is removed at the next opening.
            let _ = self.place.dir.remove(&path);
            return Err(error);
        }
        let (length, rows, sequence) = (writing.length, memtable.live() as u32, state.sequence);
        SegmentEntry::of_file(&self.place, number, Written { length, rows, sequence, merged: false })
    }
}

/// The codecs, trained on the first rows of the segments: where rows were flushed early, there were never enough in memory. `None`
/// if they are trained already, or there are too few rows.
fn trained_by_segments(state: &State) -> Result<Option<Epoch>, Error> {
    let stored = state.index.as_ref().map_or(0, |index| index.info().count);
    if state.memtable.epoch.is_trained(&state.settings) || stored < TRAINED_AT {
        return Ok(None);
    }
    let stored =
        Snapshot(Arc::new(State { memtable: Memtable::new(state.memtable.epoch.clone()), ..state.clone() }));
    let (ids, _) = stored.ids(0, TRAINED_AT)?;
    let rows = stored.get(&ids, true, false)?;
    let mut vectors = rows.into_iter().flatten().filter_map(|row| row.vector);
    Epoch::train(&state.settings, &mut vectors).map(Some)
}

/// Writes the segment of the live rows in memory.
pub(crate) fn write_rows(state: &State, sink: &mut dyn Sink) -> Result<(), Error> {
    let State { memtable, settings, schema, .. } = state;
    let fields = FieldsOf(each(memtable).collect());
    let has_fields = each(memtable).any(|(chunk, row)| !chunk.fields[row].is_empty());
    let mut stages = Vec::new();
    for (number, stage) in memtable.epoch.0.iter().enumerate() {
        let mut codes = room_for(memtable.live() * stage.stride)?;
        each(memtable)
            .for_each(|(chunk, row)| codes.extend_from_slice(chunk.code(number, row, stage.stride)));
        stages.push(PlainStage {
            kind: stage.kind,
            parameters: stage.parameters.clone(),
            rows: codes.into(),
        });
    }
    let rows = PlainRows {
        metric: settings.metric,
        dim: settings.dim,
        seed: 0,
        stages,
        ids: ids_of(memtable)?,
        fields: has_fields.then_some(&fields as &dyn FieldSource),
        schema,
    };
    plain(rows, sink, &Ctx::default())
}

fn each(memtable: &Memtable) -> impl Iterator<Item = (&Chunk, usize)> {
    memtable.chunks.iter().flat_map(|chunk| chunk.live().map(move |row| (&**chunk, row)))
}

fn ids_of(memtable: &Memtable) -> Result<Ids, Error> {
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for (chunk, row) in each(memtable) {
        match &chunk.ids[row] {
            Id::Number(number) => numbers.push(*number),
            Id::Text(text) => texts.push(text.clone()),
        }
    }
    match (numbers.is_empty(), texts.is_empty()) {
        (_, true) => Ok(Ids::Numbers(numbers)),
        (true, false) => Ok(Ids::Texts(texts)),
        _ => Err(Error::internal("ids of two kinds in memory")),
    }
}

/// The fields of the live rows.
struct FieldsOf<'a>(Vec<(&'a Chunk, usize)>);

impl FieldSource for FieldsOf<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn read(&self, row: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        let (chunk, row) = self.0[row];
        into.extend_from_slice(chunk.fields[row].as_bytes());
        Ok(())
    }
}
