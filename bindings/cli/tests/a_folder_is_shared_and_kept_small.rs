//! Several `pagevec build` into one folder at once all succeed; earlier segments are told, and removed when asked; a
//! disk that is full, read-only or somebody else's is named, and leaves the index as it was.
#![cfg(unix)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use support::{Room, json, pagevec, refused, run};

fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the index folder is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("a name").file_name();
    let mut names: Vec<String> = entries.map(|e| name(e).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn processes_build_into_one_folder_at_once() {
    let room = Room::new();
    let (vectors, folder) = (room.vectors(), room.join("not/yet/there"));
    for parts in ["--parts", "--parts=only", "--prune"] {
        let builds: Vec<_> = (0..8)
            .map(|seed| {
                let seed = (seed % 5).to_string();
                let arguments = ["build", &vectors, "--seed", &seed, "-o", &folder, parts, "--threads", "1"];
                pagevec(&arguments)
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .expect("pagevec runs")
            })
            .collect();
        for build in builds {
            let output = build.wait_with_output().expect("it ends");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(run(&["verify", &folder]).status.success());
        assert!(names(&folder).iter().all(|name| !name.ends_with(".tmp")), "{:?}", names(&folder));
    }
}

#[test]
fn earlier_segments_are_told_and_removed_when_asked() {
    let room = Room::new();
    let (vectors, folder) = (room.vectors(), room.join("index"));
    let build = |more: &[&str]| json(&[&["build", &vectors, "-o", &folder, "--json"], more].concat());
    assert_eq!(build(&[])["old_segments"], serde_json::json!([]));
    let first = std::fs::metadata(support::segment(&folder)).expect("a segment").len();
    let told = build(&["--seed", "1", "--parts=only"]);
    assert_eq!((&told["old_segments"][0]["bytes"], &told["pruned"]), (&first.into(), &false.into()));
    let text = run(&["build", &vectors, "-o", &folder, "--seed", "2"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("earlier files") && text.contains("2, ") && text.contains("--prune"), "{text}");

    std::fs::write(Path::new(&folder).join("seg-notes.bin"), "mine").expect("a file of somebody else");
    let told = build(&["--seed", "3", "--prune"]);
    assert_eq!(told["old_segments"].as_array().map(Vec::len), Some(3), "{told}");
    assert_eq!(told["pruned"], true);
    let left = names(&folder);
    assert_eq!(left.len(), 4, "{left:?}: .lock, index.json, one segment and the file of somebody else");
    assert!(run(&["verify", &folder]).status.success());
}

/// A shell in which `$D` is a disk of 256 kB of its own, `$P` the program; `None` where that cannot be had.
fn on_a_small_disk(room: &Room, script: &str) -> Option<std::process::Output> {
    let disk = room.join("disk");
    std::fs::create_dir_all(&disk).expect("a folder");
    let mounted = format!("mount -t tmpfs -o size=256k tmpfs \"$D\" || exit 77; {script}");
    let mut shell = Command::new("unshare");
    shell.args(["-r", "-m", "sh", "-c", &mounted]).env("D", disk).env("P", env!("CARGO_BIN_EXE_pagevec"));
    let output = shell.env("V", room.vectors()).stdin(Stdio::null()).output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = output.status.code() == Some(77) || told.contains("unshare:");
    if refused {
        eprintln!("SKIPPED: no disk of one's own here: {told}");
    }
    (!refused).then_some(output)
}

#[test]
fn a_full_disk_leaves_the_index_as_it_was() {
    let room = Room::new();
    let script = "
        $P build $V -o $D/index || exit 1
        ls $D/index > $D/before
        for i in 1 2 3; do
            head -c 170000 /dev/zero > $D/fill
            $P build $V --seed 1 --codec f32 -o $D/index --parts; echo code $?
            $P build $V --seed 1 --codec f32 -o $D/index; echo code $?
            $P verify $D/index || exit 1
        done
        rm $D/fill; ls $D/index | cmp - $D/before || exit 1
        $P build $V --seed 1 --codec f32 -o $D/index --prune || exit 1
        $P verify $D/index || exit 1
        mount -o remount,ro $D && { $P build $V -o $D/index; echo code $?; $P build $V -o $D/other; echo code $?; }
        $P search $D/index --id 3 -k 1";
    let Some(output) = on_a_small_disk(&room, script) else { return };
    let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{told}");
    assert!(!told.contains("panicked") && !out.contains("code 0"), "{out}{told}");
    assert_eq!(told.matches("free some space").count(), 6, "{told}");
    assert_eq!(
        told.matches("use a folder on a writable file system").count(),
        out.matches("code 1").count() - 6,
        "{told}"
    );
}

#[test]
fn what_is_no_index_is_told_with_what_to_do() {
    let room = Room::new();
    let empty = room.join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    refused(&["search", &empty, "--id", "1"], 1, &["empty", "no index.json", "pagevec build"]);
    refused(&["inspect", &room.join("nowhere")], 1, &["nowhere", "check the path"]);
    refused(&["build", &room.vectors(), "-o", &format!("{}/in", room.vectors())], 2, &["is a file", "-o"]);
    refused(&["build", &empty, "-o", &room.join("index")], 2, &[".npy"]);
    std::fs::create_dir(room.join("folder.jsonl")).expect("a folder");
    refused(&["build", &room.join("folder.jsonl"), "-o", &room.join("index")], 1, &["this is a folder"]);
}
