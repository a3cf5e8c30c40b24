//! A segment that is appended to an index is encoded as the index is, and a merge copies the codes of both: every row
//! has the bytes that it had before, in every stage.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::cell::{Cell, RefCell};

use pagevec::{
    BuildInput, BuildOptions, CodecKind, Ctx, Error, Id, Ids, Index, Metric, Warning, append_into,
    merge_into, with_threads,
};
use support::format::{CODES, EXACT, ROWS, find};
use support::{METRICS, code, data, file, options};

/// The sections of parameters and of rows, stage by stage.
const STAGES: [(u32, u32); 3] = [(1, CODES), (2, ROWS), (6, EXACT)];

fn append(like: &Index, rows: &[f32], ids: Ids, options: &BuildOptions) -> Index {
    let input = BuildInput::Memory { vectors: rows.to_vec(), dim: like.info().dim };
    let mut file = Vec::new();
    append_into(like, input, Some(ids), options, &mut file, &Ctx::default()).unwrap();
    opened(&file)
}

/// The merge, and what was warned of.
fn merged(indexes: &[&Index], options: &BuildOptions) -> (Index, Vec<Warning>) {
    let said = RefCell::new(Vec::new());
    let hear = |warning| said.borrow_mut().push(warning);
    let mut file = Vec::new();
    let ctx = Ctx { warning: Some(&hear), ..Ctx::default() };
    merge_into(indexes, options, &mut file, &ctx).unwrap();
    (opened(&file), said.into_inner())
}

fn opened(file: &[u8]) -> Index {
    let index = Index::from_bytes(file).unwrap();
    index.verify().unwrap();
    index
}

fn each(ids: &Ids) -> Vec<Id> {
    match ids {
        Ids::Numbers(numbers) => numbers.iter().map(|&number| Id::Number(number)).collect(),
        Ids::Texts(texts) => texts.iter().map(|text| Id::Text(text.clone())).collect(),
    }
}

/// The stored bytes of a row, stage by stage, and the bits of its vector.
fn stored(index: &Index, id: &Id) -> (Vec<Vec<u8>>, Vec<u32>) {
    let (file, count) = (index.file().unwrap(), index.info().count);
    let row = index.find(id).unwrap().unwrap_or_else(|| panic!("{id} is not there"));
    let position = row.position as usize;
    let row = |kind| {
        let section = find(file, kind)?;
        let stride = section.length / count;
        Some(file[section.offset + position * stride..][..stride].to_vec())
    };
    let bits = index.vector(id).unwrap().iter().map(|x| x.to_bits()).collect();
    (STAGES.into_iter().filter_map(|stage| row(stage.1)).collect(), bits)
}

fn parameters(index: &Index) -> Vec<Vec<u8>> {
    let file = index.file().unwrap();
    let section = |kind| find(file, kind).map(|s| file[s.offset..][..s.length].to_vec()).unwrap_or_default();
    STAGES.into_iter().map(|stage| section(stage.0)).collect()
}

/// Numbers that do not begin at 0, or texts.
fn ids(text: bool, from: usize, count: usize) -> Ids {
    match text {
        true => Ids::Texts((from..from + count).map(|i| format!("{}ö{i}", "w".repeat(i % 4))).collect()),
        false => Ids::Numbers((from..from + count).map(|i| (i as u64 * 7919) % 100_003).collect()),
    }
}

/// Rows by kind, `count` of `dim` components each.
fn rows(kind: usize, count: usize, dim: usize) -> Vec<f32> {
    match kind {
        // Copies of few rows, beside rows far from the mean of the first segment.
        0 => data::whole(3, dim, 8).repeat(count)[..count * dim].iter().map(|x| x + 0.25).collect(),
        1 => data::clustered(count, dim, 40).iter().map(|x| 6.0 * x - 2.0).collect(),
        _ => data::clustered(count, dim, 50 + kind as u64),
    }
}

fn formats() -> Vec<BuildOptions> {
    let of = |codec| BuildOptions::default().codec(codec).m(4).ef_construction(20).max_leaf_size(8);
    let mut formats = vec![
        of(CodecKind::Sq8),
        of(CodecKind::Binary),
        of(CodecKind::Pq(3)).refine(CodecKind::F16),
        of(CodecKind::F32),
        of(CodecKind::F16).graph(false),
        of(CodecKind::Sq4).exact(CodecKind::F32).clusters(false),
        of(CodecKind::Sq8).exact(CodecKind::F16).graph(false).clusters(false),
    ];
    formats.iter_mut().for_each(|format| *format = format.clone().max_iterations(1).branching_factor(4));
    formats
}

#[test]
fn rows_of_every_form_keep_their_bytes() {
    let dim = 7;
    for (number, format) in formats().into_iter().enumerate() {
        for metric in METRICS {
            let (format, text) = (format.clone().metric(metric), number % 2 == 1);
            let first = opened(&file(&rows(9, 160, dim), dim, Some(ids(text, 0, 160)), &format));
            // What the options say of codecs is not used.
            let other = format.clone().metric(Metric::Dot).codec(CodecKind::F16).refine(None).exact(None);
            let mut parts = vec![(first, ids(text, 0, 160))];
            let mut from = 160;
            for (kind, count) in [(0, 90), (1, 70), (2, 1), (3, 0)] {
                let own = ids(text, from, count);
                parts.push((append(&parts[0].0, &rows(kind, count, dim), own.clone(), &other), own));
                from += count;
            }
            let indexes: Vec<&Index> = parts.iter().map(|part| &part.0).collect();
            let (merged, said) = merged(&indexes, &other);
            assert!(said.iter().all(|w| !matches!(w, Warning::EncodedAnew { .. })), "{said:?}");
            let (got, first) = (merged.info(), parts[0].0.info());
            assert_eq!(got.count, from);
            assert_eq!((got.metric, got.ids, got.graph), (metric, first.ids, format.graph));
            assert_eq!((got.codec, got.refine, got.exact), (first.codec, first.refine, first.exact));
            for (index, ids) in &parts {
                assert_eq!(parameters(index), parameters(&merged), "{format:?}");
                for id in each(ids) {
                    assert!(stored(index, &id) == stored(&merged, &id), "{id} {format:?}");
                }
            }
        }
    }
}

#[test]
fn appended_rows_have_the_codes_that_the_index_has_of_them() {
    let (n, dim) = (400, 9);
    for format in formats() {
        let own = data::clustered(n, dim, 5);
        let index = opened(&file(&own, dim, None, &format));
        let some = &own[37 * dim..][..211 * dim];
        let again = append(&index, some, Ids::Numbers((37..37 + 211).collect()), &format.clone().seed(9));
        assert_eq!(parameters(&again), parameters(&index));
        for id in 37..37 + 211 {
            assert!(stored(&again, &Id::Number(id)) == stored(&index, &Id::Number(id)), "{id} {format:?}");
        }
    }
}

#[test]
fn the_last_row_of_an_id_is_taken() {
    let dim = 6;
    for text in [false, true] {
        let format = options(Metric::L2, CodecKind::Sq8);
        let first = opened(&file(&rows(9, 100, dim), dim, Some(ids(text, 0, 100)), &format));
        let second = append(&first, &rows(8, 60, dim), ids(text, 70, 60), &format);
        let third = append(&first, &rows(7, 30, dim), ids(text, 90, 30), &format);
        let (all, _) = merged(&[&first, &second, &third], &format);
        assert_eq!(all.info().count, 130);
        for (number, id) in each(&ids(text, 0, 130)).into_iter().enumerate() {
            let newest = if number < 70 {
                &first
            } else if (90..120).contains(&number) {
                &third
            } else {
                &second
            };
            assert!(stored(&all, &id) == stored(newest, &id), "{id}");
        }
        // In the other order the first index wins.
        let (all, _) = merged(&[&second, &first], &format);
        assert!(each(&ids(text, 0, 100)).iter().all(|id| stored(&all, id) == stored(&first, id)));
    }
}

#[test]
fn an_index_is_merged_alone_and_with_itself() {
    let (n, dim) = (250, 5);
    let format = options(Metric::Cosine, CodecKind::Binary);
    let index = opened(&file(&rows(9, n, dim), dim, Some(support::texts(n)), &format));
    for times in [1, 2, 3] {
        let (merged, _) = merged(&vec![&index; times], &format);
        assert_eq!(merged.info().count, n);
        for id in each(&support::texts(n)) {
            assert!(stored(&merged, &id) == stored(&index, &id), "{id}");
        }
    }
}

#[test]
fn an_index_without_rows_learns_from_the_first_that_come() {
    let dim = 6;
    for format in formats() {
        let empty = opened(&file(&[], dim, None, &format));
        let own = rows(1, 200, dim);
        let first = append(&empty, &own, support::texts(200), &format);
        let alone = opened(&file(&own, dim, Some(support::texts(200)), &format));
        assert_eq!(parameters(&first), parameters(&alone), "{format:?}");
        // Such an index has no part in a merge, and codes are still copied.
        let (all, said) = merged(&[&empty, &first, &empty], &format);
        assert!(said.iter().all(|w| !matches!(w, Warning::EncodedAnew { .. })), "{said:?}");
        assert!(each(&support::texts(200)).iter().all(|id| stored(&all, id) == stored(&first, id)));
        let (none, said) = merged(&[&empty, &empty], &format);
        assert_eq!((none.info().count, said.len()), (0, 0));
        assert_eq!(parameters(&none), parameters(&empty));
    }
}

#[test]
fn indexes_that_were_built_apart_are_encoded_anew() {
    let (n, dim) = (300, 8);
    for metric in METRICS {
        let format = options(metric, CodecKind::Sq8).exact(CodecKind::F32);
        let first = opened(&file(&rows(9, n, dim), dim, Some(ids(false, 0, n)), &format));
        let second = opened(&file(&rows(1, n, dim), dim, Some(ids(false, n, n)), &format));
        let (all, said) = merged(&[&first, &second], &format);
        assert_eq!(said.first(), Some(&Warning::EncodedAnew { codec: "sq8".into() }));
        // Floats have no parameters: they are copied.
        for (index, from) in [(&first, 0), (&second, n)] {
            for id in each(&ids(false, from, n)) {
                assert!(stored(&all, &id).1 == stored(index, &id).1, "{id} {metric:?}");
            }
        }
        // The first index has the kinds of codecs, also where all its rows are replaced.
        let format = options(metric, CodecKind::F16).graph(false);
        let newer = opened(&file(&rows(8, n, dim), dim, Some(ids(false, 0, n)), &format));
        let (all, said) = merged(&[&first, &newer], &format);
        assert_eq!(said.first(), Some(&Warning::EncodedAnew { codec: "sq8, f32".into() }));
        assert_eq!(
            (all.info().count, all.info().codec, all.info().refine),
            (n, CodecKind::Sq8, Some(CodecKind::F32))
        );
        // Of another kind of codec, and of fewer stages: as the first.
        let third = opened(&file(
            &rows(8, n, dim),
            dim,
            Some(ids(false, 2 * n, n)),
            &options(metric, CodecKind::F16),
        ));
        let (all, said) = merged(&[&third, &first], &format);
        assert_eq!(said.first(), Some(&Warning::EncodedAnew { codec: "f16".into() }));
        assert_eq!((all.info().codec, all.info().refine), (CodecKind::F16, None));
        for id in each(&ids(false, 0, n)) {
            let (given, got) = (first.vector(&id).unwrap(), all.vector(&id).unwrap());
            let near = given.iter().zip(&got).all(|(a, b)| (a - b).abs() <= a.abs().max(1e-3) / 1024.0);
            assert!(near, "{id} {metric:?}: {given:?} {got:?}");
        }
    }
}

#[test]
fn threads_do_not_show() {
    let (n, dim) = (2500, 20);
    let format = options(Metric::Cosine, CodecKind::Pq(7)).ef_construction(40).max_iterations(2);
    let all = data::clustered(2 * n, dim, 77);
    let first = opened(&file(&all[..n * dim], dim, None, &format));
    let build = || {
        let second = append(&first, &all[n * dim..], ids(false, n, n), &format);
        let (merged, _) = merged(&[&first, &second], &format);
        (second.file().unwrap().to_vec(), merged.file().unwrap().to_vec())
    };
    let [one, two, many] = [1, 2, 16].map(|threads| with_threads(threads, build).unwrap());
    assert!(one == two && one == many);
}

#[test]
fn what_a_file_depends_on_shows_in_its_id() {
    let dim = 5;
    let format = options(Metric::L2, CodecKind::Sq8);
    let of = |seed| opened(&file(&data::clustered(90, dim, seed), dim, None, &format));
    let (first, other) = (of(1), of(2));
    let more = data::clustered(40, dim, 3);
    let own = || Ids::Numbers((100..140).collect());
    let built = opened(&file(&more, dim, Some(own()), &format));
    let appended = [&first, &other].map(|index| append(index, &more, own(), &format));
    let merges = [
        merged(&[&first, &appended[0]], &format).0,
        merged(&[&appended[0], &first], &format).0,
        merged(&[&first, &appended[0]], &format.clone().seed(1)).0,
        merged(&[&other, &appended[1]], &format).0,
        merged(&[&other, &appended[0]], &format).0,
        merged(&[&first], &format).0,
    ];
    let all = [&first, &other, &built].into_iter().chain(&appended).chain(&merges);
    let mut ids: Vec<&str> = all.map(|index| index.info().file_id.as_str()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "two inputs share a file id");
}

#[test]
fn what_does_not_fit_is_refused() {
    let dim = 6;
    let format = options(Metric::L2, CodecKind::Sq8);
    let of = |dim: usize, metric, ids| {
        opened(&file(&rows(9, 20, dim), dim, Some(ids), &options(metric, CodecKind::Sq8)))
    };
    let first = of(dim, Metric::L2, ids(false, 0, 20));
    let refused = |others: &[&Index]| -> Error {
        let mut file = Vec::new();
        let refused = merge_into(others, &format, &mut file, &Ctx::default()).unwrap_err();
        assert!(file.is_empty());
        refused
    };
    assert!(matches!(
        refused(&[&first, &of(7, Metric::L2, ids(false, 0, 20))]),
        Error::Dimension { expected: 6, got: 7 }
    ));
    for (others, said) in [
        (vec![], "at least one"),
        (vec![&first, &of(dim, Metric::Dot, ids(false, 0, 20))], "metric"),
        (vec![&first, &of(dim, Metric::L2, ids(true, 0, 20))], "ids of the kind"),
        (
            vec![
                &Index::from_reader(Bytes(first.file().unwrap().to_vec()), &pagevec::OpenOptions::new())
                    .unwrap(),
            ],
            "Io::Mmap",
        ),
    ] {
        let error = refused(&others);
        assert_eq!(error.code(), "argument");
        assert!(error.to_string().contains(said), "{error}");
    }
    let append = |rows: &[f32], dim, ids, format: &BuildOptions| {
        let input = BuildInput::Memory { vectors: rows.to_vec(), dim };
        append_into(&first, input, ids, format, &mut Vec::new(), &Ctx::default())
    };
    assert_eq!(code(&append(&[1.0; 7], 7, None, &format)), "dimension");
    assert_eq!(code(&append(&[1.0; 7], dim, None, &format)), "dimension");
    assert_eq!(code(&append(&[1.0; 6], dim, Some(support::texts(1)), &format)), "argument");
    assert_eq!(code(&append(&[f32::NAN; 6], dim, None, &format)), "not-finite");
    assert_eq!(code(&append(&[1.0; 6], dim, None, &format.clone().m(1))), "argument");
    assert_eq!(code(&append(&[1.0; 6], dim, None, &format.clone().tuning_queries([1.0]))), "dimension");
    assert_eq!(code(&append(&[1.0; 12], dim, Some(Ids::Numbers(vec![4, 4])), &format)), "duplicate-id");
}

struct Bytes(Vec<u8>);

impl pagevec::ReadAt for Bytes {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, extent: pagevec::Extent, into: &mut [u8]) -> Result<(), Error> {
        into.copy_from_slice(&self.0[extent.offset as usize..extent.end() as usize]);
        Ok(())
    }
}

/// The codecs of an index are read the same way from any source.
#[test]
fn an_index_that_is_read_piece_by_piece_is_appended_to() {
    let (n, dim) = (120, 6);
    for format in formats() {
        let first = opened(&file(&rows(9, n, dim), dim, None, &format));
        let reader = Bytes(first.file().unwrap().to_vec());
        let paged = Index::from_reader(reader, &pagevec::OpenOptions::new()).unwrap();
        let [local, paged] =
            [&first, &paged].map(|index| append(index, &rows(1, 30, dim), ids(false, n, 30), &format));
        assert!(local.file() == paged.file(), "{format:?}");
    }
}

/// A merge gives its file new checksums, so it must not take over what differs from the old ones.
#[test]
fn damage_is_not_merged() {
    let dim = 6;
    let format = options(Metric::Cosine, CodecKind::Pq(2)).exact(CodecKind::F16);
    let bytes = file(&rows(9, 200, dim), dim, Some(support::texts(200)), &format);
    for kind in [CODES, ROWS, EXACT, support::format::IDS] {
        let section = find(&bytes, kind).unwrap();
        for at in [0, section.length / 2, section.length - 1] {
            let mut bytes = bytes.clone();
            bytes[section.offset + at] ^= 1;
            let index = Index::from_bytes(&bytes).unwrap();
            let merge = merge_into(&[&index], &format, &mut Vec::new(), &Ctx::default());
            assert_eq!(code(&merge), "checksum", "section {kind} at {at}");
        }
    }
}

/// Whoever makes all checksums right again gets an error or an index, and no panic.
#[test]
fn hostile_rows_are_corrupt() {
    let dim = 6;
    for metric in METRICS {
        for codec in [CodecKind::Sq8, CodecKind::F32, CodecKind::F16] {
            let bytes = file(&rows(9, 60, dim), dim, None, &options(metric, codec));
            let section = find(&bytes, CODES).unwrap();
            // In sq8 the scale follows the components; in f32 and f16 a row is all ones: NaN.
            let (mut bytes, row) = (bytes, section.length / 60);
            bytes[section.offset + 7 * row..][..row].fill(0xFF);
            support::format::seal(&mut bytes);
            let index = Index::from_bytes(&bytes).unwrap();
            let merge = merge_into(&[&index], &options(metric, codec), &mut Vec::new(), &Ctx::default());
            assert_eq!(code(&merge), "corrupt", "{metric:?} {codec:?}");
        }
    }
}

#[test]
fn both_end_when_they_are_cancelled() {
    let (n, dim) = (150, 8);
    let format = options(Metric::Cosine, CodecKind::Binary);
    let first = opened(&file(&rows(9, n, dim), dim, None, &format));
    let second = append(&first, &rows(8, n, dim), ids(false, n, n), &format);
    let asked = Cell::new(0);
    let after = Cell::new(usize::MAX);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > after.get()
    };
    let ctx = Ctx { cancelled: Some(&cancelled), ..Ctx::default() };
    let merge = |sink: &mut Vec<u8>| merge_into(&[&first, &second], &format, sink, &ctx);
    let more = |sink: &mut Vec<u8>| {
        let input = BuildInput::Memory { vectors: rows(7, n, dim), dim };
        append_into(&first, input, None, &format, sink, &ctx)
    };
    for run in [&merge as &dyn Fn(&mut Vec<u8>) -> Result<(), Error>, &more] {
        asked.set(0);
        after.set(usize::MAX);
        run(&mut Vec::new()).unwrap();
        let times = asked.get();
        assert!(times > 8, "{times}");
        for at in 0..times {
            let mut file = Vec::new();
            asked.set(0);
            after.set(at);
            assert_eq!(code(&run(&mut file)), "cancelled", "{at} of {times}");
            assert!(file.is_empty());
        }
    }
}
