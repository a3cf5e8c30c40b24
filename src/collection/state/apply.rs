//! What a batch of operations does to a state. It names ids, never places, and does the same when the log is read again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::collection::files::segments::find;
use crate::collection::state::State;
use crate::collection::state::memtable::Memtable;
use crate::collection::write::batch::{Change, Changes};
use crate::error::Error;
use crate::id::Id;
use crate::row_set::{RowSet, SharedRows};
use crate::search::RowPlace;
use crate::sort;
use crate::vectors::check_row;

/// The numbers of the live rows in memory, by id.
pub(crate) type Slots = HashMap<Id, u32>;

/// Of a batch that was applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rows that are new, or have replaced others.
    pub(crate) upserted: usize,
    /// Rows that were alive and are not any more, and were not replaced.
    pub(crate) deleted: usize,
}

/// Applies the changes of a batch in order. After an error the state is as before it or in part after it: it is not published.
pub(crate) fn apply(state: &mut State, slots: &mut Slots, changes: &Changes) -> Result<Counts, Error> {
    let mut counts = Counts::default();
    if let Changes::Clear = changes {
        counts.deleted = state.memtable.live() + state.index.as_ref().map_or(0, |index| index.info().count);
        (state.index, state.entries) = (None, Arc::default());
        state.memtable = Memtable::new(state.memtable.epoch.clone());
        slots.clear();
        state.sequence += 1;
        return Ok(counts);
    }
    let killed = kill_in_segments(state, slots, changes)?;
    let mut row = vec![0.0; state.settings.dim];
    for (number, change) in changes.each().enumerate() {
        let id = match &change {
            Change::Put { id, .. } | Change::Delete { id } | Change::Update { id, .. } => *id,
        };
        let before = slots.remove(id);
        before.iter().for_each(|&slot| state.memtable.kill(slot));
        let added = match change {
            Change::Put { vector, fields, .. } => {
                row.copy_from_slice(vector);
                check_row(&mut row, number, state.settings.metric)?;
                Some(state.memtable.push(id.clone(), &row, Arc::clone(fields))?)
            }
            Change::Update { row, .. } => {
                Some(state.memtable.push_coded(id.clone(), row, &state.settings)?)
            }
            Change::Delete { .. } => None,
        };
        match added {
            Some(slot) => {
                state.memtable.train(&state.settings)?;
                slots.insert(id.clone(), slot);
                counts.upserted += 1;
            }
            None => counts.deleted += usize::from(before.is_some()),
        }
        state.sequence += 1;
    }
    if let Changes::Delete(_) = changes {
        counts.deleted += killed;
    }
    Ok(counts)
}

/// Marks the rows of segments that have ids of the batch. Returns how many.
fn kill_in_segments(state: &mut State, slots: &Slots, changes: &Changes) -> Result<usize, Error> {
    let Some(index) = &state.index else { return Ok(0) };
    // A row that is alive in memory is dead in all segments.
    let ids: Vec<&Id> = changes.ids().filter(|id| !slots.contains_key(*id)).collect();
    let mut places: Vec<RowPlace> = find(index, &ids)?.into_iter().flatten().collect();
    sort::by(&mut places, Ord::cmp);
    places.dedup();
    if places.is_empty() {
        return Ok(0);
    }
    let mut changed = Vec::new();
    for places in places.chunk_by(|a, b| a.segment == b.segment) {
        let segment = places[0].segment as usize;
        let rows = index.segments()[segment].info.count;
        let left = RowSet::of(rows, places.iter().map(|place| place.position))?.complement()?;
        let left = match index.alive(segment) {
            Some(alive) => left.and(&alive)?,
            None => left,
        };
        changed.push((segment, SharedRows::new(left)));
    }
    state.index = Some(Arc::new(index.with_alive(changed)?));
    Ok(places.len())
}
