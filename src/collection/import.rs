//! Takes over the rows of an index.

use super::Collection;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Id;
use crate::index::Index;

/// Rows of a batch.
const BATCH: usize = 1000;

/// Rows of an index, as a collection takes them.
#[derive(Debug)]
pub struct IndexRows {
    /// Their ids.
    pub ids: Vec<Id>,
    /// Their vectors, row by row, decoded from the finest rows that the index has.
    pub vectors: Vec<f32>,
    /// The JSON of their fields; empty where the index has none.
    pub fields: Vec<String>,
}

impl IndexRows {
    /// Reads the rows at these positions of a segment, which must be alive.
    ///
    /// # Errors
    /// Those of [`Index::vector`]; `argument` for a position that is not there.
    pub fn read(index: &Index, segment: usize, positions: &[u32]) -> Result<Self, Error> {
        let ids = index.ids_at(segment, positions)?.into_each();
        let mut vectors = Vec::with_capacity(ids.len() * index.info().dim);
        for id in &ids {
            vectors.extend(index.vector(id)?);
        }
        let fields = match index.has_fields() {
            true => index.fields(&ids)?.into_iter().map(|one| one.unwrap_or_default().into()).collect(),
            false => Vec::new(),
        };
        Ok(IndexRows { ids, vectors, fields })
    }
}

impl Collection {
    /// Upserts all rows of an index that are alive, with their ids, fields and vectors: these are decoded from the finest rows that
    /// it has. Each batch of 1,000 rows is durable before the next. Returns how many rows there were.
    ///
    /// # Errors
    /// `argument` for an index of another metric or with ids of another kind, `dimension`; those of the index, and of
    /// [`Collection::upsert`]; `cancelled`.
    pub fn import(&self, index: &Index, ctx: &Ctx<'_>) -> Result<usize, Error> {
        let (own, other) = (self.shared.settings.metric, index.info().metric);
        if own != other {
            let detail = format!("the index has {}, the collection {}", other.name(), own.name());
            return Err(Error::argument("metric", format!("{detail}: create a collection with its metric")));
        }
        let total = index.info().count;
        let mut done = 0;
        for (segment, facts) in index.segments().iter().enumerate() {
            let rows = facts.info.count;
            let alive = index.alive(segment);
            let live = |&at: &u32| alive.as_ref().is_none_or(|alive| alive.contains(at));
            let live: Vec<u32> = (0..rows as u32).filter(live).collect();
            for page in live.chunks(BATCH) {
                let IndexRows { ids, vectors, fields } = IndexRows::read(index, segment, page)?;
                self.upsert_matrix(ids, vectors, fields, None)?;
                done += page.len();
                ctx.tick("import", done, total)?;
            }
        }
        Ok(done)
    }
}
