//! Which segments are merged next: a pure choice. Size-tiered: segments of about one size are merged when there are several, so a
//! row is built into few segments, one after another, and a search sees few.

/// What the choice looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Rows, dead ones too.
    pub(crate) rows: usize,
    /// Rows that are not dead.
    pub(crate) live: usize,
    /// Whether a merge has made it, so that it has a graph.
    pub(crate) merged: bool,
}

/// So many flushed segments are merged, or so many rows of them: few, so that others can be flushed meanwhile before writes
/// must wait.
const FLUSHED: usize = 2;
const FLUSHED_ROWS: usize = 32_768;
/// So many merged segments of one tier are merged, and a tier is by so much larger than the one below.
const FAN_IN: usize = 8;
/// Rows of the lowest tier.
const LOWEST: usize = 16_384;
/// A segment is written anew when this part of its rows, in hundredths, and so many of them are dead.
const DEAD: (usize, usize) = (20, 1000);

/// The numbers of the segments to merge into one of at most `most` rows; empty: nothing is due. Where the writer is `idle`, also
/// one flushed segment gets its graph.
pub(crate) fn due(segments: &[Facts], most: usize, idle: bool) -> Vec<usize> {
    let of = |wanted: &dyn Fn(&Facts) -> bool| -> Vec<usize> {
        (0..segments.len()).filter(|&at| wanted(&segments[at])).collect()
    };
    let flushed = of(&|facts| !facts.merged);
    let rows: usize = flushed.iter().map(|&at| segments[at].live).sum();
    if flushed.len() >= FLUSHED || rows >= FLUSHED_ROWS || (idle && !flushed.is_empty()) {
        return fitting(segments, flushed, most);
    }
    if let Some(at) = segments.iter().position(|facts| facts.merged && is_dead(facts)) {
        return vec![at];
    }
    let top = segments.iter().filter(|facts| facts.merged).map(|facts| tier(facts.live)).max().unwrap_or(0);
    for tier_of in 0..=top {
        let alike = fitting(segments, of(&|facts| facts.merged && tier(facts.live) == tier_of), most);
        if alike.len() >= FAN_IN {
            return alike;
        }
    }
    Vec::new()
}

/// The numbers of the segments to merge where all that can be is wanted.
pub(crate) fn all(segments: &[Facts], most: usize) -> Vec<usize> {
    let needs = |facts: &Facts| !facts.merged || facts.live < facts.rows;
    let mut smallest: Vec<usize> = (0..segments.len()).collect();
    crate::sort::by_key(&mut smallest, |&at| (segments[at].live, at));
    let together = fitting(segments, smallest, most);
    match together.as_slice() {
        [_, _, ..] => together,
        _ => (0..segments.len()).find(|&at| needs(&segments[at])).into_iter().collect(),
    }
}

/// Whether so many rows are dead that the segment is written anew.
fn is_dead(facts: &Facts) -> bool {
    let dead = facts.rows - facts.live;
    dead >= DEAD.1 && dead * 100 >= facts.rows * DEAD.0
}

fn tier(live: usize) -> usize {
    (live / LOWEST).max(1).ilog(FAN_IN) as usize
}

/// The first of these that fit into one segment.
fn fitting(segments: &[Facts], numbers: Vec<usize>, most: usize) -> Vec<usize> {
    let mut rows = 0;
    numbers
        .into_iter()
        .enumerate()
        .take_while(|&(count, at)| {
            rows += segments[at].live;
            count == 0 || rows <= most
        })
        .map(|(_, at)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flushed(live: usize) -> Facts {
        Facts { rows: live, live, merged: false }
    }

    fn merged(rows: usize, live: usize) -> Facts {
        Facts { rows, live, merged: true }
    }

    #[test]
    fn each_case_has_its_merge() {
        let most = 1 << 20;
        let table: [(&str, Vec<Facts>, &[usize]); 9] = [
            ("nothing", vec![], &[]),
            ("one flushed waits", vec![flushed(16_384)], &[]),
            ("unless it is large", vec![flushed(40_000)], &[0]),
            ("two do not", vec![merged(65_536, 65_536), flushed(9), flushed(9)], &[1, 2]),
            ("more are merged at once", vec![flushed(16_384); 6], &[0, 1, 2, 3, 4, 5]),
            ("a fifth is dead", vec![merged(10_000, 9000), merged(10_000, 8000)], &[1]),
            ("a fifth of few", vec![merged(100, 10)], &[]),
            ("seven of a tier", vec![merged(65_536, 65_536); 7], &[]),
            ("eight", vec![merged(65_536, 65_536); 8], &[0, 1, 2, 3, 4, 5, 6, 7]),
        ];
        for (case, segments, expected) in table {
            assert_eq!(due(&segments, most, false), expected, "{case}");
        }
        assert_eq!(
            due(&[flushed(600_000); 4], most, false),
            [0],
            "what is too large for one segment is merged alone"
        );
        let waiting = [merged(65_536, 65_536), flushed(1024)];
        assert_eq!(due(&waiting, most, true), [1], "one waits, and nothing is written");
        assert!(due(&waiting[..1], most, true).is_empty(), "all have a graph");
    }

    #[test]
    fn compaction_ends() {
        for segments in [vec![flushed(5)], vec![merged(10, 9)], vec![merged(5, 5); 3], vec![flushed(7); 4]] {
            let mut left = segments.clone();
            let mut rounds = 0;
            loop {
                let chosen = all(&left, 20);
                if chosen.is_empty() {
                    break;
                }
                let live = chosen.iter().map(|&at| left[at].live).sum();
                left = (0..left.len()).filter(|at| !chosen.contains(at)).map(|at| left[at]).collect();
                left.push(merged(live, live));
                rounds += 1;
                assert!(rounds < 10, "{segments:?}");
            }
            assert!(left.iter().all(|facts| facts.merged && facts.live == facts.rows), "{segments:?}");
        }
    }

    /// A row is built into about as many segments as there are tiers.
    #[test]
    fn a_row_is_built_few_times() {
        let (mut segments, mut built, rows) = (Vec::new(), 0, 1 << 20);
        for _ in 0..rows / 16_384 {
            segments.push(flushed(16_384));
            while let chosen @ [_, ..] = due(&segments, rows, false).as_slice() {
                let live = chosen.iter().map(|&at| segments[at].live).sum();
                built += live;
                segments =
                    (0..segments.len()).filter(|at| !chosen.contains(at)).map(|at| segments[at]).collect();
                segments.push(merged(live, live));
            }
        }
        assert!(built as f64 / rows as f64 <= 3.0, "{built}");
        assert!(segments.len() <= 11, "{}", segments.len());
    }
}
