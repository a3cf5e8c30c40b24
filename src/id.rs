//! Ids: the names that users give to rows. Inside pagevec a row is known by its position in cluster order; ids are used
//! only where users pass or receive them.

use std::fmt;

/// The name of one row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id {
    /// A whole number up to 2^53 - 1, so that JS holds it exactly.
    Number(u64),
    /// UTF-8 text of at most [`Ids::MAX_TEXT`] bytes.
    Text(String),
}

impl Id {
    /// The bytes that it has allocated.
    pub(crate) fn bytes(&self) -> u64 {
        if let Id::Text(text) = self { text.capacity() as u64 } else { 0 }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Number(n) => n.fmt(f),
            Id::Text(t) => t.fmt(f),
        }
    }
}

impl From<u64> for Id {
    fn from(number: u64) -> Self {
        Id::Number(number)
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Id::Text(text)
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Id::Text(text.to_owned())
    }
}

/// An id where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdRef<'a> {
    Number(u64),
    Text(&'a str),
}

impl IdRef<'_> {
    pub(crate) fn to_id(self) -> Id {
        match self {
            IdRef::Number(number) => Id::Number(number),
            IdRef::Text(text) => Id::Text(text.to_owned()),
        }
    }
}

/// The names of all rows: all numbers or all text, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// See [`Id::Number`].
    Numbers(Vec<u64>),
    /// See [`Id::Text`].
    Texts(Vec<String>),
}

impl Ids {
    /// The largest number: JS's `Number.MAX_SAFE_INTEGER`.
    pub const MAX_NUMBER: u64 = (1 << 53) - 1;
    /// The longest text in bytes.
    pub const MAX_TEXT: usize = 64 * 1024 - 1;

    /// 0, 1, 2, … : the ids of rows that were given none.
    pub fn counting(count: usize) -> Self {
        Ids::Numbers((0..count as u64).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Ids::Numbers(n) => n.len(),
            Ids::Texts(t) => t.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = IdRef<'_>> {
        let (numbers, texts) = match self {
            Ids::Numbers(numbers) => (&numbers[..], &[][..]),
            Ids::Texts(texts) => (&[][..], &texts[..]),
        };
        let numbers = numbers.iter().map(|&number| IdRef::Number(number));
        numbers.chain(texts.iter().map(|text| IdRef::Text(text)))
    }

    /// Each of them.
    pub fn into_each(self) -> Vec<Id> {
        match self {
            Ids::Numbers(numbers) => numbers.into_iter().map(Id::Number).collect(),
            Ids::Texts(texts) => texts.into_iter().map(Id::Text).collect(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
