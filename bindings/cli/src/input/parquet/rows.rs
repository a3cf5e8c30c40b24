//! Rows out of Parquet: the vectors are a column of lists of floats, the other columns are fields.

use super::{Record, Table};
use crate::failure::Failure;
use crate::input::fields::Store;
use crate::input::json_row::{LineId, Row};
use crate::input::jsonl::{Lines, Take};
use crate::progress::Progress;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use std::path::Path;

/// Reads at most `limit` rows of a file and hands each to `take`. `store.vectors` names the column of the vectors.
pub(in crate::input) fn open(
    path: &Path,
    limit: usize,
    store: &mut Store,
    progress: &Progress,
    take: &mut Take<'_>,
) -> Result<Lines, Failure> {
    let column = store.vectors.clone();
    let mut names = Vec::new();
    let mut table = Table::open(path, &mut |name| {
        if name == column {
            return true;
        }
        names.push(name.to_owned());
        name == "id" || store.is_id(name) || store.takes(name)
    })?;
    let total = table.count;
    if !table.has(&column) {
        let others = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let why = format!(
            "no column {column:?} (others: {others}): --vector-column names the one that holds the vectors"
        );
        return Err(Failure::input(path, why));
    }
    table.vectors = Some(column.clone());
    let mut lines = Lines { dim: 0, rows: 0, total: Some(total), ids: None };
    let id_name = store.id_of_lines().map(|field| field.name.clone());
    table.rows(limit, &mut |Record { mut fields, vector }| {
        let at = lines.rows;
        let fault = |why: String| Failure::input(path, format!("row {at}: {why}"));
        let others: Vec<String> = fields.keys().filter(|&name| name != "id").cloned().collect();
        let named = id_name.as_ref().and_then(|name| fields.get(name)).cloned();
        let id = fields.shift_remove("id").filter(|_| id_name.as_deref() != Some("id"));
        let id = id.map(serde_json::from_value::<LineId>);
        let id = id.transpose().map_err(|error| fault(error.to_string()))?;
        fields.retain(|name, _| store.takes(name));
        if vector.len() != lines.dim && lines.rows > 0 {
            let (dim, count) = (lines.dim, vector.len());
            let why = format!("column {column:?}: {count} components where the first row has {dim}");
            return Err(Failure::input(path, format!("row {at}, {why}")));
        }
        let row = Row { id, vector, fields, named, others };
        let (vector, fields) = lines.add(row, store).map_err(fault)?;
        take(&vector, &fields)?;
        progress.tick("read", lines.rows as u64, total.min(limit) as u64);
        Ok(())
    })?;
    match lines.rows {
        0 => Err(Failure::input(path, "no row, so no vector")),
        _ => Ok(lines),
    }
}

/// The vector of a row. The error says what is wrong with it.
pub(super) fn vector(array: &ArrayRef, row: usize) -> Result<Vec<f32>, String> {
    let items = match array.data_type() {
        _ if array.is_null(row) => return Err("no vector: it is null; remove the row".to_owned()),
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
        other => return Err(no_vectors(other)),
    };
    if let Some(at) = (0..items.len()).find(|&at| items.is_null(at)) {
        return Err(format!("component {at} is null: remove or repair the row"));
    }
    let values: Vec<f32> = match items.data_type() {
        DataType::Float16 => {
            items.as_primitive::<Float16Type>().values().iter().map(|x| x.to_f32()).collect()
        }
        DataType::Float32 => items.as_primitive::<Float32Type>().values().to_vec(),
        DataType::Float64 => items.as_primitive::<Float64Type>().values().iter().map(|&x| x as f32).collect(),
        _ => return Err(no_vectors(array.data_type())),
    };
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(values),
        Some(at) => Err(format!("component {at} is not finite in f32: remove or repair the row")),
    }
}

fn no_vectors(found: &DataType) -> String {
    format!(
        "a list of float16, float32 or float64 is wanted, and it is {found}: --vector-column names another"
    )
}
