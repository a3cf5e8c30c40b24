//! What the module without filters leaves out: reading filters, the rows of each value of a field, and pages of sorted rows.

use pagevec::{Operation, Outcome, RowsQuery};
use wasm_bindgen::prelude::*;

use crate::convert::{filter_of, internal, to_js};
use crate::facets::facets_to_js;
use crate::reader::Reader;

#[wasm_bindgen]
impl Reader {
    /// Begins to count the rows of each value of a field; at most `limit` values are listed. Returns its ticket.
    #[wasm_bindgen(js_name = beginFacets)]
    pub fn begin_facets(
        &mut self,
        field: String,
        filter: Option<String>,
        limit: u32,
    ) -> Result<u32, JsValue> {
        let (filter, limit) = (filter_of(filter)?, limit as usize);
        self.session.begin(Operation::Facets { field, filter, limit }).map_err(to_js)
    }

    /// Begins to read at most `count` of the rows that match, after the first `offset` of them: sorted by a field, or as they
    /// are stored. `numbers` are `[offset, count, descending, vectors, fields]`, the last three 1 or 0. Returns its ticket; its
    /// outcome is taken as that of `beginRows`.
    #[wasm_bindgen(js_name = beginPage)]
    pub fn begin_page(
        &mut self,
        filter: Option<String>,
        sort_by: Option<String>,
        numbers: &[f64],
    ) -> Result<u32, JsValue> {
        let &[offset, count, descending, vectors, fields] = numbers else {
            return Err(internal("a page takes five numbers"));
        };
        let query = RowsQuery::new(count as usize)
            .filter(filter_of(filter)?)
            .sort_by(sort_by)
            .descending(descending > 0.0)
            .offset(offset as usize)
            .vectors(vectors > 0.0)
            .fields(fields > 0.0);
        self.session.begin(Operation::Page(query)).map_err(to_js)
    }

    /// Takes the rows of each value: `[numbers, values]`, where the numbers are how many values there are, and of each that is
    /// listed how many rows have it.
    #[wasm_bindgen(js_name = takeFacets)]
    pub fn take_facets(&mut self, ticket: u32) -> Result<JsValue, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Facets(facets)) => Ok(facets_to_js(&facets)),
            _ => Err(internal("no facets with this ticket are here")),
        }
    }
}
