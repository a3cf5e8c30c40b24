//! What is inferred from rows, and what is refused in them.

use super::*;
use crate::hash::hash;
use crate::payload::key::{of_float, of_integer};
use crate::payload::{Column, FieldType, Point, permuted};
use FieldType::{Boolean, Float, Geo, Integer, Keyword, Timestamp};
use NotIndexed::{Declared, Distinct, Large, Long, Mixed, Nested};

fn collected(schema: &Schema, rows: &[String]) -> Result<Vec<FieldColumn>, Error> {
    let mut collector = Collector::new(schema, rows.len())?;
    rows.iter().zip(0..).try_for_each(|(line, row)| collector.add(row, line.as_bytes()))?;
    Ok(collector.finish())
}

/// The one field of rows with these values of it.
fn field(values: &[&str]) -> FieldColumn {
    let rows: Vec<String> = values.iter().map(|value| format!("{{\"a\": {value}}}")).collect();
    let mut fields = collected(&Schema::infer(), &rows).unwrap();
    assert_eq!(fields.len(), 1);
    fields.remove(0)
}

#[test]
fn the_type_is_the_one_of_all_values() {
    let long = format!("\"{}\"", "x".repeat(65));
    let keyword = format!("\"{}\"", "x".repeat(64));
    let table: &[(&[&str], Result<FieldType, NotIndexed>)] = &[
        (&["true", "false", "null"], Ok(Boolean)),
        (&["1", "-2", "[3, 4]", "2.0", "1e3", "9007199254740991"], Ok(Integer)),
        (&["1", "2.5"], Ok(Float)),
        (&["2.5", "1", "1e300", "9007199254740992"], Ok(Float)),
        (&["[0.5, null]"], Ok(Float)),
        (&["9007199254740992", "1"], Err(Large)),
        (&["1e300"], Err(Large)),
        (&[r#""2024-01-31""#, r#"["2024-01-31T12:00:00+01:00"]"#], Ok(Timestamp)),
        (&[r#""2024-01-31""#, r#""soon""#], Ok(Keyword)),
        (&[r#""2024-01-31""#, "1706659200000"], Err(Mixed)),
        (&[r#""""#, r#"["a", "b"]"#], Ok(Keyword)),
        (&[&keyword], Ok(Keyword)),
        (&[&keyword, &long], Err(Long)),
        (&[r#"{"lat": 1, "lon": 2}"#, r#"[{"lng": 2, "lat": 1.5}]"#], Ok(Geo)),
        (&[r#"{"lat": 91, "lon": 2}"#], Err(Nested)),
        (&[r#"{"lat": 1, "lon": 2, "name": "x"}"#], Err(Nested)),
        (&["{}"], Err(Nested)),
        (&["[[1]]"], Err(Nested)),
        (&["1", "true"], Err(Mixed)),
        (&[r#"[1, "a"]"#], Err(Mixed)),
        (&[r#"{"lat": 1, "lon": 2}"#, "1"], Err(Mixed)),
        (&["1", "true", "{}"], Err(Nested)),
        (&["1", &long], Err(Mixed)),
    ];
    for (values, expected) in table {
        let expected = expected.map_or_else(FieldKind::Stored, FieldKind::Indexed);
        assert_eq!(field(values).kind, expected, "{values:?}");
        let reversed: Vec<&str> = values.iter().rev().copied().collect();
        assert_eq!(field(&reversed).kind, expected, "{reversed:?}");
    }
}

#[test]
fn values_are_pairs_with_their_rows() {
    let terms = |texts: &[&str], rows: &[(u32, u32)]| Column::Terms {
        texts: texts.iter().map(|&text| text.into()).collect(),
        rows: rows.to_vec(),
    };
    let text = field(&[r#""b""#, "null", r#"["c", "a", "c"]"#, "[]", r#""b""#]);
    assert_eq!(text.column, terms(&["a", "b", "c"], &[(0, 2), (1, 0), (1, 4), (2, 2)]));
    assert_eq!(
        field(&["true", "[false, true]"]).column,
        terms(&["false", "true"], &[(0, 1), (1, 0), (1, 1)])
    );
    let keys =
        |pairs: &[(i64, u32)]| Column::Keys(pairs.iter().map(|&(n, row)| (of_integer(n), row)).collect());
    assert_eq!(field(&["5", "[-1, 5, 5.0]", "-0.0"]).column, keys(&[(-1, 1), (0, 2), (5, 0), (5, 1)]));
    assert_eq!(
        field(&[r#""1970-01-02""#, r#""1970-01-01T00:00:01Z""#]).column,
        keys(&[(1000, 1), (86_400_000, 0)])
    );
    let floats = [(-0.5, 1), (0.0, 0), (0.0, 2)].map(|(n, row)| (of_float(n), row));
    assert_eq!(field(&["0", "-0.5", "[-0.0, 0.0]"]).column, Column::Keys(floats.to_vec()));
    let (first, second) = (Point::new(-1.0, 2.0).unwrap(), Point::new(1.0, -180.0).unwrap());
    let points = field(&[r#"{"lat": 1, "lon": 180}"#, r#"[{"lat": -1, "lon": 2}, {"lat": 1, "lon": -180}]"#]);
    assert_eq!(points.column, Column::Points(vec![(first, 1), (second, 0), (second, 1)]));
    assert_eq!(field(&["1", "true"]).column, Column::None);
}

/// Rows of which `distinct` different texts are values, each as often as another.
fn texts(rows: usize, distinct: usize) -> FieldKind {
    let values: Vec<String> = (0..rows).map(|row| format!("\"{}\"", row % distinct)).collect();
    field(&values.iter().map(String::as_str).collect::<Vec<_>>()).kind
}

#[test]
fn few_distinct_texts_are_keywords() {
    assert_eq!(texts(64, 64), FieldKind::Indexed(Keyword));
    assert_eq!(texts(65, 65), FieldKind::Stored(Distinct));
    assert_eq!(texts(259, 65), FieldKind::Stored(Distinct));
    assert_eq!(texts(260, 65), FieldKind::Indexed(Keyword));
    // Rows without a value do not count, nor do the values of one row.
    let missing: Vec<&str> = [r#""z""#, "null"].into_iter().cycle().take(400).collect();
    let several: Vec<String> = (0..65).map(|text| format!("\"{text}\"")).collect();
    let several = format!("[{}]", several.join(", "));
    let all = |values: &[&str]| field(&[&missing[..], &[&several], values].concat()).kind;
    assert_eq!(all(&[]), FieldKind::Stored(Distinct));
    assert_eq!(all(&[r#""z""#; 62]), FieldKind::Stored(Distinct));
    assert_eq!(all(&[r#""z""#; 63]), FieldKind::Indexed(Keyword));
}

/// A row of some fields; a field has mostly values of one type.
fn row(seed: u64) -> String {
    let value = |name: u64| {
        let draw = hash(seed ^ name << 40);
        let other = hash(draw).is_multiple_of(500);
        match if other { draw >> 8 } else { name } % 9 {
            0 => draw.is_multiple_of(3).to_string(),
            1 => (draw % 1000).to_string(),
            2 => format!("{}.5", draw % 7),
            3 => format!("\"{}\"", draw % 50),
            4 => format!("\"{draw}\""),
            5 => format!("\"{}\"", crate::payload::time::format((draw >> 20) as i64)),
            6 => format!("{{\"lat\": {}, \"lon\": {}}}", draw % 90, (draw >> 9) % 180),
            7 => format!("[\"{}\", null, \"{}\"]", draw % 5, draw % 7),
            _ => [format!("[{}, 4]", draw >> 9), format!("[[{draw}]]")]
                [usize::from(draw.is_multiple_of(400))]
            .clone(),
        }
    };
    let fields = (0..18).filter(|name| !hash(seed ^ name << 20).is_multiple_of(4));
    let fields: Vec<String> = fields.map(|name| format!("\"f{name}\": {}", value(name))).collect();
    format!("{{{}}}", fields.join(", "))
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let mut kinds = Vec::new();
    for seed in 0..20 {
        let rows: Vec<String> = (0..40 << (seed % 4)).map(|at| row(hash(seed) ^ at)).collect();
        let expected = collected(&Schema::infer(), &rows).unwrap();
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by_key(|&row| hash(seed << 32 | u64::from(row)));
        // The same rows, added in another order.
        let mut collector = Collector::new(&Schema::infer(), rows.len()).unwrap();
        order.iter().for_each(|&row| collector.add(row, rows[row as usize].as_bytes()).unwrap());
        assert_eq!(collector.finish(), expected);
        // The rows by their positions.
        let placed: Vec<String> = order.iter().map(|&row| rows[row as usize].clone()).collect();
        kinds.extend(expected.iter().map(|field| field.kind));
        assert_eq!(permuted(expected, &order), collected(&Schema::infer(), &placed).unwrap());
    }
    let all = FieldType::ALL.map(FieldKind::Indexed);
    let all = all.into_iter().chain([Mixed, Distinct, Nested, Large].map(FieldKind::Stored));
    all.for_each(|kind| assert!(kinds.contains(&kind), "{kind:?} did not occur"));
}

#[test]
fn a_schema_decides() {
    let schema = Schema::new()
        .field("id", Keyword)
        .field("price", Float)
        .field("at", Timestamp)
        .field("unused", Geo)
        .stored("pos");
    let row = |at: usize| {
        format!(r#"{{"id": "{at}", "price": {at}, "at": {at}e3, "pos": "n", "more": [[1]], "no": null}}"#)
    };
    let fields = collected(&schema, &(0..1000).map(row).collect::<Vec<_>>()).unwrap();
    let kinds: Vec<_> = fields.iter().map(|field| (&*field.name, field.kind)).collect();
    let (indexed, stored) = (FieldKind::Indexed, FieldKind::Stored(Declared));
    let expected = [
        ("at", indexed(Timestamp)),
        ("id", indexed(Keyword)),
        ("more", stored),
        ("pos", stored),
        ("price", indexed(Float)),
        ("unused", indexed(Geo)),
    ];
    assert_eq!(kinds, expected);
    assert!(
        matches!(&fields[1].column, Column::Terms { texts, rows } if texts.len() == 1000 && rows.len() == 1000)
    );
    assert!(matches!(&fields[4].column, Column::Keys(pairs) if pairs[2] == (of_float(2.0), 2)));
    assert_eq!(fields[5].column, Column::Points(Vec::new()));
}

#[test]
fn a_wrong_value_is_named_with_its_row_and_field() {
    let schema = Schema::new().field("price", Integer).field("pos", Keyword).stored("url");
    let mut collector = Collector::new(&schema, 10).unwrap();
    collector.add(3, br#"{"price": 1, "pos": null, "url": {"any": ["thing"]}, "other": [[]]}"#).unwrap();
    let error = collector.add(7, br#"{"pos": "n", "price": [1, "free"]}"#).unwrap_err();
    let message =
        "row 7, field \"price\": the text \"free\" is given, the schema wants a whole number (integer)";
    assert_eq!((error.code(), error.to_string().as_str()), ("field", message));
    assert!(matches!(error, Error::Field { field, row: 7, .. } if field == "price"));

    let mut inferred = Collector::new(&Schema::infer(), 10).unwrap();
    let bad = [
        (&b"\xff"[..], "the fields of row 5 are not UTF-8"),
        (b"{\"a\": }", "the fields of row 5 are no JSON: a value is expected"),
        (b"[1]", "the fields of row 5 are an array: give {\"name\": value, …}"),
        (b"{\"a\": 1, \"a\": 2}", "\"a\" stands twice"),
        (b"{} {}", "more follows the value"),
    ];
    for (line, part) in bad {
        let error = inferred.add(5, line).unwrap_err();
        assert_eq!(error.code(), "argument");
        assert!(error.to_string().contains(part), "{error} does not have {part:?}");
    }
    for line in [&b""[..], b"  ", b"{}", b"{\"a\": null, \"b\": [], \"c\": [null]}"] {
        inferred.add(5, line).unwrap();
    }
    assert_eq!(inferred.finish(), []);
}

#[test]
fn fields_are_limited_in_any_order() {
    let name = |at: usize| format!("n{:03}", hash(at as u64) % 1000);
    let rows: Vec<String> =
        (0..500).map(|at| format!("{{\"{}\": {at}, \"{}\": 0}}", name(at), "x".repeat(256))).collect();
    let names = |schema: &Schema, rows: &[String]| -> Vec<Box<str>> {
        collected(schema, rows).unwrap().into_iter().map(|field| field.name).collect()
    };
    let mut least: Vec<Box<str>> = (0..500).map(|at| name(at).into_boxed_str()).collect();
    least.sort();
    least.dedup();
    assert!(least.len() > MAX_FIELDS);
    let reversed: Vec<String> = rows.iter().rev().cloned().collect();
    least.truncate(MAX_FIELDS);
    assert_eq!(names(&Schema::infer(), &rows), least);
    assert_eq!(names(&Schema::infer(), &reversed), least);
    // Those of the schema come first, whatever their names.
    let declared = (0..MAX_FIELDS).fold(Schema::new(), |schema, at| schema.field(format!("z{at}"), Float));
    assert!(names(&declared, &rows).iter().all(|name| name.starts_with('z')));
    assert!(Collector::new(&declared.stored("more"), 1).is_err());
}

#[test]
fn what_is_not_indexed_takes_no_memory() {
    let kept = |value: &dyn Fn(u32) -> String| {
        let mut collector = Collector::new(&Schema::infer(), 10_000).unwrap();
        (0..10_000)
            .for_each(|row| collector.add(row, format!("{{\"a\": {}}}", value(row)).as_bytes()).unwrap());
        collector.bytes()
    };
    let empty = kept(&|_| "[[]]".to_owned());
    assert!(empty < 300, "{empty}");
    assert_eq!(kept(&|row| format!("[{row}, \"{row}\"]")), empty);
    assert_eq!(kept(&|row| format!("\"{row:070}\"")), empty);
    assert_eq!(kept(&|row| format!("\"{row}\"")), empty);
    // A vector has up to twice the room that it needs.
    assert!((80_000..200_000).contains(&kept(&|row| format!("\"{}\"", row % 100))));
    assert!((160_000..400_000).contains(&kept(&|row| row.to_string())));
}

#[test]
fn wordnet_has_the_fields_that_it_should() {
    let Some(folder) = std::env::var_os("PAGEVEC_DATA") else {
        eprintln!("skipped: PAGEVEC_DATA names no folder with the data sets");
        return;
    };
    let path = std::path::Path::new(&folder).join("wordnet/docs.jsonl.gz");
    let output = std::process::Command::new("gzip").arg("-dc").arg(path).output().expect("gzip is here");
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(rows.len() > 100_000);
    let fields = collected(&Schema::infer(), &rows).unwrap();
    let kinds: Vec<_> = fields.iter().map(|field| (&*field.name, field.kind)).collect();
    let expected = [
        ("definition", FieldKind::Stored(Long)),
        ("domain", FieldKind::Indexed(Keyword)),
        ("id", FieldKind::Stored(Distinct)),
        ("pos", FieldKind::Indexed(Keyword)),
        ("word_count", FieldKind::Indexed(Integer)),
        // One of them has 71 bytes; and most are those of one row only.
        ("words", FieldKind::Stored(Long)),
    ];
    assert_eq!(kinds, expected);
    for field in &fields {
        let pairs = match &field.column {
            Column::Terms { rows, .. } => rows.len(),
            Column::Keys(pairs) => pairs.len(),
            _ => continue,
        };
        assert_eq!(pairs, rows.len(), "{}", field.name);
    }
}
