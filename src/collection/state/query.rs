//! Rows by the values of their fields: which match a filter, how many have each value, and pages of them. The indexes of the
//! segments answer together with the values of the rows in memory.

use std::sync::Arc;

use super::{Snapshot, columns};
use crate::error::Error;
use crate::id::Id;
use crate::payload::{Column, FieldColumn, FieldKind, FieldType, Filter, facet_type};
use crate::row_set::{RowSet, Selected};
use crate::search::{
    Facets, Key, Order, RowPage, RowPlace, RowsQuery, SearchOptions, Step, StoredRow, ValueCounts, View,
    stored,
};
use crate::storage::each_once;

/// Rows that are alive, and match a filter if there is one.
struct Matching {
    segments: Selected,
    memory: RowSet,
}

impl Snapshot {
    /// How many rows match a filter.
    ///
    /// # Errors
    /// `filter` for a field that no row has or that is not indexed, or an operand of another type; `io`, `checksum`, `corrupt`.
    pub fn count_matching(&self, filter: &Filter) -> Result<u64, Error> {
        let Matching { segments, memory } = self.select(Some(filter))?;
        let of = |(at, rows): (usize, &Option<_>)| {
            let rows: &Option<Arc<RowSet>> = rows;
            rows.as_ref().map_or(self.0.entries[at].rows as usize, |rows| rows.count())
        };
        let stored: usize = segments.iter().enumerate().map(of).sum();
        Ok((stored + memory.count()) as u64)
    }

    /// How many of the rows that match a filter (`None`: of all rows) have each value of a field: of the values that most rows have,
    /// at most `limit`. A row with several values counts for each. No stored field of a segment is read.
    ///
    /// # Errors
    /// As [`Snapshot::count_matching`]; `filter` for a field of points.
    pub fn facets(
        &self,
        field: &str,
        filter: impl Into<Option<Filter>>,
        limit: usize,
    ) -> Result<ValueCounts, Error> {
        let columns = self.columns()?;
        let kind = facet_type(field, self.kinds(&columns))?;
        let Matching { segments, memory } = self.select(filter.into().as_ref())?;
        let mut facets = None;
        if let Some(index) = &self.0.index {
            let rows: Vec<Option<&RowSet>> = segments.iter().map(|rows| rows.as_deref()).collect();
            index.step_views(|views| {
                let facets = facets.get_or_insert_with(|| Facets::of(views, field.to_owned(), kind, limit));
                let mut reads = Vec::new();
                facets.step(views, &rows, &mut reads)?;
                each_once(&mut reads);
                Ok(if reads.is_empty() { Step::Done(()) } else { Step::Need(reads) })
            })?;
        }
        let mut facets = facets.unwrap_or_else(|| Facets::of(&[], field.to_owned(), kind, limit));
        if let Some(column) = columns.iter().find(|column| &*column.name == field) {
            add_counts(column, &memory, &mut facets);
        }
        Ok(facets.finish())
    }

    /// A page of the rows that match a filter, as they are stored or sorted by a field. Rows of equal values stand as they are
    /// stored: in the order of the segments, then those in memory.
    ///
    /// # Errors
    /// As [`Snapshot::count_matching`]; `filter` for a field by which rows cannot be sorted.
    pub fn page(&self, query: &RowsQuery) -> Result<RowPage, Error> {
        let end = query.offset.saturating_add(query.limit);
        let places = self.places(query, end.saturating_add(1))?;
        let next = places.get(end).copied();
        let places: Vec<RowPlace> = places.into_iter().take(end).skip(query.offset).collect();
        Ok(RowPage { rows: self.rows_at(&places, query.vectors, query.fields)?, next })
    }

    /// The first `most` places of a query.
    fn places(&self, query: &RowsQuery, most: usize) -> Result<Vec<RowPlace>, Error> {
        let index = self.0.index.as_ref();
        let in_memory = |position| RowPlace { segment: self.segments() as u32, position };
        let Some(field) = &query.sort_by else {
            let Matching { segments, memory } = self.select(query.filter.as_ref())?;
            let places =
                index.map(|index| index.step_views(|views| Ok(Step::Done(stored(views, &segments, most)))));
            let mut places = places.transpose()?.unwrap_or_default();
            places.extend(memory.from(0).map(in_memory).take(most - places.len()));
            return Ok(places);
        };
        let columns = self.columns()?;
        let kind = facet_type(field, self.kinds(&columns))?;
        let Matching { segments, memory } = self.select(query.filter.as_ref())?;
        let column = columns.iter().find(|column| *column.name == **field);
        let begin = |views: &[View<'_>]| {
            let mut order = Order::new(views, &segments, (field, kind), query.descending, most)?;
            let (texts, pairs) = keys(column, kind);
            order.add(&memory, texts, pairs.into_iter());
            Ok(order)
        };
        let Some(index) = index else {
            return match begin(&[])?.step(&[])? {
                Step::Done(places) => Ok(places),
                Step::Need(_) => Err(Error::internal("rows in memory need to be read")),
            };
        };
        let mut order = None;
        index.step_views(|views| {
            let order = match &mut order {
                Some(order) => order,
                None => order.insert(begin(views)?),
            };
            order.step(views)
        })
    }

    /// The rows at these places.
    fn rows_at(&self, places: &[RowPlace], vectors: bool, fields: bool) -> Result<Vec<StoredRow>, Error> {
        let mut ids: Vec<Option<Id>> = vec![None; places.len()];
        for segment in 0..self.segments() as u32 {
            let of: Vec<usize> = (0..places.len()).filter(|&at| places[at].segment == segment).collect();
            if let Some(index) = self.0.index.as_ref().filter(|_| !of.is_empty()) {
                let positions: Vec<u32> = of.iter().map(|&at| places[at].position).collect();
                let found = index.ids_at(segment as usize, &positions)?.into_each();
                of.into_iter().zip(found).for_each(|(at, id)| ids[at] = Some(id));
            }
        }
        for (id, place) in ids.iter_mut().zip(places).filter(|(id, _)| id.is_none()) {
            let (chunk, row) = self.0.memtable.place(place.position);
            *id = Some(chunk.ids[row].clone());
        }
        let ids: Vec<Id> = ids.into_iter().flatten().collect();
        if !vectors && !fields {
            return Ok(ids.into_iter().map(|id| StoredRow::new(id, None, None)).collect());
        }
        let rows = self.get(&ids, vectors, fields)?;
        let all: Option<Vec<StoredRow>> = rows.into_iter().collect();
        all.ok_or_else(|| Error::internal("a row that was found is not there"))
    }

    fn segments(&self) -> usize {
        self.0.index.as_ref().map_or(0, |index| index.segments().len())
    }

    /// The rows that are alive and match. The fields of all rows are those of the segments and of memory.
    fn select(&self, filter: Option<&Filter>) -> Result<Matching, Error> {
        let (index, live) = (self.0.index.as_ref(), self.0.memtable.live_rows()?);
        let Some(filter) = filter else {
            let alive = |index: &Arc<crate::index::Index>| {
                (0..index.segments().len()).map(|at| index.alive(at)).collect::<Vec<_>>()
            };
            return Ok(Matching { segments: index.map(alive).unwrap_or_default().into(), memory: live });
        };
        let memory = live.and(&self.matching(filter)?)?;
        let mut options = SearchOptions::new(1).filter(filter.clone());
        options.filter_checked = true;
        let segments =
            index.map(|index| index.select(&options)).transpose()?.and_then(|options| options.rows);
        Ok(Matching { segments: segments.unwrap_or_default(), memory })
    }

    /// The rows in memory that match, dead ones too.
    pub(super) fn matching(&self, filter: &Filter) -> Result<RowSet, Error> {
        let columns = self.columns()?;
        filter.check(self.kinds(&columns))?;
        columns::matching(&columns, filter, self.0.memtable.count())
    }

    /// The values of the rows in memory.
    fn columns(&self) -> Result<Arc<[FieldColumn]>, Error> {
        self.0.columns.of(&self.0.memtable, &self.0.schema)
    }

    /// The fields of all rows, and whether they are indexed.
    fn kinds<'a>(&'a self, columns: &'a [FieldColumn]) -> impl Iterator<Item = (&'a str, FieldKind)> {
        let stored = self.0.index.iter().flat_map(|index| index.payload_fields());
        stored.chain(columns.iter().map(|column| (&*column.name, column.kind)))
    }
}

/// Counts the rows in memory of each value.
fn add_counts(column: &FieldColumn, rows: &RowSet, facets: &mut Facets) {
    let FieldKind::Indexed(from) = column.kind else { return };
    let count = |rows_of: &mut dyn Iterator<Item = u32>| rows_of.filter(|&row| rows.contains(row)).count();
    let mut add = |key: Key, count: usize| {
        if count > 0 {
            facets.add(key, from, count as u64);
        }
    };
    match &column.column {
        Column::Terms { texts, rows } => rows.chunk_by(|a, b| a.0 == b.0).for_each(|of| {
            let text = texts.get(of[0].0 as usize).cloned().unwrap_or_default();
            add(Key::Text(text), count(&mut of.iter().map(|pair| pair.1)));
        }),
        Column::Keys(keys) => keys.chunk_by(|a, b| a.0 == b.0).for_each(|of| {
            add(Key::Number(of[0].0), count(&mut of.iter().map(|pair| pair.1)));
        }),
        Column::Points(_) | Column::None => {}
    }
}

/// The keys of a column with their rows, as those of a field of this type, and the texts whose numbers they are.
fn keys(column: Option<&FieldColumn>, of: FieldType) -> (&[Box<str>], Vec<(u64, u32)>) {
    let Some(FieldColumn { column, kind, .. }) = column else { return (&[], Vec::new()) };
    let as_floats = of == FieldType::Float && *kind == FieldKind::Indexed(FieldType::Integer);
    let key = |key| if as_floats { crate::payload::as_float(key) } else { key };
    match column {
        Column::Keys(keys) => (&[], keys.iter().map(|&(of, row)| (key(of), row)).collect()),
        Column::Terms { texts, rows } => {
            (texts, rows.iter().map(|&(of, row)| (u64::from(of), row)).collect())
        }
        Column::Points(_) | Column::None => (&[], Vec::new()),
    }
}
