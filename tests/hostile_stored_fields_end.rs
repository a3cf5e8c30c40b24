//! Stored fields whose bytes were changed by somebody who knows the format, all checksums right: an answer of UTF-8 or a typed
//! error, after memory that the header limits.

mod support;

use pagevec::{Error, Fields, Id, Index, IndexChoice, Operation, SearchOptions};
use support::data::{self, Random};
use support::fields::parts;
use support::mutate::change;
use support::paged::{Remote, least_budget};
use support::{alloc, format, stored};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const DIM: usize = 5;
const COUNT: usize = 300;

fn small(lines: &[String]) -> Vec<u8> {
    let options = support::options(pagevec::Metric::L2, pagevec::CodecKind::Sq8).graph(false);
    support::file(&data::clustered(COUNT, DIM, 51), DIM, None, &options.fields(Fields::of(lines)))
}

fn lines() -> Vec<String> {
    let line = |row: usize| match row % 9 {
        0 => String::new(),
        1 => format!("{{\"long\":\"{}\"}}", "again and again ".repeat(row)),
        _ => format!("{{\"row\":{row},\"text\":\"row {row} of some rows\"}}"),
    };
    (0..COUNT).map(line).collect()
}

/// Everything that reads fields. Returns the codes of the errors.
fn read_all(file: &[u8], budget: u64) -> Vec<&'static str> {
    let ids: Vec<Id> = (0..COUNT as u64).step_by(7).map(Id::Number).collect();
    let query = data::clustered(1, DIM, 52);
    let o = SearchOptions::new(20).index(IndexChoice::Flat).fields(true);
    let mut codes = Vec::new();
    let mut told = |error: Option<&Error>| {
        assert!(!matches!(error, Some(Error::Internal { .. })), "{error:?}");
        codes.push(error.map_or("ok", Error::code));
    };
    let index = Index::from_bytes(file);
    told(index.as_ref().err());
    if let Ok(index) = index {
        told(index.verify().as_ref().err());
        told(index.fields(&ids).as_ref().err());
        told(index.search(&query, &o).as_ref().err());
        let mut merged = Vec::new();
        let merge = pagevec::merge_into(
            &[&index],
            &pagevec::BuildOptions::default(),
            &mut merged,
            &pagevec::Ctx::default(),
        );
        told(merge.as_ref().err());
    }
    let remote = Remote::open(file, budget);
    told(remote.as_ref().err());
    if let Ok(mut remote) = remote {
        told(remote.run(Operation::Fields(ids)).as_ref().err());
        told(remote.search(&query, &o.index(IndexChoice::Auto)).as_ref().err());
    }
    codes
}

#[test]
fn whatever_is_changed() {
    let lines = lines();
    let file = small(&lines);
    assert!(read_all(&file, least_budget(&file)).iter().all(|code| *code == "ok"));
    let names = ["field directory", "block directories", "blocks of fields"];
    let mut all = parts(&file);
    all.retain(|part| names.contains(&part.name));
    assert_eq!(all.len(), 3);
    let mut random = Random(53);
    let (mut ok, mut corrupt) = (0, 0);
    for _ in 0..1500 {
        let mut changed = file.clone();
        for _ in 0..1 + random.below(3) {
            change(&mut random, &mut changed, &all);
        }
        // The sizes of the header too, at times.
        if random.below(6) == 0 {
            let at = 88 + 4 * random.below(2);
            format::put(&mut changed, at, &(random.next() as u32 >> random.below(32)).to_le_bytes());
        }
        format::seal(&mut changed);
        let (codes, used) = alloc::used(|| read_all(&changed, 1 << 20));
        assert!(used.peak < 24 << 20, "{used:?}");
        match codes.iter().find(|code| **code != "ok") {
            None => ok += 1,
            Some(code) => {
                // A merge refuses a line that is no JSON object as any build does.
                assert!(["corrupt", "length", "checksum", "argument"].contains(code), "{codes:?}");
                corrupt += 1;
            }
        }
    }
    assert!(corrupt > 300 && ok > 50, "{corrupt} of {} are errors", ok + corrupt);
}

/// Rules of the format, broken one by one: `verify` names each, and so does whatever reads that block.
#[test]
fn each_rule() {
    let file = small(&lines());
    let directory = format::section(&file, stored::DIRECTORY).offset;
    let groups = stored::groups(&file);
    let (group, block) = (&groups[0], &groups[0].blocks[0]);
    let last = groups.last().unwrap().blocks.last().unwrap().entry;
    let put = |changes: &[(usize, &[u8])]| {
        let mut changed = file.clone();
        changes.iter().for_each(|(at, bytes)| format::put(&mut changed, *at, bytes));
        format::seal(&mut changed);
        read_all(&changed, 1 << 20)
    };
    let u32 = |number: u32| number.to_le_bytes();
    let u16 = |number: usize| (number as u16).to_le_bytes();
    for (what, changes) in [
        ("more groups", vec![(directory, u32(7).to_vec())]),
        ("groups of no rows", vec![(directory + 4, u32(0).to_vec())]),
        ("groups of too many rows", vec![(directory + 4, u32(1 << 16).to_vec())]),
        ("another length of the dictionary", vec![(directory + 8, u32(1 << 30).to_vec())]),
        ("a group beyond the section", vec![(group.entry, u32(u32::MAX).to_vec())]),
        ("a group without blocks", vec![(group.entry + 8, u32(0).to_vec())]),
        ("more blocks than rows", vec![(group.entry + 8, u32(100_000).to_vec())]),
        ("a block of no rows", vec![(block.entry, u16(0).to_vec())]),
        ("a block longer than decompressed", vec![(block.entry + 2, u16(0).to_vec())]),
        ("a block that decompresses to more", vec![(block.entry + 2, u16(block.raw).to_vec())]),
        ("more than the header says", vec![(block.entry + 2, u16(65_535).to_vec())]),
        ("a block beyond the section", vec![(last + 4, u16(4000).to_vec()), (last + 2, u16(4000).to_vec())]),
        ("no room for any block", vec![(92, u32(0).to_vec())]),
        ("a longer block than may be", vec![(92, u32(65_537).to_vec())]),
        ("a longer unit than may be", vec![(88, u32(u32::MAX).to_vec())]),
        ("LZ4 that ends in a match", vec![(block.bytes.end - 1, vec![0xff])]),
    ] {
        let changes: Vec<(usize, &[u8])> = changes.iter().map(|(at, bytes)| (*at, &bytes[..])).collect();
        let codes = put(&changes);
        let open = codes[0] != "ok";
        assert!(open || codes[1] != "ok", "{what}: verify says nothing, {codes:?}");
    }
}
