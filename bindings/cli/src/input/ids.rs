//! One id per line, in UTF-8.

use crate::failure::Failure;
use pagevec::{Id, Ids};
use std::io::Read as _;
use std::path::Path;

/// What the lines of an ids file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum IdsType {
    /// Text: the length of each id plus a few bytes.
    Text,
    /// Whole numbers from 0 to 2^53 - 1.
    Number,
}

/// The lines of the file, without their ends.
pub(crate) fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    lines_of(path, &std::fs::read(path).map_err(|e| Failure::io(path, &e))?)
}

/// The ids in a file, `-` for stdin, as an index has them whose ids are of this kind. Empty lines are no ids.
pub(crate) fn list(path: &Path, kind: &str) -> Result<Vec<Id>, Failure> {
    let (path, lines) = if path.as_os_str() == "-" {
        let (path, mut bytes) = (Path::new("stdin"), Vec::new());
        std::io::stdin().read_to_end(&mut bytes).map_err(|e| Failure::io(path, &e))?;
        (path, lines_of(path, &bytes)?)
    } else {
        (path, lines(path)?)
    };
    let filled = lines.iter().enumerate().filter(|(_, line)| !line.is_empty());
    filled.map(|(i, line)| parse(line, kind).ok_or_else(|| no_number(path, i, line, NUMBERS))).collect()
}

/// What is said where an index has numbers.
pub(crate) const NUMBERS: &str = "the ids of this index are numbers";

/// The id that a text means in an index whose ids are of this kind. `None`: these are numbers, and it is none.
pub(crate) fn parse(text: &str, kind: &str) -> Option<Id> {
    match kind {
        "text" => Some(Id::Text(text.to_owned())),
        _ => text.trim().parse().ok().map(Id::Number),
    }
}

fn no_number(path: &Path, i: usize, line: &str, advice: &str) -> Failure {
    Failure::input(path, format!("line {}: {line:?} is no whole number; {advice}", i + 1))
}

fn lines_of(path: &Path, bytes: &[u8]) -> Result<Vec<String>, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let from =
            if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") { " -f UTF-16" } else { "" };
        let message =
            format!("line {line} is not UTF-8: convert the file, for example with `iconv{from} -t UTF-8`");
        Failure::input(path, message)
    })?;
    Ok(text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect())
}

/// The ids of `rows` rows, out of a file for all `total` rows of the input or for just these.
pub(crate) fn read(path: &Path, kind: IdsType, rows: usize, total: Option<usize>) -> Result<Ids, Failure> {
    let mut lines = lines(path)?;
    let fits = lines.len() == rows || total.map_or(lines.len() > rows, |total| lines.len() == total);
    if !fits {
        let wanted = total.unwrap_or(rows);
        return Err(Failure::input(
            path,
            format!(
                "{} ids for {wanted} vectors: give one line for each vector, in the same order",
                lines.len()
            ),
        ));
    }
    lines.truncate(rows);
    if kind == IdsType::Text {
        return Ok(Ids::Texts(lines));
    }
    let numbers = lines
        .iter()
        .enumerate()
        .map(|(i, line)| line.trim().parse().map_err(|_| no_number(path, i, line, "use --ids-type text")));
    Ok(Ids::Numbers(numbers.collect::<Result<_, _>>()?))
}
