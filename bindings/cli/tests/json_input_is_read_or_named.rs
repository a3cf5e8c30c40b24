//! JSON as people have it: with a byte order mark, as an array, with more fields than two, in UTF-16, with Python's NaN.
//! What can be read gives the same file; what cannot is named with its line.

mod support;

use serde_json::{Value, json as value};
use support::{Room, json, refused, values};

const ROWS: usize = 120;
const DIM: usize = 5;

/// Objects with an id and a vector, and `more`.
fn objects(more: &Value) -> Vec<Value> {
    let object = |(i, row): (usize, &[f32])| {
        let mut object = value!({ "id": format!("w\u{e4}\"{i}"), "vector": row });
        if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
            object.extend(more.clone());
        }
        object
    };
    values(ROWS, DIM).chunks_exact(DIM).enumerate().map(object).collect()
}

fn lines(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("{object}\n")).collect()
}

fn content(input: &str) -> Value {
    let built = json(&["build", input, "-o", &format!("{input}.index"), "--no-store", "--json"]);
    assert_eq!(built["rows"], ROWS);
    built["content_id"].clone()
}

#[test]
fn what_can_be_read_gives_the_same_file() {
    let room = Room::new();
    let objects = objects(&Value::Null);
    let plain = content(&room.write("plain.jsonl", lines(&objects)));
    let all = Value::Array(objects.clone());
    let pretty = serde_json::to_string_pretty(&all).expect("JSON");
    let more =
        self::objects(&value!({ "title": "}]{[\\\"", "tags": [[1], { "vector": [2] }], "more": null }));
    for (name, text) in [
        ("mark.jsonl", format!("\u{feff}{}", lines(&objects))),
        ("windows.ndjson", lines(&objects).replace('\n', "\r\n")),
        ("gaps.jsonl", format!("\n \n{}", lines(&objects).replace('\n', "\n\n"))),
        ("no-end.jsonl", lines(&objects).trim_end().to_owned()),
        ("array.json", all.to_string()),
        ("pretty.json", format!("\u{feff}\n{pretty}\n")),
        ("array-named-lines.jsonl", pretty),
        ("more.jsonl", lines(&more)),
        ("more.json", Value::Array(more).to_string()),
    ] {
        assert_eq!(content(&room.write(name, text)), plain, "{name}");
    }
    let limited =
        json(&["build", &room.join("pretty.json"), "-o", &room.join("few"), "--limit", "7", "--json"]);
    assert_eq!(limited["rows"], 7);
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let room = Room::new();
    let objects = objects(&Value::Null);
    let good = lines(&objects);
    // In place of the last component of the 30th row.
    let put = |text: &str, word: &str| {
        let row = objects[29].to_string();
        let at = row.rfind(',').expect("a comma");
        text.replace(&row, &format!("{},{word}]}}", &row[..at]))
    };
    let array = format!("[{}]", good.trim_end().replace('\n', ",\n"));
    let utf16 = |text: &str, mark: bool, big: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    let latin = |text: &str| -> Vec<u8> { text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect() };
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("nan.jsonl", put(&good, "NaN").into(), &["line 30", "NaN is not JSON", "remove or repair"]),
        ("inf.jsonl", put(&good, " -Infinity").into(), &["line 30", "-Infinity"]),
        ("nan.json", put(&array, "Infinity").into(), &["line 30", "Infinity"]),
        ("null.json", put(&array, "null").into(), &["line 30", "null", "remove or repair"]),
        ("large.jsonl", put(&good, "4e38").into(), &["line 30", "component 4", "beyond f32"]),
        ("text.jsonl", put(&good, "\"NaN\"").into(), &["line 30", "string \"NaN\""]),
        ("16.jsonl", utf16(&good, true, false), &["UTF-16", "iconv"]),
        ("16be.jsonl", utf16(&good, true, true), &["UTF-16", "iconv"]),
        ("16none.jsonl", utf16(&good, false, false), &["UTF-16", "iconv"]),
        ("16benone.json", utf16(&array, false, true), &["UTF-16", "iconv"]),
        ("latin.jsonl", latin(&good), &["line 1", "not UTF-8"]),
        ("lists.jsonl", b"[1,2]\n[3,4]\n".into(), &["line 1", "a list", "\"vector\""]),
        ("cut.json", array.as_bytes()[..array.len() - 40].into(), &["line 120", "cut"]),
        ("comma.json", array.replacen(",\n", "\n", 1).into(), &["line 2", "comma"]),
        ("mixed.json", array.replacen("\n{", "\n7,{", 1).into(), &["line 2", "array of objects"]),
        ("more.json", format!("{array}\n{array}").into(), &["line 121", "follows the end"]),
        ("pretty.jsonl", b"{\n \"vector\": [1, 2]\n}\n".into(), &["line 1", "one object a line"]),
        ("two.jsonl", b"{\"vector\":[1]}{\"vector\":[2]}\n".into(), &["line 1", "one object a line"]),
        (
            "name.jsonl",
            good.replace("vector", "embedding").into(),
            &["line 1", "\"vector\"", "embedding", "rename"],
        ),
        ("string.jsonl", good.replace('[', "\"[").replace(']', "]\"").into(), &["line 1", "no list"]),
        ("none.json", b"[ ]".into(), &["no vector"]),
    ];
    let out = room.join("index");
    for (name, text, words) in cases {
        let input = room.write(name, text);
        refused(&["build", &input, "-o", &out], 1, words);
        refused(&["build", &input, "-o", &out], 1, &[name]);
        assert!(!std::path::Path::new(&out).exists(), "{name} left something");
    }
    let ids = room.write("ids.txt", utf16("a\nb\n", true, false));
    refused(&["build", &room.vectors(), "--ids", &ids, "-o", &out], 1, &["line 1", "-f UTF-16"]);
}
