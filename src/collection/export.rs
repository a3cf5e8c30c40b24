//! What leaves a collection: one segment of all its rows, for any host; and a copy of the collection.

use std::path::Path;
use std::sync::Arc;

use super::Collection;
use super::files::manifest::{Files, Manifest};
use super::files::open;
use super::files::{Place, copy_file, create, done, segment_name};
use super::merge::{Input, merge_files, whole, with_live};
use super::state::State;
use super::write::flush::write_rows;
use crate::build::{BuildOptions, copy_as};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::payload::Schema;
use crate::storage::{Access, Buffer, Dir, InMemory, Sink, is_missing};

/// Merges may remove files between two looks at what there is.
const ATTEMPTS: usize = 5;

impl Collection {
    /// Writes all live rows as one segment file, with graph and clusters, as it can be published and searched anywhere. Codes are
    /// copied. The collection stays as it is, and can be written meanwhile.
    ///
    /// # Errors
    /// Those of its files and of the sink; `cancelled`, `out-of-memory`.
    pub fn export_into(
        &self,
        options: &BuildOptions,
        sink: &mut dyn Sink,
        ctx: &Ctx<'_>,
    ) -> Result<(), Error> {
        let (state, inputs) = self.inputs()?;
        let mut options = options.clone();
        if options.schema.infers_all() && !state.schema.infers() {
            options.schema = Schema::clone(&state.schema);
        }
        merge_files(&inputs, &state.memtable.epoch.stored(), &options, sink, ctx)
    }

    /// As [`Collection::export_into`], without graph and clusters: [`merge_into`](crate::merge_into) of this segment alone makes one
    /// that has them, wherever that is done. It takes little longer than to write the bytes.
    ///
    /// # Errors
    /// As there.
    pub fn export_plain_into(&self, sink: &mut dyn Sink, ctx: &Ctx<'_>) -> Result<(), Error> {
        let (state, inputs) = self.inputs()?;
        with_live(&inputs, |live| copy_as(live, &state.memtable.epoch.stored(), sink, ctx))
    }

    /// All rows as they are now, and the files that have them.
    fn inputs(&self) -> Result<(Arc<State>, Vec<Input>), Error> {
        let mut attempts = 0;
        loop {
            let state = self.snapshot().0;
            match inputs(&self.shared.place, &state) {
                Err(error) if attempts < ATTEMPTS && is_missing(&error) => attempts += 1,
                inputs => return Ok((state, inputs?)),
            }
        }
    }

    /// Copies the collection, as it is now, into a folder in which there is none. Writes wait meanwhile.
    ///
    /// # Errors
    /// `argument` where there is a collection already; `io`.
    pub fn backup_in(&self, dir: impl Dir + 'static, folder: impl AsRef<Path>) -> Result<(), Error> {
        let to = Place { dir: Box::new(dir), folder: folder.as_ref().to_owned() };
        let mut writer = self.shared.writer()?;
        let flushed = writer.flush(&self.snapshot().0)?;
        self.shared.publish(flushed);
        let state = self.snapshot().0;
        open::create_folder(&*to.dir, &to.folder)?;
        if super::files::manifest::read(&*to.dir, &to.folder)?.is_some() {
            let detail = format!("there is a collection in {}: give another folder", to.folder.display());
            return Err(Error::argument("folder", detail));
        }
        let segments = state.stored_entries()?;
        for entry in &segments {
            copy(&writer.place, &to, &segment_name(entry.number))?;
        }
        to.sync_folder()?;
        let manifest = Manifest { generation: 1, log: 0, segments, ..writer.manifest.clone() };
        Files::open(&*to.dir, &to.folder)?.commit(&manifest)
    }
}

/// The files of a state, and a segment of the rows in memory.
fn inputs(place: &Place, state: &State) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    for (at, entry) in state.entries.iter().enumerate() {
        let alive = state.index.as_ref().and_then(|index| index.alive(at));
        inputs.push(Input { source: whole(place, entry)?, length: entry.length, alive });
    }
    if state.memtable.live() > 0 || inputs.is_empty() {
        let mut file = Vec::new();
        write_rows(state, &mut file)?;
        let source = Box::new(InMemory(Buffer::copy_of(&file)?));
        inputs.push(Input { source, length: file.len() as u64, alive: None });
    }
    Ok(inputs)
}

fn copy(from: &Place, to: &Place, name: &str) -> Result<(), Error> {
    let path = from.path(name);
    let file = done(&path, from.dir.open(&path, Access::Read))?;
    copy_file(&*file, &mut *create(&*to.dir, &to.path(name))?)
}
