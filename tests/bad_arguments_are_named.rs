//! What cannot be built or searched is refused with a code, and with the row or argument that is at fault.

mod support;

use pagevec::{
    BuildOptions, CodecKind, Ctx, Error, Id, Ids, Index, IndexChoice, Metric, QueryFault, SearchOptions,
    build,
};
use support::{METRICS, code, data, index, options};

fn built(rows: Vec<f32>, dim: usize, ids: Option<Ids>, options: &BuildOptions) -> Result<Vec<u8>, Error> {
    build(rows, dim, ids, options, &Ctx::default())
}

#[test]
fn a_bad_row_is_named_by_its_number() {
    let (n, dim) = (2500, 8);
    let base = BuildOptions::default();
    for (row, column) in [(0, 0), (1023, 7), (1024, 3), (2499, 5)] {
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut rows = data::clustered(n, dim, 161);
            rows[row * dim + column] = bad;
            // A later one as well: the first is named, whatever the threads do.
            rows[n * dim - 1] = bad;
            match built(rows, dim, None, &base) {
                Err(Error::NotFinite { row: r, column: c }) => assert_eq!((r, c), (row, column)),
                other => panic!("{other:?}"),
            }
        }
        let mut rows = data::clustered(n, dim, 161);
        rows[row * dim..][..dim].fill(0.0);
        match built(rows.clone(), dim, None, &base) {
            Err(Error::ZeroVector { row: r }) => assert_eq!(r, row),
            other => panic!("{other:?}"),
        }
        for metric in [Metric::Dot, Metric::L2] {
            let fine = built(rows.clone(), dim, None, &base.clone().graph(false).metric(metric));
            assert_eq!(code(&fine), "ok");
        }
    }
    // Under cosine the direction counts, however long the row is.
    for (value, codes) in [(1e30, ["ok", "argument", "argument"]), (1e-30, ["ok"; 3])] {
        for (metric, expected) in METRICS.into_iter().zip(codes) {
            let result = built([[1.0; 4], [value; 4]].concat(), 4, None, &options(metric, CodecKind::Sq8));
            assert_eq!(code(&result), expected, "{metric:?} {value}");
            assert!(expected == "ok" || result.err().unwrap().to_string().contains("row 1"));
        }
    }
    let tall = built(vec![70_000.0; 4], 4, None, &options(Metric::Dot, CodecKind::F16));
    assert_eq!(code(&tall), "argument", "beyond f16");
}

#[test]
fn shapes_ids_and_options() {
    let base = BuildOptions::default();
    let one = || vec![1.0; 4];
    assert_eq!(code(&built(one(), 0, None, &base)), "argument");
    assert_eq!(code(&built(Vec::new(), 65_536, None, &base)), "argument");
    assert_eq!(code(&built(one(), 3, None, &base)), "dimension");
    assert_eq!(code(&built(vec![1.0; 65_535], 65_535, None, &base)), "ok");
    let ids = |ids: &[&str]| Some(Ids::Texts(ids.iter().map(|s| (*s).to_owned()).collect()));
    assert_eq!(code(&built(one(), 2, ids(&["a"]), &base)), "argument");
    assert_eq!(code(&built(one(), 2, ids(&["a", "b", "c"]), &base)), "argument");
    match built(one(), 2, ids(&["same", "same"]), &base) {
        Err(Error::DuplicateId { id }) => assert_eq!(id, "same"),
        other => panic!("{other:?}"),
    }
    assert_eq!(code(&built(one(), 2, Some(Ids::Numbers(vec![3, 3])), &base)), "duplicate-id");
    assert_eq!(code(&built(one(), 2, Some(Ids::Numbers(vec![3, 1 << 53])), &base)), "argument");
    assert_eq!(code(&built(one(), 2, ids(&["a", &"x".repeat(65_536)]), &base)), "argument");
    assert_eq!(code(&built(one(), 2, ids(&["", &"x".repeat(65_535)]), &base)), "ok");
    for (name, bad) in [
        ("m", [0, 1, 257].map(|m| base.clone().m(m))),
        ("ef_construction", [0, 65_537, usize::MAX].map(|e| base.clone().ef_construction(e))),
        ("branching_factor", [0, 1, 4097].map(|factor| base.clone().branching_factor(factor))),
        ("max_leaf_size", [0, 65_537, usize::MAX].map(|size| base.clone().max_leaf_size(size))),
        (
            "max_iterations",
            [0, 1001, usize::MAX].map(|max_iterations| base.clone().max_iterations(max_iterations)),
        ),
        (
            "refine",
            [CodecKind::Binary, CodecKind::Sq4, CodecKind::Pq(1)].map(|refine| base.clone().refine(refine)),
        ),
        // Coarser than the codes.
        (
            "refine",
            [
                (CodecKind::F32, CodecKind::Sq8),
                (CodecKind::F16, CodecKind::Sq8),
                (CodecKind::F32, CodecKind::F16),
            ]
            .map(|(codec, rows)| base.clone().codec(codec).refine(rows)),
        ),
        // No finer than the codes, or than the rows that coarse codes have.
        (
            "exact",
            [
                (CodecKind::F32, CodecKind::F16),
                (CodecKind::F16, CodecKind::F16),
                (CodecKind::Sq4, CodecKind::Sq8),
            ]
            .map(|(codec, exact)| base.clone().codec(codec).exact(exact)),
        ),
        // Not exact; as the rows before; no finer than they.
        (
            "exact",
            [
                (None, CodecKind::Sq8),
                (Some(CodecKind::F16), CodecKind::F16),
                (Some(CodecKind::F32), CodecKind::F16),
            ]
            .map(|(rows, exact)| base.clone().refine(rows).exact(exact)),
        ),
        ("codec", [0, 3, u16::MAX].map(|parts| base.clone().codec(CodecKind::Pq(parts)))),
    ] {
        for options in bad {
            match built(one(), 2, None, &options) {
                Err(Error::Argument { name: named, .. }) => assert_eq!(named, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn searches() {
    let (n, dim) = (50, 6);
    let rows = data::clustered(n, dim, 162);
    for metric in METRICS {
        let index = index(&rows, dim, &options(metric, CodecKind::Sq8));
        let plain = SearchOptions::default();
        let search = |query: &[f32], o: &SearchOptions| index.search(query, o);
        for wrong in [0, 1, dim - 1, dim + 1, dim * 2, dim * 1000] {
            assert_eq!(code(&search(&vec![1.0; wrong], &plain)), "dimension", "{wrong}");
        }
        assert_eq!(code(&index.search_batch(&[1.0; 13], &plain)), "dimension");
        assert_eq!(code(&search(&[1.0; 6], &plain.clone().k(0))), "argument");
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(code(&search(&[1.0, 1.0, bad, 1.0, 1.0, 1.0], &plain)), "not-finite");
        }
        let cosine = metric == Metric::Cosine;
        assert_eq!(code(&search(&[0.0; 6], &plain)), if cosine { "zero-vector" } else { "ok" });
        assert_eq!(code(&search(&[1e30; 6], &plain)), if cosine { "ok" } else { "argument" });
        // Too many, or too few candidates for them: clamped.
        for k in [n - 1, n, n + 1, 1 << 32, usize::MAX] {
            for ef in [None, Some(0), Some(1), Some(usize::MAX)] {
                for rescore in [None, Some(0), Some(usize::MAX)] {
                    for index in [IndexChoice::Flat, IndexChoice::Hnsw] {
                        let o = SearchOptions::new(k)
                            .ef(ef)
                            .index(index)
                            .rescore(rescore)
                            .probes(None)
                            .recall(None);
                        assert_eq!(search(&rows[..dim], &o).unwrap().hits.len(), k.min(n), "{o:?}");
                    }
                }
            }
        }
        for probes in [None, Some(0), Some(1), Some(usize::MAX)] {
            for rescore in [None, Some(0), Some(1 << 40), Some(usize::MAX)] {
                let o = SearchOptions::new(usize::MAX)
                    .probes(probes)
                    .rescore(rescore)
                    .index(IndexChoice::Clusters);
                let hits = search(&rows[..dim], &o).unwrap().hits.len();
                assert!((1..=n).contains(&hits), "{o:?}");
                assert!(hits == n || probes.is_none_or(|p| p < n), "every list has every row: {o:?}");
            }
        }
        assert_eq!(code(&index.vector(&Id::Number(n as u64))), "unknown-id");
        assert_eq!(code(&index.vector(&Id::Text("0".into()))), "unknown-id");
        assert_eq!(index.find(&Id::Number(u64::MAX)).unwrap(), None);
    }
    let flat = index(&rows, dim, &BuildOptions::default().graph(false).clusters(false));
    for index in [IndexChoice::Hnsw, IndexChoice::Clusters] {
        let o = SearchOptions::default().index(index);
        assert_eq!(code(&flat.search(&rows[..dim], &o)), "argument");
    }
}

#[test]
fn a_bad_query_is_told_as_a_query_by_its_number_in_the_batch() {
    let (n, dim) = (50, 7);
    let rows = data::clustered(n, dim, 164);
    let plain = SearchOptions::default();
    // Shorter than a task of a batch, as long, and several with one query left.
    for (metric, batch) in METRICS.into_iter().flat_map(|m| [1, 2, 16, 17, 49].map(|b| (m, b))) {
        let index = index(&rows, dim, &options(metric, CodecKind::Sq8));
        for bad in [0, batch / 2, batch - 1] {
            let cosine = metric == Metric::Cosine;
            let long = if cosine { QueryFault::NoDirection } else { QueryFault::TooLong };
            for (values, fault, word) in [
                ([f32::NAN, 1.0], QueryFault::NotFinite { column: 0 }, "not-finite"),
                ([1.0, -f32::INFINITY], QueryFault::NotFinite { column: 1 }, "not-finite"),
                ([1e30, 1e30], long, if cosine { "zero-vector" } else { "argument" }),
            ] {
                let mut queries = rows[..batch * dim].to_vec();
                queries[bad * dim..][..2].copy_from_slice(&values);
                if fault == QueryFault::NoDirection {
                    // Under cosine a row may be as long as f32 holds, and as short; all but zero has a direction.
                    queries[bad * dim..][..dim].fill(0.0);
                }
                let error = index.search_batch(&queries, &plain).unwrap_err();
                let Error::Query { query, fault: found } = error else { panic!("{error:?}") };
                assert_eq!((query, found), ((batch > 1).then_some(bad), fault), "{metric:?} {batch}");
                let name = if batch > 1 { format!("query {bad} ") } else { "the query ".to_owned() };
                let said = error.to_string();
                assert!(said.starts_with(&name) && !said.contains("row") && error.code() == word, "{said}");
                // As real queries that a build learns from.
                let base = options(metric, CodecKind::Sq8);
                let tuned = build(rows.clone(), dim, None, &base.tuning_queries(queries), &Ctx::default());
                assert_eq!(tuned.unwrap_err().to_string(), said);
            }
        }
    }
}

#[test]
fn a_build_can_be_cancelled_at_every_tick() {
    let rows = data::clustered(600, 8, 163);
    let ticks = std::cell::Cell::new(0usize);
    let stop_at = std::cell::Cell::new(usize::MAX);
    let cancelled = || {
        ticks.set(ticks.get() + 1);
        ticks.get() > stop_at.get()
    };
    let ctx = Ctx { cancelled: Some(&cancelled), ..Default::default() };
    let whole = build(rows.clone(), 8, None, &BuildOptions::default(), &ctx).unwrap();
    let all = ticks.replace(0);
    assert!(all > 10, "{all} ticks");
    for stop in 0..all {
        stop_at.set(stop);
        ticks.set(0);
        assert_eq!(code(&build(rows.clone(), 8, None, &BuildOptions::default(), &ctx)), "cancelled");
    }
    assert!(whole == build(rows, 8, None, &BuildOptions::default(), &Ctx::default()).unwrap());
    assert!(Index::from_bytes(&whole).is_ok());
}

#[test]
fn names_of_codecs() {
    for (name, codec) in [
        ("f32", CodecKind::F32),
        ("f16", CodecKind::F16),
        ("sq8", CodecKind::Sq8),
        ("sq4", CodecKind::Sq4),
        ("binary", CodecKind::Binary),
        ("pq", CodecKind::Pq(64)),
        ("pq1", CodecKind::Pq(1)),
        ("pq96", CodecKind::Pq(96)),
        ("pq65535", CodecKind::Pq(65_535)),
    ] {
        assert_eq!(name.parse::<CodecKind>().unwrap(), codec);
        assert_eq!(codec.to_string(), name);
    }
    for name in ["", "f64", "SQ8", "pq0", "pq-1", "pq+1", "pq01", "pq65536", "pq64x", "pq 64", "opq"] {
        match name.parse::<CodecKind>() {
            Err(Error::Argument { name: "codec", .. }) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_bad_query_is_named_by_its_number_in_the_batch() {
    let (dim, n) = (6, 150);
    let rows = data::clustered(500, dim, 167);
    let file = support::file(&rows, dim, None, &support::options(Metric::Cosine, CodecKind::Sq8));
    let folder = tempfile::tempdir().unwrap();
    let path = pagevec::publish(folder.path(), &file, &pagevec::PublishOptions::new()).unwrap();
    for io in [pagevec::Io::Mmap, pagevec::Io::Pread] {
        let index = Index::open_with(&path, &pagevec::OpenOptions::new().io(io)).unwrap();
        let options = SearchOptions::default();
        for row in [0, 15, 16, 77, 128, 149] {
            let mut queries = rows[..n * dim].to_vec();
            queries[row * dim + 4] = f32::NAN;
            // A later one is not named.
            queries[n * dim - 1] = f32::NAN;
            match index.search_batch(&queries, &options) {
                Err(Error::Query { query, fault }) => {
                    assert_eq!((query, fault), (Some(row), QueryFault::NotFinite { column: 4 }));
                }
                other => panic!("{other:?}"),
            }
            let mut queries = rows[..n * dim].to_vec();
            queries[row * dim..][..dim].fill(0.0);
            match index.search_batch(&queries, &options) {
                Err(Error::Query { query, fault }) => {
                    assert_eq!((query, fault), (Some(row), QueryFault::NoDirection));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
