//! A Markdown document as lines, sections and figures.

use super::expression::number;

/// Statuses of HTTP, which documents write as code: `206`.
const STATUSES: [&str; 11] = ["200", "206", "304", "401", "403", "404", "410", "416", "429", "500", "503"];
/// What a number after it is the version of.
const PROGRAMS: [&str; 21] = [
    "Node", "Chromium", "Chrome", "Firefox", "Safari", "nginx", "Caddy", "Python", "Rust", "V8", "NumPy",
    "SVS", "faiss", "hnswlib", "usearch", "edgevec", "VSAG", "pagevec", "v", "Zen", "IEEE",
];
const UNITS: [(&str, f64); 7] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("%", 0.01),
];

/// A number of a line that something must hold.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// In characters of the line.
    pub(crate) at: usize,
    pub(crate) text: String,
    /// With its unit: 64 MiB is 67,108,864.
    pub(crate) value: f64,
    /// 0 or 1 without a unit: a bound, a bit or a count that prose could as well write as a word.
    pub(crate) small: bool,
}

/// `<!-- = expression, expression -->`: what the figures before it are.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// The lines of a document, and for each line the heading that it stands under.
pub(crate) struct Document<'a> {
    pub(crate) lines: Vec<&'a str>,
    /// Level of a heading; 0 for other lines.
    levels: Vec<usize>,
    /// Lines in a fenced block of code.
    pub(crate) code: Vec<bool>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let (mut code, mut inside) = (Vec::new(), false);
        for line in &lines {
            let fence = line.trim_start().starts_with("```");
            code.push(inside || fence);
            inside ^= fence;
        }
        let hashes = |line: &str| line.chars().take_while(|&c| c == '#').count();
        let levels =
            lines.iter().zip(&code).map(|(line, &code)| if code { 0 } else { hashes(line) }).collect();
        Document { lines, levels, code }
    }

    /// The lines under the heading that line `at` stands under, those of its subsections too.
    pub(crate) fn section(&self, at: usize) -> std::ops::Range<usize> {
        let Some(start) = (0..=at).rev().find(|&line| self.levels[line] > 0) else {
            return 0..self.lines.len();
        };
        let ends = |&line: &usize| (1..=self.levels[start]).contains(&self.levels[line]);
        start..(start + 1..self.lines.len()).find(ends).unwrap_or(self.lines.len())
    }
}

/// The figures and notes of a line of prose or of a table.
pub(crate) fn scan(line: &str) -> (Vec<Figure>, Vec<Note>) {
    let (plain, notes) = plain(line);
    let start = line.trim_start().find(". ").filter(|&end| line.trim_start()[..end].parse::<u32>().is_ok());
    let mut at = start.map_or(0, |end| line.len() - line.trim_start().len() + end);
    let mut figures = Vec::new();
    while at < plain.len() {
        let c = plain[at];
        if c.is_alphabetic() || c == '_' {
            at = name(&plain, at);
        } else if c.is_ascii_digit() {
            let end = digits(&plain, at);
            figures.extend(figure(&plain, at, end));
            at = end;
        } else {
            at += 1;
        }
    }
    (figures, notes)
}

/// The line with blanks for what holds no figures: comments, targets of links, and code that is more than a number.
/// The backticks of a number alone stay.
fn plain(line: &str) -> (Vec<char>, Vec<Note>) {
    let mut chars: Vec<char> = line.chars().collect();
    let mut notes = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest: String = chars[at..].iter().collect();
        let (length, blank) = if rest.starts_with("<!--") {
            let end = rest.find("-->").map_or(rest.len(), |end| end + 3);
            if let Some(text) = rest[..end].strip_prefix("<!-- = ").and_then(|text| text.strip_suffix("-->"))
            {
                notes.push(Note { at, text: text.trim().to_owned() });
            }
            (rest[..end].chars().count(), true)
        } else if rest.starts_with("](") {
            (rest.find(')').map_or(2, |end| rest[..end].chars().count()), true)
        } else if rest.starts_with("http") {
            (
                rest.find([' ', ')', '>', '"'])
                    .map_or(rest.chars().count(), |end| rest[..end].chars().count()),
                true,
            )
        } else if let Some(code) = rest.strip_prefix('`') {
            let code = code.split('`').next().unwrap_or_default();
            let alone = !code.is_empty() && code.chars().all(|c| c.is_ascii_digit() || ",._".contains(c));
            (code.chars().count() + 2, !alone)
        } else {
            (1, false)
        };
        let end = (at + length).min(chars.len());
        if blank {
            chars[at..end].fill(' ');
        }
        at = end;
    }
    (chars, notes)
}

/// Where a name ends that begins at `at`: sq8, HTTP/2, UTF-8, XXH3-64, recall@10.
fn name(line: &[char], mut at: usize) -> usize {
    let start = at;
    while let Some(&c) = line.get(at) {
        let joins = "-@".contains(c) || c == '/' && line[start].is_uppercase();
        if !(c.is_alphanumeric()
            || c == '_'
            || joins && line.get(at + 1).is_some_and(|c| c.is_alphanumeric()))
        {
            break;
        }
        at += 1;
    }
    at
}

/// Where a number ends: 117,791 0.95 0x4C49 10_000 and dates and versions, 2026-11-21 and 1.22.1.
fn digits(line: &[char], mut at: usize) -> usize {
    let hex = line[at] == '0' && line.get(at + 1) == Some(&'x');
    at += if hex { 2 } else { 0 };
    while let Some(&c) = line.get(at) {
        let next = line.get(at + 1).is_some_and(|c| c.is_ascii_digit());
        if !(c.is_ascii_digit() || hex && c.is_ascii_hexdigit() || ",._-".contains(c) && next) {
            break;
        }
        at += 1;
    }
    at
}

/// The figure in `at..end`, unless it is one by form alone: a date, a power, a year, a status, a version.
fn figure(line: &[char], at: usize, end: usize) -> Option<Figure> {
    let text: String = line[at..end].iter().collect();
    let before: String = line[..at].iter().collect();
    let after: String = line[end..].iter().collect();
    let power =
        ["2", "10"].contains(&text.as_str()) && after.starts_with(|c: char| "⁰¹²³⁴⁵⁶⁷⁸⁹^".contains(c));
    let year = text.len() == 4 && before.ends_with(", ") && after.starts_with([')', ';']);
    let status = before.ends_with('`') && STATUSES.contains(&text.as_str());
    let program = before.trim_end().rsplit([' ', '(']).next().is_some_and(|word| PROGRAMS.contains(&word));
    if is_date(&text) || power || year || status || program && !text.contains('-') {
        return None;
    }
    let value = number(&text)?;
    let unit = UNITS.iter().find(|(unit, _)| {
        let rest = after.trim_start_matches(['`', ' ', '\u{a0}']).strip_prefix(unit);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    });
    let small = unit.is_none() && (value == 0.0 || value == 1.0);
    Some(Figure { at, text, value: value * unit.map_or(1.0, |(_, factor)| *factor), small })
}

/// 2026-11-21.
pub(crate) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 3
        && parts
            .iter()
            .zip([4, 2, 2])
            .all(|(part, length)| part.len() == length && part.parse::<u32>().is_ok())
}
