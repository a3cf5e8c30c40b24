//! What a reader sees: the segments with their live rows, and the rows in memory. A state never changes; a writer publishes the
//! next one.
//!
//! | file | duty |
//! |---|---|
//! | `memtable` | the rows in memory |
//! | `epoch` | the codecs of all rows |
//! | `apply` | what a batch does to a state |
//! | `scan` | searches the rows in memory |
//! | `columns` | the values of their fields, for filters |

pub(crate) mod apply;
pub(crate) mod columns;
pub(crate) mod epoch;
pub(crate) mod memtable;
mod metered;
pub(crate) mod scan;

use std::sync::Arc;

use crate::collection::files::manifest::SegmentEntry;
use crate::collection::files::segments::find;
use crate::collection::options::Settings;
use crate::collection::state::memtable::Memtable;
use crate::error::Error;
use crate::id::Id;
use crate::index::Index;
use crate::payload::{Filter, Schema};
use crate::pressure::Meter;
use crate::row_set::RowSet;
use crate::search::{Answer, Hit, SearchOptions, SegmentStats, StoredRow, check_queries};
use crate::sort;
use columns::Columns;
use scan::Scanned;

/// See the head of this file.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    /// The segments; `None` if there are none.
    pub(crate) index: Option<Arc<Index>>,
    /// Their entries in the manifest, in order; which rows are dead is in the index.
    pub(crate) entries: Arc<[SegmentEntry]>,
    pub(crate) memtable: Memtable,
    /// Of the memtable.
    pub(crate) columns: Columns,
    pub(crate) meter: Meter,
    /// Operations that this state has seen.
    pub(crate) sequence: u64,
}

/// A collection as it was at one moment. Writes that come later do not change it.
#[derive(Clone)]
pub struct Snapshot(pub(crate) Arc<State>);

/// The fields of a row that has none.
const NO_FIELDS: &str = "{}";

impl State {
    /// Live rows that are in memory or in a segment without a graph: every search scans them.
    pub(crate) fn unindexed(&self) -> usize {
        let flushed = self.entries.iter().enumerate().filter(|(_, entry)| !entry.merged);
        self.memtable.live() + flushed.map(|(at, entry)| self.live(at, entry)).sum::<usize>()
    }

    /// Live rows of the segment `at`.
    pub(crate) fn live(&self, at: usize, entry: &SegmentEntry) -> usize {
        let alive = self.index.as_ref().and_then(|index| index.alive(at));
        alive.map_or(entry.rows as usize, |alive| alive.count())
    }

    /// Whether the ids of its rows are texts, of rows that are dead too; `None` if there are none.
    pub(crate) fn text_ids(&self) -> Option<bool> {
        let stored = self.index.as_ref().map(|index| index.info().ids == "text");
        let written = || self.memtable.chunks.first()?.ids.first();
        stored.or_else(|| written().map(|id| matches!(id, Id::Text(_))))
    }
}

impl Snapshot {
    /// Operations that were written before it.
    pub fn sequence(&self) -> u64 {
        self.0.sequence
    }

    /// Live rows.
    pub fn count(&self) -> usize {
        self.0.index.as_ref().map_or(0, |index| index.info().count) + self.0.memtable.live()
    }

    /// The rows nearest to `query`: `Hit::segment` of a row in memory is one behind the last segment.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn search(&self, query: &[f32], options: &SearchOptions) -> Result<Answer, Error> {
        if query.len() != self.0.settings.dim {
            return Err(Error::Dimension { expected: self.0.settings.dim, got: query.len() });
        }
        let mut answers = self.search_batch(query, options)?;
        answers.pop().ok_or_else(|| Error::internal("a search gave no answer"))
    }

    /// See [`Snapshot::search_batch`].
    pub(super) fn answers(&self, queries: &[f32], options: &SearchOptions) -> Result<Vec<Answer>, Error> {
        let Settings { dim, metric, .. } = self.0.settings;
        if !queries.len().is_multiple_of(dim) {
            return Err(Error::Dimension { expected: dim, got: queries.len() % dim });
        }
        options.check()?;
        let (allowed, of_segments) = self.divide(options)?;
        let mut answers = match &self.0.index {
            Some(index) if queries.len() == dim => vec![index.search(queries, &of_segments)?],
            Some(index) => index.search_batch(queries, &of_segments)?,
            None => queries.chunks_exact(dim).map(|_| Answer::default()).collect(),
        };
        // The index has checked them; a scan needs them scaled.
        if self.0.memtable.live() > 0 || self.0.index.is_none() {
            let segment = self.0.index.as_ref().map_or(0, |index| index.segments().len()) as u32;
            let mut checked = queries.to_vec();
            check_queries(&mut checked, dim, metric)?;
            let found = scan::scan(&self.0.memtable, metric, &checked, dim, options.k, allowed.as_deref());
            for (answer, found) in answers.iter_mut().zip(found) {
                self.join(answer, found, segment, options);
            }
        }
        if options.fields {
            answers.iter_mut().flat_map(|answer| &mut answer.hits).for_each(|hit| {
                hit.fields.get_or_insert_with(|| NO_FIELDS.into());
            });
        }
        Ok(answers)
    }

    /// The rows nearest to the vector of `id`, without the row itself.
    ///
    /// # Errors
    /// `unknown-id`; those of [`Snapshot::search`].
    pub fn similar(&self, id: &Id, options: &SearchOptions) -> Result<Answer, Error> {
        let vector = self.vector(id)?;
        let mut options = options.clone();
        options.exclude.push(id.clone());
        self.search(&vector, &options)
    }

    /// The stored vector of `id`.
    ///
    /// # Errors
    /// `unknown-id`; those of [`Index::vector`].
    pub fn vector(&self, id: &Id) -> Result<Vec<f32>, Error> {
        let row = self.get(std::slice::from_ref(id), true, false)?.pop().flatten();
        let vector = row.and_then(|row| row.vector);
        vector.ok_or_else(|| Error::UnknownId { id: id.to_string(), others: 0 })
    }

    /// Whether a live row has this id.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn has(&self, id: &Id) -> Result<bool, Error> {
        Ok(self.get(std::slice::from_ref(id), false, false)?.iter().any(Option::is_some))
    }

    /// The rows with these ids, with what is wanted of each; `None` for an id that no row has.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn get(&self, ids: &[Id], vectors: bool, fields: bool) -> Result<Vec<Option<StoredRow>>, Error> {
        let slots = scan::find(&self.0.memtable, ids);
        let row = |slot: Option<u32>| slot.map(|slot| self.row(slot, vectors, fields));
        let mut rows: Vec<Option<StoredRow>> = slots.into_iter().map(row).collect();
        let left: Vec<usize> = (0..ids.len()).filter(|&at| rows[at].is_none()).collect();
        let Some(index) = self.0.index.as_deref().filter(|_| !left.is_empty()) else { return Ok(rows) };
        let wanted: Vec<Id> = left.iter().map(|&at| ids[at].clone()).collect();
        let places = find(index, &wanted.iter().collect::<Vec<_>>())?;
        let stored = match fields && index.has_fields() {
            true => index.fields(&wanted)?,
            false => vec![None; wanted.len()],
        };
        for (((at, id), place), stored) in left.into_iter().zip(wanted).zip(places).zip(stored) {
            if place.is_none() {
                continue;
            }
            let vector = vectors.then(|| index.vector(&id)).transpose()?;
            let fields = fields.then(|| stored.unwrap_or_else(|| NO_FIELDS.into()));
            rows[at] = Some(StoredRow::new(id, vector, fields));
        }
        Ok(rows)
    }

    /// The ids of live rows in the order in which they are stored: at most `limit` of them, from row `from` on, dead rows
    /// counted; and the row to go on from, `None` at the end. Segments that are merged between two calls change the order:
    /// take all pages of one snapshot.
    ///
    /// # Errors
    /// `io`, `checksum`, `corrupt`.
    pub fn ids(&self, from: u64, limit: usize) -> Result<(Vec<Id>, Option<u64>), Error> {
        let (mut ids, mut first) = (Vec::new(), 0u64);
        let segments = self.0.index.as_deref().map(|index| (index, index.segments()));
        for (number, facts) in segments.iter().flat_map(|(_, facts)| facts.iter().enumerate()) {
            let (count, index) = (facts.info.count as u64, segments.as_ref().map(|segments| segments.0));
            let start = from.max(first).min(first + count);
            let alive = index.and_then(|index| index.alive(number));
            let live = (start - first..count).map(|position| position as u32);
            let wanted = limit - ids.len();
            let live: Vec<u32> =
                live.filter(|&p| alive.as_ref().is_none_or(|rows| rows.contains(p))).take(wanted).collect();
            if let (Some(index), Some(&last)) = (index, live.last()) {
                ids.extend(index.ids_at(number, &live)?.into_each());
                if ids.len() == limit {
                    return Ok((ids, Some(first + u64::from(last) + 1)));
                }
            }
            first += count;
        }
        let memtable = &self.0.memtable;
        for slot in from.saturating_sub(first) as usize..memtable.count() {
            let (chunk, row) = memtable.place(slot as u32);
            if chunk.is_live(row) {
                ids.push(chunk.ids[row].clone());
            }
            if ids.len() == limit {
                return Ok((ids, Some(first + slot as u64 + 1)));
            }
        }
        Ok((ids, None))
    }

    /// A row in memory.
    fn row(&self, slot: u32, vectors: bool, fields: bool) -> StoredRow {
        let memtable = &self.0.memtable;
        let (chunk, row) = memtable.place(slot);
        let decode = |stage: usize| {
            let mut vector = vec![0.0; self.0.settings.dim];
            let finest = &memtable.epoch.0[stage];
            finest.codec.decode(chunk.code(stage, row, finest.stride), &mut vector);
            vector
        };
        let fields = fields.then(|| fields_of(&chunk.fields[row]));
        let vector = vectors.then(|| decode(memtable.epoch.0.len() - 1));
        StoredRow::new(chunk.ids[row].clone(), vector, fields)
    }

    /// The rows in memory that match, dead ones too. The fields of all rows are those of the segments and of memory.
    fn matching(&self, filter: &Filter) -> Result<RowSet, Error> {
        let columns = self.0.columns.of(&self.0.memtable, &Schema::of_parts())?;
        let stored = self.0.index.iter().flat_map(|index| index.payload_fields());
        filter.check(stored.chain(columns.iter().map(|column| (&*column.name, column.kind))))?;
        columns::matching(&columns, filter, self.0.memtable.count())
    }

    /// Which rows in memory may be hits by `exclude`, `among` and `filter` (`None`: all), and the options with the ids that are
    /// left for the segments.
    fn divide(&self, options: &SearchOptions) -> Result<(Option<Vec<bool>>, SearchOptions), Error> {
        let mut left = options.clone();
        left.where_built = true;
        left.fields &= self.0.index.as_ref().is_some_and(|index| index.has_fields());
        if options.exclude.is_empty() && options.among.is_none() && options.filter.is_none() {
            return Ok((None, left));
        }
        let memtable = &self.0.memtable;
        let matching = options.filter.as_ref().map(|filter| self.matching(filter)).transpose()?;
        left.filter_checked = true;
        let mut allowed = vec![options.among.is_none(); memtable.count()];
        let mut divide = |ids: &[Id], allow: bool| -> Vec<Id> {
            let slots = scan::find(memtable, ids);
            slots.iter().flatten().for_each(|&slot| allowed[slot as usize] = allow);
            ids.iter().zip(slots).filter(|(_, slot)| slot.is_none()).map(|(id, _)| id.clone()).collect()
        };
        left.among = options.among.as_deref().map(|ids| divide(ids, true));
        left.exclude = divide(&options.exclude, false);
        if let Some(matching) = matching {
            (0..).zip(&mut allowed).for_each(|(slot, allowed)| *allowed &= matching.contains(slot));
        }
        let mut unknown = left.among.iter().flatten().chain(&left.exclude);
        match unknown.next().filter(|_| self.0.index.is_none()) {
            Some(id) => Err(Error::UnknownId { id: id.to_string(), others: unknown.count() }),
            None => Ok((Some(allowed), left)),
        }
    }

    /// Adds the rows in memory to the hits of the segments: of equal scores those of segments come first.
    fn join(&self, answer: &mut Answer, found: Scanned, segment: u32, options: &SearchOptions) {
        let hits = found.hits.into_iter().map(|(score, slot)| {
            let (chunk, row) = self.0.memtable.place(slot);
            let fields = options.fields.then(|| fields_of(&chunk.fields[row]));
            Hit { segment, position: slot, id: chunk.ids[row].clone(), score, fields }
        });
        answer.hits.extend(hits);
        sort::by(&mut answer.hits, |a, b| {
            b.score.total_cmp(&a.score).then((a.segment, a.position).cmp(&(b.segment, b.position)))
        });
        answer.hits.truncate(options.k);
        let scanned = SegmentStats { index: "flat", distances: found.distances, rescored: found.rescored };
        answer.add(scanned);
    }
}

fn fields_of(fields: &str) -> Box<str> {
    if fields.is_empty() { NO_FIELDS.into() } else { fields.into() }
}
