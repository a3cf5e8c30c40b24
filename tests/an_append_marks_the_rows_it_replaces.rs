//! An append writes the new segment, the dead rows of earlier segments that have its ids, and a manifest of the next
//! generation; nothing else changes. What does not fit the index is refused, and changes nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use pagevec::{
    Access, Appended, BuildOptions, CodecKind, Dir, DirEntry, Form, Id, Ids, Index, MemoryDir, Metric,
    PositionSet, PublishOptions, append_in, prune_in, publish_in,
};
use serde_json::Value;
use support::disk::now;
use support::{code, data, file, options};

const FOLDER: &str = "words";
const DIM: usize = 4;

fn plain() -> BuildOptions {
    options(Metric::L2, CodecKind::F32).graph(false)
}

/// A segment whose rows have these ids.
fn segment(seed: u64, ids: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let ids: Vec<u64> = ids.into_iter().collect();
    file(&data::clustered(ids.len(), DIM, seed), DIM, Some(Ids::Numbers(ids)), &plain().seed(seed))
}

fn texts(seed: u64, ids: std::ops::Range<u64>) -> Vec<u8> {
    let ids: Vec<String> = ids.map(|id| format!("é{id}")).collect();
    file(&data::clustered(ids.len(), DIM, seed), DIM, Some(Ids::Texts(ids)), &plain().seed(seed))
}

fn read(dir: &MemoryDir, name: &str) -> Vec<u8> {
    let file = now(dir.open(&Path::new(FOLDER).join(name), Access::Read)).unwrap();
    let mut bytes = vec![0; file.length().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn write(dir: &MemoryDir, name: &str, bytes: &[u8]) {
    let mut file = now(dir.open(&Path::new(FOLDER).join(name), Access::Write)).unwrap();
    file.set_length(0).unwrap();
    file.write_at(bytes, 0).unwrap();
}

/// Every file below the folder and its bytes.
fn all(dir: &MemoryDir) -> BTreeMap<String, Vec<u8>> {
    let list = |path: &Path| now(dir.list(path)).unwrap();
    let mut names = Vec::new();
    for DirEntry { name, is_folder, .. } in list(Path::new(FOLDER)) {
        match is_folder {
            true => {
                let parts = list(&Path::new(FOLDER).join(&name)).into_iter();
                names.extend(parts.map(|part| format!("{name}/{}", part.name)));
            }
            false => names.push(name),
        }
    }
    names.into_iter().map(|name| (name.clone(), read(dir, &name))).collect()
}

fn manifest(dir: &MemoryDir) -> Value {
    serde_json::from_slice(&read(dir, "index.json")).unwrap()
}

fn append(dir: &MemoryDir, segment: &[u8], options: &PublishOptions) -> Result<Appended, pagevec::Error> {
    append_in(Arc::new(dir.clone()), FOLDER, segment, options)
}

/// The ids of the rows of `segment` that an entry says are dead.
fn dead(dir: &MemoryDir, entry: &Value, segment: &[u8], ids: impl Iterator<Item = Id>) -> BTreeSet<Id> {
    let Some(dead) = entry.get("dead") else { return BTreeSet::new() };
    let bytes = read(dir, dead["file"].as_str().unwrap());
    let hash = blake3::hash(&bytes).to_hex().to_string();
    assert_eq!(dead["contentId"], hash);
    assert_eq!(dead["file"], format!("dead-{}.bin", &hash[..32]));
    assert_eq!(dead["length"], bytes.len());
    let hex = entry["fileId"].as_str().unwrap();
    let file_id = std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap());
    let index = Index::from_bytes(segment).unwrap();
    let set = PositionSet::decode(&bytes, index.info().count, &file_id, 0).unwrap();
    assert_eq!(dead["count"], set.len());
    ids.filter(|id| index.find(id).unwrap().is_some_and(|row| set.contains(row.position))).collect()
}

fn numbers(ids: impl IntoIterator<Item = u64>) -> BTreeSet<Id> {
    ids.into_iter().map(Id::Number).collect()
}

#[test]
fn rows_whose_ids_come_again_are_dead() {
    for form in [Form::File, Form::Parts, Form::Both] {
        let dir = MemoryDir::default();
        let options = PublishOptions::new().form(form);
        let segments = [segment(1, 0..100), segment(2, 50..150), segment(3, (90..95).chain(140..200))];
        publish_in(&dir, FOLDER, &segments[0], &options).unwrap();
        let first = append(&dir, &segments[1], &options).unwrap();
        assert_eq!((first.generation, first.replaced), (2, 50));
        let kept = all(&dir);
        let second = append(&dir, &segments[2], &options).unwrap();
        // 90 to 94 of the first are dead already.
        assert_eq!((second.generation, second.replaced), (3, 5 + 10));
        let now = manifest(&dir);
        assert_eq!(now["pagevec"], 2);
        assert_eq!(now["generation"], 3);
        let expected = [numbers(50..100), numbers((90..95).chain(140..150)), numbers([])];
        for ((entry, segment), expected) in
            now["segments"].as_array().unwrap().iter().zip(&segments).zip(expected)
        {
            assert_eq!(entry["contentId"], blake3::hash(segment).to_hex().to_string());
            let ids = (0..200).map(Id::Number);
            assert_eq!(dead(&dir, entry, segment, ids), expected, "{form:?}");
        }
        // What was there is there, byte for byte, but for the manifest.
        let after = all(&dir);
        assert!(kept.iter().all(|(name, bytes)| name == "index.json" || after.get(name) == Some(bytes)));
        assert_eq!(
            Path::new(FOLDER).join(now["segments"][2]["file"].as_str().unwrap_or_default()),
            match form {
                Form::Parts => Path::new(FOLDER).join(""),
                _ => second.path,
            }
        );
    }
}

#[test]
fn text_ids_are_replaced_as_well_and_dead_rows_that_stay_keep_their_file() {
    let dir = MemoryDir::default();
    let segments = [texts(1, 0..40), texts(2, 30..60), texts(3, 100..110)];
    publish_in(&dir, FOLDER, &segments[0], &PublishOptions::new()).unwrap();
    assert_eq!(append(&dir, &segments[1], &PublishOptions::new()).unwrap().replaced, 10);
    let before = manifest(&dir);
    let ids = || (0..120).map(|id| Id::Text(format!("é{id}")));
    let expected: BTreeSet<Id> = ids().skip(30).take(10).collect();
    assert_eq!(dead(&dir, &before["segments"][0], &segments[0], ids()), expected);
    assert_eq!(append(&dir, &segments[2], &PublishOptions::new()).unwrap().replaced, 0);
    let after = manifest(&dir);
    assert_eq!(after["segments"][0], before["segments"][0]);
    assert_eq!(after["segments"][1], before["segments"][1]);
}

#[test]
fn a_segment_that_is_appended_again_becomes_the_last_one() {
    let dir = MemoryDir::default();
    let (a, b) = (segment(1, 0..30), segment(2, 20..50));
    publish_in(&dir, FOLDER, &a, &PublishOptions::new()).unwrap();
    append(&dir, &b, &PublishOptions::new()).unwrap();
    let before = all(&dir);
    let again = append(&dir, &b, &PublishOptions::new()).unwrap();
    assert_eq!((again.generation, again.replaced), (2, 0));
    assert!(all(&dir) == before, "nothing changes");
    // All its rows were replaced or are the same, so the first entry goes.
    let moved = append(&dir, &a, &PublishOptions::new()).unwrap();
    assert_eq!((moved.generation, moved.replaced), (3, 10));
    let now = manifest(&dir);
    assert_eq!(now["segments"].as_array().unwrap().len(), 2);
    assert_eq!(dead(&dir, &now["segments"][0], &b, (0..50).map(Id::Number)), numbers(20..30));
    assert!(now["segments"][1].get("dead").is_none());
}

#[test]
fn what_is_no_longer_named_is_pruned_and_nothing_else() {
    let dir = MemoryDir::default();
    let options = PublishOptions::new().form(Form::Both);
    publish_in(&dir, FOLDER, &segment(1, 0..100), &options).unwrap();
    append(&dir, &segment(2, 0..10), &options).unwrap();
    let named = |dir: &MemoryDir| manifest(dir)["segments"][0]["dead"]["file"].as_str().unwrap().to_owned();
    let old = named(&dir);
    assert_eq!(prune_in(&dir, FOLDER).unwrap(), []);
    append(&dir, &segment(3, 5..20), &options).unwrap();
    let removed = prune_in(&dir, FOLDER).unwrap();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].path, Path::new(FOLDER).join(&old));
    assert!(removed[0].bytes > 0 && named(&dir) != old && !all(&dir).contains_key(&old));
    // One segment replaces all, and is of the next generation.
    publish_in(&dir, FOLDER, &segment(4, 0..5), &PublishOptions::new()).unwrap();
    assert_eq!(manifest(&dir)["generation"], 4);
    assert_eq!(prune_in(&dir, FOLDER).unwrap().len(), 3 * 2 + 2);
    assert_eq!(all(&dir).len(), 2, "the manifest and a segment");
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let dir = MemoryDir::default();
    let base = segment(1, 0..20);
    let missing = append(&dir, &base, &PublishOptions::new());
    assert_eq!(code(&missing), "io");
    assert!(missing.unwrap_err().to_string().contains("index.json"));
    publish_in(&dir, FOLDER, &base, &PublishOptions::new()).unwrap();
    let before = all(&dir);
    let wide = file(&data::clustered(9, DIM + 1, 2), DIM + 1, None, &plain());
    let dot =
        file(&data::clustered(9, DIM, 2), DIM, None, &options(Metric::Dot, CodecKind::F32).graph(false));
    let name = manifest(&dir)["segments"][0]["file"].as_str().unwrap().to_owned();
    for (new, told) in [(&wide, "components"), (&dot, "metric"), (&texts(2, 0..5), "ids")] {
        let refused = append(&dir, new, &PublishOptions::new());
        assert_eq!(code(&refused), "argument");
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(told) && message.contains(&name), "{message}");
        assert!(all(&dir) == before);
    }
    assert_eq!(code(&append(&dir, &base[..base.len() - 1], &PublishOptions::new())), "length");
    for (wanted, expected) in [(0, "changed"), (2, "changed"), (1, "ok")] {
        let options = PublishOptions::new().generation(wanted);
        assert_eq!(code(&append(&dir, &segment(5, 0..3), &options)), expected);
    }
    assert_eq!(code(&publish_in(&dir, FOLDER, &base, &PublishOptions::new().generation(1))), "changed");
    assert_eq!(manifest(&dir)["generation"], 2);
    publish_in(&dir, FOLDER, &base, &PublishOptions::new().generation(2)).unwrap();
    assert_eq!(manifest(&dir)["generation"], 3);
}

#[test]
fn damage_of_earlier_segments_is_noticed_by_an_append() {
    let dir = MemoryDir::default();
    let base = segment(1, 0..300);
    publish_in(&dir, FOLDER, &base, &PublishOptions::new()).unwrap();
    append(&dir, &segment(2, 0..3), &PublishOptions::new()).unwrap();
    let (new, text) = (segment(3, 1..9), read(&dir, "index.json"));
    let of = |key: &str| manifest(&dir)["segments"][0][key].clone();
    let (file, dead) = (of("file"), of("dead")["file"].clone());
    let (file, dead) = (file.as_str().unwrap(), dead.as_str().unwrap());
    let ids = Index::from_bytes(&base).unwrap();
    let ids = ids.info().sections.iter().find(|section| section.name == "ids").unwrap().offset as usize;
    for (name, at, expected) in [(file, ids, "checksum"), (file, 20, "checksum"), (dead, 9, "corrupt")] {
        let good = read(&dir, name);
        let mut bad = good.clone();
        bad[at] ^= 1;
        write(&dir, name, &bad);
        assert_eq!(code(&append(&dir, &new, &PublishOptions::new())), expected, "{name} at {at}");
        write(&dir, name, &good[..good.len() - 1]);
        let cut = if name == file { "length" } else { "io" };
        assert_eq!(code(&append(&dir, &new, &PublishOptions::new())), cut, "{name}");
        write(&dir, name, &good);
        assert!(read(&dir, "index.json") == text);
    }
    assert_eq!(append(&dir, &new, &PublishOptions::new()).unwrap().replaced, 8 + 2 - 2);
}

#[test]
fn a_manifest_holds_so_many_segments() {
    let dir = MemoryDir::default();
    publish_in(&dir, FOLDER, &segment(1, 0..20), &PublishOptions::new().form(Form::Both)).unwrap();
    let mut text = manifest(&dir);
    let entry = text["segments"][0].clone();
    let others = (1..1024).map(|number| {
        let mut entry = entry.clone();
        entry["file"] = format!("seg-{number}.bin").into();
        entry["parts"]["folder"] = format!("seg-{number}").into();
        entry["contentId"] = format!("{number:064x}").into();
        entry
    });
    text["segments"].as_array_mut().unwrap().extend(others);
    write(&dir, "index.json", text.to_string().as_bytes());
    let refused = append(&dir, &segment(2, 0..20), &PublishOptions::new()).unwrap_err();
    assert_eq!(refused.code(), "argument");
    assert!(refused.to_string().contains("merge"), "{refused}");
}
