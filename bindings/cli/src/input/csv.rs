//! CSV: the names of the fields in the first line, and a record for each row. CSV has no types, so a column has the one of
//! the schema, or one that suits all of its cells; the file is read twice. An empty cell is no value. Messages count
//! records as spreadsheets do: the names are the first one.

use super::fields::Object;
use crate::failure::Failure;
use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use pagevec::FieldType;
use serde_json::Value;
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

/// Whole numbers beyond 2^53 - 1 are not exact in JavaScript: they stay text.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// What the cells of a column may be beside text.
#[derive(Clone, Copy)]
struct Column {
    numbers: bool,
    booleans: bool,
    /// A schema says so, whatever the cells are.
    is_declared: bool,
}

impl Column {
    fn of(declared: Option<FieldType>) -> Self {
        let (numbers, booleans) = match declared {
            Some(FieldType::Keyword) => (false, false),
            Some(FieldType::Integer | FieldType::Float | FieldType::Timestamp) => (true, false),
            Some(FieldType::Boolean) => (false, true),
            Some(FieldType::Geo) | None => (true, true),
        };
        Column { numbers, booleans, is_declared: declared.is_some() }
    }
}

/// Takes the fields of a row, and the number of its record.
pub(super) type Each<'a> = dyn FnMut(Object, usize) -> Result<(), Failure> + 'a;

/// Reads all rows. `declared` gives the types of a schema. Returns how many rows there are.
pub(super) fn objects(
    path: &Path,
    declared: &dyn Fn(&str) -> Option<FieldType>,
    each: &mut Each<'_>,
) -> Result<usize, Failure> {
    let names = names(path, &mut open(path)?)?;
    let mut columns: Vec<Column> = names.iter().map(|name| Column::of(declared(name))).collect();
    records(path, &mut |record, _| {
        let cells = columns.iter_mut().zip(record);
        for (column, cell) in cells.filter(|(column, cell)| !column.is_declared && !cell.is_empty()) {
            column.numbers &= number(cell).is_some();
            column.booleans &= boolean(cell).is_some();
        }
        Ok(())
    })?;
    records(path, &mut |record, number| {
        let cells = names.iter().zip(&columns).zip(record).filter(|(_, cell)| !cell.is_empty());
        let field = |((name, column), cell): ((&String, &Column), &str)| (name.clone(), value(cell, *column));
        each(cells.map(field).collect(), number)
    })
}

/// The lines of a file whose name ends so are cut by tabs.
fn open(path: &Path) -> Result<Reader<File>, Failure> {
    let (file, _) = super::open_regular(path)?;
    let tabs = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
    Ok(ReaderBuilder::new().delimiter(if tabs { b'\t' } else { b',' }).from_reader(file))
}

fn names(path: &Path, reader: &mut Reader<File>) -> Result<Vec<String>, Failure> {
    let names = reader.headers().map_err(|error| fault(path, 1, error))?;
    let mut seen = HashSet::new();
    if names.is_empty() {
        return Err(Failure::input(path, "it is empty: give the names of the fields in the first line"));
    }
    for (number, name) in names.iter().enumerate() {
        if name.is_empty() {
            let message = format!("record 1: column {} has no name: name all fields", number + 1);
            return Err(Failure::input(path, message));
        }
        if !seen.insert(name) {
            let message = format!("record 1: two columns have the name {name:?}: rename one");
            return Err(Failure::input(path, message));
        }
    }
    if names.len() == 1 && names[0].contains(';') {
        return Err(Failure::input(path, "record 1: columns are cut by semicolons: write commas"));
    }
    Ok(names.iter().map(str::to_owned).collect())
}

/// Reads all records but the first one, with their numbers.
fn records(
    path: &Path,
    each: &mut dyn FnMut(&StringRecord, usize) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let (mut reader, mut record, mut count) = (open(path)?, StringRecord::new(), 0);
    while reader.read_record(&mut record).map_err(|error| fault(path, count + 2, error))? {
        count += 1;
        each(&record, count + 1)?;
    }
    Ok(count)
}

fn fault(path: &Path, record: usize, error: ::csv::Error) -> Failure {
    let message = match error.into_kind() {
        ErrorKind::Io(error) => return Failure::io(path, &error),
        ErrorKind::Utf8 { .. } => "not UTF-8: convert the file, for example with iconv".to_owned(),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells where the first record has {expected_len}: quote cells that have commas")
        }
        other => format!("{other:?}"),
    };
    Failure::input(path, format!("record {record}: {message}"))
}

fn value(cell: &str, column: Column) -> Value {
    let number = column.numbers.then(|| number(cell)).flatten();
    let boolean = || column.booleans.then(|| boolean(cell)).flatten().map(Value::from);
    number.or_else(boolean).unwrap_or_else(|| cell.into())
}

/// A number as JSON has it, so no `007`, `+1`, `.5` or `NaN`.
fn number(cell: &str) -> Option<Value> {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let whole = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(whole);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    if rest.is_empty() {
        let number: i64 = cell.parse().ok()?;
        return (number.abs() <= MAX_SAFE).then(|| number.into());
    }
    let rest = rest.strip_prefix('.').map_or(Some(rest), after_digits)?;
    let rest = match rest.strip_prefix(['e', 'E']) {
        Some(rest) => after_digits(rest.strip_prefix(['+', '-']).unwrap_or(rest))?,
        None => rest,
    };
    let number: f64 = cell.parse().ok().filter(|_| rest.is_empty())?;
    number.is_finite().then(|| number.into())
}

/// What follows the digits, of which there is at least one.
fn after_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// As JavaScript, Python and spreadsheets write it.
fn boolean(cell: &str) -> Option<bool> {
    match cell {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows as JSON, with the numbers of their records.
    fn read(name: &str, text: &[u8]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut rows) = (folder.path().join(name), Vec::new());
        let types = [("zip", FieldType::Keyword), ("int", FieldType::Integer), ("bool", FieldType::Boolean)];
        let of = |name: &str| types.into_iter().find(|(known, _)| *known == name).map(|(_, of)| of);
        std::fs::write(&path, text).unwrap();
        let count = objects(&path, &of, &mut |object, number| {
            rows.push(format!("{number} {}", Value::Object(object)));
            Ok(())
        });
        match count {
            Ok(count) => assert_eq!(count, rows.len()),
            Err(Failure::Told { message, .. }) => return Err(message),
            Err(other) => panic!("{other:?}"),
        }
        Ok(rows)
    }

    #[test]
    fn columns_have_the_type_of_all_cells() {
        let text = "\u{feff}a,b,c,d,zip,big,mixed,empty\r\n\
            1,-0.5,true,x,10115,9007199254740992,1,\r\n\
            \r\n\
            2,1e3,FALSE,\"a, \"\"b\"\"\nc\",20095,1,x,\r\n\
            ,,,,,,,\n\
            -0,5,True,007,,2,True,";
        let expected = [
            r#"2 {"a":1,"b":-0.5,"c":true,"d":"x","zip":"10115","big":"9007199254740992","mixed":"1"}"#,
            r#"3 {"a":2,"b":1000.0,"c":false,"d":"a, \"b\"\nc","zip":"20095","big":"1","mixed":"x"}"#,
            "4 {}",
            r#"5 {"a":0,"b":5,"c":true,"d":"007","big":"2","mixed":"True"}"#,
        ];
        assert_eq!(read("rows.csv", text.as_bytes()).unwrap(), expected);
        assert_eq!(read("rows.TSV", b"a b\tc\n1\t,\n").unwrap(), [r#"2 {"a b":1,"c":","}"#]);
        assert_eq!(read("rows.csv", b"a,b\n").unwrap(), [""; 0]);
        // What does not suit the type of a schema is left to it.
        let declared = read("rows.csv", b"int,bool\n1,true\ntrue,1\nx,y\n").unwrap();
        let expected =
            [r#"2 {"int":1,"bool":true}"#, r#"3 {"int":"true","bool":"1"}"#, r#"4 {"int":"x","bool":"y"}"#];
        assert_eq!(declared, expected);
    }

    #[test]
    fn numbers_are_those_of_json() {
        for cell in [
            "0",
            "-1",
            "9007199254740991",
            "1.50",
            "-0.0",
            "1e5",
            "1E-7",
            "2.5e+10",
            "1.7976931348623157e308",
        ] {
            assert!(number(cell).is_some(), "{cell}");
        }
        let others = "|-|+1|01|-01|.5|5.|1e|1e+|0x10|1_000|1,5| 1|1 |NaN|inf|1e999|9007199254740992|-9007199254740992|1.5.5|1e5.5|１";
        for cell in others.split('|') {
            assert_eq!(number(cell), None, "{cell}");
        }
    }

    #[test]
    fn what_is_no_csv_is_named() {
        let cases: [(&[u8], &str); 7] = [
            (b"", "it is empty"),
            (b"a,,c\n1,2,3", "record 1: column 2 has no name"),
            (b"a,b,a\n1,2,3", "record 1: two columns have the name \"a\""),
            (b"a;b\n1;2", "cut by semicolons"),
            (b"a,b\n1,2\n1,2,3\n", "record 3: 3 cells where the first record has 2"),
            (b"a,b\n1,\xff\n", "record 2: not UTF-8"),
            (b"\xff\xfea\0,\0b\0", "record 1: not UTF-8"),
        ];
        for (text, part) in cases {
            let told = read("rows.csv", text).expect_err(part);
            assert!(told.contains(part), "{told:?} does not have {part:?}");
        }
    }
}
