//! The sections of the clustered index.

use super::calibrate::{self, Levels};
use super::score::CellsView;
use super::spill;
use super::tree::Tree;
use crate::error::Error;
use crate::exec;
use crate::id::Ids;
use crate::kernels::kernels;
use crate::metric::Metric;
use crate::quant::kmeans::Rows;
use crate::quant::{self, Codec, CodecKind, Encode, Rabitq, Sq8};
use crate::segment::{self, SectionKind, clusters};

/// What they are made of.
pub(crate) struct Input<'a> {
    pub(crate) metric: Metric,
    pub(crate) seed: u64,
    /// In the order of the tree.
    pub(crate) rows: Rows<'a>,
    pub(crate) tree: &'a Tree,
    /// The second leaf of each position.
    pub(crate) second: &'a [u32],
    pub(crate) ids: &'a Ids,
    /// Sums of the finest rows.
    pub(crate) row_sums: &'a [u8],
    pub(crate) file_id: [u8; 16],
    /// Queries (row-major) to calibrate with; may be empty.
    pub(crate) queries: &'a [f32],
}

/// The sections, in the order of the file.
pub(crate) fn sections(input: &Input<'_>) -> Result<Vec<(SectionKind, Vec<u8>)>, Error> {
    let &Input { metric, rows, tree, .. } = input;
    let dim = rows.dim;
    let cell_codec = quant::train_sq8(metric, dim, rows.data);
    let parameters = cell_codec.parameters();
    let codec = Rabitq::new(metric, quant::floats(&parameters), Rabitq::bits_for(dim));
    let (cell_codes, centres) = centres(&cell_codec, metric, &tree.cell_centroids, dim);
    let second = input.second;
    let spilled = spill::spilled(second, tree.leaves.len() - 1);
    let starts: Vec<u32> = tree.cells.iter().map(|&leaf| tree.leaves[leaf as usize]).collect();
    let cell_spreads = spreads(rows, &starts, &centres);
    let leaf_spreads = spreads(rows, &tree.leaves, &tree.leaf_centroids);
    let leaf_codes = leaf_codes(&codec, tree, dim, &centres);
    let curve = calibrate::calibrate(
        &Levels {
            tree,
            second,
            cells: CellsView { codec: &cell_codec, codes: &cell_codes, spreads: &cell_spreads },
            codec: &codec,
            leaf_codes: &leaf_codes,
            leaf_spreads: &leaf_spreads,
        },
        rows,
        metric,
        input.seed,
        input.queries,
    );
    let parts = clusters::Parts {
        leaves: &tree.leaves,
        cells: &tree.cells,
        spilled: &spilled,
        cell_codes: &cell_codes,
        cell_spreads: &cell_spreads,
        leaf_codes: &leaf_codes,
        leaf_spreads: &leaf_spreads,
        row_codes: &row_codes(&codec, rows, tree, &spilled, &centres),
        bits: Rabitq::bits_for(dim),
        stride: codec.stride(),
        row_sums: input.row_sums,
        ids: input.ids,
        order: &tree.order,
        curve,
    };
    let [cells, leaves, lists] = clusters::encode(&parts, segment::file_seed(&input.file_id));
    Ok(vec![
        (SectionKind::ListParameters, parameters),
        (SectionKind::Cells, cells),
        (SectionKind::Leaves, leaves),
        (SectionKind::Lists, lists),
    ])
}

/// The cells' codes and what they stand for: what is stored around a centroid is stored around that, since it is what a
/// query is measured to.
fn centres(codec: &Sq8, metric: Metric, centroids: &[f32], dim: usize) -> (Vec<u8>, Vec<f32>) {
    let stride = CodecKind::Sq8.stride(dim, metric);
    let mut codes = vec![0; centroids.len() / dim * stride];
    let mut centres = vec![0.0; centroids.len()];
    for ((row, code), centre) in
        centroids.chunks_exact(dim).zip(codes.chunks_exact_mut(stride)).zip(centres.chunks_exact_mut(dim))
    {
        codec.encode_row(row, code);
        codec.decode(code, centre);
    }
    (codes, centres)
}

/// Root mean square distances of the rows `starts[i]..starts[i + 1]` to centre i.
fn spreads(rows: Rows<'_>, starts: &[u32], centres: &[f32]) -> Vec<f32> {
    let spread = |i: usize| {
        let centre = &centres[i * rows.dim..][..rows.dim];
        let squares = (starts[i]..starts[i + 1]).map(|p| f64::from((kernels().l2_f32)(rows.row(p), centre)));
        (squares.sum::<f64>() / f64::from((starts[i + 1] - starts[i]).max(1))).sqrt() as f32
    };
    exec::map_chunks(starts.len() - 1, 64, |range| range.map(spread).collect::<Vec<f32>>()).concat()
}

fn leaf_codes(codec: &Rabitq, tree: &Tree, dim: usize, centres: &[f32]) -> Vec<u8> {
    let stride = codec.stride();
    let mut codes = vec![0; tree.leaf_centroids.len() / dim * stride];
    for (leaf, (row, code)) in
        tree.leaf_centroids.chunks_exact(dim).zip(codes.chunks_exact_mut(stride)).enumerate()
    {
        codec.encode(row, &centres[tree.cell_of(leaf as u32) * dim..][..dim], code);
    }
    codes
}

/// For each leaf the codes of its own rows and of those spilled into it, around the centre of its cell.
fn row_codes(
    codec: &Rabitq,
    rows: Rows<'_>,
    tree: &Tree,
    spilled: &[Vec<u32>],
    centres: &[f32],
) -> Vec<Vec<u8>> {
    let stride = codec.stride();
    let list = |leaf: usize| {
        let centre = &centres[tree.cell_of(leaf as u32) * rows.dim..][..rows.dim];
        let positions = (tree.leaves[leaf]..tree.leaves[leaf + 1]).chain(spilled[leaf].iter().copied());
        let mut codes = Vec::new();
        for position in positions {
            let at = codes.len();
            codes.resize(at + stride, 0);
            codec.encode(rows.row(position), centre, &mut codes[at..]);
        }
        codes
    };
    exec::map_chunks(spilled.len(), 16, |range| range.map(list).collect::<Vec<_>>()).concat()
}
