//! Operations, and their bytes in the body of a frame. Each takes a multiple of 8 bytes, so that vectors are read in
//! place.

use std::mem::size_of_val;

use crate::error::Error;
use crate::id::{IdRef, Ids};

/// The bytes of an operation before its vector or codes: kind, lengths, number of the id.
const HEAD: usize = 16;
/// Bytes before codes: their length, and the codec of each stage.
const CODES: usize = 8;
const PUT: u8 = 1;
const DELETE: u8 = 2;
const CLEAR: u8 = 3;
const UPDATE: u8 = 4;

/// One operation. It names ids, never positions: those change with every merge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op<'a> {
    /// The row of this id is now this one, whether or not there was one.
    Put {
        id: IdRef<'a>,
        /// As it was given, not scaled.
        vector: &'a [f32],
        /// A JSON object, which the log does not look into; empty if the row has none.
        fields: &'a [u8],
    },
    /// There is no row of this id.
    Delete { id: IdRef<'a> },
    /// There are no rows.
    Clear,
    /// The row of this id now has these fields, and the codes that it had.
    Update {
        id: IdRef<'a>,
        codes: Codes<'a>,
        /// As those of a put.
        fields: &'a [u8],
    },
}

/// The codes of a row, stage by stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Codes<'a> {
    /// The number of each stage's codec; 0: there is no such stage.
    pub(crate) kinds: Kinds,
    pub(crate) bytes: &'a [u8],
}

/// See [`Codes`].
pub(crate) type Kinds = [u8; 4];

/// The parts of an operation that have bytes.
struct Parts<'a> {
    kind: u8,
    id: Option<IdRef<'a>>,
    vector: &'a [f32],
    codes: Option<Codes<'a>>,
    fields: &'a [u8],
}

/// What all operations of a collection have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The components of each vector.
    pub(crate) dim: usize,
    /// Whether ids are text, else they are numbers.
    pub(crate) text_ids: bool,
}

impl<'a> Op<'a> {
    fn parts(&self) -> Parts<'a> {
        let none = Parts { kind: CLEAR, id: None, vector: &[], codes: None, fields: &[] };
        match *self {
            Op::Put { id, vector, fields } => Parts { kind: PUT, id: Some(id), vector, fields, ..none },
            Op::Delete { id } => Parts { kind: DELETE, id: Some(id), ..none },
            Op::Clear => none,
            Op::Update { id, codes, fields } => {
                Parts { kind: UPDATE, id: Some(id), codes: Some(codes), fields, ..none }
            }
        }
    }

    /// Whether readers before this one do not know it.
    pub(super) fn is_update(&self) -> bool {
        matches!(self, Op::Update { .. })
    }

    /// An error if this cannot be an operation of a collection of this shape.
    pub(super) fn check(&self, shape: Shape) -> Result<(), Error> {
        let Parts { kind, id, vector, fields, .. } = self.parts();
        if kind == PUT && vector.len() != shape.dim {
            return Err(Error::Dimension { expected: shape.dim, got: vector.len() });
        }
        if fields.len() > u32::MAX as usize {
            return Err(Error::argument("fields", "they are longer than 2³² bytes"));
        }
        match id {
            Some(IdRef::Number(number)) if shape.text_ids || number > Ids::MAX_NUMBER => {
                Err(Error::argument(
                    "id",
                    format!(
                        "{number}: ids of this collection are {}",
                        if shape.text_ids { "text" } else { "numbers below 2^53" }
                    ),
                ))
            }
            Some(IdRef::Text(text)) if !shape.text_ids || text.len() > Ids::MAX_TEXT => Err(Error::argument(
                "id",
                if shape.text_ids {
                    format!("it has {} bytes, at most {} may be", text.len(), Ids::MAX_TEXT)
                } else {
                    format!("{text:?}: ids of this collection are numbers")
                },
            )),
            _ => Ok(()),
        }
    }

    /// Its bytes in a body.
    pub(super) fn length(&self) -> usize {
        let Parts { id, vector, codes, fields, .. } = self.parts();
        let text = if let Some(IdRef::Text(text)) = id { text.len() } else { 0 };
        let codes = codes.map_or(0, |codes| CODES + codes.bytes.len());
        (HEAD + size_of_val(vector) + codes + fields.len() + text).next_multiple_of(8)
    }

    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let Parts { kind, id, vector, codes, fields } = self.parts();
        let (number, text) = match id {
            Some(IdRef::Number(number)) => (number, ""),
            Some(IdRef::Text(text)) => (0, text),
            None => (0, ""),
        };
        body.extend([kind, 0]);
        body.extend((text.len() as u16).to_le_bytes());
        body.extend((fields.len() as u32).to_le_bytes());
        body.extend(number.to_le_bytes());
        body.extend_from_slice(bytemuck::cast_slice(vector));
        if let Some(Codes { kinds, bytes }) = codes {
            body.extend((bytes.len() as u32).to_le_bytes());
            body.extend(kinds);
            body.extend_from_slice(bytes);
        }
        body.extend_from_slice(fields);
        body.extend_from_slice(text.as_bytes());
        body.resize(body.len().next_multiple_of(8), 0);
    }

    /// The first operation of a body and the bytes behind it, or `None` if there is none by the rules. The body starts
    /// at a multiple of 8 in memory.
    pub(super) fn split(body: &'a [u8], shape: Shape) -> Option<(Self, &'a [u8])> {
        let (head, rest) = body.split_at_checked(HEAD)?;
        let &[kind, 0, t0, t1, f0, f1, f2, f3, ref number @ ..] = head else { return None };
        let number = u64::from_le_bytes(number.try_into().ok()?);
        let text = usize::from(u16::from_le_bytes([t0, t1]));
        let fields = usize::try_from(u32::from_le_bytes([f0, f1, f2, f3])).ok()?;
        let is_put = kind == PUT;
        let (vector, rest) = rest.split_at_checked(if is_put { shape.dim.checked_mul(4)? } else { 0 })?;
        let (codes, rest) = if kind == UPDATE { Codes::split(rest)? } else { (Codes::default(), rest) };
        let (fields, rest) = rest.split_at_checked(fields)?;
        let (text, rest) = rest.split_at_checked(text)?;
        let used = body.len() - rest.len();
        let (padding, rest) = rest.split_at_checked(used.next_multiple_of(8) - used)?;
        let id = match shape.text_ids {
            true if number == 0 => IdRef::Text(std::str::from_utf8(text).ok()?),
            false if text.is_empty() && number <= Ids::MAX_NUMBER => IdRef::Number(number),
            _ => return None,
        };
        let op = match kind {
            PUT => {
                let vector: &[f32] = bytemuck::try_cast_slice(vector).ok()?;
                // A NaN would be nearer than everything, in every search from now on.
                if !vector.iter().all(|x| x.is_finite()) {
                    return None;
                }
                Op::Put { id, vector, fields }
            }
            UPDATE => Op::Update { id, codes, fields },
            DELETE if fields.is_empty() => Op::Delete { id },
            CLEAR if fields.is_empty() && text.is_empty() && number == 0 => Op::Clear,
            _ => return None,
        };
        padding.iter().all(|&byte| byte == 0).then_some((op, rest))
    }
}

impl<'a> Codes<'a> {
    /// The codes at the beginning of these bytes, and the bytes behind them.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[l0, l1, l2, l3, ref kinds @ ..], rest) = bytes.split_first_chunk::<CODES>()?;
        let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        Some((Codes { kinds: *kinds, bytes }, rest))
    }
}
