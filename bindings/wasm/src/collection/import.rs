//! The rows of a segment file that JS holds, for collections that take them.

use js_sys::{Array, Float32Array, Float64Array, Object};
use pagevec::{Id, Index, IndexRows, OpenOptions, PositionSet};
use wasm_bindgen::prelude::*;

use super::dir::{Input, JsInput};
use super::results::{index_facts, to_js};
use crate::convert::{bytes_of_hex, set};

/// A segment file whose rows are read.
#[wasm_bindgen(js_name = SegmentRows)]
pub struct SegmentRowsJs {
    index: Index,
    /// Rows that the index has no more.
    dead: Option<PositionSet>,
}

#[wasm_bindgen(js_class = SegmentRows)]
impl SegmentRowsJs {
    /// `dead` are the bytes of its file of dead rows.
    pub fn open(input: JsInput, dead: Option<Vec<u8>>) -> Result<SegmentRowsJs, JsValue> {
        let index = Index::from_reader(Input(input), &OpenOptions::new()).map_err(to_js)?;
        let (rows, file_id) = (index.info().count, bytes_of_hex(&index.info().file_id));
        let dead =
            dead.map(|bytes| PositionSet::decode(&bytes, rows, &file_id, 0)).transpose().map_err(to_js)?;
        Ok(SegmentRowsJs { index, dead })
    }

    /// JSON: `{ count, dim, metric }`, of all rows.
    pub fn facts(&self) -> Result<String, JsValue> {
        Ok(index_facts(self.index.info()))
    }

    /// Live rows from a position on, at most `limit`: `{ ids, vectors, fields, next }`, with JSON or `null` in `fields`, and `next` to
    /// go on from, which is the number of all rows at the end.
    pub fn rows(&self, from: u32, limit: usize) -> Result<JsValue, JsValue> {
        let alive = |at: &u32| self.dead.as_ref().is_none_or(|dead| !dead.contains(*at));
        let count = self.index.info().count as u32;
        let positions: Vec<u32> = (from..count).filter(alive).take(limit).collect();
        let next =
            if positions.len() < limit { count } else { positions.last().map_or(count, |last| last + 1) };
        let IndexRows { ids, vectors, fields } =
            IndexRows::read(&self.index, 0, &positions).map_err(to_js)?;
        let js = Object::new();
        set(&js, "ids", ids_to_js(&ids));
        set(&js, "vectors", Float32Array::from(vectors.as_slice()));
        let or_null = |fields: &String| if fields.is_empty() { JsValue::NULL } else { fields.into() };
        set(&js, "fields", fields.iter().map(or_null).collect::<Array>());
        set(&js, "next", next);
        Ok(js.into())
    }
}

/// A Float64Array, or an array of strings.
fn ids_to_js(ids: &[Id]) -> JsValue {
    let number = |id: &Id| if let Id::Number(number) = id { Some(*number as f64) } else { None };
    match ids.iter().map(number).collect::<Option<Vec<f64>>>() {
        Some(numbers) => Float64Array::from(numbers.as_slice()).into(),
        None => {
            let text = |id: &Id| if let Id::Text(text) = id { text.into() } else { JsValue::NULL };
            ids.iter().map(text).collect::<Array>().into()
        }
    }
}
