//! `--exclude` and `--among` say by files of ids which rows may be hits; a wrong id is told with its file.

mod support;

use serde_json::Value;
use std::io::Write as _;
use std::process::Stdio;
use support::{DIM, ROWS, Room, json, pagevec, refused, values};

/// The ids of the hits.
fn ids(found: &Value) -> Vec<Value> {
    found["hits"].as_array().expect("hits").iter().map(|hit| hit["id"].clone()).collect()
}

/// All rows but one, nearest to it first, by a scan of the floats.
fn nearest(row: usize) -> Vec<usize> {
    let all = values(ROWS, DIM);
    let at = |row: usize| &all[row * DIM..(row + 1) * DIM];
    let norm = |row: usize| at(row).iter().map(|x| f64::from(x * x)).sum::<f64>().sqrt();
    let dot = |other: usize| at(row).iter().zip(at(other)).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let mut rows: Vec<usize> = (0..ROWS).filter(|other| *other != row).collect();
    rows.sort_by(|a, b| (dot(*b) / norm(*b)).total_cmp(&(dot(*a) / norm(*a))));
    rows
}

fn words(rows: &[usize]) -> Vec<String> {
    rows.iter().map(|row| format!("w{row}")).collect()
}

#[test]
fn files_say_which_rows_may_be_hits() {
    let room = Room::new();
    let index = room.index(&["--codec", "f32"]);
    let order = nearest(7);
    // Empty lines, the ends of lines of Windows, and an end without one are all right.
    let seen = room.write("seen.txt", words(&order[..4]).join("\r\n\r\n"));
    let odd: Vec<usize> = (1..ROWS).step_by(2).collect();
    let some = room.write("some.txt", format!("\n{}\n", words(&odd).join("\n")));
    let is_odd = |row: &&usize| **row % 2 == 1;
    let wanted = |rows: Vec<&usize>| words(&rows.into_iter().take(10).copied().collect::<Vec<_>>());

    for io in ["mmap", "pread"] {
        let search = |more: &[&str]| {
            let arguments = ["search", &index, "--id", "w7", "--io", io, "--json", "--explain"];
            json(&[&arguments, more].concat())
        };
        assert_eq!(ids(&search(&[])), wanted(order.iter().collect()));
        assert_eq!(ids(&search(&["--exclude", &seen])), wanted(order[4..].iter().collect()));
        assert_eq!(ids(&search(&["--among", &some])), wanted(order.iter().filter(is_odd).collect()));
        let both = search(&["--among", &some, "--exclude", &seen]);
        assert_eq!(ids(&both), wanted(order[4..].iter().filter(is_odd).collect()));
        // By the finest rows at once, as there are few.
        let few = search(&["--among", &seen]);
        assert_eq!(ids(&few), words(&order[..4]));
        assert_eq!(few["explain"]["distances"], 4);
    }
}

#[test]
fn vectors_are_searched_for_in_the_same_rows() {
    let room = Room::new();
    let index = room.index(&[]);
    let all = values(ROWS, DIM);
    let two = room.write("two.npy", support::npy("<f4", false, 2, DIM, &support::f32_bytes(&all[..2 * DIM])));
    let own = room.write("own.txt", "w0\nw5");
    let told = support::run(&["search", &index, "--vector-file", &two, "--among", &own, "--json"]);
    let lines = String::from_utf8(told.stdout).expect("text");
    let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(found.len(), 2);
    assert_eq!(ids(&found[0]), ["w0", "w5"]);
    let bad = room.write("bad.txt", "nobody");
    refused(&["search", &index, "--vector-file", &two, "--among", &bad, "--json"], 1, &["bad.txt", "nobody"]);
    let text: Vec<String> = all[..DIM].iter().map(f32::to_string).collect();
    let others =
        json(&["search", &index, "--vector", &text.join(","), "--exclude", &own, "-k", "300", "--json"]);
    assert_eq!(ids(&others).len(), ROWS - 2);
    let none = room.write("none.txt", "\n\n");
    assert_eq!(ids(&json(&["search", &index, "--id", "w7", "--among", &none, "--json"])), [] as [Value; 0]);
}

#[test]
fn ids_come_from_stdin_and_may_be_numbers() {
    let room = Room::new();
    let (vectors, folder) = (room.vectors(), room.join("numbers"));
    json(&["build", &vectors, "-o", &folder, "--json"]);
    let mut search = pagevec(&["search", &folder, "--id", "7", "--among", "-", "--json"]);
    let mut child = search.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("pagevec runs");
    child.stdin.take().expect("stdin is piped").write_all(b"3\n7\n 12 \n").expect("it reads");
    let told = child.wait_with_output().expect("pagevec ends");
    let mut found = ids(&serde_json::from_slice(&told.stdout).expect("JSON"));
    found.sort_by_key(Value::as_u64);
    assert_eq!(found, [3, 12]);
    refused(&["search", &folder, "--id", "7", "--among", "-", "--exclude", "-"], 2, &["stdin"]);
}

#[test]
fn a_wrong_id_is_told_with_its_file() {
    let room = Room::new();
    let index = room.index(&[]);
    let good = room.write("good.txt", "w1\nw2\n");
    let bad = room.write("bad.txt", "w1\nnobody\nno one\n");
    let search = |more: &[&str], words: &[&str]| {
        refused(&[&["search", &index, "--id", "w7"], more].concat(), 1, words);
    };
    search(&["--exclude", &bad], &["bad.txt", "\"nobody\"", "1 other"]);
    search(&["--among", &bad, "--exclude", &good], &["bad.txt", "\"nobody\""]);
    search(&["--among", "missing.txt"], &["missing.txt", "check the path"]);
    let latin = room.write("latin.txt", b"w1\nn\xe9e\n");
    search(&["--among", &latin], &["latin.txt", "line 2", "UTF-8"]);
    // An unknown id of the row itself is none of a file.
    let output = support::run(&["search", &index, "--id", "nobody", "--exclude", &good, "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["error"]["code"], "unknown-id");
    assert!(!told["error"]["message"].as_str().expect("a message").contains("good.txt"));

    let (vectors, numbers) = (room.vectors(), room.join("numbers"));
    json(&["build", &vectors, "-o", &numbers, "--json"]);
    refused(
        &["search", &numbers, "--id", "1", "--among", &good],
        1,
        &["good.txt", "line 1", "w1", "numbers"],
    );
    refused(&["search", &numbers, "--id", "w1"], 2, &["--id w1", "numbers"]);
}
