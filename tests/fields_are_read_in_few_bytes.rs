//! The definitions of wordnet as stored fields: their size, and what the fields of a cold query's hits take beside the search,
//! which are exact.

mod support;

use std::io::Read as _;

use pagevec::{BuildOptions, Fields, Id, Index, IndexChoice, SearchOptions};
use support::paged::Remote;
use support::{file, npy};

const ROWS: usize = 20_000;
const QUERIES: usize = 200;

#[test]
fn one_wave_more() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA is not set");
        return;
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), ROWS);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), QUERIES);
    let json = definitions(&folder.join("docs.jsonl.gz"));
    let given: usize = json.iter().map(String::len).sum();
    let file = file(&rows, dim, None, &BuildOptions::default().fields(Fields::of(&json)));
    let index = Index::from_bytes(&file).unwrap();
    let stored: u64 =
        index.info().sections.iter().filter(|s| s.name.starts_with("field")).map(|s| s.length).sum();
    let ratio = stored as f64 / given as f64;
    eprintln!("{given} bytes of JSON, {stored} stored: {ratio:.3}");
    assert!(ratio <= 0.5, "{ratio}");

    let o = SearchOptions::default().index(IndexChoice::Clusters);
    let (mut cold_bytes, mut warm_bytes, mut most) = (0, 0, 0);
    for query in queries.chunks_exact(dim) {
        let search =
            |remote: &mut Remote<'_>, fields| remote.search(query, &o.clone().fields(fields)).unwrap();
        let open = || Remote::open(&file, 4 << 20).unwrap();
        let (plain, without) = search(&mut open(), false);
        let mut remote = open();
        let (answer, with) = search(&mut remote, true);
        assert_eq!((without.waves, with.waves), (3, 4), "leaves, lists, rows, fields");
        for (hit, same) in answer.hits.iter().zip(&plain.hits) {
            let Id::Number(row) = hit.id else { panic!("ids are numbers") };
            assert_eq!((hit.position, hit.fields.as_deref()), (same.position, Some(&*json[row as usize])));
        }
        cold_bytes += with.bytes - without.bytes;
        most = most.max(with.bytes - without.bytes);
        // What was read is in memory.
        assert_eq!(search(&mut remote, true).1.bytes, 0);
        // Where the search has read all of its own, fields take one wave with the dictionary, or one without.
        let mut later = open();
        remote_warm(&mut later, &queries[..dim], &o);
        let before = search(&mut later, false).1;
        let after = search(&mut later, true).1;
        assert!(before.waves <= 3 && after.waves <= 2, "{after:?}");
        warm_bytes += after.bytes;
    }
    let [cold, warm] = [cold_bytes, warm_bytes].map(|bytes| bytes / QUERIES as u64);
    eprintln!("the fields of 10 hits: {cold} bytes with the dictionary, at most {most}; {warm} without");
    assert!(cold <= 36_000, "{cold} bytes");
    assert!(most <= 45_000, "{most} bytes");
    assert!(warm <= 20_000, "{warm} bytes");
}

fn remote_warm(remote: &mut Remote<'_>, query: &[f32], o: &SearchOptions) {
    remote.search(query, &o.clone().fields(true)).expect("the file is whole");
}

fn definitions(path: &std::path::Path) -> Vec<String> {
    let output = std::process::Command::new("gzip").args(["-dc"]).arg(path).output().expect("gzip is here");
    let mut text = String::new();
    (&output.stdout[..]).read_to_string(&mut text).expect("UTF-8");
    let definition = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        serde_json::json!({ "definition": row["definition"] }).to_string()
    };
    text.lines().take(ROWS).map(definition).collect()
}
