//! Rows without a query: how many there are, and pages of them.

use pagevec::{Operation, Outcome, RowPlace};
use wasm_bindgen::prelude::*;

use crate::convert::{filter_of, internal, to_js};
use crate::reader::Reader;
use crate::results::rows_to_js;

#[wasm_bindgen]
impl Reader {
    /// Begins to count the rows that match; without a filter, which only a module with filters takes, all rows. Returns its ticket.
    #[wasm_bindgen(js_name = beginCount)]
    pub fn begin_count(&mut self, filter: Option<String>) -> Result<u32, JsValue> {
        self.session.begin(Operation::Count(filter_of(filter)?)).map_err(to_js)
    }

    /// Begins to read a page of at most `count` rows, from the row at `position` of `segment` on. Returns its ticket.
    #[wasm_bindgen(js_name = beginRows)]
    pub fn begin_rows(
        &mut self,
        segment: u32,
        position: u32,
        count: u32,
        vectors: bool,
        fields: bool,
    ) -> Result<u32, JsValue> {
        let (from, count) = (RowPlace { segment, position }, count as usize);
        self.session.begin(Operation::Rows { from, count, vectors, fields }).map_err(to_js)
    }

    /// Takes how many rows match.
    #[wasm_bindgen(js_name = takeCount)]
    pub fn take_count(&mut self, ticket: u32) -> Result<f64, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Count(count)) => Ok(count as f64),
            _ => Err(internal("no count with this ticket is here")),
        }
    }

    /// Takes a page of rows: `[ids, texts, fields, vectors, next]`. `ids` are numbers, `texts` those that are texts, `fields` JSON,
    /// `vectors` one after another; those that are not wanted are empty. `next` is the segment and the position of the next page,
    /// empty after the last.
    #[wasm_bindgen(js_name = takeRows)]
    pub fn take_rows(&mut self, ticket: u32) -> Result<JsValue, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Rows(page)) => Ok(rows_to_js(&page)),
            _ => Err(internal("no rows with this ticket are here")),
        }
    }
}
