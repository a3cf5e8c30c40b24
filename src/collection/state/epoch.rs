//! The codecs by which a collection's rows are encoded. They are trained once, on the first rows, and kept: then the codes of
//! all segments have the same parameters, and merges copy them bit for bit.

use std::sync::Arc;

use crate::collection::options::Settings;
use crate::collection::wal::Kinds;
use crate::error::Error;
use crate::quant::{self, CodecKind, Encode, MeanSum};

/// So many rows train the codecs; before that, rows are kept as f32.
pub(crate) const TRAINED_AT: usize = 4096;

/// A codec of an epoch.
pub(crate) struct Stage {
    pub(crate) kind: CodecKind,
    pub(crate) stride: usize,
    pub(crate) parameters: Vec<u8>,
    pub(crate) codec: Box<dyn Encode>,
}

/// The codecs of rows that are encoded alike, each finer than the one before.
#[derive(Clone)]
pub(crate) struct Epoch(pub(crate) Arc<[Stage]>);

impl Epoch {
    /// Rows are f32, until there are enough to train the codecs.
    pub(crate) fn untrained(settings: &Settings) -> Result<Self, Error> {
        Epoch::of(settings, &[(CodecKind::F32, Vec::new())])
    }

    /// The codecs that these parameters were stored for.
    pub(crate) fn of(settings: &Settings, stored: &[(CodecKind, Vec<u8>)]) -> Result<Self, Error> {
        let stage = |(kind, parameters): &(CodecKind, Vec<u8>)| {
            let codec = quant::load_encoder(*kind, settings.metric, settings.dim, parameters)?;
            let stride = kind.stride(settings.dim, settings.metric);
            Ok(Stage { kind: *kind, stride, parameters: parameters.clone(), codec })
        };
        Ok(Epoch(stored.iter().map(stage).collect::<Result<_, Error>>()?))
    }

    /// Trains the codecs on rows: on their mean.
    pub(crate) fn train(
        settings: &Settings,
        rows: &mut dyn Iterator<Item = Vec<f32>>,
    ) -> Result<Self, Error> {
        let mut sum = MeanSum::new(settings.dim);
        rows.for_each(|row| sum.add(&row));
        let mean = sum.mean();
        let none = |_: &[u32]| Ok(Vec::new());
        let train = |kind| {
            let codec = quant::train(kind, settings.metric, mean.clone(), 0, none, 0)?;
            let stride = kind.stride(settings.dim, settings.metric);
            Ok(Stage { kind, stride, parameters: codec.parameters(), codec })
        };
        Ok(Epoch(settings.stages().into_iter().map(train).collect::<Result<_, Error>>()?))
    }

    /// Whether these are the codecs of the settings.
    pub(crate) fn is_trained(&self, settings: &Settings) -> bool {
        self.0.iter().map(|stage| stage.kind).eq(settings.stages())
    }

    /// The number of each stage's codec, as the log has them.
    pub(crate) fn kinds(&self) -> Kinds {
        let mut kinds = Kinds::default();
        kinds.iter_mut().zip(self.0.iter()).for_each(|(kind, stage)| *kind = stage.kind.number());
        kinds
    }

    /// Kinds and parameters, as they are stored.
    pub(crate) fn stored(&self) -> Vec<(CodecKind, Vec<u8>)> {
        self.0.iter().map(|stage| (stage.kind, stage.parameters.clone())).collect()
    }

    /// The stage that a search of few rows scans: the first whose distances are nearly right.
    pub(crate) fn scanned(&self) -> usize {
        self.0.iter().position(|stage| !stage.kind.is_coarse()).unwrap_or(0)
    }

    /// Encodes a row by all stages, behind the codes that are there.
    pub(crate) fn encode(&self, row: &[f32], codes: &mut [Vec<u8>]) -> Result<(), Error> {
        for (stage, codes) in self.0.iter().zip(codes) {
            let start = codes.len();
            codes.resize(start + stage.stride, 0);
            stage.codec.encode(row, &mut codes[start..])?;
        }
        Ok(())
    }
}
