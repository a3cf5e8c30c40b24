//! JSON lines, `{"id": "king", "vector": [0.1, 0.2]}`, or one JSON array of such objects. Ids may be left
//! out in all rows.

use super::fields::{Object, Store};
use super::json_row::{LineId, Row, complaint};
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::Ids;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// The longest line or object: 65,535 components of 200 characters and a long id fit.
const MAX_ROW: u64 = 16 << 20;
const UTF16: &str = "is UTF-16: convert it to UTF-8 first, for example with `iconv -f UTF-16 -t UTF-8`";

/// What was read beside the vectors.
pub(crate) struct Lines {
    pub(crate) dim: usize,
    pub(crate) rows: usize,
    /// Rows in the file; `None` if it was not read to its end.
    pub(crate) total: Option<usize>,
    pub(crate) ids: Option<Ids>,
}

/// Takes the vector of a row, and those of its other fields that are stored.
pub(crate) type Take<'a> = dyn FnMut(&[f32], &Object) -> Result<(), Failure> + 'a;

/// Reads at most `limit` rows of a file, or of stdin if that is `-`, and hands each to `take`.
pub(crate) fn open(
    path: &Path,
    limit: usize,
    store: &mut Store,
    progress: &Progress,
    take: &mut Take<'_>,
) -> Result<Lines, Failure> {
    let mut lines = Lines { dim: 0, rows: 0, total: None, ids: None };
    lines.total = objects(path, limit, &mut |text, line| {
        let row = Row::parse(text, store).map_err(|e| line.fault(complaint(text, &e)))?;
        let (vector, fields) = lines.add(row, store).map_err(|e| line.fault(e))?;
        take(&vector, &fields)?;
        progress.tick("read", lines.rows as u64, lines.rows as u64);
        Ok(())
    })?;
    if lines.rows == 0 {
        return Err(Failure::input(path, "no line, so no vector"));
    }
    Ok(lines)
}

/// Takes the text of an object, and where it is.
type Each<'a> = dyn FnMut(&[u8], &Line<'_>) -> Result<(), Failure> + 'a;

/// The line of an object: the first of several.
pub(super) struct Line<'a> {
    path: &'a Path,
    pub(super) number: u64,
}

impl Line<'_> {
    /// A failure that names the line.
    pub(super) fn fault(&self, message: impl std::fmt::Display) -> Failure {
        Failure::input(self.path, format!("line {}: {message}", self.number))
    }
}

/// Reads at most `limit` objects of a file, or of stdin if that is `-`. Returns how many there are, if it came to the end.
pub(super) fn objects(path: &Path, limit: usize, each: &mut Each<'_>) -> Result<Option<usize>, Failure> {
    if path.as_os_str() == "-" {
        return read(std::io::stdin().lock(), Path::new("stdin"), limit, each);
    }
    if path.is_dir() {
        return Err(Failure::input(path, "this is a folder: name a file in it"));
    }
    let file = File::open(path).map_err(|e| Failure::io(path, &e))?;
    read(BufReader::new(file), path, limit, each)
}

fn read(
    mut reader: impl BufRead,
    path: &Path,
    limit: usize,
    each: &mut Each<'_>,
) -> Result<Option<usize>, Failure> {
    let mut text = Text { reader: &mut reader, path, line: 1 };
    let in_array = text.begins()?;
    let (mut count, mut bytes) = (0, Vec::new());
    loop {
        let line = match in_array {
            true => text.element(count, &mut bytes)?,
            false => text.line(&mut bytes)?,
        };
        let Some(number) = line else { return Ok(Some(count)) };
        if count == limit {
            return Ok(None);
        }
        each(&bytes, &Line { path, number })?;
        count += 1;
    }
}

/// The rest of the input, and the number of its first line.
struct Text<'a, R> {
    reader: &'a mut R,
    path: &'a Path,
    line: u64,
}

impl<R: BufRead> Text<'_, R> {
    fn fault<T>(&self, message: impl std::fmt::Display) -> Result<T, Failure> {
        Err(Failure::input(self.path, format!("line {}: {message}", self.line)))
    }

    /// The next byte, which stays.
    fn peek(&mut self) -> Result<Option<u8>, Failure> {
        let buffered = self.reader.fill_buf().map_err(|e| Failure::io(self.path, &e))?;
        Ok(buffered.first().copied())
    }

    fn skip(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.reader.consume(1);
    }

    /// The next byte that is no white space.
    fn peek_word(&mut self) -> Result<Option<u8>, Failure> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.skip(byte);
        }
        Ok(None)
    }

    /// Passes over a byte order mark. Tells whether the rows are in an array, whose bracket is taken.
    fn begins(&mut self) -> Result<bool, Failure> {
        match self.peek()? {
            Some(0xff | 0xfe | 0) => return Err(Failure::input(self.path, UTF16)),
            Some(0xef) => {
                for mark in [0xef, 0xbb, 0xbf] {
                    if self.peek()? != Some(mark) {
                        return self.fault("not UTF-8, so not JSON");
                    }
                    self.skip(mark);
                }
            }
            _ => {}
        }
        if self.peek_word()? != Some(b'[') {
            return Ok(false);
        }
        self.skip(b'[');
        match self.peek_word()? {
            Some(b'{' | b']') | None => Ok(true),
            _ => self.fault("a list where an object is wanted: write {\"vector\": [0.1, 0.2]}, one a line"),
        }
    }

    /// The next line that is not empty, and its number.
    fn line(&mut self, into: &mut Vec<u8>) -> Result<Option<u64>, Failure> {
        self.peek_word()?;
        into.clear();
        let read = self.reader.by_ref().take(MAX_ROW).read_until(b'\n', into);
        let read = read.map_err(|e| Failure::io(self.path, &e))?;
        if read as u64 == MAX_ROW {
            return self.fault("longer than 16 MiB");
        }
        if into.get(1) == Some(&0) {
            return Err(Failure::input(self.path, UTF16));
        }
        self.line += 1;
        Ok((read > 0).then_some(self.line - 1))
    }

    /// The next object of the array, after `before` others, and the number of its first line.
    fn element(&mut self, before: usize, into: &mut Vec<u8>) -> Result<Option<u64>, Failure> {
        into.clear();
        let mut next = self.peek_word()?;
        if before > 0 && next == Some(b',') {
            self.skip(b',');
            next = self.peek_word()?;
        } else if before > 0 && next.is_some_and(|byte| byte != b']') {
            return self.fault("a comma or the end of the array is missing");
        }
        match next {
            Some(b'{') => {}
            Some(b']') => {
                self.skip(b']');
                return match self.peek_word()? {
                    None => Ok(None),
                    Some(_) => self.fault("more follows the end of the array"),
                };
            }
            Some(_) => return self.fault("an array of objects holds something else"),
            None => {
                return self.fault("the file ends before its array does: it is cut; copy or write it again");
            }
        }
        let line = self.line;
        let (mut depth, mut in_text, mut escaped) = (0, false, false);
        while let Some(byte) = self.peek()? {
            into.push(byte);
            self.skip(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = in_text,
                b'"' => in_text = !in_text,
                b'{' if !in_text => depth += 1,
                b'}' if !in_text => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(Some(line));
            }
            if into.len() as u64 == MAX_ROW {
                return self.fault("an object longer than 16 MiB");
            }
        }
        self.fault("the file ends before its array does: it is cut; copy or write it again")
    }
}

impl Lines {
    /// Checks a row, keeps its id, and returns its vector and its other fields.
    pub(super) fn add(&mut self, row: Row, store: &mut Store) -> Result<(Vec<f32>, Object), String> {
        if self.rows == 0 {
            self.dim = row.vector.len();
            self.ids = row.id.as_ref().map(|id| match id {
                LineId::Number(_) => Ids::Numbers(Vec::new()),
                LineId::Text(_) => Ids::Texts(Vec::new()),
            });
        }
        if let Some(column) = row.vector.iter().position(|x| x.is_infinite()) {
            return Err(format!("component {column} is beyond f32: scale the vectors, or remove the row"));
        }
        if row.vector.len() != self.dim {
            return Err(format!("{} components where the first row has {}", row.vector.len(), self.dim));
        }
        if let Some(field) = store.id_of_lines() {
            field.push(row.named.as_ref(), row.others.iter())?;
        }
        match (&mut self.ids, row.id) {
            (None, None) => {}
            (Some(Ids::Numbers(all)), Some(LineId::Number(id))) => all.push(id),
            (Some(Ids::Texts(all)), Some(LineId::Text(id))) => all.push(id),
            _ => return Err("ids must be all texts, all numbers, or all left out".into()),
        }
        self.rows += 1;
        Ok((row.vector, row.fields))
    }
}
