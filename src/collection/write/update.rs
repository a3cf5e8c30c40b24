//! Updates: other fields for rows that are there. A row is written anew with the codes that it has, bit for bit; the log has these
//! too, since a merge may drop the row that they were read from before the log is read again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::collection::files::segments::find;
use crate::collection::options::Settings;
use crate::collection::state::State;
use crate::collection::wal::{Kinds, Request};
use crate::collection::write::batch::{Changes, CodedRow, check_fields, check_ids, check_rows, check_text};
use crate::collection::write::{Waiting, Writer};
use crate::error::Error;
use crate::id::Id;
use crate::index::Index;
use crate::metric::Metric;
use crate::payload::{Schema, patched};
use crate::quant::CodecKind;
use crate::search::RowPlace;
use crate::vectors::check_row;

/// Changes of the fields of rows, checked. Of an id that comes twice all are made, in order.
pub(crate) struct Updates {
    ids: Vec<Id>,
    /// JSON objects: each member takes the place of the row's, or with `null` removes it.
    fields: Vec<Arc<str>>,
}

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Updated {
    /// Operations in the collection's log, with those of this update.
    pub sequence: u64,
    /// Rows whose fields were changed.
    pub updated: usize,
    /// The ids that no row has, each once: nothing was changed for them.
    pub missing: Vec<Id>,
    /// Whether it was applied now: `false` for a request that was applied before.
    pub applied: bool,
}

impl Updates {
    /// # Errors
    /// `argument`, which names the row; `field`.
    pub(crate) fn new(ids: Vec<Id>, fields: Vec<String>, schema: &Schema) -> Result<Self, Error> {
        check_rows(ids.len())?;
        check_ids(ids.iter())?;
        let fields = check_fields(fields, &ids, schema)?;
        Ok(Updates { ids, fields })
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}

impl Writer {
    /// Makes an update. Returns what became of it, and the state to be published.
    ///
    /// # Errors
    /// `argument` for a row whose fields get too long: then nothing is changed; `io`, `poisoned`.
    pub(crate) fn update(
        &mut self,
        state: &Arc<State>,
        updates: &Updates,
        request: Option<Request>,
    ) -> Result<(Updated, Option<Arc<State>>), Error> {
        self.check(state)?;
        let (changes, missing) = resolved(state, &self.slots, updates)?;
        let before = Updated { sequence: state.sequence, updated: 0, missing, applied: false };
        if changes.is_empty() {
            return Ok((Updated { applied: true, ..before }, None));
        }
        let frame = changes.frame(state.settings.dim, request)?;
        let waiting = Arc::new(Waiting { changes, frame, request });
        let (mut results, next) = self.commit(state, &[waiting]);
        let written = results.pop().ok_or_else(|| Error::internal("an update without a result"))??;
        let (sequence, updated, applied) = (written.sequence, written.upserted, written.applied);
        Ok((Updated { sequence, updated, applied, ..before }, next))
    }
}

/// The rows as they will be, and the ids that no row has.
fn resolved(state: &State, slots: &HashMap<Id, u32>, updates: &Updates) -> Result<(Changes, Vec<Id>), Error> {
    let mut numbers: HashMap<&Id, usize> = HashMap::new();
    let mut ids: Vec<&Id> = Vec::new();
    for id in &updates.ids {
        numbers.entry(id).or_insert_with(|| {
            ids.push(id);
            ids.len() - 1
        });
    }
    let mut rows = stored(state, slots, &ids)?;
    for (row, (id, patch)) in updates.ids.iter().zip(&updates.fields).enumerate() {
        if let Some(stored) = numbers.get(id).and_then(|&number| rows[number].as_mut()) {
            stored.fields = check_text(patched(&stored.fields, patch)?, row)?;
        }
    }
    let (mut found, mut coded, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (id, row) in ids.into_iter().zip(rows) {
        match row {
            Some(row) => {
                found.push(id.clone());
                coded.push(row);
            }
            None => missing.push(id.clone()),
        }
    }
    Ok((Changes::Update { ids: found, rows: coded }, missing))
}

/// The rows with these ids, which are distinct; `None` where there is none.
fn stored(state: &State, slots: &HashMap<Id, u32>, ids: &[&Id]) -> Result<Vec<Option<CodedRow>>, Error> {
    let memtable = &state.memtable;
    let kinds = memtable.epoch.kinds();
    let in_memory = |id: &&Id| {
        let (chunk, row) = memtable.place(*slots.get(*id)?);
        let stages = memtable.epoch.0.iter().enumerate();
        let codes = stages.flat_map(|(number, stage)| chunk.code(number, row, stage.stride)).copied();
        Some(CodedRow { kinds, codes: codes.collect(), fields: Arc::clone(&chunk.fields[row]) })
    };
    let mut rows: Vec<Option<CodedRow>> = ids.iter().map(in_memory).collect();
    let left: Vec<usize> = (0..ids.len()).filter(|&at| rows[at].is_none()).collect();
    let Some(index) = state.index.as_deref().filter(|_| !left.is_empty()) else { return Ok(rows) };
    let wanted: Vec<&Id> = left.iter().map(|&at| ids[at]).collect();
    let places = find(index, &wanted)?;
    let fields = match index.has_fields() {
        true => index.fields(&wanted.into_iter().cloned().collect::<Vec<_>>())?,
        false => vec![None; places.len()],
    };
    let mut segments = Segments { index, state, same: HashMap::new() };
    for ((at, place), fields) in left.into_iter().zip(places).zip(fields) {
        let Some(place) = place else { continue };
        let fields = fields.filter(|fields| &**fields != "{}").unwrap_or_default();
        let (kinds, codes) = segments.codes(place)?;
        rows[at] = Some(CodedRow { kinds, codes, fields: fields.into() });
    }
    Ok(rows)
}

/// The segments of a state, from which codes are read.
struct Segments<'a> {
    index: &'a Index,
    state: &'a State,
    /// Whether a segment was encoded by the codecs of the rows in memory.
    same: HashMap<u32, bool>,
}

impl Segments<'_> {
    /// The codes of a row for the log: those that it has, where its segment has the codecs of the rows in memory; else its floats,
    /// which are encoded anew as a merge does.
    fn codes(&mut self, place: RowPlace) -> Result<(Kinds, Vec<u8>), Error> {
        let epoch = &self.state.memtable.epoch;
        let same = match self.same.get(&place.segment) {
            Some(&same) => same,
            None => {
                let same = self.index.stages_of(place.segment)? == epoch.stored();
                *self.same.entry(place.segment).or_insert(same)
            }
        };
        let codes = self.index.codes_at(place)?;
        if same {
            return Ok((epoch.kinds(), codes));
        }
        let mut row = self.index.decoded(place.segment, &codes)?;
        let Settings { metric, .. } = self.state.settings;
        // Rows of f32 have length 1 under cosine as they are.
        if metric == Metric::Cosine && !self.index.is_exact(place.segment)? {
            check_row(&mut row, 0, metric)?;
        }
        let floats = row.iter().flat_map(|x| x.to_le_bytes()).collect();
        Ok(([CodecKind::F32.number(), 0, 0, 0], floats))
    }
}
