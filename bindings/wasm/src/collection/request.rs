//! Options, ids and fields, as they cross from JS. Objects come as JSON, which JS parses: a parser here would cost more to download.

use js_sys::{Array, Float64Array, JSON};
use pagevec::{CollectionOptions, Durability, Error, FlushAt, Id, RowsQuery, Schema, SearchOptions};
use wasm_bindgen::prelude::*;

use crate::convert::{bad, filter_of, id, to_js, whole};

/// Bytes of a log that are allocated ahead: a page has less room than a server, and a small collection should be small.
const LOG_BYTES: u64 = 4 << 20;

#[wasm_bindgen]
extern "C" {
    /// What JSON.parse() gives: it has no getters that could throw.
    pub(super) type Parsed;
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn get(this: &Parsed, name: &str) -> JsValue;
}

/// The object in a text.
pub(super) fn parse(name: &'static str, text: &str) -> Result<Parsed, JsValue> {
    match JSON::parse(text) {
        Ok(value) if value.is_object() => Ok(value.unchecked_into()),
        _ => Err(bad(name, "it must be a JSON object")),
    }
}

impl Parsed {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).as_string()
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.get(name).is_truthy()
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, JsValue> {
        self.get(name).as_f64().map(|number| whole(name, number)).transpose()
    }

    fn count(&self, name: &'static str) -> Result<Option<usize>, JsValue> {
        Ok(self.number(name)?.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
    }

    fn named<T: std::str::FromStr<Err = Error>>(&self, name: &str) -> Result<Option<T>, JsValue> {
        self.text(name).map(|text| text.parse()).transpose().map_err(to_js)
    }

    fn list(&self, name: &str) -> Result<Option<Vec<Id>>, JsValue> {
        let value = self.get(name);
        if value.is_undefined() || value.is_null() { Ok(None) } else { ids(&value).map(Some) }
    }

    /// The id that is searched by.
    pub(super) fn id(&self) -> Result<Option<Id>, JsValue> {
        let value = self.get("id");
        if value.is_undefined() { Ok(None) } else { id(&value).map(Some) }
    }

    pub(super) fn to_open(&self) -> Result<CollectionOptions, JsValue> {
        let default = FlushAt::default();
        let flush = self.get("flush");
        let flush = match flush.is_object() {
            true => {
                let flush: Parsed = flush.unchecked_into();
                FlushAt::default()
                    .rows(flush.count("rows")?.unwrap_or(default.rows))
                    .bytes(flush.number("bytes")?.unwrap_or(default.bytes))
                    .age(flush.get("age").as_f64().map_or(default.age, |seconds| (seconds * 1000.0) as u64))
            }
            false => default,
        };
        let durability = match self.text("durability").as_deref() {
            Some("relaxed") => Durability::Relaxed,
            _ => Durability::Strict,
        };
        let options = CollectionOptions::new(self.count("dim")?.unwrap_or(0))
            .metric(self.named("metric")?)
            .codec(self.named("codec")?)
            .refine(self.named("refine")?)
            .schema(self.text("schema").map(|json| Schema::parse(&json)).transpose().map_err(to_js)?)
            .create(self.is("create"))
            .read_only(self.is("readOnly"))
            .flush(flush)
            .durability(durability)
            .log_bytes(LOG_BYTES.min(flush.bytes));
        Ok(match self.number("memoryBudget")? {
            Some(bytes) => options.memory_budget(bytes),
            None => options,
        })
    }

    /// A page of ids; without `limit` all of them.
    pub(super) fn to_page(&self) -> Result<RowsQuery, JsValue> {
        Ok(RowsQuery::new(self.count("limit")?.unwrap_or(usize::MAX))
            .filter(filter_of(self.text("filter"))?)
            .sort_by(self.text("sortBy"))
            .descending(self.is("descending"))
            .offset(self.count("offset")?.unwrap_or(0)))
    }

    /// For a collection of so many rows, of which hits are at most all.
    pub(super) fn to_search(&self, rows: usize) -> Result<SearchOptions, JsValue> {
        let recall = self.get("recall").as_f64().map(|recall| recall as f32);
        Ok(SearchOptions::new(self.count("k")?.unwrap_or(10).min(rows.max(1)))
            .index(self.named("index")?.unwrap_or_default())
            .ef(self.count("ef")?)
            .rescore(self.count("rescore")?)
            .probes(self.count("probes")?)
            .recall(recall)
            .fields(self.is("fields"))
            .exclude(self.list("exclude")?.unwrap_or_default())
            .among(self.list("among")?)
            .filter(filter_of(self.text("filter"))?))
    }
}

/// A Float64Array, or an array of numbers or strings.
pub(super) fn ids(value: &JsValue) -> Result<Vec<Id>, JsValue> {
    match value.dyn_ref::<Float64Array>() {
        Some(numbers) => {
            numbers.to_vec().into_iter().map(|number| whole("id", number).map(Id::Number)).collect()
        }
        None => Array::from(value).iter().map(|value| id(&value)).collect(),
    }
}

/// The JSON of each row's fields; `null` for a row that has none.
pub(super) fn fields(value: Option<Array>) -> Vec<String> {
    value.iter().flat_map(Array::iter).map(|fields| fields.as_string().unwrap_or_default()).collect()
}
