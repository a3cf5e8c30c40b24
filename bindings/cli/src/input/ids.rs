//! One id per line, in UTF-8.

use crate::failure::Failure;
use pagevec::Ids;
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
    let bytes = std::fs::read(path).map_err(|e| Failure::io(path, &e))?;
    let text = std::str::from_utf8(&bytes).map_err(|e| {
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
    let numbers = lines.iter().enumerate().map(|(i, line)| {
        line.trim().parse().map_err(|_| {
            Failure::input(path, format!("line {}: {line:?} is no whole number; use --ids-type text", i + 1))
        })
    });
    Ok(Ids::Numbers(numbers.collect::<Result<_, _>>()?))
}
