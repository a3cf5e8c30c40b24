//! What a build reads: the rows, their ids and fields, and the queries to tune by.

use super::Build;
use super::base::Base;
use crate::commands::arguments::read_schema;
use crate::failure::Failure;
use crate::input;
use crate::input::fields::{Spooled, Store};
use crate::input::ids::{self, IdsType};
use crate::input::payload;
use crate::input::rows::Rows;
use crate::progress::Progress;
use pagevec::{Fields, Ids, Schema};
use std::path::Path;

/// Tuning queries that are read; a build uses no more.
const TUNING: usize = 256;

impl Build {
    pub(super) fn schema(&self) -> Result<Schema, Failure> {
        self.schema.as_deref().map_or_else(|| Ok(Schema::default()), read_schema)
    }

    /// The column of the vectors, which only Parquet has.
    pub(super) fn column_of_input(&self, column: &str) -> Result<String, Failure> {
        match input::is_parquet(&self.input) {
            true => Ok(column.to_owned()),
            false => {
                let why =
                    "only .parquet has columns; other inputs are vectors, or lines with a field \"vector\"";
                Err(Failure::usage(format!("--vector-column {column}: {why}")))
            }
        }
    }

    /// The fields that the rows get, if some have any.
    pub(super) fn fields(
        &self,
        input: &mut Rows,
        schema: &Schema,
        store: &mut Store,
        there: &Path,
        progress: &Progress,
    ) -> Result<Option<Fields>, Failure> {
        let own = input.fields.take();
        let all = match &self.payload {
            None => own,
            Some(path) => {
                let rows = payload::Rows { count: input.count(), total: input.total, own };
                Some(payload::read(path, &rows, schema, store, there, progress)?)
            }
        };
        store.check()?;
        Ok(all.and_then(Spooled::into_fields))
    }

    pub(super) fn read(
        &self,
        there: &Path,
        base: Option<&Base>,
        store: &mut Store,
        progress: &Progress,
    ) -> Result<(Rows, Option<Ids>), Failure> {
        let limit = self.limit.map_or(usize::MAX, |n| n as usize);
        let mut rows = Rows::open(&self.input, limit, store, there, progress)?;
        let own = rows.ids.take();
        let ids = match (&self.ids, &self.id_field) {
            (Some(path), _) if own.is_some() => return Err(ids_twice(&format!("--ids {}", path.display()))),
            (_, Some(name)) if own.is_some() => return Err(ids_twice(&format!("--id-field {name}"))),
            (Some(path), _) => {
                let kind = self.ids_type.or(base.map(Base::ids_type)).unwrap_or(IdsType::Text);
                Some(ids::read(path, kind, rows.count(), rows.total)?)
            }
            (None, Some(name)) if rows.fields.is_none() && self.payload.is_none() => {
                let why = "the input has vectors alone; --payload FILE brings fields";
                return Err(Failure::usage(format!("--id-field {name}: {why}")));
            }
            (None, _) => own,
        };
        Ok((rows, ids))
    }

    /// The ids that `--id-field` has taken.
    pub(super) fn ids_of_field(&self, store: &mut Store) -> Result<Option<Ids>, Failure> {
        let path = self.payload.as_ref().unwrap_or(&self.input);
        store.id_field.take().map_or(Ok(None), |field| field.finish(path))
    }

    pub(super) fn queries(&self, dim: usize, progress: &Progress) -> Result<Vec<f32>, Failure> {
        let Some(path) = &self.tuning_queries else { return Ok(Vec::new()) };
        let queries = input::vectors(path, TUNING, progress)?;
        match queries.dim == dim {
            true => Ok(queries.data),
            false => Err(Failure::usage(format!(
                "--tuning-queries {}: its vectors have {} components, the input's {dim}",
                path.display(),
                queries.dim
            ))),
        }
    }
}

fn ids_twice(option: &str) -> Failure {
    Failure::usage(format!("{option}: the lines of the input have ids already"))
}
