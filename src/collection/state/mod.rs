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
//! | `rows` | rows by their ids, and all ids |
//! | `query` | rows by their fields: counts, facets, pages |

pub(crate) mod apply;
pub(crate) mod columns;
pub(crate) mod epoch;
pub(crate) mod memtable;
mod metered;
mod query;
mod rows;
pub(crate) mod scan;

use std::sync::Arc;

use crate::collection::files::manifest::SegmentEntry;
use crate::collection::options::Settings;
use crate::collection::state::memtable::Memtable;
use crate::error::Error;
use crate::id::Id;
use crate::index::Index;
use crate::payload::Schema;
use crate::pressure::Meter;
use crate::search::{Answer, Hit, SearchOptions, SegmentStats, check_queries};
use crate::sort;
use columns::Columns;
use rows::{NO_FIELDS, fields_of};
use scan::Scanned;

/// See the head of this file.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    /// By which the types of fields are declared, or inferred.
    pub(crate) schema: Arc<Schema>,
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
