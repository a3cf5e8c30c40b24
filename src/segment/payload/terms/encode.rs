//! The blocks of the texts of a field, their sets, and the head.

use super::inline;
use crate::error::Error;
use crate::segment::payload::MAX_TERM;
use crate::segment::payload::cursor::put;
use crate::segment::payload::encode::Sections;
use crate::segment::payload::units::Written;

/// A block has about so many bytes or more, so that there are no more blocks than this.
const BLOCK: usize = 4 << 10;
const BLOCKS: usize = 384;
/// No block has more than this, but for its first text.
const LONGEST: usize = 32 << 10;

/// Writes the terms of a field and their sets, and appends the head. `pairs` are rising pairs of a text and a row.
pub(in crate::segment::payload) fn encode(
    texts: &[Box<str>],
    pairs: &[(u32, u32)],
    rows: usize,
    sections: &mut Sections,
    head: &mut Vec<u8>,
) -> Result<(), Error> {
    let (mut tails, mut ends) = (Vec::new(), Vec::new());
    for positions in pairs.chunk_by(|a, b| a.0 == b.0) {
        put(&mut tails, positions.len() as u64);
        match inline::encode(positions) {
            Some(set) => {
                put(&mut tails, set.len() as u64);
                tails.extend(set);
            }
            None => {
                let set = sections.set(&mut positions.iter().map(|pair| pair.1), rows)?;
                put(&mut tails, 0);
                put(&mut tails, set.at);
                set.put(&mut tails);
            }
        }
        ends.push(tails.len());
    }
    if ends.len() != texts.len() || texts.iter().any(|text| text.len() > MAX_TERM) {
        return Err(Error::internal("a column of terms with a text of no row, or a text too long"));
    }
    let all = tails.len() + texts.iter().map(|text| text.len() + 2).sum::<usize>();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let terms = texts.iter().zip(starts.zip(&ends).map(|(start, &end)| &tails[start..end]));
    let blocks = cut(terms, (all / BLOCKS).clamp(BLOCK, LONGEST));
    put(head, texts.len() as u64);
    match &blocks[..] {
        [] => head.extend([0, 0]),
        [(_, only)] if only.len() <= BLOCK => {
            put(head, 0);
            put(head, only.len() as u64);
            head.extend(only);
        }
        _ => put_blocks(blocks, &mut sections.terms, head)?,
    }
    Ok(())
}

fn put_blocks(blocks: Vec<(&[u8], Vec<u8>)>, terms: &mut Written, head: &mut Vec<u8>) -> Result<(), Error> {
    put(head, blocks.len() as u64);
    let mut last: &[u8] = &[];
    for (separator, block) in blocks {
        put_text(last, separator, head);
        terms.push(block)?.put(head);
        last = separator;
    }
    Ok(())
}

/// Blocks of about `size` bytes, each with its separator: what of its first text tells it from the last one before.
fn cut<'t>(terms: impl Iterator<Item = (&'t Box<str>, &'t [u8])>, size: usize) -> Vec<(&'t [u8], Vec<u8>)> {
    let mut blocks: Vec<(&[u8], Vec<u8>)> = Vec::new();
    let mut last: &[u8] = &[];
    for (text, tail) in terms {
        let text = text.as_bytes();
        match blocks.last_mut() {
            Some((_, block)) if block.len() + text.len() + tail.len() + 2 <= size => {
                put_text(last, text, block);
                block.extend(tail);
            }
            before => {
                let told = if before.is_some() { common(last, text) + 1 } else { text.len() };
                let mut block = Vec::with_capacity(size);
                put_text(&[], text, &mut block);
                block.extend(tail);
                blocks.push((&text[..told], block));
            }
        }
        last = text;
    }
    blocks
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Appends a text without the bytes that it shares with `last`.
fn put_text(last: &[u8], text: &[u8], out: &mut Vec<u8>) {
    let shared = common(last, text);
    put(out, shared as u64);
    put(out, (text.len() - shared) as u64);
    out.extend(&text[shared..]);
}
