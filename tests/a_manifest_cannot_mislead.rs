//! A manifest that is damaged, foreign or hostile is a typed error, and never opens a file outside its folder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::fs;
use std::path::Path;

use pagevec::{BuildOptions, Error, Index, Io, OpenOptions, PublishOptions, append, publish};
use support::{code, data, file};

fn open(folder: &Path) -> Vec<&'static str> {
    let result = |io| code(&Index::open_with(folder, &OpenOptions::new().io(io)));
    let mut codes = vec![result(Io::Mmap), result(Io::Pread)];
    codes.dedup();
    codes
}

/// A folder with one published segment, its manifest as text, and another segment beside it.
fn published() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let rows = data::clustered(100, 6, 101);
    let base = BuildOptions::default();
    let other =
        publish(folder.path(), &file(&rows, 6, None, &base.clone().seed(9)), &PublishOptions::new()).unwrap();
    publish(folder.path(), &file(&rows, 6, None, &base), &PublishOptions::new()).unwrap();
    let manifest = fs::read_to_string(folder.path().join("index.json")).unwrap();
    (folder, manifest, other.file_name().unwrap().to_string_lossy().into_owned())
}

/// The string value of `key`.
fn value<'a>(manifest: &'a str, key: &str) -> &'a str {
    manifest.split(&format!("\"{key}\":\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let (folder, manifest, other) = published();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let named = value(&manifest, "file");
    let long = format!("{}.bin", "a".repeat(130));
    for name in [
        "../x",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b.bin",
        "a\\\\b.bin",
        "C:x.bin",
        "x?y",
        "x#y",
        "%2e%2e",
        "http://x/y.bin",
        "seg\\u0000.bin",
        "säg.bin",
        "seg .bin",
        &format!("../{other}"),
        &long,
    ] {
        fs::write(inside.join("index.json"), manifest.replace(named, name)).unwrap();
        assert_eq!(open(&inside), ["corrupt"], "{name:?}");
    }
    fs::write(inside.join("index.json"), manifest.replace(named, "seg-missing.bin")).unwrap();
    assert_eq!(open(&inside), ["io"]);
    fs::create_dir(inside.join("folder.bin")).unwrap();
    fs::write(inside.join("index.json"), manifest.replace(named, "folder.bin")).unwrap();
    assert!(matches!(open(&inside)[..], ["not-a-segment"] | ["io"]));
}

#[test]
fn another_files_name_id_or_length_is_noticed() {
    let (folder, manifest, other) = published();
    let path = folder.path().join("index.json");
    let length = manifest.split("\"length\":").nth(1).unwrap().split(',').next().unwrap();
    for (from, to) in [
        (value(&manifest, "file"), other.as_str()),
        (value(&manifest, "fileId"), "0123456789abcdef0123456789abcdef"),
        ("[\"codes\",", "[\"kodes\","),
        ("\"sections\":[", "\"sections\":[[\"graph\",0,64],"),
        (length, "18446744073709551615"),
        (length, "0"),
    ] {
        fs::write(&path, manifest.replace(from, to)).unwrap();
        assert_eq!(open(folder.path()), ["corrupt"], "{from} -> {to}");
    }
    // The content id takes the whole file to check: `verify` does.
    fs::write(&path, manifest.replace(value(&manifest, "contentId"), &"0".repeat(64))).unwrap();
    for io in [Io::Mmap, Io::Pread] {
        let index = Index::open_with(folder.path(), &OpenOptions::new().io(io)).unwrap();
        assert_eq!(code(&index.verify()), "corrupt");
    }
    fs::write(&path, &manifest).unwrap();
    assert_eq!(open(folder.path()), ["ok"]);
}

#[test]
fn what_is_no_manifest_is_named() {
    let (folder, manifest, _) = published();
    let path = folder.path().join("index.json");
    let entry = &manifest[manifest.find('[').unwrap() + 1..manifest.rfind(']').unwrap()];
    let twice = manifest.replace(entry, &format!("{entry},{entry}"));
    let deep = "[".repeat(100_000);
    let huge = format!("{}{manifest}", " ".repeat(5 << 20));
    let cases: Vec<(&str, &[u8])> = vec![
        ("corrupt", b""),
        ("corrupt", b"\0\0\0\0"),
        ("corrupt", b"\xff\xfe{}"),
        ("corrupt", b"<!DOCTYPE html><html></html>"),
        ("corrupt", b"null"),
        ("corrupt", b"[]"),
        ("corrupt", b"{}"),
        ("corrupt", b"{\"pagevec\":1,\"segments\":[]}"),
        ("corrupt", b"{\"pagevec\":2,\"generation\":1,\"segments\":[]}"),
        ("corrupt", b"{\"pagevec\":2,\"generation\":1,\"segments\":{}}"),
        ("corrupt", b"{\"pagevec\":-1,\"segments\":[]}"),
        ("version", b"{\"pagevec\":0,\"segments\":[]}"),
        ("version", b"{\"pagevec\":3,\"segments\":[]}"),
        ("version", b"{\"pagevec\":3,\"segments\":{\"another\":\"shape\"}}"),
        ("corrupt", twice.as_bytes()),
        ("corrupt", deep.as_bytes()),
        ("corrupt", huge.as_bytes()),
    ];
    for (expected, text) in cases {
        fs::write(&path, text).unwrap();
        assert_eq!(
            open(folder.path()),
            [expected],
            "{:?}",
            String::from_utf8_lossy(&text[..text.len().min(60)])
        );
    }
    // Every way to cut it short.
    for length in 0..manifest.trim_end().len() {
        fs::write(&path, &manifest[..length]).unwrap();
        assert_eq!(open(folder.path()), ["corrupt"], "cut to {length}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(open(folder.path()), ["io"]);
    assert_eq!(open(&folder.path().join("nowhere")), ["io"]);
}

/// A folder with two segments, of which the first has dead rows; their manifest as text.
fn appended() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let segment = |seed, rows| file(&data::clustered(rows, 6, seed), 6, None, &BuildOptions::default());
    publish(folder.path(), &segment(1, 100), &PublishOptions::new()).unwrap();
    append(folder.path(), &segment(2, 30), &PublishOptions::new()).unwrap();
    let manifest = fs::read_to_string(folder.path().join("index.json")).unwrap();
    (folder, manifest)
}

/// Why a folder with this manifest is not opened.
fn refused(folder: &Path, text: &str) -> String {
    fs::write(folder.join("index.json"), text).unwrap();
    assert_eq!(open(folder), ["corrupt"], "{text}");
    let same = |a: &Error, b: &Error| assert_eq!(a.to_string(), b.to_string());
    let error = Index::open(folder).err().unwrap();
    same(&error, &pagevec::old_segments(folder).err().unwrap());
    let new = file(&data::clustered(5, 6, 9), 6, None, &BuildOptions::default());
    same(&error, &append(folder, &new, &PublishOptions::new()).err().unwrap());
    error.to_string()
}

#[test]
fn segments_that_do_not_belong_together_are_refused_by_name() {
    let (folder, manifest) = appended();
    let folder = folder.path();
    let (head, second) = manifest.split_at(manifest.rfind("{\"file\":\"seg-").unwrap());
    let name = |part: &str| value(part, "file").to_owned();
    let first = &head[head.find("{\"file\"").unwrap()..];
    let both = [name(first), name(second)];
    let cases = [
        (format!("{head}{}", second.replace("\"dim\":6", "\"dim\":7")), both[1].as_str(), "components"),
        (format!("{head}{}", second.replace("cosine", "l2")), &both[1], "metric"),
        (format!("{head}{}", second.replace(&both[1], &both[0])), &both[0], "twice"),
        (
            format!("{head}{}", second.replace(value(second, "contentId"), value(first, "contentId"))),
            &both[1],
            "twice",
        ),
        (
            manifest.replace("\"count\":30,\"contentId", "\"count\":101,\"contentId"),
            &both[0],
            "101 of 100 rows",
        ),
        (manifest.replace("\"count\":30,\"contentId", "\"count\":0,\"contentId"), &both[0], "0 of 100 rows"),
        (manifest.replace("{\"file\":\"dead-", "{\"file\":\"../dead-"), "../dead-", "plain"),
        (manifest.replace("{\"file\":\"dead-", "{\"file\":\"a/dead-"), "a/dead-", "plain"),
        (manifest.replace(&name(&first[20..]), &both[1]), &both[1], "twice"),
    ];
    for (text, named, why) in cases {
        assert_ne!(text, manifest, "{why}");
        let told = refused(folder, &text);
        assert!(told.contains(named) && told.contains(why), "{told}");
    }
    let generation = |text: &str| manifest.replace("\"generation\":2", text);
    for text in ["\"generation\":0", "\"generations\":2", "\"generation\":9007199254740992"] {
        assert!(refused(folder, &generation(text)).contains("generation"), "{text}");
    }
    refused(folder, &generation("\"generation\":-1"));
    refused(folder, &generation("\"generation\":18446744073709551616"));
    // Version 1 had none of this.
    for (head, tail) in [("{\"pagevec\":1,\"generation\":2,", &second[..0]), ("{\"pagevec\":1,", second)] {
        let one = first.strip_suffix(',').unwrap();
        let text = format!(
            "{head}\"segments\":[{}",
            if tail.is_empty() { format!("{one}]}}") } else { format!("{first}{tail}") }
        );
        assert!(refused(folder, &text).contains("version 1"), "{text}");
    }
}

#[test]
fn more_segments_than_an_index_has_are_refused() {
    let (folder, manifest, _) = published();
    let from = manifest.find("{\"file\"").unwrap();
    let entry = &manifest[from..manifest.rfind("]}").unwrap()];
    let (name, id) = (value(entry, "file"), value(entry, "contentId"));
    let many = |count: usize| {
        let others = (1..count)
            .map(|n| entry.replace(name, &format!("seg-{n}.bin")).replace(id, &format!("{n:064x}")));
        format!(
            "{}{}]}}",
            &manifest[..from],
            std::iter::once(entry.to_owned()).chain(others).collect::<Vec<_>>().join(",")
        )
    };
    let told = refused(folder.path(), &many(1025));
    assert!(told.contains("1025 segments") && told.contains("1024"), "{told}");
    fs::write(folder.path().join("index.json"), many(1024)).unwrap();
    pagevec::old_segments(folder.path()).unwrap();
}

#[test]
fn version_1_is_read() {
    let (folder, manifest, _) = published();
    let path = folder.path().join("index.json");
    let first = manifest.replace("{\"pagevec\":2,\"generation\":2,", "{\"pagevec\":1,");
    assert_ne!(first, manifest);
    fs::write(&path, &first).unwrap();
    assert_eq!(open(folder.path()), ["ok"]);
    let new = file(&data::clustered(5, 6, 9), 6, None, &BuildOptions::default());
    assert_eq!(append(folder.path(), &new, &PublishOptions::new()).unwrap().generation, 1);
    let now = fs::read_to_string(&path).unwrap();
    assert!(now.starts_with("{\"pagevec\":2,\"generation\":1,"), "{now}");
}
