//! A cold lookup of an id reads a few blocks of the order of ids and of the ids, whatever ids look like; and the order
//! cannot lie without `verify` telling.

mod support;

use pagevec::{BuildOptions, CodecKind, Id, Ids, Index, Metric, Operation, Outcome, SearchOptions};
use support::paged::Remote;
use support::{code, data, file, format};

/// Ids of many shapes: short, with long common starts or ends, of very uneven length, sorted or not.
fn shapes(n: usize) -> Vec<(&'static str, Ids)> {
    let texts = |of: fn(usize) -> String| Ids::Texts((0..n).map(of).collect());
    let numbers = |of: fn(u64) -> u64| Ids::Numbers((0..n as u64).map(of).collect());
    vec![
        ("paths", texts(|i| format!("https://example.org/documents/of/a/long/common/path/{i:08}.html"))),
        ("ends", texts(|i| format!("{i}-{}", "the same end ".repeat(3)))),
        ("uneven", texts(|i| format!("{i}{}", "x".repeat(if i % 997 == 0 { 9000 } else { i % 5 })))),
        ("beyond ASCII", texts(|i| format!("ä{}ß", (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)))),
        ("counting", numbers(|i| i)),
        ("wide", numbers(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) ^ (i % 2))),
        ("few bits apart", numbers(|i| (1 << 52) + i * 3)),
    ]
}

fn id(ids: &Ids, row: usize) -> Id {
    match ids {
        Ids::Numbers(numbers) => Id::Number(numbers[row]),
        Ids::Texts(texts) => Id::Text(texts[row].clone()),
    }
}

/// Changes the order of ids in a file.
type Lie<'a> = &'a dyn Fn(&mut [u8]);

fn plain() -> BuildOptions {
    support::options(Metric::L2, CodecKind::Binary).graph(false).clusters(false)
}

/// The blocks around the places of two ids may have one in common. A caller that reads several extents by one request takes it
/// apart by them, so they must not overlap: `Remote` looks.
#[test]
fn many_ids_at_once_are_read_without_overlap() {
    let n = 30_011;
    let rows: Vec<f32> = data::whole(n, 2, 2);
    for (name, ids) in shapes(n) {
        let bytes = file(&rows, 2, Some(ids.clone()), &plain());
        let among: Vec<Id> = (0..150).map(|i| id(&ids, i * 7919 % n)).collect();
        let options = SearchOptions::new(150).among(among);
        let mut remote = Remote::open(&bytes, bytes.len() as u64).unwrap();
        let (answer, cost) = remote.search(&rows[..2], &options).unwrap();
        let expected = Index::from_bytes(&bytes).unwrap().search(&rows[..2], &options).unwrap();
        assert_eq!(answer.hits, expected.hits, "{name}");
        assert!(cost.bytes < bytes.len() as u64, "{name}: {cost:?}");
    }
}

#[test]
fn cold_lookups_read_at_most_64_kb_in_three_waves() {
    for (n, seed, every) in [(117_000, 1, 3), (30_011, 2, 1)] {
        let rows: Vec<f32> = data::whole(n, 2, seed);
        for (name, ids) in shapes(n).into_iter().step_by(every) {
            let bytes = file(&rows, 2, Some(ids.clone()), &plain());
            let index = Index::from_bytes(&bytes).unwrap();
            index.verify().unwrap();
            let (mut most, mut total, mut late, mut absent_waves) = (0, 0, 0, 0);
            let tries = 150;
            for i in 0..tries {
                let wanted = id(&ids, i * 7919 % n);
                let mut remote = Remote::open(&bytes, bytes.len() as u64).unwrap();
                let (found, cost) = remote.run(Operation::Find(wanted.clone())).unwrap();
                let position = index.find(&wanted).unwrap();
                assert!(position.is_some(), "{name}: {wanted}");
                assert_eq!(found, Outcome::Row(position), "{name}: {wanted}");
                total += cost.bytes;
                most = most.max(cost.bytes);
                late += usize::from(cost.waves > 3);
                // Only what was read is held.
                let front = remote.session.stats().resident - cost.bytes;
                assert!(front < 40_000, "{name}: {front}");
                // Again, and its neighbour in the order of rows, from what is here or a block more.
                assert_eq!(remote.run(Operation::Find(wanted)).unwrap().1.bytes, 0);
                // One that is not there: mostly no row has its hash.
                let nobody = match &ids {
                    Ids::Numbers(_) => Id::Number((1 << 53) - 2 - i as u64),
                    Ids::Texts(_) => Id::Text(format!("nobody {i}")),
                };
                let mut remote = Remote::open(&bytes, bytes.len() as u64).unwrap();
                let (found, cost) = remote.run(Operation::Find(nobody)).unwrap();
                assert_eq!(found, Outcome::Row(None));
                absent_waves += cost.waves;
            }
            eprintln!(
                "{n} {name}: {} bytes mean, {most} most, {late} of {tries} in more waves",
                total / tries as u64
            );
            // A text of 9,000 bytes is two blocks or three.
            assert!(most <= 64 << 10, "{name}: {most} bytes");
            assert!(total / tries as u64 <= 40_000, "{name}");
            assert!(late <= 3, "{name}: {late} of {tries} took more than three waves");
            assert!(absent_waves <= tries as u64 + 5, "{name}: {absent_waves} waves for {tries} absent ids");
        }
    }
}

#[test]
fn every_id_of_small_files_is_found_and_no_other() {
    for n in [1, 2, 3, 64, 700] {
        let rows: Vec<f32> = data::whole(n, 3, 4);
        for (name, ids) in shapes(n) {
            let bytes = file(&rows, 3, Some(ids.clone()), &plain());
            let index = Index::from_bytes(&bytes).unwrap();
            let mut remote = Remote::open(&bytes, bytes.len() as u64).unwrap();
            let mut seen = vec![false; n];
            for row in 0..n {
                let position = index.find(&id(&ids, row)).unwrap().unwrap();
                assert!(!std::mem::replace(&mut seen[position.position as usize], true), "{name}");
                let found = remote.run(Operation::Find(id(&ids, row))).unwrap().0;
                assert_eq!(found, Outcome::Row(Some(position)));
                let vector = index.vector(&id(&ids, row)).unwrap();
                assert_eq!(remote.run(Operation::Vector(id(&ids, row))).unwrap().0, Outcome::Vector(vector));
            }
            for other in
                [Id::Text(String::new()), Id::Text("ä".into()), Id::Number(1 << 40), Id::Number(u64::MAX)]
            {
                assert_eq!(index.find(&other).unwrap(), None, "{name}: {other}");
            }
        }
    }
}

#[test]
fn an_order_that_lies_is_found_and_harms_nobody() {
    let n = 2000;
    let rows: Vec<f32> = data::whole(n, 3, 5);
    for (name, ids) in shapes(n) {
        let good = file(&rows, 3, Some(ids.clone()), &plain());
        let order = format::section(&good, format::ID_ORDER);
        assert_eq!(order.length, 8 * n);
        let entry = |file: &[u8], rank: usize| file[order.offset + rank * 8..][..8].to_vec();
        let lies: [Lie<'_>; 6] = [
            // Two change places; one is there twice; another hash; another row; a row beyond the last; all the same.
            &|f| {
                let (a, b) = (entry(f, 700), entry(f, 701));
                format::put(f, order.offset + 700 * 8, &b);
                format::put(f, order.offset + 701 * 8, &a);
            },
            &|f| {
                let a = entry(f, 31);
                format::put(f, order.offset + 32 * 8, &a);
            },
            &|f| f[order.offset + 8 * 999] ^= 1,
            &|f| f[order.offset + 8 * 5 + 4] ^= 1,
            &|f| format::put(f, order.offset + 8 * 1500 + 4, &(n as u32).to_le_bytes()),
            &|f| f[order.offset..][..8 * n].fill(7),
        ];
        for (i, lie) in lies.iter().enumerate() {
            let mut bad = good.clone();
            lie(&mut bad);
            format::seal(&mut bad);
            let index = Index::from_bytes(&bad).unwrap();
            assert_eq!(code(&index.verify()), "corrupt", "{name}: lie {i}");
            // Lookups end, with what is right or nothing or an error.
            let mut remote = Remote::open(&bad, bad.len() as u64).unwrap();
            for row in (0..n).step_by(13) {
                let wanted = id(&ids, row);
                let here = index.find(&wanted);
                assert!(matches!(code(&here), "ok" | "corrupt"));
                let there = remote.run(Operation::Find(wanted));
                assert_eq!(code(&here), code(&there), "{name}: lie {i}, row {row}");
                if let (Ok(here), Ok((there, _))) = (here, there) {
                    assert_eq!(Outcome::Row(here), there);
                }
            }
        }
    }
}
