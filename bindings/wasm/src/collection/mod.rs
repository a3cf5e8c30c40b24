//! Collections: vectors that change, in files that JS holds. Merges are planned and committed here; [`merge`] does one, in an
//! instance of its own.
//!
//! | file | duty |
//! |---|---|
//! | `dir` | the files, behind the core's `Dir` |
//! | `fields` | changes, counts, facets and pages of rows by their fields |
//! | `import` | the rows of a segment of another index |
//! | `merge` | the merge |
//! | `request` | options, ids and fields from JS |
//! | `results` | results as JSON; errors |

mod dir;
mod fields;
mod import;
mod merge;
mod request;
mod results;

use js_sys::{Array, Function, Math};
use pagevec::{Collection, Error, Id, MergeJob, Request};
use wasm_bindgen::prelude::*;

use crate::convert::{coded, internal};
use crate::pieces::{Callback, told};
use dir::{JsDir, JsFolder};
pub use import::SegmentRowsJs;
pub use merge::merge;
use request::parse;
use results::to_js;

/// Searches scan the rows that are in no graph: writes wait for a merge while there are more, in flushes.
const UNINDEXED: usize = 8;
/// Ids of a page of the core.
const PAGE: usize = 4096;

/// An open collection.
#[wasm_bindgen(js_name = Collection)]
pub struct CollectionJs {
    /// `None` after it was closed.
    open: Option<Collection>,
    /// The kind of ids that it was opened for, until the first row fixes it.
    text_ids: Option<bool>,
    unindexed_limit: usize,
    /// The merge that is being done elsewhere.
    job: Option<(u32, MergeJob)>,
    jobs: u32,
    /// All ids in rising order at a sequence, while pages of them are taken.
    sorted: Option<(u64, Vec<Id>)>,
}

#[wasm_bindgen(js_class = Collection)]
impl CollectionJs {
    /// Opens the collection in a folder, or creates it there. `options` are JSON; missing ones are those of the collection, or the
    /// defaults: `{ dim, metric, codec, refine, schema, ids, flush: { rows, bytes, age }, memoryBudget, durability, readOnly, create }`, with
    /// `age` in seconds. `now` are milliseconds of any clock.
    pub fn open(dir: JsDir, options: &str, now: f64) -> Result<CollectionJs, JsValue> {
        let parsed = parse("options", options)?;
        let core = parsed.to_open()?;
        // Two collections that are created at the same time shall differ.
        let fresh = (Math::random() * (1u64 << 53) as f64) as u64 ^ (now as u64).rotate_left(24);
        let open = Collection::open_as(JsFolder(dir), "", &core, fresh).map_err(to_js)?;
        let text_ids = parsed.text("ids").map(|kind| kind == "text");
        let unindexed_limit = UNINDEXED.saturating_mul(core.flush.rows);
        let opened =
            CollectionJs { open: Some(open), text_ids, unindexed_limit, job: None, jobs: 0, sorted: None };
        opened.check_kind(opened.core()?.info().text_ids)?;
        Ok(opened)
    }

    /// Adds rows, or replaces those with their ids. `fields` has the JSON of each row's fields, or `null`. A request whose number
    /// is not above the last one of this client was applied before, and is not again. Returns JSON:
    /// `{ sequence, upserted, applied }`.
    pub fn upsert(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float64Array | readonly (string | number)[]")] ids: &JsValue,
        vectors: Vec<f32>,
        fields: Option<Array>,
        client: u64,
        request: u64,
    ) -> Result<String, JsValue> {
        let ids = request::ids(ids)?;
        self.check_kind(ids.first().map(|id| matches!(id, Id::Text(_))))?;
        let fields = request::fields(fields);
        let request = Some(Request { client, number: request });
        let written = self.core()?.upsert_matrix(ids, vectors, fields, request).map_err(to_js)?;
        Ok(results::written(&written, true))
    }

    /// Deletes rows by their ids. Returns JSON: `{ sequence, deleted, applied }`.
    pub fn delete(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float64Array | readonly (string | number)[]")] ids: &JsValue,
        client: u64,
        request: u64,
    ) -> Result<String, JsValue> {
        let request = Some(Request { client, number: request });
        let written = self.core()?.delete_as(request::ids(ids)?, request).map_err(to_js)?;
        Ok(results::written(&written, false))
    }

    /// Deletes all rows. Returns what `delete` does.
    pub fn clear(&mut self, client: u64, request: u64) -> Result<String, JsValue> {
        let written = self.core()?.clear(Some(Request { client, number: request })).map_err(to_js)?;
        Ok(results::written(&written, false))
    }

    /// Searches for each row of `queries`; without any by the vector of `id`. `options` are JSON:
    /// `{ k, ef, index, recall, probes, rescore, fields, exclude, among, id }`. Returns JSON: `[{ hits: [{ id, score, fields }] }]`,
    /// with all fields of a row if `fields` is set.
    pub fn search(&self, queries: Vec<f32>, options: &str) -> Result<String, JsValue> {
        let parsed = parse("options", options)?;
        let now = self.core()?.snapshot();
        let options = parsed.to_search(now.count())?;
        let answers = match parsed.id()? {
            Some(id) => now.similar(&id, &options).map(|answer| vec![answer]),
            None => now.search_batch(&queries, &options),
        };
        results::answers(&answers.map_err(to_js)?)
    }

    /// The rows with these ids: `{ found, vectors, fields }`, with what is wanted.
    pub fn get(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float64Array | readonly (string | number)[]")] ids: &JsValue,
        vectors: bool,
        fields: bool,
    ) -> Result<JsValue, JsValue> {
        let core = self.core()?;
        let rows = core.snapshot().get(&request::ids(ids)?, vectors, fields).map_err(to_js)?;
        Ok(results::rows(&rows, core.info().dim, vectors, fields))
    }

    /// The ids of live rows that follow `after` in rising order, at most `limit`, as a JSON array. All are sorted when the first page
    /// is taken, and when they have changed.
    pub fn ids(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string | number | null | undefined")] after: &JsValue,
        limit: usize,
    ) -> Result<String, JsValue> {
        let after =
            if after.is_null() || after.is_undefined() { None } else { Some(crate::convert::id(after)?) };
        let now = self.core()?.snapshot();
        let sorted = match self.sorted.take() {
            Some((sequence, sorted)) if sequence == now.sequence() => sorted,
            _ => {
                let (mut all, mut from) = (Vec::new(), Some(0));
                while let Some(start) = from {
                    let (page, next) = now.ids(start, PAGE).map_err(to_js)?;
                    all.extend(page);
                    from = next;
                }
                all.sort_unstable();
                all
            }
        };
        let first = after.map_or(0, |after| sorted.partition_point(|id| *id <= after));
        let page = &sorted[first..sorted.len().min(first.saturating_add(limit))];
        let told = results::ids(page.iter());
        // A page that is not full is the last one.
        if page.len() == limit {
            self.sorted = Some((now.sequence(), sorted));
        }
        Ok(told)
    }

    /// Live rows.
    pub fn count(&self) -> Result<usize, JsValue> {
        Ok(self.core()?.count())
    }

    /// What it is and what it is made of, as JSON.
    pub fn stats(&self) -> Result<String, JsValue> {
        let core = self.core()?;
        let mut info = core.info();
        info.text_ids = info.text_ids.or(self.text_ids);
        Ok(results::stats(&info, &core.stats(), core.schema().as_ref(), self.unindexed_limit))
    }

    /// Makes all writes durable.
    pub fn sync(&self) -> Result<(), JsValue> {
        self.core()?.sync().map_err(to_js)
    }

    /// Writes the rows in memory to a segment. Returns whether there was anything to write.
    pub fn flush(&self) -> Result<bool, JsValue> {
        self.core()?.flush().map_err(to_js)
    }

    /// Tells the time in milliseconds, and flushes rows that have been in memory for long.
    pub fn tick(&self, now: f64) -> Result<(), JsValue> {
        self.core()?.tick(now as u64).map_err(to_js)
    }

    /// A merge that is due, or, with `all`, one that is left to do after a flush: JSON `{ id, inputs, output, rows, bytes }`;
    /// `undefined` if there is none, or one is being done.
    pub fn plan(&mut self, all: bool) -> Result<Option<String>, JsValue> {
        if self.job.is_some() {
            return Ok(None);
        }
        let core = self.core()?;
        if all {
            core.flush().map_err(to_js)?;
        }
        let Some(job) = core.plan_merge(all).map_err(to_js)? else { return Ok(None) };
        self.jobs += 1;
        let told = results::plan(self.jobs, &job);
        self.job = Some((self.jobs, job));
        Ok(Some(told))
    }

    /// What `merge` needs of a planned merge, beside the files.
    pub fn job(&self, id: u32) -> Result<Vec<u8>, JsValue> {
        let job = self.job.as_ref().filter(|job| job.0 == id).ok_or_else(unknown_job)?;
        job.1.encode().map_err(to_js)
    }

    /// Takes the file that a merge has made. Returns whether it was taken: not if its rows are gone meanwhile.
    pub fn commit(&mut self, id: u32, file: &str, length: f64) -> Result<bool, JsValue> {
        let (_, job) = self.job.take_if(|job| job.0 == id).ok_or_else(unknown_job)?;
        if job.output() != file {
            return Err(internal("a merge has made another file"));
        }
        self.core()?.commit_merge(job, crate::convert::whole("length", length)?).map_err(to_js)
    }

    /// Gives a planned merge up. One that is not known, as after it was committed in vain, is no error.
    pub fn abandon(&mut self, id: u32) -> Result<(), JsValue> {
        match self.job.take_if(|job| job.0 == id) {
            Some((_, job)) => self.core()?.abandon_merge(&job).map_err(to_js),
            None => Ok(()),
        }
    }

    /// The names of files that the next writes may create, as a JSON array.
    pub fn next_files(&self) -> Result<String, JsValue> {
        Ok(results::names(&self.core()?.next_files().map_err(to_js)?))
    }

    /// The names of files that are not needed any more, and could not be removed, as a JSON array.
    pub fn unused_files(&self) -> Result<String, JsValue> {
        Ok(results::names(&self.core()?.unused_files()))
    }

    /// JS has removed such a file.
    pub fn forgotten(&self, name: &str) -> Result<(), JsValue> {
        self.core()?.forget_file(name);
        Ok(())
    }

    /// Writes all live rows as one plain segment file: calls `onPiece(bytes, offset, length)` with its pieces in order. `onProgress` is
    /// that of `merge`. `indexSegment` of the module that builds makes the file of it that is published.
    pub fn export_rows(&self, on_piece: &Function, on_progress: Option<Function>) -> Result<(), JsValue> {
        let core = self.core()?;
        let mut sink = Callback::new(on_piece);
        let exported = told(on_progress, |ctx| core.export_plain_into(&mut sink, ctx));
        sink.end(exported)
    }

    /// Copies the collection, as it is now, into a folder in which there is none.
    pub fn backup(&self, dir: JsDir) -> Result<(), JsValue> {
        self.core()?.backup_in(JsFolder(dir), "").map_err(to_js)
    }

    /// Makes all writes durable, and gives the files back. It can be called again.
    pub fn close(&mut self) -> Result<(), JsValue> {
        self.sorted = None;
        match self.open.take() {
            Some(core) => match core.sync() {
                Err(Error::ReadOnly) | Ok(()) => Ok(()),
                Err(error) => Err(to_js(error)),
            },
            None => Ok(()),
        }
    }
}

impl CollectionJs {
    fn core(&self) -> Result<&Collection, JsValue> {
        self.open.as_ref().ok_or_else(|| coded("the collection is closed: open it again", "closed"))
    }

    /// Refuses ids of another kind than it was opened for.
    fn check_kind(&self, texts: Option<bool>) -> Result<(), JsValue> {
        match (self.text_ids, texts) {
            (Some(wanted), Some(texts)) if wanted != texts => {
                let kind = |texts| if texts { "texts" } else { "numbers" };
                let detail =
                    format!("they are {}, but the collection was opened for {}", kind(texts), kind(wanted));
                Err(crate::convert::bad("ids", &detail))
            }
            _ => Ok(()),
        }
    }
}

fn unknown_job() -> JsValue {
    internal("there is no such merge")
}
