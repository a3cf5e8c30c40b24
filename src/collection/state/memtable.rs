//! The rows that are in no segment yet: their codes in chunks, in the order of their writes. They are scanned by every search;
//! a graph over them would cost more to write than it saves (`docs/decisions.md`).
//!
//! Chunks are shared with the readers of earlier states. What a writer changes of a chunk that is shared is copied first.

use std::sync::Arc;

use crate::collection::options::Settings;
use crate::collection::state::epoch::{Epoch, TRAINED_AT};
use crate::collection::write::batch::CodedRow;
use crate::error::Error;
use crate::id::Id;
use crate::quant::{self, CodecKind};
use crate::row_set::{RowSet, add};

/// Rows of a chunk. Few, since a writer copies the last one while a search reads it.
pub(crate) const CHUNK: usize = 256;

/// See the head of this file.
#[derive(Clone)]
pub(crate) struct Memtable {
    pub(crate) epoch: Epoch,
    pub(crate) chunks: Vec<Arc<Chunk>>,
    /// Rows, dead ones too.
    count: usize,
    live: usize,
    /// Bytes of codes, ids and fields, about.
    bytes: u64,
    /// Bytes of texts of ids and of fields, with what they are counted by.
    texts: u64,
}

/// Some rows, one after another.
#[derive(Clone, Default)]
pub(crate) struct Chunk {
    /// Of each stage of the epoch.
    pub(crate) codes: Vec<Vec<u8>>,
    pub(crate) ids: Vec<Id>,
    /// JSON objects; empty: none.
    pub(crate) fields: Vec<Arc<str>>,
    /// One bit a row: a later write has its id.
    dead: [u64; CHUNK / 64],
}

impl Chunk {
    pub(crate) fn is_live(&self, row: usize) -> bool {
        self.dead[row / 64] >> (row % 64) & 1 == 0
    }

    /// The rows that are not dead.
    pub(crate) fn live(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.ids.len()).filter(|&row| self.is_live(row))
    }

    pub(crate) fn code(&self, stage: usize, row: usize, stride: usize) -> &[u8] {
        &self.codes[stage][row * stride..][..stride]
    }
}

impl Memtable {
    pub(crate) fn new(epoch: Epoch) -> Self {
        Memtable { epoch, chunks: Vec::new(), count: 0, live: 0, bytes: 0, texts: 0 }
    }

    /// Rows, dead ones too.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Rows that are not dead.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// About the bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it has allocated, with the writer's table of its live rows by id.
    pub(crate) fn allocated(&self) -> u64 {
        let of_chunk = |chunk: &Arc<Chunk>| {
            let codes: usize = chunk.codes.iter().map(Vec::capacity).sum();
            let lists =
                chunk.ids.capacity() * size_of::<Id>() + chunk.fields.capacity() * size_of::<Arc<str>>();
            codes + lists + size_of::<Chunk>()
        };
        let chunks: usize = self.chunks.iter().map(of_chunk).sum();
        chunks as u64 + table_bytes(self.live) + self.texts
    }

    /// The chunk of a row, and its number there.
    pub(crate) fn place(&self, slot: u32) -> (&Chunk, usize) {
        (&self.chunks[slot as usize / CHUNK], slot as usize % CHUNK)
    }

    /// The numbers of the rows that are not dead.
    pub(crate) fn live_rows(&self) -> Result<RowSet, Error> {
        let mut words = RowSet::no_words(self.count)?;
        for (at, chunk) in self.chunks.iter().enumerate() {
            chunk.live().for_each(|row| add(&mut words, (at * CHUNK + row) as u32));
        }
        RowSet::of_words(words, self.count)
    }

    /// Appends a row, which was checked (and under cosine scaled). Returns its number.
    pub(crate) fn push(&mut self, id: Id, row: &[f32], fields: Arc<str>) -> Result<u32, Error> {
        self.append(id, fields, |epoch, codes| epoch.encode(row, codes))
    }

    /// Appends a row that was encoded: its codes are copied. Of a row from before the codecs were trained they are its floats.
    ///
    /// # Errors
    /// `corrupt` for codes of other codecs, or of no vector.
    pub(crate) fn push_coded(&mut self, id: Id, row: &CodedRow, settings: &Settings) -> Result<u32, Error> {
        let CodedRow { kinds, codes: bytes, fields } = row;
        let corrupt = || Error::corrupt("log", format!("the codes of the row {id} are not those of a row"));
        let is_finite = |row: &[f32]| row.iter().all(|x| x.is_finite());
        if *kinds != self.epoch.kinds() {
            let floats = quant::floats(bytes);
            let of_floats = kinds[0] == CodecKind::F32.number() && kinds[1] == 0;
            if !of_floats || floats.len() != settings.dim || !is_finite(&floats) {
                return Err(corrupt());
            }
            return self.push(id, &floats, Arc::clone(fields));
        }
        let strides: usize = self.epoch.0.iter().map(|stage| stage.stride).sum();
        let mut finest = vec![0.0; settings.dim];
        if let (Some(stage), true) = (self.epoch.0.last(), bytes.len() == strides) {
            stage.codec.decode(&bytes[strides - stage.stride..], &mut finest);
        } else {
            return Err(corrupt());
        }
        if !is_finite(&finest) {
            return Err(corrupt());
        }
        self.append(id, Arc::clone(fields), |epoch, codes| {
            let mut rest = &bytes[..];
            for (stage, codes) in epoch.0.iter().zip(codes) {
                let (own, behind) = rest.split_at(stage.stride);
                codes.extend_from_slice(own);
                rest = behind;
            }
            Ok(())
        })
    }

    fn append(
        &mut self,
        id: Id,
        fields: Arc<str>,
        encode: impl FnOnce(&Epoch, &mut [Vec<u8>]) -> Result<(), Error>,
    ) -> Result<u32, Error> {
        if self.count.is_multiple_of(CHUNK) {
            let codes = self.epoch.0.iter().map(|_| Vec::new()).collect();
            self.chunks.push(Arc::new(Chunk { codes, ..Chunk::default() }));
        }
        let Some(chunk) = self.chunks.last_mut() else {
            return Err(Error::internal("a memtable without chunks"));
        };
        let chunk = Arc::make_mut(chunk);
        encode(&self.epoch, &mut chunk.codes)?;
        let text = if let Id::Text(text) = &id { text.len() } else { 0 };
        let stride: usize = self.epoch.0.iter().map(|stage| stage.stride).sum();
        self.bytes += (stride + text + fields.len() + size_of::<Id>() + size_of::<Arc<str>>()) as u64;
        // The table has the text too; the fields have two counts.
        self.texts += 2 * text as u64 + if fields.is_empty() { 0 } else { fields.len() as u64 + 16 };
        chunk.ids.push(id);
        chunk.fields.push(fields);
        (self.count, self.live) = (self.count + 1, self.live + 1);
        Ok(self.count as u32 - 1)
    }

    /// A later write has the id of this row.
    pub(crate) fn kill(&mut self, slot: u32) {
        let row = slot as usize % CHUNK;
        if let Some(chunk) = self.chunks.get_mut(slot as usize / CHUNK).filter(|chunk| chunk.is_live(row)) {
            Arc::make_mut(chunk).dead[row / 64] |= 1 << (row % 64);
            self.live -= 1;
        }
    }

    /// Trains the codecs, if there are enough rows, and encodes all anew. Which rows train them follows from the writes alone,
    /// so that it comes out the same when the log is read again.
    pub(crate) fn train(&mut self, settings: &Settings) -> Result<(), Error> {
        if self.count < TRAINED_AT || self.epoch.is_trained(settings) {
            return Ok(());
        }
        let stride = self.epoch.0[0].stride;
        let rows = self.chunks.iter().flat_map(|chunk| chunk.codes[0].chunks_exact(stride));
        let epoch = Epoch::train(settings, &mut rows.take(TRAINED_AT).map(quant::floats))?;
        let (decoder, mut row) = (self.epoch.clone(), vec![0.0; settings.dim]);
        for chunk in &mut self.chunks {
            let chunk = Arc::make_mut(chunk);
            let floats = std::mem::take(&mut chunk.codes[0]);
            chunk.codes = epoch.0.iter().map(|_| Vec::new()).collect();
            for code in floats.chunks_exact(stride) {
                decoder.0[0].codec.decode(code, &mut row);
                epoch.encode(&row, &mut chunk.codes)?;
            }
        }
        self.epoch = epoch;
        Ok(())
    }
}

/// Bytes of a table of so many rows by id, beside the texts of the ids: seven of eight places are used at most.
pub(crate) fn table_bytes(rows: usize) -> u64 {
    let places = if rows == 0 { 0 } else { (rows * 8 / 7).next_power_of_two() };
    (places * (size_of::<(Id, u32)>() + 1)) as u64
}
