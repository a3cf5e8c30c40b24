//! Threads and processes that publish into one folder at once, and one that is killed: every read sees one whole state,
//! no publication fails, nothing is left behind.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pagevec::{
    BuildOptions, Form, Id, Ids, Index, Io, OpenOptions, PositionSet, PublishOptions, append, content_id,
    old_segments, prune, publish,
};
use support::{code, data, file, top};

const DIM: usize = 6;
const FORMS: [Form; 3] = [Form::File, Form::Parts, Form::Both];

/// Segments that tell which they are by their seed.
fn segment(seed: u64, rows: usize) -> Vec<u8> {
    let options = BuildOptions::default().seed(seed).graph(false);
    file(&data::clustered(rows, DIM, 301 + seed), DIM, None, &options)
}

/// Everything below a folder whose name ends so.
fn named(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(named(&path, ending)),
            false if path.to_string_lossy().ends_with(ending) => found.push(path),
            false => {}
        }
    }
    found
}

fn open(folder: &Path) -> Index {
    Index::open(folder).unwrap()
}

/// This program again, as a process that runs [`child`].
fn process(folder: &Path, job: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.env("PAGEVEC_TEST_FOLDER", folder).env("PAGEVEC_TEST_JOB", job);
    command
}

fn ended(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    told
}

/// What [`process`] runs; alone it does nothing.
#[test]
#[ignore = "a part of the other tests"]
fn child() {
    let Some(folder) = std::env::var_os("PAGEVEC_TEST_FOLDER").map(PathBuf::from) else { return };
    match std::env::var("PAGEVEC_TEST_JOB").unwrap().as_str() {
        "many" => {
            let seed = u64::from(std::process::id());
            for round in 0..25 {
                publish(
                    &folder,
                    &segment(seed % 7, 60),
                    &PublishOptions::new().form(FORMS[(seed + round) as usize % 3]),
                )
                .unwrap();
            }
        }
        "append" => {
            let first = u64::from(std::process::id());
            for round in 0..10 {
                append(&folder, &rows(first * 100 + round), &PublishOptions::new()).unwrap();
            }
        }
        "long" => {
            publish(&folder, &segment(9, 60_000), &PublishOptions::new().form(Form::Parts)).unwrap();
        }
        "once" => eprintln!("code: {}", code(&publish(&folder, &segment(1, 60), &PublishOptions::new()))),
        other => panic!("{other}"),
    }
}

#[test]
fn many_writers_and_readers_see_whole_states() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("not/there/yet");
    let segments: Vec<Vec<u8>> = (0..4).map(|seed| segment(seed, 80)).collect();
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (folder, done, reads) = (&folder, &done, &reads);
        let writers: Vec<_> = (segments.iter().enumerate())
            .map(|(i, segment)| {
                scope.spawn(move || {
                    for round in 0..30 {
                        publish(folder, segment, &PublishOptions::new().form(FORMS[(i + round) % 3]))
                            .unwrap();
                    }
                })
            })
            .collect();
        let pruner = scope.spawn(move || {
            let mut removed = 0;
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
                if folder.join("index.json").exists() {
                    removed += prune(folder).unwrap().len();
                }
            }
            removed
        });
        for io in [Io::Mmap, Io::Pread] {
            scope.spawn(move || {
                while !folder.join("index.json").exists() {
                    std::thread::yield_now();
                }
                let options = OpenOptions::new().io(io);
                while !done.load(Ordering::Relaxed) {
                    let index = Index::open_with(folder, &options).unwrap();
                    assert!(index.info().seed < 7 && index.content_id().is_some());
                    // Parts are opened when they are read, and may be pruned before.
                    if index.path().is_some() {
                        let answer = index.search(&[0.3; DIM], &top(3)).unwrap();
                        assert_eq!(answer.hits.len(), 3);
                    }
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let processes: Vec<Child> = (0..3).map(|_| process(folder, "many").spawn().unwrap()).collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        processes.into_iter().for_each(|process| drop(ended(process)));
        done.store(true, Ordering::Relaxed);
        eprintln!("pruned {}", pruner.join().unwrap());
    });
    let reads = reads.into_inner();
    eprintln!("4 threads published 120 times, 3 processes 75 times, {reads} reads");
    assert!(reads > 100, "only {reads} reads: no proof");
    assert_eq!(named(&folder, ".tmp"), Vec::<PathBuf>::new());
    prune(&folder).unwrap();
    assert_eq!(old_segments(&folder).unwrap(), []);
    open(&folder).verify().unwrap();
}

/// A segment with the rows 0 to 9, which all of these have, and five of its own.
fn rows(number: u64) -> Vec<u8> {
    let own = (0..5).map(|row| 1_000 + number * 5 + row);
    let ids: Vec<u64> = (0..10).chain(own).collect();
    let options = BuildOptions::default().seed(number).graph(false).clusters(false);
    file(&data::clustered(15, DIM, number), DIM, Some(Ids::Numbers(ids)), &options)
}

/// The segments that the manifest names, and how many of them have each id alive.
fn alive(folder: &Path) -> (Vec<String>, BTreeMap<Id, u32>) {
    let manifest = fs::read_to_string(folder.join("index.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let (mut segments, mut alive) = (Vec::new(), BTreeMap::new());
    for entry in manifest["segments"].as_array().unwrap() {
        let index = Index::open(folder.join(entry["file"].as_str().unwrap())).unwrap();
        let id = index.info().file_id.clone();
        let id = std::array::from_fn(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap());
        let dead =
            entry.get("dead").map(|dead| fs::read(folder.join(dead["file"].as_str().unwrap())).unwrap());
        let dead = dead.map(|bytes| PositionSet::decode(&bytes, index.info().count, &id, 0).unwrap());
        for hit in index.search(&[0.3; DIM], &top(100)).unwrap().hits {
            let lives = dead.as_ref().is_none_or(|dead| !dead.contains(hit.position));
            *alive.entry(hit.id).or_default() += u32::from(lives);
        }
        segments.push(entry["contentId"].as_str().unwrap().to_owned());
    }
    assert_eq!(manifest["generation"], segments.len(), "each append is a generation");
    (segments, alive)
}

/// No append is lost, and of rows with one id the last lives alone.
#[test]
fn what_many_append_at_once_is_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    publish(folder, &rows(0), &PublishOptions::new()).unwrap();
    let done = AtomicBool::new(false);
    let processes: Vec<Child> = (0..2).map(|_| process(folder, "append").spawn().unwrap()).collect();
    let mut numbers: BTreeSet<u64> = [0].into();
    for process in &processes {
        numbers.extend((0..10).map(|round| u64::from(process.id()) * 100 + round));
    }
    std::thread::scope(|scope| {
        let pruner = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                prune(folder).unwrap();
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        let writers: Vec<_> = (1..4u64)
            .map(|writer| {
                scope.spawn(move || {
                    for round in 0..10 {
                        append(folder, &rows(writer * 10 + round), &PublishOptions::new()).unwrap();
                    }
                })
            })
            .collect();
        numbers.extend(10..40);
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        let outputs: Vec<_> = processes.into_iter().map(Child::wait_with_output).collect();
        // Only now may this fail: the pruner ends first.
        done.store(true, Ordering::Relaxed);
        pruner.join().unwrap();
        ended.into_iter().for_each(|writer| writer.unwrap());
        outputs.into_iter().for_each(|output| assert!(output.unwrap().status.success()));
    });
    let (segments, alive) = alive(folder);
    assert_eq!(segments.len(), 51);
    let expected: BTreeSet<String> = numbers.iter().map(|&number| content_id(&rows(number))).collect();
    assert_eq!(segments.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(alive.len(), 10 + 5 * 51);
    let wrong: Vec<_> = alive.iter().filter(|(_, times)| **times != 1).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(named(folder, ".tmp"), Vec::<PathBuf>::new());
}

#[test]
fn a_killed_writer_leaves_the_old_state_and_its_leftovers_go() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    publish(folder, &segment(1, 60), &PublishOptions::new()).unwrap();
    for round in 0..4u64 {
        let mut child = process(folder, "long").spawn().unwrap();
        let started = Instant::now();
        // Once it writes, at another moment each time.
        while named(folder, ".tmp").is_empty() {
            assert!(started.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        }
        std::thread::sleep(Duration::from_millis(3 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let index = open(folder);
        index.verify().unwrap();
        assert_ne!(index.info().seed, 9, "it was killed in the middle");
        // A file of another program stays.
        fs::write(folder.join("notes.tmp"), "mine").unwrap();
        publish(folder, &segment(2 + round, 60), &PublishOptions::new().form(FORMS[round as usize % 3]))
            .unwrap();
        assert_eq!(named(folder, ".tmp"), [folder.join("notes.tmp")]);
        assert_eq!(open(folder).info().seed, 2 + round);
    }
    let old = old_segments(folder).unwrap();
    assert!(old.iter().any(|o| o.path.is_dir() && o.bytes > 0), "parts of the killed writer: {old:?}");
    assert_eq!(prune(folder).unwrap(), old);
    let mut left: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left.len(), 4, "{left:?}: .lock, index.json, notes.tmp and one segment");
    open(folder).verify().unwrap();
}

#[test]
fn what_is_there_is_not_written_again_and_what_is_torn_is_replaced() {
    let (a, b) = (segment(1, 300), segment(2, 300));
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    for form in FORMS {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        publish(folder, &a, &PublishOptions::new().form(form)).unwrap();
        let files = named(folder, ".bin");
        let before: Vec<u64> = files.iter().map(|f| inode(f)).collect();
        publish(folder, &b, &PublishOptions::new().form(form)).unwrap();
        assert!(!old_segments(folder).unwrap().is_empty(), "the first segment is old now");
        publish(folder, &a, &PublishOptions::new().form(form)).unwrap();
        assert_eq!(before, files.iter().map(|f| inode(f)).collect::<Vec<u64>>(), "{form:?}");

        let torn = files.last().unwrap();
        let good = fs::read(torn).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 4;
        for bad in [&good[..good.len() / 2], &[good.as_slice(), b"x"].concat(), b"", &flipped] {
            fs::write(torn, bad).unwrap();
            publish(folder, &a, &PublishOptions::new().form(form)).unwrap();
            assert!(fs::read(torn).unwrap() == good, "{form:?}: {} bytes were kept", bad.len());
        }
        let index = open(folder);
        index.verify().unwrap();
        let old = prune(folder).unwrap();
        assert!(!old.is_empty() && old.iter().all(|o| !o.path.exists()));
        index.verify().unwrap();
    }
}

#[test]
fn a_publication_that_fails_leaves_nothing_new() {
    let all = |folder: &Path| {
        let mut all = named(folder, "");
        all.sort();
        all
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    publish(folder, &segment(1, 60), &PublishOptions::new()).unwrap();
    // A folder has the name of the new segment, so the parts are written and the file is not.
    let elsewhere = tempfile::tempdir().unwrap();
    let new = publish(elsewhere.path(), &segment(2, 900), &PublishOptions::new()).unwrap();
    fs::create_dir(folder.join(new.file_name().unwrap())).unwrap();
    let before = all(folder);
    assert_eq!(code(&publish(folder, &segment(2, 900), &PublishOptions::new().form(Form::Both))), "io");
    assert_eq!(all(folder), before);
    assert!(!folder.join(new.file_stem().unwrap()).exists(), "the folder of its parts");
    assert_eq!(open(folder).info().seed, 1);
}

#[test]
fn a_folder_whose_names_cannot_be_synced_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    // Writable and not readable, so its new names cannot be synced. Root may read all: another user then.
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o333)).unwrap();
    let mut command = process(&closed.join("new"), "once");
    if fs::read_dir(&closed).is_ok() {
        command.uid(65_534).gid(65_534);
    }
    let told = match command.spawn() {
        Ok(child) => ended(child),
        Err(e) => return eprintln!("SKIPPED: this program does not start as another user: {e}"),
    };
    assert!(told.contains("code: io"), "{told}");
    assert!(!closed.join("new/index.json").exists());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o777)).unwrap();
    publish(closed.join("new"), &segment(1, 60), &PublishOptions::new()).unwrap();
    open(&closed.join("new")).verify().unwrap();
}
