//! Pages of the rows that match a filter, in the order in which they are stored or in that of the values of a field.

use super::kinds;
use super::sorted::{Order, stored};
use crate::error::Error;
use crate::payload::{FieldType, Filter, facet_type};
use crate::row_set::Selected;
use crate::search::fields::ahead;
use crate::search::rows::{RowPage, RowReads};
use crate::search::scratch::Scratch;
use crate::search::select::Selection;
use crate::search::step::Step;
use crate::search::view::View;
use crate::storage::each_once;

/// Which rows that match are wanted, and what of them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RowsQuery {
    /// Only rows that match; `None`: all.
    pub filter: Option<Filter>,
    /// The indexed field by whose values they are sorted, texts by their bytes; any but points. `None`: they come as they are
    /// stored.
    pub sort_by: Option<String>,
    /// From the greatest value on.
    pub descending: bool,
    /// So many rows are left out.
    pub offset: usize,
    /// Then so many are read, at most.
    pub limit: usize,
    /// Whether rows have their vector.
    pub vectors: bool,
    /// Whether rows have their stored fields.
    pub fields: bool,
}

setters!(RowsQuery {
    filter: impl Into<Option<Filter>>,
    sort_by: impl Into<Option<String>>,
    descending: bool,
    offset: usize,
    vectors: bool,
    fields: bool,
});

impl RowsQuery {
    /// The first so many rows.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        RowsQuery { limit, ..RowsQuery::default() }
    }
}

/// A page under way.
pub(crate) struct Page {
    query: RowsQuery,
    selection: Selection,
    rows: Option<Selected>,
    /// Of a page that is sorted: the type of the field, and the order as far as it is known.
    kind: FieldType,
    order: Option<Order>,
    reads: Option<RowReads>,
}

impl Page {
    /// Checks the arguments; reads nothing.
    ///
    /// # Errors
    /// `filter`, of a filter or of a field by which rows cannot be sorted.
    pub(in crate::search) fn new(views: &[View<'_>], mut query: RowsQuery) -> Result<Self, Error> {
        let selection = Selection::by(views, query.filter.take())?;
        let kind = query.sort_by.as_ref().map(|name| facet_type(name, kinds(views))).transpose()?;
        let kind = kind.unwrap_or(FieldType::Integer);
        Ok(Page { query, selection, rows: None, kind, order: None, reads: None })
    }

    /// Goes as far as the available bytes allow.
    pub(in crate::search) fn step(
        &mut self,
        views: &[View<'_>],
        scratch: &mut Scratch,
    ) -> Result<Step<RowPage>, Error> {
        if let Some(reads) = &mut self.reads {
            return reads.step(views, scratch);
        }
        let rows = match &self.rows {
            Some(rows) => rows,
            None => match self.selection.step(views, scratch)? {
                Step::Need(reads) => return Ok(Step::Need(reads)),
                Step::Done(rows) => self.rows.insert(rows),
            },
        };
        let end = self.query.offset.saturating_add(self.query.limit);
        let places = match &self.query.sort_by {
            None => stored(views, rows, end.saturating_add(1)),
            Some(field) => {
                let (most, down) = (end.saturating_add(1), self.query.descending);
                let order = match &mut self.order {
                    Some(order) => order,
                    None => self.order.insert(Order::new(views, rows, (field, self.kind), down, most)?),
                };
                match order.step(views)? {
                    Step::Need(mut reads) => {
                        if self.query.fields {
                            let none = || std::iter::empty();
                            views.iter().try_for_each(|view| ahead(view, &mut none(), &mut reads))?;
                            each_once(&mut reads);
                        }
                        return Ok(Step::Need(reads));
                    }
                    Step::Done(places) => places,
                }
            }
        };
        let next = places.get(end).copied();
        let page = places.into_iter().take(end).skip(self.query.offset).collect();
        let reads = RowReads::new((page, next), self.query.vectors, self.query.fields);
        self.reads.insert(reads).step(views, scratch)
    }

    /// The bytes that it has allocated.
    pub(in crate::search) fn bytes(&self) -> u64 {
        let order = self.order.as_ref().map_or(0, Order::bytes);
        self.selection.bytes() + order + self.reads.as_ref().map_or(0, RowReads::bytes)
    }
}
