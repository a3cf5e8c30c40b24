//! Searching: a session over a file that JS fetches.

use js_sys::{Array, Float64Array};
use pagevec::{
    Answer, Extent, Id, Operation, Outcome, SearchOptions, Segment, Session, SessionOptions, Stepped,
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::convert::{id, internal, to_js, whole};

/// As `pkg/src/index.js` has them.
const INDEXES: [&str; 3] = ["clusters", "hnsw", "flat"];

/// How many bytes from 0 the constructor of `Reader` needs; `head` is the first 64 KiB of the file, or all of it.
#[wasm_bindgen(js_name = frontLength)]
pub fn front_length(head: &[u8], file_length: f64) -> Result<f64, JsValue> {
    let length = pagevec::front_length(head, whole("fileLength", file_length)?).map_err(to_js)?;
    Ok(length as f64)
}

/// One opened segment. A ticket names an operation under way; see `step`.
#[wasm_bindgen]
pub struct Reader {
    session: Session,
    /// Few: one per operation whose outcome was not taken yet.
    outcomes: Vec<(u32, Outcome)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InfoJs {
    count: u32,
    dim: u32,
    metric: &'static str,
    codec: String,
    refine: Option<String>,
    exact: Option<String>,
    graph: bool,
    clusters: bool,
    curve: Vec<StepJs>,
    m: u32,
    ef_construction: u32,
    ids: &'static str,
    file_length: f64,
    file_id: String,
    sections: Vec<SectionJs>,
    memory_to_open: f64,
    kernels: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SectionJs {
    name: &'static str,
    offset: f64,
    length: f64,
    bytes_per_vector: f64,
}

#[derive(Serialize)]
struct StepJs {
    k: u32,
    wanted: f64,
    reached: f64,
    cells: u32,
    probes: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatsJs {
    resident: f64,
    slots: u32,
    evictions: f64,
    operations: u32,
}

#[wasm_bindgen]
impl Reader {
    /// Opens a file of `file_length` bytes from its front, holding at most `memory_budget` bytes of it.
    #[wasm_bindgen(constructor)]
    pub fn new(front: &[u8], file_length: f64, memory_budget: f64) -> Result<Reader, JsValue> {
        let segment = Segment::open(front, whole("fileLength", file_length)?).map_err(to_js)?;
        let session = Session::new(segment, &SessionOptions::new(whole("memoryBudget", memory_budget)?))
            .map_err(to_js)?;
        Ok(Reader { session, outcomes: Vec::new() })
    }

    /// The segment's facts, as a plain object.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let info = self.session.segment().info();
        let section = |s: &pagevec::SectionInfo| SectionJs {
            name: s.name,
            offset: s.offset as f64,
            length: s.length as f64,
            bytes_per_vector: s.bytes_per_vector,
        };
        let step = |s: &pagevec::CurveStep| StepJs {
            k: s.k as u32,
            wanted: s.wanted,
            reached: s.reached,
            cells: s.cells as u32,
            probes: s.probes as u32,
        };
        let js = InfoJs {
            count: info.count as u32,
            dim: info.dim as u32,
            metric: info.metric.name(),
            codec: info.codec.to_string(),
            refine: info.refine.map(|r| r.to_string()),
            exact: info.exact.map(|e| e.to_string()),
            graph: info.graph,
            clusters: info.clusters,
            curve: info.curve.iter().map(step).collect(),
            m: info.m as u32,
            ef_construction: info.ef_construction as u32,
            ids: info.ids,
            file_length: info.file_length as f64,
            file_id: info.file_id,
            sections: info.sections.iter().map(section).collect(),
            memory_to_open: info.memory_to_open as f64,
            kernels: info.kernels,
        };
        Ok(serde_wasm_bindgen::to_value(&js)?)
    }

    /// A search for each row of `queries`; `ef`, `probes`, `recall` and `rescore` 0 are the defaults. Returns its ticket.
    #[expect(clippy::too_many_arguments, reason = "an object would cost a call into JS for each property")]
    #[wasm_bindgen(js_name = beginSearch)]
    pub fn begin_search(
        &mut self,
        queries: Vec<f32>,
        k: u32,
        ef: u32,
        index: &str,
        probes: u32,
        recall: f32,
        rescore: u32,
    ) -> Result<u32, JsValue> {
        let given = |value: u32| (value > 0).then_some(value as usize);
        let options = SearchOptions::new(k as usize)
            .ef(given(ef))
            .index(index.parse().map_err(to_js)?)
            .rescore(given(rescore))
            .probes(given(probes))
            // Not a number where it is left out.
            .recall((recall > 0.0).then_some(recall));
        self.session.begin(Operation::Search { queries, options }).map_err(to_js)
    }

    /// A search for an id's position. Returns its ticket.
    #[wasm_bindgen(js_name = beginFind)]
    pub fn begin_find(&mut self, value: &JsValue) -> Result<u32, JsValue> {
        self.session.begin(Operation::Find(id(value)?)).map_err(to_js)
    }

    /// A search for an id's vector. Returns its ticket.
    #[wasm_bindgen(js_name = beginVector)]
    pub fn begin_vector(&mut self, value: &JsValue) -> Result<u32, JsValue> {
        self.session.begin(Operation::Vector(id(value)?)).map_err(to_js)
    }

    /// Brings codes and graph here. Returns its ticket; nothing is taken when it is done.
    #[wasm_bindgen(js_name = beginLoad)]
    pub fn begin_load(&mut self) -> Result<u32, JsValue> {
        self.session.begin(Operation::Load).map_err(to_js)
    }

    /// Goes on: `[offset, length, …]` to deliver before the next step, `null` when the outcome can be taken, or
    /// `undefined` while other operations hold the room. An error ends the operation.
    pub fn step(&mut self, ticket: u32) -> Result<JsValue, JsValue> {
        if self.outcomes.iter().any(|o| o.0 == ticket) {
            return Ok(JsValue::NULL);
        }
        match self.session.step(ticket).map_err(to_js)? {
            Stepped::Wait => Ok(JsValue::UNDEFINED),
            Stepped::Need(extents) => {
                let flat: Vec<f64> =
                    extents.iter().flat_map(|e| [e.offset as f64, e.length as f64]).collect();
                Ok(Float64Array::from(&flat[..]).into())
            }
            Stepped::Done(outcome) => {
                if outcome != Outcome::Loaded {
                    self.outcomes.push((ticket, outcome));
                }
                Ok(JsValue::NULL)
            }
        }
    }

    /// Bytes that cost as much as a wave does; infinity: reads cost nothing.
    pub fn spare(&mut self, bytes: f64) {
        self.session.spare(bytes as u64);
    }

    /// Pieces of a large extent start at multiples of this from its start, and are multiples of it long, or reach its
    /// end.
    pub fn grain(&self, offset: f64) -> Result<f64, JsValue> {
        Ok(self.session.grain(whole("offset", offset)?) as f64)
    }

    /// Checks and keeps the bytes at `offset`; whether every byte was checked.
    pub fn deliver(&mut self, offset: f64, bytes: &[u8]) -> Result<bool, JsValue> {
        let extent = Extent { offset: whole("offset", offset)?, length: bytes.len() as u64 };
        self.session.deliver(extent, bytes).map_err(to_js)
    }

    /// Of a search that is done: `[numbers, texts]`. The numbers are those of `stats.index` in `INDEXES`, distances and
    /// rows rescored; then for each query how many hits it has, and each hit's id and score. An id that is a text is its
    /// place in `texts`.
    #[wasm_bindgen(js_name = takeHits)]
    pub fn take_hits(&mut self, ticket: u32) -> Result<JsValue, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Answers(answers)) => Ok(hits_to_js(&answers)),
            _ => Err(internal("no search with this ticket is done")),
        }
    }

    /// The position that a find came to, `undefined` if there is no such id.
    #[wasm_bindgen(js_name = takePosition)]
    pub fn take_position(&mut self, ticket: u32) -> Result<Option<u32>, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Position(position)) => Ok(position),
            _ => Err(internal("no find with this ticket is done")),
        }
    }

    /// The vector that was read.
    #[wasm_bindgen(js_name = takeVector)]
    pub fn take_vector(&mut self, ticket: u32) -> Result<Vec<f32>, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Vector(vector)) => Ok(vector),
            _ => Err(internal("no vector with this ticket is here")),
        }
    }

    /// Ends an operation in any state.
    pub fn cancel(&mut self, ticket: u32) {
        self.take(ticket);
        self.session.cancel(ticket);
    }

    /// `{ resident, slots, evictions, operations }`.
    pub fn stats(&self) -> Result<JsValue, JsValue> {
        let stats = self.session.stats();
        let js = StatsJs {
            resident: stats.resident as f64,
            slots: stats.slots as u32,
            evictions: stats.evictions as f64,
            operations: stats.operations as u32,
        };
        Ok(serde_wasm_bindgen::to_value(&js)?)
    }
}

impl Reader {
    fn take(&mut self, ticket: u32) -> Option<Outcome> {
        let at = self.outcomes.iter().position(|o| o.0 == ticket)?;
        Some(self.outcomes.swap_remove(at).1)
    }
}

/// Two values whatever there is to tell: each that crosses to JS costs a call, and a resident search takes microseconds.
fn hits_to_js(answers: &[Answer]) -> JsValue {
    let texts = Array::new();
    let index = answers.first().map_or(0, |a| INDEXES.iter().position(|&i| i == a.stats.index).unwrap_or(0));
    let total = |of: fn(&Answer) -> u64| answers.iter().map(of).sum::<u64>() as f64;
    let mut numbers = vec![index as f64, total(|a| a.stats.distances), total(|a| a.stats.rescored)];
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
    Array::of2(&Float64Array::from(&numbers[..]), &texts).into()
}
