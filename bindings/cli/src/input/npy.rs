//! NumPy arrays, strictly: little-endian, C order, one or two dimensions, a length that fits the file exactly.

use super::rows::Stored;
use super::{Vectors, open_regular, room};
use crate::failure::Failure;
use crate::progress::Progress;
use pagevec::Numbers;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Larger headers than this are no arrays of numbers.
const MAX_HEADER: usize = 64 * 1024;

/// Values read at once: a multiple of every value's size in bytes times this many.
const BATCH: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    F2,
    F4,
    F8,
    I4,
    I8,
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Kind::F2 => 2,
            Kind::F4 | Kind::I4 => 4,
            Kind::F8 | Kind::I8 => 8,
        }
    }
}

/// An array whose header has been read and whose length has been checked.
pub(crate) struct Array {
    path: PathBuf,
    reader: BufReader<File>,
    kind: Kind,
    /// The offset of the first value.
    data: u64,
    /// 1 for a one-dimensional array.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Array {
    /// Reads the header and compares it with the length of the file.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let (file, length) = open_regular(path)?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let fault = |message: String| Failure::input(path, message);
        let (header, data_offset) = read_header(&mut reader).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => fault("the file ends inside its .npy header".into()),
            std::io::ErrorKind::InvalidData => fault(e.to_string()),
            _ => Failure::io(path, &e),
        })?;
        let (kind, rows, columns) = parse_header(&header).map_err(fault)?;
        let bytes = (rows as u64)
            .checked_mul(columns as u64)
            .and_then(|values| values.checked_mul(kind.size() as u64))
            .ok_or_else(|| fault(format!("a shape of {rows} x {columns} is beyond any file")))?;
        let got = length.saturating_sub(data_offset);
        if got != bytes {
            return Err(fault(format!(
                "{got} bytes of data where its shape {rows} x {columns} needs {bytes}: the file is cut or extended; copy or write it again"
            )));
        }
        Ok(Array { path: path.to_owned(), reader, kind, data: data_offset, rows, columns })
    }

    /// The first `limit` rows as f32. A value beyond f32 becomes infinite, which the index refuses by its row.
    pub(crate) fn vectors(mut self, limit: usize, progress: &Progress) -> Result<Vectors, Failure> {
        let rows = self.rows.min(limit);
        let total = Some(self.rows);
        let data = match self.kind {
            Kind::F2 => self.read(rows, progress, |b: [u8; 2]| half::f16::from_le_bytes(b).to_f32()),
            Kind::F4 => self.read(rows, progress, f32::from_le_bytes),
            Kind::F8 => self.read(rows, progress, |b| f64::from_le_bytes(b) as f32),
            Kind::I4 | Kind::I8 => Err(self.integers_refused()),
        }?;
        Ok(Vectors { data, dim: self.columns, rows, total, ids: None })
    }

    fn integers_refused(&self) -> Failure {
        let message = "holds integers where vectors are wanted: save it as float16 or float32";
        Failure::input(&self.path, message)
    }

    /// The file, and how the values of rows stand in it.
    pub(crate) fn stored(self) -> Result<(File, Stored), Failure> {
        let numbers = match self.kind {
            Kind::F2 => Numbers::F16,
            Kind::F4 => Numbers::F32,
            Kind::F8 => Numbers::F64,
            Kind::I4 | Kind::I8 => return Err(self.integers_refused()),
        };
        let stride = self.columns * self.kind.size();
        let stored = Stored { numbers, rows: self.rows, dim: self.columns, first: self.data, stride };
        Ok((self.reader.into_inner(), stored))
    }

    /// The first `limit` rows as integers.
    pub(crate) fn integers(mut self, limit: usize, progress: &Progress) -> Result<Vec<i64>, Failure> {
        let rows = self.rows.min(limit);
        match self.kind {
            Kind::I4 => self.read(rows, progress, |b| i64::from(i32::from_le_bytes(b))),
            Kind::I8 => self.read(rows, progress, i64::from_le_bytes),
            Kind::F2 | Kind::F4 | Kind::F8 => Err(Failure::input(
                &self.path,
                "holds floats where row numbers are wanted: save it as int32 or int64",
            )),
        }
    }

    fn read<const N: usize, T>(
        &mut self,
        rows: usize,
        progress: &Progress,
        convert: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, Failure> {
        let count = rows * self.columns;
        let mut values = room(count, &self.path)?;
        let mut buffer = vec![0_u8; BATCH * N];
        while values.len() < count {
            let batch = BATCH.min(count - values.len());
            let bytes = buffer.get_mut(..batch * N).unwrap_or_default();
            self.reader.read_exact(bytes).map_err(|e| Failure::io(&self.path, &e))?;
            values.extend(bytes.as_chunks::<N>().0.iter().map(|b| convert(*b)));
            progress.tick("read", values.len() as u64, count as u64);
        }
        Ok(values)
    }
}

/// The header's text and the offset of the data.
fn read_header(reader: &mut impl Read) -> std::io::Result<(String, u64)> {
    let invalid = |message| std::io::Error::new(std::io::ErrorKind::InvalidData, message);
    let mut start = [0_u8; 8];
    reader.read_exact(&mut start)?;
    let [magic @ .., major, _minor] = start;
    if magic != *b"\x93NUMPY" {
        return Err(invalid("not a .npy file (it does not begin with \\x93NUMPY): save it with numpy.save"));
    }
    let (prefix, length) = match major {
        1 => {
            let mut bytes = [0_u8; 2];
            reader.read_exact(&mut bytes)?;
            (10, usize::from(u16::from_le_bytes(bytes)))
        }
        2 | 3 => {
            let mut bytes = [0_u8; 4];
            reader.read_exact(&mut bytes)?;
            (12, u32::from_le_bytes(bytes) as usize)
        }
        _ => return Err(invalid("a .npy version other than 1, 2 or 3")),
    };
    if length > MAX_HEADER {
        return Err(invalid("a .npy header longer than 64 KiB: not a plain array"));
    }
    let mut text = vec![0_u8; length];
    reader.read_exact(&mut text)?;
    let text = String::from_utf8(text).map_err(|_| invalid("the .npy header is not text"))?;
    Ok((text, prefix + length as u64))
}

/// The three entries of the dictionary that NumPy writes: `{'descr': '<f4', 'fortran_order': False, 'shape': (10, 3),
/// }`.
fn parse_header(header: &str) -> Result<(Kind, usize, usize), String> {
    let kind = match entry(header, "descr")?.split(['\'', '"']).nth(1) {
        Some("<f2") => Kind::F2,
        Some("<f4") => Kind::F4,
        Some("<f8") => Kind::F8,
        Some("<i4") => Kind::I4,
        Some("<i8") => Kind::I8,
        other => {
            let other = other.unwrap_or("a structure");
            return Err(format!(
                "values of type {other}, none of <f2, <f4, <f8, <i4, <i8: convert with astype('<f4')"
            ));
        }
    };
    let order = entry(header, "fortran_order")?;
    if order.starts_with("True") {
        return Err("stored in Fortran order: save numpy.ascontiguousarray(x) instead".into());
    }
    if !order.starts_with("False") {
        return Err("the .npy header does not say whether its order is C or Fortran".into());
    }
    let shape = entry(header, "shape")?;
    let inside = shape.strip_prefix('(').and_then(|s| s.split_once(')')).map(|(inside, _)| inside);
    let sizes: Option<Vec<usize>> = inside.and_then(|s| {
        s.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect()
    });
    match sizes.as_deref() {
        Some([columns]) => Ok((kind, 1, *columns)),
        Some([rows, columns]) => Ok((kind, *rows, *columns)),
        _ => Err("not an array of one or two dimensions: reshape it to (rows, components)".into()),
    }
}

/// What follows `'key':`.
fn entry<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    ['\'', '"']
        .iter()
        .find_map(|quote| header.split_once(&format!("{quote}{key}{quote}:")))
        .map(|(_, rest)| rest.trim_start())
        .ok_or_else(|| format!("the .npy header has no {key}"))
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse_header};

    #[test]
    fn headers_as_numpy_writes_them() {
        let parse = |descr: &str, order: &str, shape: &str| {
            parse_header(&format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}  \n"))
        };
        assert_eq!(parse("'<f4'", "False", "(10, 3)"), Ok((Kind::F4, 10, 3)));
        assert_eq!(parse("'<f2'", "False", "(0, 3)"), Ok((Kind::F2, 0, 3)));
        assert_eq!(parse("'<i8'", "False", "(7,)"), Ok((Kind::I8, 1, 7)));
        let refused = [
            ("'>f4'", "False", "(10, 3)"),
            ("'<f4'", "True", "(10, 3)"),
            ("'<f4'", "False", "(1, 2, 3)"),
            ("'<f4'", "False", "()"),
            ("'<f4'", "False", "(-1, 3)"),
            ("'<f4'", "False", "(99999999999999999999, 3)"),
            ("[('a', '<f4')]", "False", "(10,"),
        ];
        for (descr, order, shape) in refused {
            assert!(parse(descr, order, shape).is_err(), "{descr} {order} {shape}");
        }
        assert!(parse_header("").is_err());
    }
}
