//! Whatever is built and however it is searched: hits are well formed, flat over f32 is the truth, and a paged source
//! agrees with memory.

mod support;

use pagevec::{BuildOptions, CodecKind, Index, IndexChoice, SearchOptions};
use proptest::prelude::*;
use support::paged::{Remote, hits, least_budget};
use support::{CODECS, METRICS, data, file, oracle};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn hits_are_well_formed_and_true(
        (n, dim, seed) in (0usize..120, 1usize..20, any::<u64>()),
        (metric, codec, rows, exact) in (0usize..3, 0usize..6, 0usize..4, 0usize..3),
        (m, ef_construction, max_leaf, branching) in (2usize..20, 1usize..60, 1usize..40, 2usize..70),
        (k, ef, rescore) in (1usize..150, 0usize..200, 0usize..150),
        (graph, clusters, whole, spare) in (any::<bool>(), any::<bool>(), any::<bool>(), 0u64..3000),
    ) {
        let (metric, codec) = (METRICS[metric], CODECS[codec]);
        let codec = match codec {
            CodecKind::Pq(_) => CodecKind::Pq(1 + (seed % dim as u64) as u16),
            other => other,
        };
        // None coarser than what is before it: the first of these are the finest.
        let fineness = |codec| CODECS[..3].iter().position(|&c| c == codec).unwrap_or(3);
        let stored = (rows < 3).then(|| CODECS[rows]).filter(|_| rows <= fineness(codec));
        let before = stored.map_or(fineness(codec), fineness);
        let exact = (exact < 2).then(|| CODECS[exact]).filter(|&e| fineness(e) < before);
        let build = BuildOptions::new(metric).codec(codec).refine(stored).exact(exact).graph(graph).clusters(clusters).m(m).ef_construction(ef_construction).seed(seed).branching_factor(branching).max_leaf_size(max_leaf).max_iterations(1 + seed as usize % 9);
        // Whole numbers tie often, and rows stand there many times; but zero rows have no direction.
        let mut vectors = if whole { data::whole(n, dim, seed) } else { data::clustered(n, dim, seed) };
        vectors.iter_mut().step_by(dim).for_each(|x| *x = x.abs() + 1.0);
        let query: Vec<f32> = data::clustered(1, dim, !seed).iter().map(|x| x + 0.01).collect();
        prop_assume!(query.iter().any(|x| x.abs() > 1e-3));

        let file = file(&vectors, dim, Some(data::shuffled_ids(n, seed)), &build);
        let index = Index::from_bytes(&file).unwrap();
        index.verify().unwrap();
        let o = SearchOptions::new(k).ef((ef > 0).then_some(ef)).rescore((rescore > 0).then_some(rescore));
        let flat = index.search(&query, &o.clone().index(IndexChoice::Flat)).unwrap();
        oracle::well_formed(&flat, k, n);
        oracle::well_formed(&index.search(&query, &o).unwrap(), k, n);

        if codec == CodecKind::F32 && build.refine.is_none_or(|r| r == CodecKind::F32) && n > 0 {
            let pagevec::Ids::Numbers(ids) = data::shuffled_ids(n, seed) else { unreachable!() };
            let scores = oracle::scores(metric, &vectors, &query);
            for (rank, hit) in flat.hits.iter().enumerate() {
                let row = ids.iter().position(|&id| pagevec::Id::Number(id) == hit.id).unwrap();
                let best = oracle::kth(&scores, rank + 1);
                prop_assert!((scores[row] - best).abs() <= oracle::tolerance(best));
                prop_assert!((f64::from(hit.score) - scores[row]).abs() <= oracle::tolerance(best));
            }
        }
        let mut remote = Remote::open(&file, least_budget(&file) + spare).unwrap();
        let paged = remote.search(&query, &o).unwrap().0;
        let same = index.search(&query, &o.clone().index(support::same_way(&paged))).unwrap();
        prop_assert_eq!(hits(&paged), hits(&same));
        if clusters && n > 0 {
            // All lists, all candidates: every row is ranked by its finest form, so nothing can be missed.
            let all = o.clone().index(IndexChoice::Clusters).probes(n).rescore(n).k(n);
            let answer = index.search(&query, &all).unwrap();
            oracle::well_formed(&answer, n, n);
            prop_assert_eq!(hits(&remote.search(&query, &all).unwrap().0), hits(&answer));
        }
    }
}
