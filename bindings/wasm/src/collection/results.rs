//! Results as JSON, and errors: to make objects here would take a call to JS for each value.

use js_sys::{Array, Float32Array, Float64Array, JSON, Object, Uint8Array};
use pagevec::{
    Answer, CollectionInfo, CollectionStats, Error, Id, Info, MergeJob, Schema, StoredRow, Updated, Written,
};
use wasm_bindgen::prelude::*;

use crate::convert::{coded, set};

/// What JS tells where a row has no fields.
const NO_FIELDS: &str = "{}";

/// An error with its `code`; that of a disk without room is another than that of one that fails.
pub(super) fn to_js(error: Error) -> JsValue {
    // The folder has no name here.
    coded(error.to_string().trim_start_matches(": "), code(&error))
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::InSegment { error, .. } => code(error),
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => "quota",
        error => error.code(),
    }
}

/// JSON that is being written.
#[derive(Default)]
pub(super) struct Json(String);

impl Json {
    fn begin(&mut self, bracket: char) -> &mut Self {
        self.comma();
        self.0.push(bracket);
        self
    }

    fn end(&mut self, bracket: char) -> &mut Self {
        self.0.push(bracket);
        self
    }

    fn comma(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    fn name(&mut self, name: &str) -> &mut Self {
        self.text(name).0.push(':');
        self
    }

    /// JSON as it is.
    fn raw(&mut self, json: &str) -> &mut Self {
        self.comma();
        self.0.push_str(json);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.comma();
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                '\0'..' ' => {
                    let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                    self.0.push_str("\\u00");
                    self.0.extend([digit(c as u32 >> 4), digit(c as u32 & 15)]);
                }
                _ => self.0.push(c),
            }
        }
        self.0.push('"');
        self
    }

    fn id(&mut self, id: &Id) -> &mut Self {
        match id {
            Id::Number(number) => self.raw(&number.to_string()),
            Id::Text(text) => self.text(text),
        }
    }

    fn number(&mut self, name: &str, number: u64) -> &mut Self {
        self.name(name).raw(&number.to_string())
    }

    fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        self.name(name).raw(if flag { "true" } else { "false" })
    }
}

/// What a write did: of rows that were upserted, or deleted.
pub(super) fn written(written: &Written, upserted: bool) -> String {
    let mut json = Json::default();
    let (name, rows) = match upserted {
        true => ("upserted", written.upserted),
        false => ("deleted", written.deleted),
    };
    json.begin('{')
        .number("sequence", written.sequence)
        .number(name, rows as u64)
        .flag("applied", written.applied)
        .end('}');
    json.0
}

/// What an update did.
pub(super) fn updated(updated: &Updated) -> String {
    let mut json = Json::default();
    json.begin('{')
        .number("sequence", updated.sequence)
        .number("updated", updated.updated as u64)
        .name("missing")
        .raw(&ids(updated.missing.iter()))
        .flag("applied", updated.applied)
        .end('}');
    json.0
}

/// `[{ hits: [{ id, score, fields? }] }]`. A score gets its digits from JS: to make them here would cost 17 KB of the module.
pub(super) fn answers(answers: &[Answer]) -> Result<String, JsValue> {
    let hits = || answers.iter().flat_map(|answer| &answer.hits);
    let scores: Vec<f64> = hits().map(|hit| f64::from(hit.score)).collect();
    let scores = String::from(JSON::stringify(&Array::from(&Float64Array::from(&scores[..])))?);
    let mut scores = scores.trim_matches(['[', ']']).split(',');
    let mut json = Json::default();
    json.begin('[');
    for answer in answers {
        json.begin('{').name("hits").begin('[');
        for hit in &answer.hits {
            json.begin('{').name("id").id(&hit.id).name("score").raw(scores.next().unwrap_or_default());
            if let Some(fields) = &hit.fields {
                json.name("fields").raw(fields);
            }
            json.end('}');
        }
        json.end(']').end('}');
    }
    json.end(']');
    Ok(json.0)
}

pub(super) fn ids<'a>(ids: impl Iterator<Item = &'a Id>) -> String {
    let mut json = Json::default();
    json.begin('[');
    ids.for_each(|id| {
        json.id(id);
    });
    json.end(']');
    json.0
}

pub(super) fn names(names: &[String]) -> String {
    let mut json = Json::default();
    json.begin('[');
    names.iter().for_each(|name| {
        json.text(name);
    });
    json.end(']');
    json.0
}

pub(super) fn plan(id: u32, job: &MergeJob) -> String {
    let mut json = Json::default();
    json.begin('{')
        .number("id", u64::from(id))
        .name("inputs")
        .raw(&names(&job.inputs()))
        .name("output")
        .text(&job.output())
        .number("rows", job.rows() as u64)
        .number("bytes", job.bytes())
        .end('}');
    json.0
}

/// What a collection is, and what it is made of.
pub(super) fn stats(
    info: &CollectionInfo,
    stats: &CollectionStats,
    schema: Option<&Schema>,
    unindexed_limit: usize,
) -> String {
    let mut json = Json::default();
    json.begin('{')
        .number("dim", info.dim as u64)
        .name("metric")
        .text(info.metric.name())
        .name("codec")
        .text(&info.codec.to_string());
    if let Some(refine) = info.refine {
        json.name("refine").text(&refine.to_string());
    }
    if let Some(texts) = info.text_ids {
        json.name("ids").text(if texts { "text" } else { "number" });
    }
    if let Some(schema) = schema {
        json.name("schema").raw(&schema.to_json());
    }
    let segments = || stats.segments.iter();
    json.number("count", stats.count as u64)
        .number("sequence", stats.sequence)
        .number("unindexed", stats.unindexed as u64)
        .number("unindexedLimit", unindexed_limit as u64)
        .number("dead", segments().map(|segment| segment.rows.dead as u64).sum())
        .number("segments", stats.segments.len() as u64)
        .number("bytes", segments().map(|segment| segment.bytes).sum())
        .number("logBytes", stats.log_bytes)
        .number("memoryRows", stats.memtable.live as u64)
        .number("memoryDead", stats.memtable.dead as u64)
        .flag("torn", stats.torn);
    if let Some(error) = &stats.flush_error {
        json.name("failed").text(error);
    }
    json.end('}');
    json.0
}

/// What must fit where rows are imported.
pub(super) fn index_facts(info: &Info) -> String {
    let mut json = Json::default();
    json.begin('{')
        .number("count", info.count as u64)
        .number("dim", info.dim as u64)
        .name("metric")
        .text(info.metric.name())
        .end('}');
    json.0
}

/// `{ found, vectors?, fields? }`: `found` has 1 for an id that a row has. `vectors` are those of all ids, zeros where there is no row.
pub(super) fn rows(rows: &[Option<StoredRow>], dim: usize, vectors: bool, fields: bool) -> JsValue {
    let js = Object::new();
    let found: Vec<u8> = rows.iter().map(|row| u8::from(row.is_some())).collect();
    set(&js, "found", Uint8Array::from(&found[..]));
    if vectors {
        let mut all = vec![0.0; rows.len() * dim];
        for (row, into) in rows.iter().zip(all.chunks_exact_mut(dim)) {
            if let Some(vector) = row.as_ref().and_then(|row| row.vector.as_ref()) {
                into.copy_from_slice(vector);
            }
        }
        set(&js, "vectors", Float32Array::from(&all[..]));
    }
    if fields {
        let text = |row: &Option<StoredRow>| {
            let fields = row.as_ref().and_then(|row| row.fields.as_deref());
            fields.filter(|fields| *fields != NO_FIELDS).map_or(JsValue::NULL, JsValue::from_str)
        };
        set(&js, "fields", rows.iter().map(text).collect::<Array>());
    }
    js.into()
}
