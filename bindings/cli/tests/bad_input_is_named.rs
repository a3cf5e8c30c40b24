//! Input that cannot be meant ends in a message that names the place, never in a panic or an index.

mod support;

use support::{DIM, ROWS, Room, f32_bytes, npy, refused, run, values};

#[test]
fn each_fault_is_named_and_nothing_is_written() {
    let room = Room::new();
    let good = values(ROWS, DIM);
    let mut nan = good.clone();
    nan[17 * DIM + 3] = f32::NAN;
    let mut zero = good.clone();
    zero[9 * DIM..10 * DIM].fill(0.0);
    let whole = npy("<f4", false, ROWS, DIM, &f32_bytes(&good));
    let record = |dim: i32| [dim.to_le_bytes().as_slice(), &f32_bytes(&[0.5; 3])].concat();
    let out = room.join("index");

    let cases: Vec<(String, &[&str])> = vec![
        (room.write("nan.npy", npy("<f4", false, ROWS, DIM, &f32_bytes(&nan))), &["row 17", "NaN"]),
        (room.write("zero.npy", npy("<f4", false, ROWS, DIM, &f32_bytes(&zero))), &["row 9"]),
        (room.write("cut.npy", &whole[..whole.len() - 1]), &["cut.npy", "cut or extended"]),
        (room.write("long.npy", [whole.as_slice(), b"x"].concat()), &["long.npy", "cut or extended"]),
        (room.write("head.npy", &whole[..40]), &["head.npy", "header"]),
        (room.write("fortran.npy", npy("<f4", true, ROWS, DIM, &f32_bytes(&good))), &["Fortran"]),
        (room.write("big.npy", npy(">f4", false, ROWS, DIM, &f32_bytes(&good))), &[">f4"]),
        (room.write("int.npy", npy("<i4", false, ROWS, DIM, &f32_bytes(&good))), &["integers"]),
        (room.write("vast.npy", npy("<f4", false, usize::MAX, 4, b"")), &["beyond any file"]),
        (room.write("not.npy", "not numpy at all"), &["\\x93NUMPY"]),
        (room.write("empty.npy", ""), &["empty.npy"]),
        (room.join("missing.npy"), &["missing.npy", "No such file"]),
        (room.write("cut.fvecs", &record(3)[..10]), &["no whole number of rows"]),
        (room.write("mixed.fvecs", [record(3), record(2)].concat()), &["row 1", "2 components"]),
        (room.write("negative.fvecs", record(-3)), &["-3"]),
        (
            room.write("a.jsonl", "{\"id\":1,\"vector\":[1,2]}\n\n{\"id\":2,\"vector\":[1]}\n"),
            &["line 3", "1 components"],
        ),
        (
            room.write("b.jsonl", "{\"id\":1,\"vector\":[1,2]}\n{\"id\":\"x\",\"vector\":[1,2]}\n"),
            &["line 2", "all"],
        ),
        (room.write("c.jsonl", "{\"id\":1,\"vector\":[1,2]}\nnonsense\n"), &["line 2"]),
        (room.write("d.jsonl", "{\"id\":1,\"vector\":[1,2]}\n{\"id\":1,\"vector\":[2,1]}\n"), &["twice"]),
        (room.write("e.jsonl", ""), &["no vector"]),
    ];
    for (input, words) in &cases {
        refused(&["build", input, "-o", &out], 1, words);
        assert!(!std::path::Path::new(&out).exists(), "{input} left something");
    }
}

#[test]
fn ids_must_fit_the_vectors() {
    let room = Room::new();
    let (vectors, out) = (room.vectors(), room.join("index"));
    let few = room.write("few.txt", "a\nb\n");
    refused(&["build", &vectors, "--ids", &few, "-o", &out], 1, &["2 ids for 300 vectors"]);
    let latin = room.write("latin.txt", b"a\nb\xe9\n");
    refused(&["build", &vectors, "--ids", &latin, "-o", &out], 1, &["line 2", "UTF-8"]);
    let words = room.words();
    refused(&["build", &vectors, "--ids", &words, "--ids-type", "number", "-o", &out], 1, &["line 1", "w0"]);
    let same = room.write("same.txt", "same\n".repeat(ROWS));
    refused(&["build", &vectors, "--ids", &same, "-o", &out], 1, &["same", "twice"]);
}

#[test]
fn wrong_usage_exits_with_2() {
    let room = Room::new();
    let (vectors, out) = (room.vectors(), room.join("index"));
    refused(&["build", &vectors, "-o", &vectors], 2, &["folder"]);
    refused(&["build", "vectors.csv", "-o", &out], 2, &[".npy"]);
    refused(&["build", &vectors, "-o", &out, "-M", "1"], 2, &["m"]);
    refused(&["build", &vectors, "-o", &out, "--codec", "quantum"], 2, &["quantum", "sq4"]);
    refused(&["build", &vectors, "-o", &out, "--codec", "pq"], 2, &["64 parts", "16 components", "pq16"]);
    refused(
        &["build", &vectors, "-o", &out, "--codec", "pq4", "--refine", "none"],
        2,
        &["--refine none", "pq4"],
    );
    refused(&["build", &vectors, "-o", &out, "--refine", "sq4"], 2, &["sq4"]);
    refused(&["build", &vectors, "-o", &out, "--exact", "sq8"], 2, &["sq8", "f16"]);
    refused(&["build", &vectors, "-o", &out, "--refine", "f32", "--exact", "f16"], 2, &["exact", "f32"]);
    let index = room.index(&[]);
    refused(&["search", &index], 2, &["--id"]);
    refused(&["search", &index, "--id", "w1", "-k", "0"], 2, &["k"]);
    refused(&["search", &index, "--vector", "1,x"], 2, &["\"x\""]);
    refused(&["search", &index, "--id", "nobody"], 1, &["nobody"]);
    refused(&["search", &index, "--vector", "1,2"], 1, &["16"]);
}

#[test]
fn programs_get_the_error_on_stdout() {
    let room = Room::new();
    for (arguments, code) in [
        (vec!["inspect", &room.join("nowhere"), "--json"], "io"),
        (vec!["search", "--json"], "usage"),
        (vec!["verify", &room.vectors(), "--json"], "not-a-segment"),
    ] {
        let output = run(&arguments);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(told["error"]["code"], code, "{told}");
        assert!(told["error"]["message"].as_str().is_some_and(|m| !m.is_empty()));
    }
}
