//! Fields of rows: changed without their vectors, and counted, grouped and sorted by.

use js_sys::Array;
use pagevec::{Filter, Request};
use wasm_bindgen::prelude::*;

use super::CollectionJs;
use super::request::{self, parse};
use super::results::{self, to_js};
use crate::convert::filter_of;
use crate::facets::facets_to_js;

#[wasm_bindgen(js_class = Collection)]
impl CollectionJs {
    /// Changes the fields of rows that are there. `fields` has a JSON object for each id: what it names takes the place of the row's,
    /// `null` removes it. Returns JSON: `{ sequence, updated, missing, applied }`; see `upsert` for requests.
    pub fn update(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float64Array | readonly (string | number)[]")] ids: &JsValue,
        fields: Array,
        client: u64,
        request: u64,
    ) -> Result<String, JsValue> {
        let request = Some(Request { client, number: request });
        let (ids, fields) = (request::ids(ids)?, request::fields(Some(fields)));
        let updated = self.core()?.update(ids, fields, request).map_err(to_js)?;
        Ok(results::updated(&updated))
    }

    /// How many rows match a filter, which is JSON; without one all.
    pub fn count_matching(&self, filter: Option<String>) -> Result<f64, JsValue> {
        let filter = filter_of(filter)?.unwrap_or_else(Filter::all);
        Ok(self.core()?.count_matching(&filter).map_err(to_js)? as f64)
    }

    /// The rows of each value of a field, as `takeFacets` of the module that searches.
    pub fn facets(&self, field: &str, filter: Option<String>, limit: usize) -> Result<JsValue, JsValue> {
        let facets = self.core()?.facets(field, filter_of(filter)?, limit).map_err(to_js)?;
        Ok(facets_to_js(&facets))
    }

    /// The ids of a page of rows, as a JSON array. The query is JSON: `{ filter, sortBy, descending, offset, limit }`.
    pub fn page(&self, query: &str) -> Result<String, JsValue> {
        let page = self.core()?.page(&parse("query", query)?.to_page()?).map_err(to_js)?;
        Ok(results::ids(page.rows.iter().map(|row| &row.id)))
    }
}
