//! All queries against all rows, written once over [`Block`]: a block of a row is loaded once for several queries. What
//! the head of `generic.rs` says of inlining is true of this file as well.

use super::Named;
use super::generic::{Block, Query, check};

/// Scores every query against every row. See [`Matrix`](super::Matrix).
///
/// # Safety
///
/// The CPU has the features of `B`.
#[inline(always)]
pub(super) unsafe fn matrix<B: Block>(
    queries: Named<'_>,
    rows: Named<'_>,
    stride: usize,
    elements: usize,
    out: &mut [B::Out],
) {
    assert!(out.len() == queries.1.len() * rows.1.len(), "out is not queries times rows");
    check::<B>(rows.0, stride, rows.1, elements);
    for q in (0..queries.1.len()).step_by(B::QUERIES) {
        // SAFETY: the CPU has the features, every row was checked, and `q` is one of the queries.
        unsafe {
            match B::QUERIES {
                1 => band::<B, 1>(queries, rows, stride, elements, q, out),
                2 => band::<B, 2>(queries, rows, stride, elements, q, out),
                _ => band::<B, 4>(queries, rows, stride, elements, q, out),
            }
        }
    }
}

/// Scores `Q` queries from `q` on, or as many as are left.
///
/// # Safety
///
/// As for [`matrix`], whose checks were made.
#[inline(always)]
unsafe fn band<B: Block, const Q: usize>(
    queries: Named<'_>,
    rows: Named<'_>,
    stride: usize,
    elements: usize,
    q: usize,
    out: &mut [B::Out],
) {
    let (n, m) = (queries.1.len(), rows.1.len());
    // What a tile lacks is filled with the last query and row, and thrown away.
    let query = |j: usize| {
        let start = queries.1[(q + j).min(n - 1)] as usize * stride;
        Query::<B>::new(bytemuck::cast_slice(&queries.0[start..][..elements * size_of::<B::Query>()]))
    };
    let band: [Query<'_, B>; Q] = std::array::from_fn(query);
    for r in (0..m).step_by(4) {
        let mut starts = [std::ptr::null(); 4];
        for (k, start) in starts.iter_mut().enumerate() {
            *start = rows.0.as_ptr().wrapping_add(rows.1[(r + k).min(m - 1)] as usize * stride);
        }
        // SAFETY: the caller guarantees the features; every row lies in `rows`.
        let tile = unsafe { tile::<B, Q>(&band, starts) };
        let count = 4.min(m - r);
        for j in 0..Q.min(n - q) {
            out[(q + j) * m + r..][..count].copy_from_slice(&tile[j][..count]);
        }
    }
}

/// Scores `Q` queries of one length against four rows: a block of a row is loaded once for all queries.
///
/// # Safety
///
/// As for [`Query::score`].
#[inline(always)]
unsafe fn tile<B: Block, const Q: usize>(
    queries: &[Query<'_, B>; Q],
    rows: [*const u8; 4],
) -> [[B::Out; 4]; Q] {
    let mut out = [[B::Out::default(); 4]; Q];
    // SAFETY: as for `Query::score`.
    unsafe {
        let mut sums = [[B::zero(); 4]; Q];
        let mut ready = [B::ready(&queries[0].tail); Q];
        for i in 0..queries[0].blocks {
            for q in 0..Q {
                ready[q] = B::ready(&*queries[q].elements.as_ptr().cast::<B::QueryBlock>().add(i));
            }
            for r in 0..4 {
                let row = &*rows[r].cast::<B::RowBlock>().add(i);
                for q in 0..Q {
                    sums[q][r] = B::add(sums[q][r], ready[q], row);
                }
            }
        }
        if queries[0].rest > 0 {
            for q in 0..Q {
                ready[q] = B::ready(&queries[q].tail);
            }
            for r in 0..4 {
                let row = queries[0].last_block(rows[r]);
                for q in 0..Q {
                    sums[q][r] = B::add(sums[q][r], ready[q], &row);
                }
            }
        }
        for q in 0..Q {
            for r in 0..4 {
                out[q][r] = B::finish(sums[q][r]);
            }
        }
    }
    out
}
