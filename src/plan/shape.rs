//! The segment that a build would make of so many rows, by counts alone.

use super::options::PlanOptions;
use crate::build::BuildOptions;
use crate::error::Error;
use crate::quant::{CodecKind, Rabitq};
use crate::segment::clusters::Counts;
use crate::segment::limits::MAX_FRONT;
use crate::segment::{Planned, PlannedFields};

/// What the rows are stored as, and which index finds them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) codec: CodecKind,
    pub(super) refine: Option<CodecKind>,
    /// Whether there is a graph. There are always clusters.
    pub(super) graph: bool,
}

/// k-means leaves some leaves and cells empty, and splits others: of a hundred that there would be of the size that is wanted,
/// there are so many (wordnet, 5,000 to 117,791 rows: 101 to 104 leaves, 100 to 107 cells).
const LEAVES: u64 = 101;
const CELLS: u64 = 105;
/// The longest list, in rows, and the fullest cell, in leaves: of so many rows, and more for each doubling (wordnet, 5,000 to
/// 117,791 rows: 127 to 227 rows, 73 to 189 leaves). A build allows four times of what is wanted of each.
const FEW_ROWS: u64 = 5_000;
const LONGEST_LIST: [u64; 2] = [127, 22];
const FULLEST_CELL: [u64; 2] = [73, 25];
const LONGEST: u64 = 4;

/// # Errors
/// `argument` if the part of the file that `open` reads would be longer than is allowed.
pub(super) fn planned(
    o: &PlanOptions,
    choice: Choice,
    fields: Option<PlannedFields>,
) -> Result<Planned, Error> {
    let build = o.build(choice.codec, choice.refine);
    let planned = Planned {
        rows: o.rows as usize,
        dim: o.dim as usize,
        metric: o.metric,
        m: if choice.graph { o.m } else { 0 },
        clusters: Some(counts(o, &build)),
        text_ids: o.text_ids,
        fields,
        stages: build.stages(),
    };
    let front = planned.front_length();
    match front > MAX_FRONT {
        true => {
            let detail = format!(
                "{} rows in one segment have a front of {front} bytes, of {MAX_FRONT} that are read: plan one of several",
                o.rows
            );
            Err(Error::argument("rows", detail))
        }
        false => Ok(planned),
    }
}

fn counts(o: &PlanOptions, build: &BuildOptions) -> Counts {
    let (leaf, cell) = (build.max_leaf_size as u64, build.branching_factor as u64);
    let leaves = (o.rows.div_ceil(leaf) * LEAVES / 100).max(1);
    let cells = (leaves.div_ceil(cell) * CELLS / 100).max(1);
    // Each row is in two lists.
    let longest = grown(LONGEST_LIST, o.rows).min(2 * leaf * LONGEST).min(2 * o.rows);
    Counts {
        dim: o.dim as usize,
        rows: o.rows,
        spilled: if leaves > 1 { o.rows } else { 0 },
        cells,
        leaves,
        most_rows: [longest.div_ceil(2), longest / 2],
        most_leaves: grown(FULLEST_CELL, o.rows).min(cell * LONGEST).min(leaves),
        bits: Rabitq::bits_for(o.dim as usize),
        centres: 1,
        text_ids: o.text_ids,
    }
}

fn grown([few, more]: [u64; 2], rows: u64) -> u64 {
    let doublings = (rows as f64 / FEW_ROWS as f64).log2().max(0.0);
    few + (more as f64 * doublings) as u64
}
