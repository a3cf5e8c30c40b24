//! The indexes of wordnet's fields take few bytes in the file and in its front, and a filter reads few of them.

mod support;
#[path = "support/words.rs"]
mod words;

use pagevec::{CodecKind, FieldType, Fields, Filter, Index, Metric, Operation, Outcome, Schema};
use serde_json::{Value, json};
use support::npy;
use support::paged::Remote;

#[test]
fn of_wordnet() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA is not set");
        return;
    };
    let docs = words::docs(&folder.join("docs.jsonl.gz")).unwrap();
    let fields = |row: &Value| {
        let words = row["words"].as_array().unwrap().iter().filter(|word| word.as_str().unwrap().len() <= 64);
        let words: Vec<&Value> = words.collect();
        json!({ "pos": row["pos"], "domain": row["domain"], "word_count": row["word_count"], "words": words })
    };
    let mut lines: Vec<Value> = docs.iter().map(fields).collect();
    // In any order, which takes more bytes than that of neighbours.
    support::data::Random(7).shuffle(&mut lines);
    let rows = lines.len();
    assert_eq!(rows, 117_791);
    let counts = lines.iter().filter(|line| (2..=4).contains(&line["word_count"].as_u64().unwrap())).count();
    let schema = Schema::infer().field("words", FieldType::Keyword);
    let options = support::options(Metric::L2, CodecKind::F32).graph(false).clusters(false);
    let options = options.fields(Fields::of(lines.iter().map(Value::to_string))).schema(schema);
    let file = support::file(&vec![1.0; rows], 1, None, &options);
    let index = Index::from_bytes(&file).unwrap();
    index.verify().unwrap();
    let (mut front, mut three) = (0, 0);
    for field in &index.info().fields {
        let bytes = [field.front_bytes, field.terms_bytes, field.sets_bytes, field.sorted_bytes];
        eprintln!(
            "{}: {bytes:?}, {:.2} bytes a row",
            field.name,
            bytes.iter().sum::<u64>() as f64 / rows as f64
        );
        front += field.front_bytes;
        three += if field.name == "words" { 0 } else { bytes.iter().sum::<u64>() };
    }
    eprintln!("front {front}; {:.2} bytes a row without words", three as f64 / rows as f64);
    assert!(front <= 16 << 10, "{front} bytes");
    assert!(three <= 5 * rows as u64, "{three} bytes");
    let cost = |filter: Filter| {
        let (outcome, cost) =
            Remote::open(&file, 4 << 20).unwrap().run(Operation::Count(Some(filter))).unwrap();
        let Outcome::Count(count) = outcome else { panic!("no count") };
        eprintln!("{count} rows, {cost:?}");
        (count as usize, cost)
    };
    let (found, range) = cost(Filter::between("word_count", 2, 4));
    assert_eq!(found, counts);
    assert!(range.bytes <= 60_000, "{range:?}");
    let (_, term) = cost(Filter::eq("pos", "n"));
    assert!(term.bytes <= 20_000 && term.waves == 1, "{term:?}");
    let (_, word) = cost(Filter::eq("words", "dog"));
    assert!(word.bytes <= 9_000 && word.waves == 1, "{word:?}");
}
