//! Which name was meant.

/// Longer names are not compared.
const LONGEST: usize = 64;
/// Names that differ by more letters are not suggested.
const FARTHEST: usize = 2;

/// The candidate that is most like a name: with other capitals, with at most two letters added, left out, changed or
/// exchanged, or one that the name begins or is begun by.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = letters_of(name);
    let distance = |candidate: &str| {
        let other: Vec<char> = letters_of(candidate);
        let shorter = letters.len().min(other.len());
        if shorter == 0 || letters.len().max(other.len()) > LONGEST {
            return None;
        }
        let edits = edits(&letters, &other);
        // Of a short name, nearly every other one is two edits away.
        let near = edits <= FARTHEST && 2 * edits < shorter;
        (near || (shorter > 2 && letters[..shorter] == other[..shorter])).then_some(edits)
    };
    let near = candidates.into_iter().filter_map(|candidate| Some((distance(candidate)?, candidate)));
    near.min_by_key(|&(edits, _)| edits).map(|(_, candidate)| candidate)
}

/// The letters without capitals, of ASCII alone: the tables of Unicode take 10 kB of a WebAssembly module.
fn letters_of(name: &str) -> Vec<char> {
    name.chars().take(LONGEST + 1).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// How many letters have to be added, left out, changed, or exchanged with the next: the optimal string alignment.
fn edits(a: &[char], b: &[char]) -> usize {
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, &of_a) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &of_b) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(of_a != of_b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && of_a == b[j - 1] && a[i - 1] == of_b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found() {
        let names = ["pos", "price", "word_count", "domain", "id", "größe"];
        let cases = [
            ("Pos", Some("pos")),
            ("prcie", Some("price")),
            ("pric", Some("price")),
            ("prices", Some("price")),
            ("word", Some("word_count")),
            ("word_count_total", Some("word_count")),
            ("domian", Some("domain")),
            ("grösse", Some("größe")),
            ("GRÖßE", Some("größe")),
            ("xy", None),
            ("cost", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, names), expected, "{name}");
        }
        assert_eq!(nearest(&"p".repeat(100_000), names), None);
        assert_eq!(nearest("a", []), None);
    }

    #[test]
    fn edits_are_counted() {
        let count = |a: &str, b: &str| edits(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("abc", "abc", 0),
        ] {
            assert_eq!((count(a, b), count(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
