//! Searching: a session over a file that JS fetches.
//!
//! No export returns an object but as a `Result`, which crosses as numbers. V8 11 (Node 20) inlines a call whose result is an
//! object, and ends the process ("unreachable code") if it discards the caller's optimised code during that call.

use js_sys::{Array, Float64Array, Object};
use pagevec::{Extent, Operation, Outcome, Part, SearchOptions, Segment, Session, SessionOptions, Stepped};
use wasm_bindgen::prelude::*;

use crate::convert::{id, internal, set, to_js, whole};
use crate::request::options_of;
use crate::results::{hits_to_js, info_to_js, texts_to_js};

/// How many bytes from 0 the constructor of `Reader` needs; `head` is the first 64 KiB of the file, or all of it.
#[wasm_bindgen(js_name = frontLength)]
pub fn front_length(head: &[u8], file_length: f64) -> Result<f64, JsValue> {
    let length = pagevec::front_length(head, whole("fileLength", file_length)?).map_err(to_js)?;
    Ok(length as f64)
}

/// The opened segments of an index. A ticket names an operation under way; see `step`. Files have one address space: the first
/// begins at 0, the others where `bases` says; offsets below are in it.
#[wasm_bindgen]
pub struct Reader {
    pub(crate) session: Session,
    /// One for each operation whose outcome was not taken yet, so there are few.
    outcomes: Vec<(u32, Outcome)>,
    /// The options of the last selection that was done, and its ticket.
    selected: Option<(u32, SearchOptions)>,
}

#[wasm_bindgen]
impl Reader {
    /// Opens the segments of an index from `bytes`: the front of each, and behind it its file of dead rows. `lengths` has
    /// three numbers for each: the bytes of its file, of its front, and of its file of dead rows (0: there is none). At most
    /// `memory_budget` bytes of the files are held.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], lengths: &[f64], memory_budget: f64) -> Result<Reader, JsValue> {
        let mut rest = bytes;
        let mut next = |length: f64| {
            let length = usize::try_from(whole("lengths", length)?).unwrap_or(usize::MAX);
            let (taken, more) =
                rest.split_at_checked(length).ok_or_else(|| internal("fewer bytes than lengths"))?;
            rest = more;
            Ok::<&[u8], JsValue>(taken)
        };
        let mut segments = Vec::with_capacity(lengths.len() / 3);
        for lengths in lengths.chunks_exact(3) {
            let (front, dead) = (next(lengths[1])?, next(lengths[2])?);
            let segment = Segment::open(front, whole("lengths", lengths[0])?).map_err(to_js)?;
            let dead = match dead {
                [] => None,
                bytes => Some(segment.dead_rows(bytes).map_err(to_js)?),
            };
            segments.push((segment, dead));
        }
        let options = SessionOptions::new(whole("memoryBudget", memory_budget)?);
        let session = Session::of_segments(segments, &options).map_err(to_js)?;
        Ok(Reader { session, outcomes: Vec::new(), selected: None })
    }

    /// The offset of each segment's file.
    pub fn bases(&self) -> Result<Vec<f64>, JsValue> {
        Ok(self.session.segments().map(|(_, base, _)| base as f64).collect())
    }

    /// The facts of a segment, as a plain object; `dead` is how many of its rows are dead.
    pub fn info(&self, segment: usize) -> Result<JsValue, JsValue> {
        let (segment, _, alive) =
            self.session.segments().nth(segment).ok_or_else(|| internal("there is no such segment"))?;
        let js = info_to_js(&segment.info());
        set(&js, "dead", (segment.count() - alive) as f64);
        Ok(js.into())
    }

    /// Begins a search for each row of `queries`; without any, a selection of the rows that `options` name, of which the last
    /// one is kept. Returns its ticket. `options`, `texts` and `filter` are those of `options_of`, or the ticket of such a
    /// selection alone: `undefined` if it is not kept any more.
    #[wasm_bindgen(js_name = beginSearch)]
    pub fn begin_search(
        &mut self,
        queries: Vec<f32>,
        options: &[f64],
        texts: Option<String>,
        filter: Option<String>,
    ) -> Result<Option<u32>, JsValue> {
        let options = match (options, &self.selected) {
            (&[wanted], Some((ticket, kept))) if wanted == f64::from(*ticket) => kept.clone(),
            ([_], _) => return Ok(None),
            _ => options_of(options, texts, filter)?,
        };
        let operation = match queries.is_empty() {
            true => Operation::Select(options),
            false => Operation::Search { queries, options },
        };
        self.session.begin(operation).map(Some).map_err(to_js)
    }

    /// Begins a search by the vector of an id, without the row itself. Returns its ticket.
    #[wasm_bindgen(js_name = beginSimilar)]
    pub fn begin_similar(
        &mut self,
        value: &JsValue,
        options: &[f64],
        texts: Option<String>,
        filter: Option<String>,
    ) -> Result<u32, JsValue> {
        let (id, options) = (id(value)?, options_of(options, texts, filter)?);
        self.session.begin(Operation::Similar { id, options }).map_err(to_js)
    }

    /// Begins a look-up of an id's position. Returns its ticket.
    #[wasm_bindgen(js_name = beginFind)]
    pub fn begin_find(&mut self, value: &JsValue) -> Result<u32, JsValue> {
        self.session.begin(Operation::Find(id(value)?)).map_err(to_js)
    }

    /// Begins a look-up of an id's vector. Returns its ticket.
    #[wasm_bindgen(js_name = beginVector)]
    pub fn begin_vector(&mut self, value: &JsValue) -> Result<u32, JsValue> {
        self.session.begin(Operation::Vector(id(value)?)).map_err(to_js)
    }

    /// Begins a look-up of the stored fields of ids. Returns its ticket.
    #[wasm_bindgen(js_name = beginFields)]
    pub fn begin_fields(&mut self, values: &Array) -> Result<u32, JsValue> {
        let ids = values.iter().map(|value| id(&value)).collect::<Result<_, _>>()?;
        self.session.begin(Operation::Fields(ids)).map_err(to_js)
    }

    /// Begins to bring codes and graph into memory. Returns its ticket; there is nothing to take when it is done.
    #[wasm_bindgen(js_name = beginLoad)]
    pub fn begin_load(&mut self) -> Result<u32, JsValue> {
        self.session.begin(Operation::Load).map_err(to_js)
    }

    /// Goes on with an operation. Returns `[offset, length, …]`, the extents to deliver before the next step; `null`, when
    /// the outcome can be taken; or `undefined`, while other operations hold the memory it needs. An error ends the
    /// operation.
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
                match outcome {
                    Outcome::Loaded => {}
                    Outcome::Selected(options) => self.selected = Some((ticket, options)),
                    outcome => self.outcomes.push((ticket, outcome)),
                }
                Ok(JsValue::NULL)
            }
        }
    }

    /// Sets the bandwidth-delay product of the link in bytes: a search may read that much extra to save a later round
    /// trip. Infinity says that reads cost nothing.
    #[wasm_bindgen(js_name = setSpeculativeBytes)]
    pub fn set_speculative_bytes(&mut self, bytes: f64) {
        self.session.set_speculative_bytes(bytes as u64);
    }

    /// The block size of the extent at `offset`. A piece of a large extent starts at a multiple of it from the extent's
    /// start, and is a multiple of it long unless it reaches the extent's end.
    #[wasm_bindgen(js_name = blockSize)]
    pub fn block_size(&self, offset: f64) -> Result<f64, JsValue> {
        Ok(self.session.block_size(whole("offset", offset)?) as f64)
    }

    /// Checks and keeps the bytes at `offset`. Returns whether every byte was compared with a checksum.
    pub fn deliver(&mut self, offset: f64, bytes: &[u8]) -> Result<bool, JsValue> {
        let extent = Extent { offset: whole("offset", offset)?, length: bytes.len() as u64 };
        self.session.deliver(extent, bytes).map_err(to_js)
    }

    /// Takes the outcome of a search: `[numbers, texts, fields]`. The numbers are the place of the index that answered in
    /// `INDEXES`, the distances and the rows rescored; the number of segments (0 if there is one), and for each the same
    /// three numbers; then, for each query, the count of its hits, and the id and score
    /// of each hit. An id that is a text is given as its place in `texts`. `fields` are those of all hits as JSON, if they were
    /// wanted.
    #[wasm_bindgen(js_name = takeHits)]
    pub fn take_hits(&mut self, ticket: u32) -> Result<JsValue, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Answers(answers)) => Ok(hits_to_js(&answers)),
            _ => Err(internal("no search with this ticket is done")),
        }
    }

    /// Takes whether there is an id.
    #[wasm_bindgen(js_name = takeFound)]
    pub fn take_found(&mut self, ticket: u32) -> Result<bool, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Row(row)) => Ok(row.is_some()),
            _ => Err(internal("no find with this ticket is done")),
        }
    }

    /// Takes the vector of an id.
    #[wasm_bindgen(js_name = takeVector)]
    pub fn take_vector(&mut self, ticket: u32) -> Result<Vec<f32>, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Vector(vector)) => Ok(vector),
            _ => Err(internal("no vector with this ticket is here")),
        }
    }

    /// Takes the stored fields of ids as JSON; `undefined` for an id that no row has.
    #[wasm_bindgen(js_name = takeFields)]
    pub fn take_fields(&mut self, ticket: u32) -> Result<JsValue, JsValue> {
        match self.take(ticket) {
            Some(Outcome::Fields(rows)) => Ok(texts_to_js(rows.iter().map(|row| row.as_deref())).into()),
            _ => Err(internal("no fields with this ticket are here")),
        }
    }

    /// Ends an operation in any state.
    pub fn cancel(&mut self, ticket: u32) {
        self.take(ticket);
        self.session.cancel(ticket);
    }

    /// `{ resident, evictions, memory }`: bytes held, blocks dropped, and what is and was reserved, by the parts of protocol.js.
    pub fn stats(&self) -> Result<JsValue, JsValue> {
        let stats = self.session.stats();
        let js = Object::new();
        set(&js, "resident", stats.resident as f64);
        set(&js, "evictions", stats.evictions as f64);
        let parts = Part::ALL.map(|part| stats.memory.of(part));
        let numbers: Vec<f64> = parts.iter().flat_map(|p| [p.reserved as f64, p.peak as f64]).collect();
        set(&js, "memory", Float64Array::from(&numbers[..]));
        Ok(js.into())
    }
}

impl Reader {
    pub(crate) fn take(&mut self, ticket: u32) -> Option<Outcome> {
        let at = self.outcomes.iter().position(|o| o.0 == ticket)?;
        Some(self.outcomes.swap_remove(at).1)
    }
}
