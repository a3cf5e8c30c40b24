//! One query against rows, written once over [`Block`], which says how one block of a row is added to a sum.
//!
//! All of this is `inline(always)` and has no target features of its own: it is inlined into the functions that
//! `table.rs` writes, which have them. Loops are plain `for` loops, because a closure might be compiled as a function
//! of its own, without the features.

use bytemuck::Pod;

/// Sums up a row block by block.
///
/// # Safety
///
/// All functions: the CPU has the features that the implementing file is written for.
pub(super) trait Block {
    /// Element of the query.
    type Query: Pod;
    /// A block of the query: an array of `Query`.
    type QueryBlock: Pod;
    /// As many elements of the row: an array of bytes, since rows may be unaligned.
    type RowBlock: Pod;
    /// A block of the query, ready to be used with several rows.
    type Ready: Copy;
    /// A running sum.
    type Sum: Copy;
    type Out: Copy + Default;

    /// Where the query is zero, the row adds exactly nothing, whatever it holds there, and the
    /// order of elements does not matter. True of integer products.
    const ZERO_ABSORBS: bool;
    /// Rows to score together, 1, 2 or 4: as many as have their sums in registers.
    const TOGETHER: usize;
    /// Queries to score four rows with, 1, 2 or 4: as many as have all sums in registers.
    const QUERIES: usize = 1;

    unsafe fn zero() -> Self::Sum;
    unsafe fn ready(query: &Self::QueryBlock) -> Self::Ready;
    unsafe fn add(sum: Self::Sum, query: Self::Ready, row: &Self::RowBlock) -> Self::Sum;
    unsafe fn finish(sum: Self::Sum) -> Self::Out;

    /// The first `n` bytes of a block, less than it has, then zeros.
    ///
    /// `n` bytes can be read at `row`.
    #[inline(always)]
    unsafe fn first(row: *const u8, n: usize) -> Self::RowBlock {
        let mut block: Self::RowBlock = bytemuck::Zeroable::zeroed();
        // SAFETY: the caller guarantees `n` bytes, and a block has more.
        unsafe { copy_short(row, bytemuck::bytes_of_mut(&mut block).as_mut_ptr(), n) };
        block
    }
}

/// Elements in a block.
const fn width<B: Block>() -> usize {
    assert!(align_of::<B::RowBlock>() == 1);
    assert!(size_of::<B::RowBlock>() <= 64 && size_of::<B::QueryBlock>() <= 64);
    size_of::<B::QueryBlock>() / size_of::<B::Query>()
}

/// Bytes of a row with `elements` elements.
#[inline(always)]
const fn row_bytes<B: Block>(elements: usize) -> usize {
    elements * (size_of::<B::RowBlock>() / width::<B>())
}

/// A query cut into whole blocks and a padded last one, once for all rows.
pub(super) struct Query<'a, B: Block> {
    pub(super) elements: &'a [B::Query],
    pub(super) blocks: usize,
    /// Elements after the last whole block.
    pub(super) rest: usize,
    /// These elements and zeros. They come first, or last when `overlap`.
    pub(super) tail: B::QueryBlock,
    /// The row's last block may be read where it ends, reaching back over elements that were
    /// already added, because the query is zero there. Saves copying the end of each row.
    overlap: bool,
}

impl<'a, B: Block> Query<'a, B> {
    #[inline(always)]
    pub(super) fn new(elements: &'a [B::Query]) -> Self {
        let (blocks, rest) = (elements.len() / width::<B>(), elements.len() % width::<B>());
        let overlap = B::ZERO_ABSORBS && blocks > 0;
        let mut tail: B::QueryBlock = bytemuck::Zeroable::zeroed();
        let (size, block) = (size_of::<B::Query>() * rest, size_of::<B::QueryBlock>());
        let bytes: &[u8] = bytemuck::cast_slice(elements);
        let to = bytemuck::bytes_of_mut(&mut tail);
        if overlap {
            // Masked, not copied: the tail stays in a register.
            let (last, mask) = (&bytes[bytes.len() - block..], &MASK[64 - block + size..][..block]);
            for j in 0..block {
                to[j] = last[j] & mask[j];
            }
        } else {
            // SAFETY: `size` bytes are left after the whole blocks, less than a block has.
            unsafe { copy_short(bytes[bytes.len() - size..].as_ptr(), to.as_mut_ptr(), size) };
        }
        Self { elements, blocks, rest, tail, overlap }
    }

    /// Scores `N` rows.
    ///
    /// # Safety
    ///
    /// The CPU has the features of `B`, and each of `rows` points to `row_bytes(elements.len())`
    /// readable bytes.
    #[inline(always)]
    unsafe fn score<const N: usize>(&self, rows: [*const u8; N]) -> [B::Out; N] {
        let query = self.elements.as_ptr().cast::<B::QueryBlock>();
        let mut out = [B::Out::default(); N];
        // SAFETY: the caller guarantees features and lengths. Blocks below `blocks` lie inside
        // the query and inside each row, and row blocks are byte arrays, so any alignment is fine.
        unsafe {
            let mut sums = [B::zero(); N];
            for i in 0..self.blocks {
                let ready = B::ready(&*query.add(i));
                for r in 0..N {
                    sums[r] = B::add(sums[r], ready, &*rows[r].cast::<B::RowBlock>().add(i));
                }
            }
            if self.rest > 0 {
                let ready = B::ready(&self.tail);
                for r in 0..N {
                    sums[r] = B::add(sums[r], ready, &self.last_block(rows[r]));
                }
            }
            for r in 0..N {
                out[r] = B::finish(sums[r]);
            }
        }
        out
    }

    /// Scores four rows, as many together as is good for `B`.
    ///
    /// # Safety
    ///
    /// As for [`score`](Self::score).
    #[inline(always)]
    unsafe fn score_four(&self, rows: [*const u8; 4]) -> [B::Out; 4] {
        let mut out = [B::Out::default(); 4];
        for r in (0..4).step_by(B::TOGETHER) {
            // SAFETY: the caller guarantees it.
            unsafe {
                match B::TOGETHER {
                    1 => [out[r]] = self.score([rows[r]]),
                    2 => [out[r], out[r + 1]] = self.score([rows[r], rows[r + 1]]),
                    _ => out = self.score(rows),
                }
            }
        }
        out
    }

    /// The block of the row that matches `tail`.
    ///
    /// # Safety
    ///
    /// As for [`score`](Self::score), with `rest > 0`.
    #[inline(always)]
    pub(super) unsafe fn last_block(&self, row: *const u8) -> B::RowBlock {
        let (block, rest) = (size_of::<B::RowBlock>(), row_bytes::<B>(self.rest));
        if self.overlap {
            // SAFETY: the row holds at least one whole block, so its last `block` bytes exist.
            return unsafe { row.add((self.blocks - 1) * block + rest).cast::<B::RowBlock>().read() };
        }
        // SAFETY: the row ends `rest` bytes after its whole blocks, and `rest` is less than a block.
        unsafe { B::first(row.add(self.blocks * block), rest) }
    }
}

/// 64 zeros, then 64 times 255: a block cut from here keeps its end.
static MASK: [u8; 128] = {
    let mut mask = [0; 128];
    mask.split_at_mut(64).1.copy_from_slice(&[255; 64]);
    mask
};

/// Copies less than 64 bytes, without the call that `memcpy` is.
///
/// # Safety
///
/// `n` bytes can be read at `from` and written at `to`, and do not overlap.
#[inline(always)]
unsafe fn copy_short(mut from: *const u8, mut to: *mut u8, n: usize) {
    for step in [32, 16, 8, 4, 2, 1] {
        if n & step != 0 {
            // SAFETY: the steps taken add up to `n`, which is below 64.
            unsafe {
                from.copy_to_nonoverlapping(to, step);
                (from, to) = (from.add(step), to.add(step));
            }
        }
    }
}

/// Scores one row.
///
/// # Safety
///
/// The CPU has the features of `B`.
#[inline(always)]
pub(super) unsafe fn one<B: Block, R: Pod>(query: &[B::Query], row: &[R]) -> B::Out {
    assert!(size_of_val(row) == row_bytes::<B>(query.len()), "query and row differ in length");
    // SAFETY: the row's length was checked; the caller guarantees the features.
    let [out] = unsafe { Query::<B>::new(query).score([row.as_ptr().cast()]) };
    out
}

/// Scores four rows.
///
/// # Safety
///
/// The CPU has the features of `B`.
#[inline(always)]
pub(super) unsafe fn four<B: Block, R: Pod>(query: &[B::Query], rows: [&[R]; 4]) -> [B::Out; 4] {
    let mut starts = [std::ptr::null(); 4];
    for r in 0..4 {
        assert!(size_of_val(rows[r]) == row_bytes::<B>(query.len()), "query and row differ in length");
        starts[r] = rows[r].as_ptr().cast();
    }
    // SAFETY: the rows' lengths were checked; the caller guarantees the features.
    unsafe { Query::<B>::new(query).score_four(starts) }
}

/// Every one of `ids` names a row that lies in `rows`, or this panics.
#[inline(always)]
pub(super) fn check<B: Block>(rows: &[u8], stride: usize, ids: &[u32], elements: usize) {
    let Some(&last) = ids.iter().max() else { return };
    let end = (last as usize).checked_mul(stride).and_then(|at| at.checked_add(row_bytes::<B>(elements)));
    assert!(end.is_some_and(|end| end <= rows.len()), "a row lies outside of rows");
}

/// Scores the rows named by `ids`. See [`Gather`](super::Gather).
///
/// # Safety
///
/// The CPU has the features of `B`.
#[inline(always)]
pub(super) unsafe fn gather<B: Block>(
    query: &[B::Query],
    rows: &[u8],
    stride: usize,
    ids: &[u32],
    out: &mut [B::Out],
) {
    assert!(ids.len() == out.len(), "ids and out differ in length");
    check::<B>(rows, stride, ids, query.len());
    let query = Query::<B>::new(query);
    let start = |id: u32| rows.as_ptr().wrapping_add(id as usize * stride);
    let mut i = 0;
    while i + 4 <= ids.len() {
        let four = [start(ids[i]), start(ids[i + 1]), start(ids[i + 2]), start(ids[i + 3])];
        // SAFETY: the row of the largest id fits into `rows`, so all do; features as above.
        out[i..i + 4].copy_from_slice(&unsafe { query.score_four(four) });
        i += 4;
    }
    for i in i..ids.len() {
        // SAFETY: as for four rows.
        [out[i]] = unsafe { query.score([start(ids[i])]) };
    }
}
