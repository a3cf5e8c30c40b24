//! What a collection does with the fields of its rows: it changes them, and counts, groups and sorts rows by them.

use super::Collection;
use super::wal::Request;
use super::write::update::{Updated, Updates};
use crate::error::Error;
use crate::id::Id;
use crate::payload::{Filter, Schema};
use crate::search::{RowPage, RowsQuery, ValueCounts};

impl Collection {
    /// Changes the fields of rows that are there; their vectors stay as they are stored, bit for bit. `fields` has a JSON object for each
    /// id: each of its members takes the place of the row's member of that name, one that is `null` removes it, and all others stay.
    /// Of an id that comes twice both changes are made, in order. All rows that are there are changed, or none;
    /// [`Updated::missing`] names the ids that no row has, for which nothing is done. A `request` that is written again is not
    /// applied again.
    ///
    /// ```
    /// use pagevec::{Collection, CollectionOptions, Id, MemoryDir, NewRow};
    ///
    /// let notes = Collection::open_in(MemoryDir::default(), "notes", &CollectionOptions::new(1))?;
    /// notes.upsert(&[NewRow::new("a", &[1.0]).fields(r#"{"title":"North","draft":true}"#)])?;
    /// let change = r#"{"draft":null,"stars":3}"#.to_owned();
    /// let updated = notes.update(vec![Id::from("a"), Id::from("b")], vec![change.clone(), change], None)?;
    /// assert_eq!((updated.updated, updated.missing), (1, vec![Id::from("b")]));
    /// let row = notes.snapshot().get(&[Id::from("a")], false, true)?.remove(0);
    /// assert_eq!(row.unwrap().fields.as_deref(), Some(r#"{"title":"North","stars":3}"#));
    /// # Ok::<(), pagevec::Error>(())
    /// ```
    ///
    /// # Errors
    /// `argument` and `field`, which name the row: then nothing is changed; `io`: then the collection must be opened again.
    pub fn update(
        &self,
        ids: Vec<Id>,
        fields: Vec<String>,
        request: Option<Request>,
    ) -> Result<Updated, Error> {
        let updates = Updates::new(ids, fields, &self.snapshot().0.schema)?;
        self.shared.update(&updates, request)
    }

    /// The types of fields that it was created with; `None`: they are inferred.
    pub fn schema(&self) -> Option<Schema> {
        let schema = Schema::clone(&self.snapshot().0.schema);
        (!schema.infers()).then_some(schema)
    }

    /// See [`Snapshot::count_matching`](super::Snapshot::count_matching).
    ///
    /// # Errors
    /// As there.
    pub fn count_matching(&self, filter: &Filter) -> Result<u64, Error> {
        self.snapshot().count_matching(filter)
    }

    /// See [`Snapshot::facets`](super::Snapshot::facets).
    ///
    /// # Errors
    /// As there.
    pub fn facets(
        &self,
        field: &str,
        filter: impl Into<Option<Filter>>,
        limit: usize,
    ) -> Result<ValueCounts, Error> {
        self.snapshot().facets(field, filter, limit)
    }

    /// See [`Snapshot::page`](super::Snapshot::page).
    ///
    /// # Errors
    /// As there.
    pub fn page(&self, query: &RowsQuery) -> Result<RowPage, Error> {
        self.snapshot().page(query)
    }
}
