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
use crate::quant::{self, Rabitq, centroid};
use crate::segment::{self, SectionKind, clusters};
use crate::vectors::Rows;

/// The input of [`sections`].
pub(crate) struct Input<'a> {
    pub(crate) metric: Metric,
    pub(crate) seed: u64,
    /// In the order of the tree.
    pub(crate) rows: Rows<'a>,
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
pub(crate) fn sections(input: &Input<'_>, ctx: &Ctx<'_>) -> Result<Vec<(SectionKind, Vec<u8>)>, Error> {
    let &Input { metric, rows, tree, second, .. } = input;
    let dim = rows.dim;
    let mean = quant::means(dim, rows.data);
    let spilled = soar::spilled(second, tree);
    let samples = match input.queries.is_empty() {
        true => Sample::made(rows, tree, &spilled, metric, input.seed),
        false => Sample::given(rows, metric, input.queries),
    };
    let starts: Vec<u32> = tree.cell_starts.iter().map(|&leaf| tree.leaf_starts[leaf as usize]).collect();
    let cell_spreads = spreads(rows, &starts, &tree.cell_centroids);
    let leaf_spreads = spreads(rows, &tree.leaf_starts, &tree.leaf_centroids);
    let listed = rows.count() + spilled.iter().map(Vec::len).sum::<usize>();
    let mut best: Option<(Rabitq, EncodedClusters, Calibrated)> = None;
    // Fewest bytes first. The last is for rows that differ little from each other.
    for (bits, centres) in [(Rabitq::bits_for(dim), 1), (Rabitq::MAX_BITS, 1), (Rabitq::MAX_BITS, 2)] {
        if best.as_ref().is_some_and(|b| b.2.is_good() || (b.0.bits(), b.1.centres) == (bits, centres)) {
            continue;
        }
        let codec = Rabitq::new(metric, mean.clone(), bits);
        let coded = EncodedClusters::new(&codec, rows, tree, &spilled, centres);
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
        list_codes: &coded.lists,
        bits: codec.bits(),
        centres: coded.centres,
        stride: codec.stride(),
        row_checksums: input.row_checksums,
        ids: input.ids,
        order: &tree.order,
        shares: found.shares,
        curves: &found.curves,
    };
    let [cells, leaves, lists] = clusters::encode(&parts, segment::file_seed(&input.file_id));
    let parameters = mean.iter().flat_map(|m| m.to_le_bytes()).collect();
    Ok(vec![
        (SectionKind::ListParameters, parameters),
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
    fn new(codec: &Rabitq, rows: Rows<'_>, tree: &Tree, spilled: &[Vec<u32>], centres: usize) -> Self {
        let dim = rows.dim;
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
            range.map(list).collect::<Vec<_>>()
        });
        EncodedClusters { cells, leaves, centres, lists: lists.concat() }
    }
}

/// Encodes one list; `cell` is the decoded centroid of the leaf's cell.
fn list(
    codec: &Rabitq,
    rows: Rows<'_>,
    tree: &Tree,
    leaf: usize,
    spilled: &[u32],
    cell: &[f32],
    centres: usize,
) -> Vec<u8> {
    let (dim, stride) = (rows.dim, centroid::stride(rows.dim));
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
    let positions = (tree.leaf_starts[leaf]..tree.leaf_starts[leaf + 1]).chain(spilled.iter().copied());
    for position in positions {
        let at = codes.len();
        codes.resize(at + codec.stride(), 0);
        codec.turn(rows.row(position), &mut turned);
        codec.encode(&turned, &centre, &mut codes[at..]);
    }
    codes
}

/// The root mean square distance of the rows `starts[i]..starts[i + 1]` to centroid i, for each i.
fn spreads(rows: Rows<'_>, starts: &[u32], centres: &[f32]) -> Vec<f32> {
    let spread = |i: usize| {
        let centre = &centres[i * rows.dim..][..rows.dim];
        let squares = (starts[i]..starts[i + 1]).map(|p| f64::from((kernels().l2_f32)(rows.row(p), centre)));
        (squares.sum::<f64>() / f64::from((starts[i + 1] - starts[i]).max(1))).sqrt() as f32
    };
    exec::map_chunks(starts.len() - 1, 64, |range| range.map(spread).collect::<Vec<f32>>()).concat()
}
