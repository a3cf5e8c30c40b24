//! The distinct texts of a field, each once, numbered as they came.

use xxhash_rust::xxh3::xxh3_64;

/// A hash table with linear probing, at most half full. It takes about 14 bytes for each text beside its bytes; a
/// `HashMap` of boxed texts takes 80.
#[derive(Default)]
pub(super) struct Interner {
    bytes: String,
    /// Where each text ends.
    ends: Vec<u32>,
    /// The number of a text plus 1, or 0 of a free place. The length is a power of two.
    table: Vec<u32>,
}

impl Interner {
    /// The number of a text, which is added if it is new; `None` if there is no room for it: 4 GiB of texts are here.
    pub(super) fn number(&mut self, text: &str) -> Option<u32> {
        if 2 * self.ends.len() >= self.table.len() {
            self.grow();
        }
        let at = match self.find(text) {
            Ok(number) => return Some(number),
            Err(at) => at,
        };
        let number = u32::try_from(self.ends.len()).ok()?;
        let end = u32::try_from(self.bytes.len() + text.len()).ok()?;
        self.bytes.push_str(text);
        self.ends.push(end);
        self.table[at] = number + 1;
        Some(number)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        &self.bytes[start..self.ends[number] as usize]
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + size_of::<u32>() * (self.ends.capacity() + self.table.capacity())
    }

    /// The number of a text, or the place of one that is not here.
    fn find(&self, text: &str) -> Result<u32, usize> {
        let mask = self.table.len() - 1;
        let mut at = xxh3_64(text.as_bytes()) as usize & mask;
        // Half of the places are free.
        while let Some(number) = self.table[at].checked_sub(1) {
            if self.text(number) == text {
                return Ok(number);
            }
            at = (at + 1) & mask;
        }
        Err(at)
    }

    fn grow(&mut self) {
        let size = (2 * self.table.len()).max(16);
        self.table.clear();
        self.table.resize(size, 0);
        for number in 0..self.ends.len() as u32 {
            if let Err(at) = self.find(self.text(number)) {
                self.table[at] = number + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbered_as_they_come() {
        let mut interner = Interner::default();
        let text = |number: u32| if number == 7 { String::new() } else { format!("{number:x}") };
        for round in 0..2 {
            for number in 0..5000 {
                assert_eq!(interner.number(&text(number)), Some(number), "{round}");
            }
        }
        assert_eq!(interner.len(), 5000);
        assert!((0..5000).all(|number| interner.text(number) == text(number)));
        assert!(interner.heap_bytes() < 5000 * 40);
    }
}
