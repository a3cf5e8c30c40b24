//! Encodes the sections of the clustered index, with the fewest bits per row that calibration accepts.

use super::calibrate::{Calibrated, Levels, Sample, calibrate};
use super::soar;
use super::tree::Tree;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::id::Ids;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::quant::{Rabitq, centroid};
use crate::rows::Reader;
use crate::segment::{self, Pieces, SectionKind, clusters};

/// The input of [`sections`].
pub(crate) struct Input<'a> {
    pub(crate) metric: Metric,
    pub(crate) seed: u64,
    /// In the order of the tree.
    pub(crate) rows: Reader<'a>,
    /// Their mean.
    pub(crate) mean: &'a [f32],
    pub(crate) tree: &'a Tree,
    /// The second leaf of each position.
    pub(crate) second: &'a [u32],
    pub(crate) ids: &'a Ids,
    /// Bytes of one of the finest rows, by which hits are ranked.
    pub(crate) row_bytes: usize,
    /// Checksums of these rows.
    pub(crate) row_checksums: &'a [u8],
    pub(crate) file_id: [u8; 16],
    /// The tuning queries (row-major); may be empty.
    pub(crate) queries: &'a [f32],
}

/// The sections, in the order of the file.
pub(crate) fn sections(input: &Input<'_>, ctx: &Ctx<'_>) -> Result<Vec<(SectionKind, Pieces)>, Error> {
    let &Input { metric, rows, mean, tree, second, .. } = input;
    let dim = rows.dim();
    let spilled = soar::spilled(second, tree);
    let samples = match input.queries.is_empty() {
        true => Sample::made(rows, tree, &spilled, metric, input.seed, ctx),
        false => Sample::given(rows, metric, input.queries, ctx),
    }?;
    let (cell_spreads, leaf_spreads) = spreads(rows, tree)?;
    let listed = rows.count() + spilled.iter().map(Vec::len).sum::<usize>();
    let mut best: Option<(Rabitq, EncodedClusters, Calibrated)> = None;
    // Fewest bytes first. The last is for rows that differ little from each other.
    for (bits, centres) in [(Rabitq::bits_for(dim), 1), (Rabitq::MAX_BITS, 1), (Rabitq::MAX_BITS, 2)] {
        if best.as_ref().is_some_and(|b| b.2.is_good() || (b.0.bits(), b.1.centres) == (bits, centres)) {
            continue;
        }
        ctx.check()?;
        let codec = Rabitq::new(metric, mean.to_vec(), bits);
        let coded = EncodedClusters::new(&codec, rows, tree, &spilled, centres)?;
        let levels = Levels {
            tree,
            metric,
            second,
            spilled: &spilled,
            codec: &codec,
            cell_codes: &coded.cells,
            cell_spreads: &cell_spreads,
            leaf_codes: &coded.leaves,
            leaf_spreads: &leaf_spreads,
            centres,
            list_codes: &coded.lists,
            // An entry of a list has about six bytes beside its code.
            list_bytes: coded.lists.iter().map(Vec::len).sum::<usize>() + 6 * listed,
            row_bytes: input.row_bytes,
        };
        let found = calibrate(&levels, &samples);
        if best.as_ref().is_none_or(|b| found.is_better_than(&b.2)) {
            best = Some((codec, coded, found));
        }
    }
    let Some((codec, coded, found)) = best else { return Ok(Vec::new()) };
    found.warn(ctx);
    let parts = clusters::Parts {
        leaves: &tree.leaf_starts,
        cells: &tree.cell_starts,
        spilled: &spilled,
        cell_codes: &coded.cells,
        cell_spreads: &cell_spreads,
        leaf_codes: &coded.leaves,
        leaf_spreads: &leaf_spreads,
        bits: codec.bits(),
        centres: coded.centres,
        stride: codec.stride(),
        row_checksums: input.row_checksums,
        ids: input.ids,
        order: &tree.order,
        shares: found.shares,
        curves: &found.curves,
    };
    let [cells, leaves, lists] = clusters::encode(&parts, coded.lists, segment::file_seed(&input.file_id));
    let parameters = mean.iter().flat_map(|m| m.to_le_bytes()).collect();
    Ok(vec![
        (SectionKind::ListParameters, vec![parameters]),
        (SectionKind::Cells, cells),
        (SectionKind::Leaves, leaves),
        (SectionKind::Lists, lists),
    ])
}

/// The codes of centroids and rows. They are residuals to the decoded centroid, not to the exact one, since a search
/// only has the decoded one.
struct EncodedClusters {
    /// The codes of the cells' centroids.
    cells: Vec<u8>,
    /// The codes of the leaves' centroids, as residuals to those of their cells.
    leaves: Vec<u8>,
    /// How many codes in a row encode the centroid of a leaf.
    centres: usize,
    /// For each leaf the codes of its centroid, then those of its own rows and of those spilled into it.
    lists: Vec<Vec<u8>>,
}

impl EncodedClusters {
    fn new(
        codec: &Rabitq,
        rows: Reader<'_>,
        tree: &Tree,
        spilled: &[Vec<u32>],
        centres: usize,
    ) -> Result<Self, Error> {
        let dim = rows.dim();
        let mut turned = Vec::new();
        let mut cells = vec![0; tree.cell_centroids.len() / dim * centroid::stride(dim)];
        let mut middles = vec![0.0; tree.cell_centroids.len()];
        let codes = cells.chunks_exact_mut(centroid::stride(dim));
        for ((row, code), centre) in
            tree.cell_centroids.chunks_exact(dim).zip(codes).zip(middles.chunks_exact_mut(dim))
        {
            codec.turn(row, &mut turned);
            centroid::encode(&turned, code);
            centroid::add(code, centre);
        }
        let centre = |leaf: usize| &middles[tree.cell_of(leaf as u32) * dim..][..dim];
        let mut leaves = vec![0; (tree.leaf_starts.len() - 1) * codec.stride()];
        for (leaf, (row, code)) in
            tree.leaf_centroids.chunks_exact(dim).zip(leaves.chunks_exact_mut(codec.stride())).enumerate()
        {
            codec.turn(row, &mut turned);
            codec.encode(&turned, centre(leaf), code);
        }
        let lists = exec::map_chunks(spilled.len(), 16, |range| {
            let list = |leaf: usize| list(codec, rows, tree, leaf, &spilled[leaf], centre(leaf), centres);
            range.map(list).collect::<Result<Vec<_>, _>>()
        });
        let lists = lists.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        Ok(EncodedClusters { cells, leaves, centres, lists })
    }
}

/// Encodes one list; `cell` is the decoded centroid of the leaf's cell.
fn list(
    codec: &Rabitq,
    rows: Reader<'_>,
    tree: &Tree,
    leaf: usize,
    spilled: &[u32],
    cell: &[f32],
    centres: usize,
) -> Result<Vec<u8>, Error> {
    let (dim, stride) = (rows.dim(), centroid::stride(rows.dim()));
    let mut turned = Vec::new();
    let mut centroid = Vec::new();
    codec.turn(&tree.leaf_centroids[leaf * dim..][..dim], &mut centroid);
    let mut centre = cell.to_vec();
    let mut codes = vec![0; stride * centres];
    for code in codes.chunks_exact_mut(stride) {
        // Each code encodes the residual of those before it.
        let left: Vec<f32> = centroid.iter().zip(&centre).map(|(x, c)| x - c).collect();
        centroid::encode(&left, code);
        centroid::add(code, &mut centre);
    }
    let own = tree.leaf_starts[leaf]..tree.leaf_starts[leaf + 1];
    codes.reserve_exact((own.len() + spilled.len()) * codec.stride());
    rows.each(own.chain(spilled.iter().copied()), |row| {
        let at = codes.len();
        codes.resize(at + codec.stride(), 0);
        codec.turn(row, &mut turned);
        codec.encode(&turned, &centre, &mut codes[at..]);
    })?;
    Ok(codes)
}

/// The spreads of the cells and of the leaves: the root mean square distance of the rows of each to its centroid.
fn spreads(rows: Reader<'_>, tree: &Tree) -> Result<(Vec<f32>, Vec<f32>), Error> {
    let dim = rows.dim();
    let spread = |sum: f64, count: u32| (sum / f64::from(count.max(1))).sqrt() as f32;
    let one = |cell: usize| -> Result<(f32, Vec<f32>), Error> {
        let starts = &tree.leaf_starts[tree.cell_starts[cell] as usize..=tree.cell_starts[cell + 1] as usize];
        let positions = starts[0]..starts[starts.len() - 1];
        let mean = &tree.cell_centroids[cell * dim..][..dim];
        let centroids = &tree.leaf_centroids[tree.cell_starts[cell] as usize * dim..];
        let (mut sum, mut sums) = (0.0, vec![0.0; starts.len() - 1]);
        let (mut leaf, mut numbers) = (0, positions.clone());
        rows.each(positions.clone(), |row| {
            let position = numbers.next().unwrap_or_default();
            while starts.get(leaf + 1).is_some_and(|&end| end <= position) {
                leaf += 1;
            }
            sum += f64::from((kernels().l2_f32)(row, mean));
            sums[leaf] += f64::from((kernels().l2_f32)(row, &centroids[leaf * dim..][..dim]));
        })?;
        let leaves = sums.iter().zip(starts.windows(2)).map(|(&sum, w)| spread(sum, w[1] - w[0]));
        Ok((spread(sum, positions.len() as u32), leaves.collect()))
    };
    let found = exec::map_chunks(tree.cell_starts.len() - 1, 1, |cell| one(cell.start));
    let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (cells, leaves): (Vec<f32>, Vec<Vec<f32>>) = found.into_iter().unzip();
    Ok((cells, leaves.concat()))
}
