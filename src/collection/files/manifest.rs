//! What a collection is made of: its settings, its segments with their dead rows, and where its log begins. Two files hold it in
//! turn; the valid one of the higher generation counts, so a write that fails or tears leaves the other. FORMAT.md describes
//! the bytes under "Collections".

use std::path::Path;

use crate::collection::files::take::Take;
use crate::collection::files::{done, read_whole, segment_number};
use crate::collection::options::Settings;
use crate::collection::wal::Shape;
use crate::error::Error;
use crate::metric::Metric;
use crate::payload::Schema;
use crate::quant::CodecKind;
use crate::segment::limits;
use crate::storage::checksum::sum_at;
use crate::storage::{Access, Dir, DirFile, is_missing};

/// The two files.
pub(crate) const NAMES: [&str; 2] = ["manifest.a", "manifest.b"];
const MAGIC: [u8; 8] = *b"PVCOLL\r\n";
const VERSION: u32 = 1;
/// The required feature of a manifest that has a schema.
const SCHEMA: u32 = 1;
/// Bytes before those that the sum is of.
const FRONT: usize = 32;
/// A manifest of more bytes is damaged: 1,024 segments of 2³¹ − 1 dead rows each would have a bit for each of these.
const MOST: u64 = 1 << 32;
const SEED: u64 = 0x4D41_4E49_4645_5354;

/// A segment of a collection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SegmentEntry {
    /// Of its file.
    pub(crate) number: u64,
    pub(crate) length: u64,
    /// Of the segment: another file under this name is found out.
    pub(crate) file_id: [u8; 16],
    /// Rows, dead ones too.
    pub(crate) rows: u32,
    /// Whether a merge has made it; else it is a flushed memtable without a graph.
    pub(crate) merged: bool,
    /// The last operation that is in it.
    pub(crate) sequence: u64,
    /// Its dead rows as a position set; empty: none.
    pub(crate) dead: Vec<u8>,
}

/// The last request of a client that was applied: one that is sent again is not applied again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) client: u64,
    pub(crate) number: u64,
}

/// See the head of this file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) generation: u64,
    pub(crate) collection: [u8; 16],
    pub(crate) settings: Settings,
    /// The types of fields; `None`: they are inferred.
    pub(crate) schema: Option<Schema>,
    /// Whether ids are texts; `None` while there was none.
    pub(crate) text_ids: Option<bool>,
    /// The next number of a segment file.
    pub(crate) next_file: u64,
    /// The first log whose operations are not in segments; 0 if none was begun.
    pub(crate) log: u64,
    /// The first operation that is not in segments: all before it are durable.
    pub(crate) sequence: u64,
    /// The codecs of new segments, with their parameters.
    pub(crate) epoch: Vec<(CodecKind, Vec<u8>)>,
    pub(crate) segments: Vec<SegmentEntry>,
    pub(crate) applied: Vec<Applied>,
}

impl Manifest {
    /// What the operations of the log have in common.
    pub(crate) fn shape(&self) -> Shape {
        Shape { dim: self.settings.dim, text_ids: self.text_ids.unwrap_or(false) }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let schema = self.schema.as_ref().map_or_else(String::new, Schema::to_json);
        let mut put = |bytes: &[u8]| body.extend_from_slice(bytes);
        let Settings { dim, metric, codec, refine } = self.settings;
        put(&self.generation.to_le_bytes());
        put(&self.collection);
        put(&(dim as u32).to_le_bytes());
        put(&[
            metric as u8,
            self.text_ids.map_or(0, |text| 1 + u8::from(text)),
            codec.number(),
            refine.map_or(0, CodecKind::number),
        ]);
        put(&self.next_file.to_le_bytes());
        put(&self.log.to_le_bytes());
        put(&self.sequence.to_le_bytes());
        put(&(self.epoch.len() as u32).to_le_bytes());
        put(&(self.segments.len() as u32).to_le_bytes());
        put(&(self.applied.len() as u32).to_le_bytes());
        put(&(schema.len() as u32).to_le_bytes());
        for (kind, parameters) in &self.epoch {
            put(&[kind.number(), 0, 0, 0]);
            put(&(parameters.len() as u32).to_le_bytes());
            put(parameters);
        }
        for segment in &self.segments {
            put(&segment.number.to_le_bytes());
            put(&segment.length.to_le_bytes());
            put(&segment.file_id);
            put(&segment.rows.to_le_bytes());
            put(&[u8::from(segment.merged), 0, 0, 0]);
            put(&segment.sequence.to_le_bytes());
            put(&(segment.dead.len() as u64).to_le_bytes());
            put(&segment.dead);
        }
        for Applied { client, number } in &self.applied {
            put(&client.to_le_bytes());
            put(&number.to_le_bytes());
        }
        put(schema.as_bytes());
        let mut file = Vec::with_capacity(FRONT + body.len());
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&VERSION.to_le_bytes());
        let required = if self.schema.is_some() { SCHEMA } else { 0 };
        file.extend_from_slice(&required.to_le_bytes());
        file.extend_from_slice(&((FRONT + body.len()) as u64).to_le_bytes());
        // The sum is of the version and the length too.
        let seed = sum_at(SEED, 0, &file);
        file.extend_from_slice(&sum_at(seed, FRONT as u64, &body).to_le_bytes());
        file.extend_from_slice(&body);
        file
    }

    /// # Errors
    /// `version` for a newer one; `corrupt`, `checksum` or `length` for bytes that are no manifest. Bytes behind it are not
    /// looked at.
    pub(crate) fn decode(file: &[u8]) -> Result<Self, Error> {
        let mut front = Take(file);
        if front.take(8)? != MAGIC {
            return Err(corrupt("it does not begin as one does"));
        }
        let (version, required) = (front.u32()?, front.u32()?);
        if version != VERSION || required & !SCHEMA != 0 {
            return Err(Error::Version {
                found: u64::from(version) | u64::from(required) << 32,
                supported: 1,
            });
        }
        let (length, sum) = (front.u64()?, front.u64()?);
        let got = file.len() as u64;
        let whole = usize::try_from(length).ok().and_then(|length| file.get(FRONT..length));
        let body = whole.ok_or(Error::Length { section: "manifest", expected: length, got })?;
        if sum_at(sum_at(SEED, 0, &file[..FRONT - 8]), FRONT as u64, body) != sum {
            return Err(Error::Checksum { section: "manifest", offset: FRONT as u64 });
        }
        Manifest::decode_body(Take(body), required & SCHEMA != 0)
    }

    fn decode_body(mut body: Take<'_>, has_schema: bool) -> Result<Self, Error> {
        let (generation, collection, dim) = (body.u64()?, body.id()?, body.u32()? as usize);
        let [metric, text_ids, codec, refine] = body.four()?;
        let codec_of =
            |number| CodecKind::from_file(number, 0, dim).ok_or_else(|| corrupt("it names an unknown codec"));
        let metric = Metric::from_u8(metric).ok_or_else(|| corrupt("it names an unknown metric"))?;
        let refine = if refine == 0 { None } else { Some(codec_of(refine)?) };
        let settings = Settings { dim, metric, codec: codec_of(codec)?, refine };
        if dim == 0 || dim > limits::MAX_DIM || text_ids > 2 || settings.check().is_err() {
            return Err(corrupt("its settings are impossible"));
        }
        let (next_file, log, sequence) = (body.u64()?, body.u64()?, body.u64()?);
        let [stages, segments, applied] = [body.u32()?, body.u32()?, body.u32()?];
        let schema = body.u32()? as usize;
        let mut manifest = Manifest {
            generation,
            collection,
            settings,
            schema: None,
            text_ids: [None, Some(false), Some(true)][text_ids as usize],
            next_file,
            log,
            sequence,
            epoch: Vec::new(),
            segments: Vec::new(),
            applied: Vec::new(),
        };
        for _ in 0..stages {
            let kind = codec_of(body.four()?[0])?;
            let length = body.u32()? as usize;
            manifest.epoch.push((kind, body.take(length)?.to_vec()));
        }
        for _ in 0..segments {
            let (number, length, file_id, rows) = (body.u64()?, body.u64()?, body.id()?, body.u32()?);
            let merged = body.four()?[0] != 0;
            let (sequence, dead) = (body.u64()?, body.u64()?);
            let dead = usize::try_from(dead).map_err(|_| corrupt("a set of dead rows is too long"))?;
            let dead = body.take(dead)?.to_vec();
            manifest.segments.push(SegmentEntry { number, length, file_id, rows, merged, sequence, dead });
        }
        for _ in 0..applied {
            manifest.applied.push(Applied { client: body.u64()?, number: body.u64()? });
        }
        if has_schema {
            let json =
                std::str::from_utf8(body.take(schema)?).map_err(|_| corrupt("its schema is no text"))?;
            manifest.schema = Some(Schema::parse(json).map_err(|_| corrupt("its schema is none"))?);
        }
        Ok(manifest)
    }
}

/// Reads the manifest that counts. `None` where there is no collection: neither file has ever been whole.
///
/// # Errors
/// `version` for one of a newer build; `corrupt`, `checksum`, `length` where both files are damaged; `io`.
pub(crate) fn read(dir: &dyn Dir, folder: &Path) -> Result<Option<Manifest>, Error> {
    let mut best: Option<Manifest> = None;
    let (mut wrong, mut written) = (None, 0);
    for name in NAMES {
        let path = folder.join(name);
        let file = match done(&path, dir.open(&path, Access::Read)) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Err(error),
        };
        let bytes = read_whole(&path, &*file, MOST)?;
        written += usize::from(!bytes.is_empty());
        match Manifest::decode(&bytes) {
            // A newer build has written it: what the other file says is older.
            Err(error @ Error::Version { .. }) => return Err(error),
            // Created, and never written.
            Err(_) if bytes.is_empty() => {}
            Err(error) => wrong = Some(error),
            Ok(manifest) if best.as_ref().is_none_or(|best| best.generation < manifest.generation) => {
                best = Some(manifest);
            }
            Ok(_) => {}
        }
    }
    match (best, wrong) {
        (Some(manifest), _) => Ok(Some(manifest)),
        (None, Some(error)) if written > 1 || has_more(dir, folder)? => Err(error),
        // The first manifest was being written: nothing has followed it, and nothing was acknowledged.
        (None, _) => Ok(None),
    }
}

/// Whether there are files that only a collection with a manifest has.
fn has_more(dir: &dyn Dir, folder: &Path) -> Result<bool, Error> {
    let entries = done(folder, dir.list(folder))?;
    let of_ours = |name: &str| name.starts_with("wal-") || segment_number(name).is_some();
    Ok(entries.iter().any(|entry| entry.length > 0 && of_ours(&entry.name)))
}

/// The two files, open to be written in turn.
pub(crate) struct Files([Box<dyn DirFile>; 2]);

impl Files {
    /// Opens both, and creates what is missing.
    ///
    /// # Errors
    /// `io`.
    pub(crate) fn open(dir: &dyn Dir, folder: &Path) -> Result<Self, Error> {
        let open = |name: &str| {
            let path = folder.join(name);
            match done(&path, dir.open(&path, Access::Write)) {
                Err(error) if is_missing(&error) => done(&path, dir.open(&path, Access::Create)),
                opened => opened,
            }
        };
        let files = Files([open(NAMES[0])?, open(NAMES[1])?]);
        done(folder, dir.sync_folder(folder))?;
        Ok(files)
    }

    /// Makes a manifest the one that counts. The file that counted before is not touched.
    ///
    /// # Errors
    /// `io`: then the one before counts, or this one.
    pub(crate) fn commit(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let bytes = manifest.encode();
        let file = &mut self.0[(manifest.generation % 2) as usize];
        file.write_at(&bytes, 0)?;
        if file.length()? > 2 * bytes.len() as u64 + (64 << 10) {
            file.set_length(bytes.len() as u64)?;
        }
        file.sync()
    }
}

pub(crate) fn corrupt(detail: &str) -> Error {
    Error::corrupt("manifest", detail)
}
