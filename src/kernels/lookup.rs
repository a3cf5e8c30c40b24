//! Sums of table entries. A lookup in a table of 256 bytes is a load, and SIMD does no more loads at a time
//! than scalar code. The rows that a graph names are not neighbours, so there is nothing to shuffle either.

/// `out[i]` is the sum of `tables[j][b]` over the bytes `b` of row `ids[i]`, the j-th byte with the j-th table.
///
/// Row `id` starts at `rows[id * stride]` and has a byte for each table. Panics if a row does not fit into `rows`, or
/// if `ids` and `out` differ in length.
pub fn gather_lookup(tables: &[[u8; 256]], rows: &[u8], stride: usize, ids: &[u32], out: &mut [u32]) {
    assert!(ids.len() == out.len(), "ids and out differ in length");
    for (&id, out) in ids.iter().zip(out) {
        let row = &rows[id as usize * stride..][..tables.len()];
        *out = sum(tables, row);
    }
}

/// Four sums, so that none waits for the one before.
#[inline(always)]
fn sum(tables: &[[u8; 256]], row: &[u8]) -> u32 {
    let mut sums = [0u32; 4];
    let ((tables, table_rest), (row, row_rest)) = (tables.as_chunks::<4>(), row.as_chunks::<4>());
    for (tables, bytes) in tables.iter().zip(row) {
        for j in 0..4 {
            sums[j] += u32::from(tables[j][bytes[j] as usize]);
        }
    }
    let rest = table_rest.iter().zip(row_rest).map(|(table, &byte)| u32::from(table[byte as usize]));
    sums.iter().sum::<u32>() + rest.sum::<u32>()
}
