//! What a collection exports: its rows get graph and clusters, and the facts that index.json has of them are told as they pass.

use js_sys::{Array, Function, Object};
use pagevec::{BuildOptions, Error, HEAD, Index, Info, Segment, Sink, front_length};
use wasm_bindgen::prelude::*;

use crate::convert::{set, to_js};
use crate::pieces::{Callback, told};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "
export interface IndexedSegment {
  contentId: string; fileId: string; fileLength: number; memoryToOpen: number; count: number; dim: number; metric: string;
  sections: { name: string; offset: number; length: number }[];
}
";

#[wasm_bindgen]
extern "C" {
    /// What index.json has of a segment.
    #[wasm_bindgen(typescript_type = "IndexedSegment")]
    pub type IndexedSegmentJs;
}

/// The segment with graph and clusters of the rows of another, whose codes are copied. Calls `onPiece` as `buildInto` does;
/// `onProgress(phase, done, total)` returns true to end it.
#[wasm_bindgen(js_name = indexSegment)]
pub fn index_segment(
    file: &[u8],
    on_piece: &Function,
    on_progress: Option<Function>,
) -> Result<IndexedSegmentJs, JsValue> {
    let rows = Index::from_bytes(file).map_err(to_js)?;
    let mut sink = Export::new(Callback::new(on_piece));
    let options = BuildOptions::default();
    let merged = told(on_progress, |ctx| pagevec::merge_into(&[&rows], &options, &mut sink, ctx));
    let described = merged.and_then(|()| sink.describe());
    let facts = described.as_ref().map(|(content_id, segment)| facts(content_id, &segment.info()));
    let facts = facts.unwrap_or_default();
    sink.to.end(described.map(drop))?;
    Ok(facts.unchecked_into())
}

fn facts(content_id: &str, info: &Info) -> Object {
    let js = Object::new();
    set(&js, "contentId", content_id);
    set(&js, "fileId", info.file_id.as_str());
    set(&js, "fileLength", info.file_length as f64);
    set(&js, "memoryToOpen", info.memory_to_open as f64);
    set(&js, "count", info.count as f64);
    set(&js, "dim", info.dim as f64);
    set(&js, "metric", info.metric.name());
    let sections = Array::new();
    for section in &info.sections {
        let js = Object::new();
        set(&js, "name", section.name);
        set(&js, "offset", section.offset as f64);
        set(&js, "length", section.length as f64);
        sections.push(&js);
    }
    set(&js, "sections", sections);
    js
}

/// Hands a segment on piece by piece, and keeps its front.
struct Export<'a> {
    to: Callback<'a>,
    hash: blake3::Hasher,
    length: u64,
    front: Vec<u8>,
    /// Bytes of the front, as far as they are known: the head tells them.
    wanted: usize,
}

impl<'a> Export<'a> {
    fn new(to: Callback<'a>) -> Self {
        Export { to, hash: blake3::Hasher::new(), length: 0, front: Vec::new(), wanted: HEAD as usize }
    }

    /// The content id and the segment, once all was written.
    fn describe(&self) -> Result<(String, Segment), Error> {
        let segment = Segment::open(&self.front, self.length)?;
        Ok((self.hash.finalize().to_hex().to_string(), segment))
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), Error> {
        let (mut rest, head) = (piece, HEAD.min(self.length) as usize);
        while self.front.len() < self.wanted && !rest.is_empty() {
            let (kept, more) = rest.split_at(rest.len().min(self.wanted - self.front.len()));
            self.front.extend_from_slice(kept);
            rest = more;
            if self.front.len() == head {
                self.wanted = front_length(&self.front, self.length)? as usize;
                self.front.truncate(self.wanted);
            }
        }
        Ok(())
    }
}

impl Sink for Export<'_> {
    fn begin(&mut self, length: u64) -> Result<(), Error> {
        self.length = length;
        self.to.begin(length)
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.hash.update(piece);
        self.keep(piece)?;
        self.to.write(piece)
    }
}
