//! Results of operations as values of JS.

use js_sys::{Array, Float32Array, Float64Array, Object};
use pagevec::{Answer, FieldType, Id, Info, RowPage};
use wasm_bindgen::prelude::*;

use crate::convert::set;

/// The indexes by the numbers that `takeHits` gives; `pkg/src/core/protocol.js` has the same list.
const INDEXES: [&str; 5] = ["clusters", "hnsw", "flat", "listed", "mixed"];

/// An array of texts, `undefined` for those that are missing.
pub(crate) fn texts_to_js<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Array {
    texts.map(|text| text.map_or(JsValue::UNDEFINED, JsValue::from_str)).collect()
}

/// Always three values: each value that crosses to JS costs a call, and a search in memory takes microseconds.
pub(crate) fn hits_to_js(answers: &[Answer]) -> JsValue {
    let texts = Array::new();
    let index = |name| INDEXES.iter().position(|&index| index == name).unwrap_or(0) as f64;
    let total = |of: &dyn Fn(&Answer) -> u64| answers.iter().map(of).sum::<u64>() as f64;
    let first = answers.first();
    let name = first.map_or("", |answer| answer.stats.index);
    let mut numbers = vec![index(name), total(&|a| a.stats.distances), total(&|a| a.stats.rescored)];
    let segments = first.map_or(&[][..], |answer| &answer.segments);
    numbers.push(segments.len() as f64);
    for (segment, number) in segments.iter().zip(0..) {
        let of = |answer: &Answer| answer.segments.get(number).copied().unwrap_or_default();
        numbers.extend([index(segment.index), total(&|a| of(a).distances), total(&|a| of(a).rescored)]);
    }
    for answer in answers {
        numbers.push(answer.hits.len() as f64);
        for hit in &answer.hits {
            let id = match &hit.id {
                Id::Number(n) => *n as f64,
                Id::Text(text) => f64::from(texts.push(&JsValue::from_str(text)) - 1),
            };
            numbers.extend([id, f64::from(hit.score)]);
        }
    }
    let hits = answers.iter().flat_map(|answer| &answer.hits);
    let fields = texts_to_js(hits.filter_map(|hit| hit.fields.as_deref()).map(Some));
    Array::of3(&Float64Array::from(&numbers[..]), &texts, &fields).into()
}

/// See `takeRows`.
pub(crate) fn rows_to_js(RowPage { rows, next, .. }: &RowPage) -> JsValue {
    let (mut numbers, texts) = (Vec::new(), Array::new());
    for row in rows {
        match &row.id {
            Id::Number(number) => numbers.push(*number as f64),
            Id::Text(text) => drop(texts.push(&JsValue::from_str(text))),
        }
    }
    let fields = texts_to_js(rows.iter().filter_map(|row| row.fields.as_deref()).map(Some));
    let vectors: Vec<f32> = rows.iter().filter_map(|row| row.vector.as_deref()).flatten().copied().collect();
    let next = next.map(|next| [f64::from(next.segment), f64::from(next.position)]);
    let next = Float64Array::from(next.as_ref().map_or(&[][..], |next| next));
    let numbers = Float64Array::from(&numbers[..]);
    Array::of5(&numbers, &texts, &fields, &Float32Array::from(&vectors[..]), &next).into()
}

pub(crate) fn info_to_js(info: &Info) -> Object {
    let js = Object::new();
    set(&js, "count", info.count as f64);
    set(&js, "dim", info.dim as f64);
    set(&js, "metric", info.metric.name());
    set(&js, "codec", info.codec.to_string());
    set(&js, "refine", info.refine.map(|codec| codec.to_string()));
    set(&js, "exact", info.exact.map(|codec| codec.to_string()));
    set(&js, "graph", info.graph);
    set(&js, "clusters", info.clusters);
    let curve = Array::new();
    for step in &info.curve {
        let js = Object::new();
        set(&js, "k", step.k as f64);
        set(&js, "wanted", step.wanted);
        set(&js, "reached", step.reached);
        set(&js, "cells", step.cells as f64);
        set(&js, "probes", step.probes as f64);
        curve.push(&js);
    }
    set(&js, "curve", curve);
    set(&js, "m", info.m as f64);
    set(&js, "efConstruction", info.ef_construction as f64);
    set(&js, "ids", info.ids);
    set(&js, "fileLength", info.file_length as f64);
    set(&js, "fileId", info.file_id.as_str());
    let fields = Array::new();
    for field in &info.fields {
        let js = Object::new();
        set(&js, "name", field.name.as_str());
        set(&js, "type", field.of.map(FieldType::name));
        set(&js, "why", field.why);
        set(&js, "rows", field.rows as f64);
        set(&js, "values", field.values as f64);
        set(&js, "bytes", field.bytes() as f64);
        fields.push(&js);
    }
    set(&js, "schema", fields);
    let sections = Array::new();
    for section in &info.sections {
        let js = Object::new();
        set(&js, "name", section.name);
        set(&js, "offset", section.offset as f64);
        set(&js, "length", section.length as f64);
        set(&js, "bytesPerVector", section.bytes_per_vector);
        sections.push(&js);
    }
    set(&js, "sections", sections);
    set(&js, "memoryToOpen", info.memory_to_open as f64);
    set(&js, "kernels", info.kernels);
    js
}
