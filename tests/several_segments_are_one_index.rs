//! Several segments answer as one index of all their rows: by score, then by segment, then by position.

mod support;

use pagevec::{
    Answer, BuildOptions, CodecKind, Error, Id, Ids, IndexChoice, Metric, Operation, Outcome, PositionSet,
    RowPlace, SearchOptions, SessionOptions,
};
use support::data::{self, Random};
use support::paged::Remote;
use support::{code, file, oracle};

const DIM: usize = 24;
const PLENTY: u64 = 1 << 30;

/// Segments of rows, which have the numbers of the rows as ids.
struct Segments {
    rows: Vec<f32>,
    files: Vec<Vec<u8>>,
    /// The first row of each, and the number of all.
    starts: Vec<usize>,
}

impl Segments {
    fn of(counts: &[usize], metric: Metric, options: impl Fn(usize) -> BuildOptions, seed: u64) -> Self {
        let rows = data::clustered(counts.iter().sum(), DIM, seed);
        let mut starts = vec![0];
        counts.iter().for_each(|count| starts.push(starts[starts.len() - 1] + count));
        let build = |(number, run): (usize, &[usize])| {
            let ids = Ids::Numbers((run[0] as u64..run[1] as u64).collect());
            let mut options = options(number);
            options.metric = metric;
            file(&rows[run[0] * DIM..run[1] * DIM], DIM, Some(ids), &options)
        };
        let files = starts.windows(2).enumerate().map(build).collect();
        Segments { rows, files, starts }
    }

    fn count(&self) -> usize {
        self.rows.len() / DIM
    }

    fn remote(&self, dead: &[Option<PositionSet>], options: &SessionOptions) -> Result<Remote<'_>, Error> {
        let dead = |number: usize| dead.get(number).cloned().flatten();
        let segments: Vec<(&[u8], Option<PositionSet>)> =
            self.files.iter().enumerate().map(|(number, file)| (file.as_slice(), dead(number))).collect();
        Remote::of_segments(&segments, options)
    }

    fn open(&self) -> Remote<'_> {
        self.remote(&[], &SessionOptions::new(PLENTY)).expect("there is room")
    }
}

fn find(remote: &mut Remote<'_>, id: u64) -> Option<RowPlace> {
    match remote.run(Operation::Find(Id::Number(id))).expect("the file is whole").0 {
        Outcome::Row(row) => row,
        other => panic!("{other:?}"),
    }
}

fn ids(answer: &Answer) -> Vec<usize> {
    answer.hits.iter().map(|hit| oracle::row(&hit.id)).collect()
}

fn f32_flat(_: usize) -> BuildOptions {
    support::plain(Metric::L2, CodecKind::F32).graph(false)
}

#[test]
fn a_scan_of_all_is_exact_whatever_their_sizes() {
    for metric in support::METRICS {
        for counts in [vec![300, 0, 1, 7, 500], vec![0, 40], vec![1, 1, 1], vec![0, 0]] {
            let segments = Segments::of(&counts, metric, f32_flat, 301);
            let mut remote = segments.open();
            for query in data::queries(&data::clustered(50, DIM, 302), DIM, 20, 303) {
                let scores = oracle::scores(metric, &segments.rows, &query);
                for k in [1, 10, 1000] {
                    let (answer, _) = remote.search(&query, &SearchOptions::new(k)).unwrap();
                    oracle::well_formed(&answer, k, segments.count());
                    let all = k.min(segments.count());
                    let found = if all > 0 { oracle::found(&answer, &scores, k) } else { 0 };
                    assert_eq!(found, all, "{metric:?} {counts:?}");
                    for hit in &answer.hits {
                        let start = segments.starts[hit.segment as usize];
                        assert!(
                            (start..segments.starts[hit.segment as usize + 1])
                                .contains(&oracle::row(&hit.id))
                        );
                    }
                    assert_eq!(answer.segments.len(), counts.len());
                    let distances: u64 = answer.segments.iter().map(|segment| segment.distances).sum();
                    assert_eq!(distances, answer.stats.distances);
                }
            }
        }
    }
}

#[test]
fn equal_scores_go_to_the_earlier_segment_then_the_lower_position() {
    let row = data::clustered(1, DIM, 304);
    let copies = |count| row.repeat(count);
    let of = |ids: std::ops::Range<u64>| {
        file(&copies(ids.clone().count()), DIM, Some(Ids::Numbers(ids.collect())), &f32_flat(0))
    };
    let files = [of(0..3), of(3..4), of(4..9)];
    let segments: Vec<_> = files.iter().map(|file| (file.as_slice(), None)).collect();
    let mut remote = Remote::of_segments(&segments, &SessionOptions::new(PLENTY)).unwrap();
    for k in 1..10 {
        let (answer, _) = remote.search(&row, &SearchOptions::new(k)).unwrap();
        let places: Vec<_> = answer.hits.iter().map(|hit| (hit.segment, hit.position)).collect();
        let all = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4)];
        assert_eq!(places, all[..k]);
    }
}

#[test]
fn every_route_finds_what_one_segment_would() {
    let ways = [
        (CodecKind::Sq8, IndexChoice::Hnsw),
        (CodecKind::Sq8, IndexChoice::Clusters),
        (CodecKind::Binary, IndexChoice::Clusters),
        (CodecKind::Binary, IndexChoice::Hnsw),
        (CodecKind::Sq4, IndexChoice::Flat),
        (CodecKind::Sq8, IndexChoice::Auto),
    ];
    for metric in [Metric::Cosine, Metric::L2] {
        for (codec, choice) in ways {
            let options = |_| BuildOptions::default().codec(codec).ef_construction(60);
            let counts = [700, 40, 400, 1, 900];
            let several = Segments::of(&counts, metric, options, 305);
            let one = Segments::of(&[several.count()], metric, options, 305);
            let (mut found, mut rescored) = ([0; 2], [0; 2]);
            let queries = data::queries(&several.rows, DIM, 60, 306);
            for query in &queries {
                let scores = oracle::scores(metric, &several.rows, query);
                for (at, segments) in [&several, &one].into_iter().enumerate() {
                    let (answer, _) =
                        segments.open().search(query, &SearchOptions::default().index(choice)).unwrap();
                    found[at] += oracle::found(&answer, &scores, 10);
                    rescored[at] += answer.stats.rescored;
                }
            }
            let recall = found.map(|found| found as f64 / (10 * queries.len()) as f64);
            eprintln!("{metric:?} {codec:?} {choice:?}: recall@10 {recall:.3?}, rescored {rescored:?}");
            assert!(recall[0] >= recall[1].min(0.96) - 0.01, "{metric:?} {codec:?} {choice:?}: {recall:?}");
        }
    }
}

#[test]
fn dead_rows_are_gone_from_every_call() {
    let counts = [600, 300, 50];
    for choice in [IndexChoice::Auto, IndexChoice::Flat, IndexChoice::Hnsw, IndexChoice::Clusters] {
        let segments = Segments::of(&counts, Metric::Cosine, |_| BuildOptions::default(), 307);
        let mut open = segments.open();
        let mut random = Random(308);
        let gone: Vec<u64> = (0..200).map(|_| random.below(segments.count()) as u64).collect();
        let places: Vec<RowPlace> = gone.iter().map(|&id| find(&mut open, id).unwrap()).collect();
        let dead: Vec<_> = (0..counts.len())
            .map(|number| {
                let of = places.iter().filter(|place| place.segment as usize == number);
                Some(PositionSet::from_positions(counts[number], of.map(|place| place.position)).unwrap())
            })
            .collect();
        let mut remote = segments.remote(&dead, &SessionOptions::new(PLENTY)).unwrap();
        let left = segments.count() - gone.iter().collect::<std::collections::HashSet<_>>().len();
        let alive: usize = remote.session.segments().map(|(_, _, alive)| alive).sum();
        assert_eq!(alive, left);
        for &id in &gone[..20] {
            assert_eq!(find(&mut remote, id), None);
            let unknown = remote.run(Operation::Vector(Id::Number(id))).map(|_| ());
            assert_eq!(code(&unknown), "unknown-id");
            let exclude = SearchOptions::default().exclude(vec![Id::Number(id)]);
            let query = segments.rows[id as usize * DIM..][..DIM].to_vec();
            assert_eq!(code(&remote.search(&query, &exclude)), "unknown-id");
            let options = SearchOptions::new(1000).index(choice);
            let (answer, _) = remote.search(&query, &options).unwrap();
            let found = ids(&answer);
            assert_eq!(found.len(), left, "{choice:?}");
            assert!(found.iter().all(|&found| !gone.contains(&(found as u64))), "{choice:?}");
        }
    }
}

#[test]
fn rows_and_sets_are_found_in_whatever_segment_they_are() {
    let segments = Segments::of(&[300, 200, 100], Metric::Cosine, |_| BuildOptions::default(), 309);
    let mut remote = segments.open();
    for id in [0, 299, 300, 499, 500, 599] {
        let place = find(&mut remote, id).unwrap();
        let number = segments.starts.partition_point(|&start| start <= id as usize) - 1;
        assert_eq!(place.segment as usize, number);
        let Outcome::Answers(similar) = remote
            .run(Operation::Similar { id: Id::Number(id), options: SearchOptions::default() })
            .unwrap()
            .0
        else {
            panic!("no answers")
        };
        assert!(!ids(&similar[0]).contains(&(id as usize)));
        assert_eq!(similar[0].hits.len(), 10);
        let query = &segments.rows[id as usize * DIM..][..DIM];
        let among: Vec<Id> = [5, 290, 310, 450, 520, id].map(Id::Number).to_vec();
        let options = SearchOptions::new(4).among(among.clone()).exclude(vec![Id::Number(id)]);
        let (answer, _) = remote.search(query, &options).unwrap();
        let scores = oracle::scores(Metric::Cosine, &segments.rows, query);
        let mut wanted: Vec<usize> = vec![5, 290, 310, 450, 520];
        wanted.retain(|&row| row as u64 != id);
        wanted.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        assert_eq!(ids(&answer), wanted[..4]);
        // Looked up once, for many searches.
        let Outcome::Selected(selected) = remote.run(Operation::Select(options)).unwrap().0 else { panic!() };
        assert_eq!(remote.search(query, &selected).unwrap().0.hits, answer.hits);
    }
    assert_eq!(find(&mut remote, 600), None);
}

#[test]
fn twenty_segments_fit_where_one_does() {
    let options = |_| BuildOptions::default().codec(CodecKind::Binary);
    let several = Segments::of(&[200; 20], Metric::Cosine, options, 310);
    let one = Segments::of(&[4000], Metric::Cosine, options, 310);
    let least = |segments: &Segments| match segments.remote(&[], &SessionOptions::new(0)).err() {
        Some(Error::Budget { needed, .. }) => needed,
        other => panic!("{other:?}"),
    };
    let [few, all] = [&one, &several].map(least);
    let fronts = |segments: &Segments| {
        let remote = segments.open();
        let fronts = remote.session.segments().map(|(segment, ..)| segment.info().memory_to_open);
        fronts.sum::<u64>()
    };
    let more = fronts(&several) - fronts(&one);
    eprintln!("at least {few} bytes for one segment, {all} for twenty, of which {more} are longer fronts");
    assert!(all <= few + more + 16_000, "{all} bytes instead of {few} + {more}");
    let mut tight = several.remote(&[], &SessionOptions::new(all)).unwrap();
    let mut plenty = several.open();
    let mut waves = [0, 0];
    for query in data::queries(&several.rows, DIM, 40, 311) {
        for choice in [IndexChoice::Clusters, IndexChoice::Flat] {
            let o = SearchOptions::default().index(choice);
            let (tight, plenty) = (tight.search(&query, &o), plenty.search(&query, &o).unwrap());
            if choice == IndexChoice::Flat && code(&tight) == "argument" {
                continue;
            }
            let tight = tight.unwrap();
            assert_eq!(tight.0.hits, plenty.0.hits, "{choice:?}");
            waves = [waves[0].max(tight.1.waves), waves[1].max(plenty.1.waves)];
        }
    }
    eprintln!("at most {waves:?} waves in the least budget and in plenty");
    assert!(waves[1] <= 3, "{waves:?}");
}

#[test]
fn segments_that_do_not_belong_together_are_refused() {
    let rows = data::clustered(20, DIM, 312);
    let with = |metric, ids| file(&rows, DIM, ids, &support::options(metric, CodecKind::Sq8));
    let first = with(Metric::Cosine, None);
    let others = [
        file(&rows, DIM / 2, None, &BuildOptions::default()),
        with(Metric::L2, None),
        with(Metric::Cosine, Some(support::texts(20))),
    ];
    for other in &others {
        let segments = [(first.as_slice(), None), (other.as_slice(), None)];
        let opened = Remote::of_segments(&segments, &SessionOptions::new(PLENTY)).map(|_| ());
        assert_eq!(code(&opened), "argument");
    }
    assert_eq!(code(&Remote::of_segments(&[], &SessionOptions::new(PLENTY)).map(|_| ())), "argument");
    let dead = PositionSet::from_positions(19, [3]).unwrap();
    let opened = Remote::of_segments(&[(&first, Some(dead))], &SessionOptions::new(PLENTY)).map(|_| ());
    assert_eq!(code(&opened), "corrupt");
}
