//! A Parquet file has everything of an index: ids, fields, and the vectors as lists of one column. Rows that cannot be read
//! are named, with their column.

mod support;

use arrow_array::builder::{
    FixedSizeListBuilder, Float16Builder, Float32Builder, Float64Builder, ListBuilder,
};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::json as value;
use std::sync::Arc;
use support::{DIM, ROWS, Room, json, refused, run, values};

/// Writes a file of two row groups and returns its path.
fn write(room: &Room, name: &str, columns: Vec<(&str, ArrayRef)>) -> String {
    let path = room.join(name);
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    let batch = batch.expect("columns of one length");
    let file = std::fs::File::create(&path).expect("the folder can be written");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    let half = batch.num_rows() / 2;
    for part in [batch.slice(0, half), batch.slice(half, batch.num_rows() - half)] {
        writer.write(&part).expect("rows are written");
        writer.flush().expect("a row group ends");
    }
    writer.close().expect("the file ends");
    path
}

fn rows() -> Vec<Vec<f32>> {
    values(ROWS, DIM).chunks_exact(DIM).map(<[f32]>::to_vec).collect()
}

/// Lists of f32, of which `None` is a null.
fn lists(rows: impl IntoIterator<Item = Option<Vec<Option<f32>>>>) -> ArrayRef {
    let mut lists = ListBuilder::new(Float32Builder::new());
    rows.into_iter().for_each(|row| lists.append_option(row));
    Arc::new(lists.finish())
}

fn given(rows: &[Vec<f32>]) -> Vec<Option<Vec<Option<f32>>>> {
    rows.iter().map(|row| Some(row.iter().copied().map(Some).collect())).collect()
}

/// The same vectors in each type of lists.
fn types() -> Vec<ArrayRef> {
    let rows = rows();
    let mut doubles = ListBuilder::new(Float64Builder::new());
    let mut halves = ListBuilder::new(Float16Builder::new());
    let mut fixed = FixedSizeListBuilder::new(Float32Builder::new(), DIM as i32);
    for row in &rows {
        doubles.append_value(row.iter().map(|&x| Some(f64::from(x))));
        halves.append_value(row.iter().map(|&x| Some(half::f16::from_f32(x))));
        fixed.values().append_slice(row);
        fixed.append(true);
    }
    vec![lists(given(&rows)), Arc::new(doubles.finish()), Arc::new(fixed.finish()), Arc::new(halves.finish())]
}

#[test]
fn ids_fields_and_vectors() {
    let room = Room::new();
    let urls: Vec<String> = (0..ROWS).map(|i| format!("https://example.org/{i}")).collect();
    let counts: Vec<Option<i64>> = (0..ROWS as i64).map(|i| (i % 5 > 0).then_some(i)).collect();
    let lines: String = (0..ROWS)
        .map(|i| {
            let mut row = value!({ "vector": rows()[i], "url": urls[i] });
            if let Some(count) = counts[i] {
                row["count"] = value!(count);
            }
            format!("{row}\n")
        })
        .collect();
    let (lines, index) = (room.write("rows.jsonl", lines), room.join("lines"));
    let expected =
        json(&["build", &lines, "--id-field", "url", "-o", &index, "--json"])["content_id"].clone();
    for (number, vectors) in types().into_iter().enumerate() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("count", Arc::new(Int64Array::from(counts.clone()))),
            ("embedding", vectors),
            ("url", Arc::new(StringArray::from(urls.clone()))),
        ];
        let path = write(&room, &format!("docs{number}.parquet"), columns);
        let index = room.join(&format!("index{number}"));
        let build = ["build", &path, "--vector-column", "embedding", "-o", &index, "--json"];
        let told = json(&[&build[..], &["--id-field", "url"]].concat());
        assert_eq!(
            (&told["content_id"], &told["rows"], &told["dim"]),
            (&expected, &value!(ROWS), &value!(DIM))
        );
        assert_eq!(told["fields"], value!(["count"]));
        let few = json(&[&build[..], &["--limit", "200"]].concat());
        assert_eq!((&few["rows"], &few["fields"]), (&value!(200), &value!(["count", "url"])));
    }
}

#[test]
fn usual_names_need_no_options() {
    let room = Room::new();
    let ids: Vec<String> = (0..ROWS).map(|i| format!("w{i}")).collect();
    let columns: Vec<(&str, ArrayRef)> =
        vec![("id", Arc::new(StringArray::from(ids))), ("vector", lists(given(&rows())))];
    let (path, index) = (write(&room, "rows.parquet", columns), room.join("own"));
    let own = json(&["build", &path, "--tuning-queries", &path, "-o", &index, "--json"]);
    assert_eq!((&own["rows"], &own["fields"]), (&value!(ROWS), &value!([])));
    let found = run(&["search", &index, "--vector-file", &path, "-k", "1", "--json"]);
    let found = String::from_utf8(found.stdout).expect("UTF-8");
    let eighth = found.lines().nth(7).expect("a line for each query");
    assert!(eighth.contains("\"id\":\"w7\""), "{eighth}");
    refused(&["build", &path, "--id-field", "id2", "-o", &index], 1, &["row 0", "\"id2\"", "others: none"]);
    refused(&["build", &path, "--ids", &room.words(), "-o", &index], 2, &["have ids already"]);
}

#[test]
fn what_is_no_vector_is_named() {
    let room = Room::new();
    let out = room.join("out");
    let mut bad = Vec::new();
    for (row, vector, word) in [
        (3, None, "no vector: it is null"),
        (200, Some(vec![Some(1.0); DIM - 1]), "15 components where the first row has 16"),
        (7, Some([vec![Some(1.0); 2], vec![None], vec![Some(1.0); DIM - 3]].concat()), "component 2 is null"),
        (0, Some([vec![Some(1.0); DIM - 1], vec![Some(f32::NAN)]].concat()), "component 15 is not finite"),
        (
            299,
            Some([vec![Some(f32::INFINITY)], vec![Some(1.0); DIM - 1]].concat()),
            "component 0 is not finite",
        ),
    ] {
        let mut rows = given(&rows());
        rows[row] = vector;
        bad.push((lists(rows), vec![format!("row {row}, column \"embedding\""), word.to_owned()]));
    }
    let numbers = Arc::new(Int64Array::from(vec![1; ROWS])) as ArrayRef;
    bad.push((numbers.clone(), vec!["row 0".to_owned(), "it is Int64".to_owned()]));
    for (vectors, words) in bad {
        let path = write(&room, "bad.parquet", vec![("a", numbers.clone()), ("embedding", vectors)]);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["bad.parquet"]).collect();
        refused(&["build", &path, "--vector-column", "embedding", "-o", &out], 1, &words);
    }
    let path = write(&room, "other.parquet", vec![("a", numbers), ("e", lists(given(&rows())))]);
    refused(&["build", &path, "-o", &out], 1, &["no column \"vector\"", "others: a, e", "--vector-column"]);
    refused(
        &["build", &room.vectors(), "--vector-column", "e", "-o", &out],
        2,
        &["only .parquet has columns"],
    );
    let empty = write(&room, "empty.parquet", vec![("vector", lists([]))]);
    refused(&["build", &empty, "-o", &out], 1, &["no row, so no vector"]);
    assert!(!std::path::Path::new(&out).exists());
}
