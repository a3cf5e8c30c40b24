//! The recall that is asked of the clustered index holds for one hit and for a thousand: 20,000 real rows and their text
//! queries, which calibration did not see.

mod support;

use pagevec::{BuildOptions, Index, IndexChoice, Metric};
use support::odd::Case;
use support::{file, npy};

/// Below the recall that was asked for.
const SLACK: f64 = 0.02;

#[test]
fn from_one_hit_to_a_thousand() {
    let Some(folder) = npy::folder() else {
        eprintln!("SKIPPED: PAGEVEC_DATA is not set");
        return;
    };
    let (rows, dim) = npy::f16(&folder.join("base.f16.npy"), 20_000);
    let (queries, _) = npy::f16(&folder.join("queries.f16.npy"), 150);
    let queries = queries.chunks_exact(dim).map(<[f32]>::to_vec).collect();
    let case = Case { name: "wordnet".to_owned(), metric: Metric::Cosine, dim, rows, queries };
    let options = BuildOptions::default().graph(false);
    let bytes = file(&case.rows, dim, None, &options);
    let index = Index::from_bytes(&bytes).expect("a file just built opens");
    let truth = case.truth();
    let mut low = Vec::new();
    for k in [1, 5, 10, 30, 100, 300, 1000] {
        for asked in [0.9f32, 0.95] {
            let o = support::top(k).index(IndexChoice::Clusters).recall(asked);
            let m = case.measure_by(&truth, &index, k, &o);
            eprintln!(
                "k {k} asked {asked}: {:.3}, worst tenth {:.3}, {:.0} scored, {:.0} read",
                m.mean, m.worst_tenth, m.distances, m.rescored
            );
            if m.mean < f64::from(asked) - SLACK {
                low.push((k, asked, m.mean));
            }
        }
    }
    assert!(low.is_empty(), "{low:?}");
}
