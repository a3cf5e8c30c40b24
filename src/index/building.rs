//! Segments that belong to an index: one whose rows are encoded as the index encodes them, and one of several indexes.

use super::{Bytes, Index};
use crate::build::{self, BuildOptions, Live};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::id::Ids;
use crate::rows::BuildInput;
use crate::segment::STAGES;
use crate::storage::{Expected, Read, Sink};

/// Builds a segment whose rows are encoded exactly as those of `like`: of the same metric, with the same codecs, of the
/// same parameters. So codes of both can later be merged bit for bit ([`merge_into`]). Graph, clusters, seed and tuning
/// queries are those of `options`; its metric, `codec`, `refine` and `exact` are not used. If `like` has no rows, its
/// codecs have no parameters worth keeping, and are trained on the new rows.
///
/// Without `ids` rows are named 0, 1, 2, …. The same input, ids, options and parameters give the same file. `like` may
/// be read in any way, also piece by piece.
///
/// ```
/// use pagevec::{BuildInput, BuildOptions, Ctx, Ids, Index, Metric};
/// let (options, ctx) = (BuildOptions::new(Metric::Cosine), Ctx::default());
/// let first = pagevec::build(vec![1.0, 0.0, 0.8, 0.6], 2, None, &options, &ctx)?;
/// let first = Index::from_bytes(&first)?;
/// let input = BuildInput::Memory { vectors: vec![0.0, 1.0], dim: 2 };
/// let mut second = Vec::new();
/// pagevec::append_into(&first, input, Some(Ids::Numbers(vec![2])), &options, &mut second, &ctx)?;
/// let second = Index::from_bytes(&second)?;
/// let mut merged = Vec::new();
/// pagevec::merge_into(&[&first, &second], &options, &mut merged, &ctx)?;
/// assert_eq!(Index::from_bytes(&merged)?.info().count, 3);
/// # Ok::<(), pagevec::Error>(())
/// ```
///
/// # Errors
/// `dimension`; `argument` for ids of another kind than the index has; those of [`build_into`](crate::build_into), and of
/// reading `like`.
pub fn append_into(
    like: &Index,
    input: BuildInput<'_>,
    ids: Option<Ids>,
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let segment = like.members().first();
    let mut parameters = Vec::new();
    for form in STAGES.iter().take(segment.header.stages.len()) {
        // A codec without parameters may have no section of them.
        let Some(extent) = segment.extent(form.parameters).filter(|extent| extent.length > 0) else {
            parameters.push(Vec::new());
            continue;
        };
        // `open` compared the front with its checksums, which holds no more than 256 MiB.
        let mut bytes = vec![0; extent.length as usize];
        like.read(0, extent, &mut bytes)?;
        segment.check(Read { extent, expected: Expected::Blocks }, &bytes)?;
        parameters.push(bytes);
    }
    build::append(segment, &parameters, input, ids, options, sink, ctx)
}

/// Builds one segment of the rows of several indexes, in their order. Of an id that several have, the row of the last is
/// taken.
///
/// Codes of every stage are copied bit for bit where all indexes have the same codec with the same parameters, as after
/// [`append_into`]. Otherwise the rows are decoded from the finest rows and encoded anew, by the kinds of codecs of the
/// first index that has rows, and [`Warning::EncodedAnew`](crate::Warning::EncodedAnew) says so. The order, the graph,
/// the lists and their calibration are made anew, with `options`; its metric, `codec`, `refine` and `exact` are not used.
///
/// What is read of the indexes is compared with its checksums. No stage holds all rows as floats. The same indexes and
/// options give the same file.
///
/// # Errors
/// `dimension`; `argument` where there is no index, where metrics or kinds of ids differ, where there are too many rows
/// for one segment, and for an index that is read piece by piece: open it by [`Io::Mmap`](crate::Io::Mmap), or by
/// [`Io::Memory`](crate::Io::Memory) where it was published in parts only. `checksum` and `corrupt` where an index is
/// damaged; those of [`build_into`](crate::build_into) beside these.
pub fn merge_into(
    indexes: &[&Index],
    options: &BuildOptions,
    sink: &mut dyn Sink,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let mut segments = Vec::with_capacity(indexes.len());
    for index in indexes {
        segments.extend(index.live()?);
    }
    build::merge(&segments, options, sink, ctx)
}

impl Index {
    /// Builds one segment of the live rows of these segments, in their order, into stages of these codecs: the codes of
    /// rows that one of them encoded are copied, bit for bit, all others are made from the finest rows.
    ///
    /// # Errors
    /// `argument` for a segment that is not there, for codecs that do not follow one another, and for an index that is
    /// read piece by piece; those of [`merge_into`].
    #[cfg(test)]
    pub(crate) fn merge_as(
        &self,
        segments: &[usize],
        stages: &[build::Frozen],
        options: &BuildOptions,
        sink: &mut dyn Sink,
        ctx: &Ctx<'_>,
    ) -> Result<(), Error> {
        let all = self.live()?;
        let one = |&number: &usize| {
            let none = || Error::argument("segment", format!("there is no segment {number}"));
            all.get(number).copied().ok_or_else(none)
        };
        let live = segments.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        build::merge_as(&live, stages, options, sink, ctx)
    }

    /// The segments as a merge reads them.
    fn live(&self) -> Result<Vec<Live<'_>>, Error> {
        let Bytes::Local { members, files, .. } = &self.bytes else {
            let detail = "an index that is read piece by piece cannot be merged: open it by Io::Mmap, or by \
                          Io::Memory if it is in parts only";
            return Err(Error::argument("indexes", detail));
        };
        let live = members.iter().zip(files).map(|(member, file)| Live {
            segment: &member.segment,
            source: &**file,
            alive: member.alive.as_deref(),
        });
        Ok(live.collect())
    }
}
