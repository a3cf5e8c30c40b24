//! `auto` knows how much of a mapping memory holds.

mod changes;
mod ids;
mod merges;
mod plain;

use super::{Index, OpenOptions, OpenPart};
use crate::build::{BuildOptions, build};
use crate::ctx::Ctx;
use crate::search::{IndexChoice, SearchOptions};
use crate::storage::{Extent, SlotRoom, Source};

/// All of a file is here, but memory holds only so much of it at once.
struct Mapping(Vec<u8>, u64);

impl Source for Mapping {
    fn get(&self, e: Extent) -> Option<&[u8]> {
        self.0.get(e.offset as usize..e.end() as usize)
    }

    fn fits(&self, _section: Extent) -> bool {
        true
    }

    fn slots(&self, section: Extent) -> SlotRoom {
        SlotRoom { count: usize::MAX, bytes: section.length }
    }

    fn memory(&self) -> u64 {
        self.1
    }
}

#[test]
fn auto_leaves_a_graph_that_memory_does_not_hold() {
    let rows: Vec<f32> = (0..4000 * 256u64).map(|i| ((i * 7919 % 1013) as f32).sin()).collect();
    let query = rows[..256].to_vec();
    let options = BuildOptions::default().max_iterations(1).ef_construction(10).m(4);
    let file = build(rows, 256, None, &options, &Ctx::default()).unwrap();
    let searched = |memory: u64, index| {
        let opened = Index::from_parts(
            vec![OpenPart::whole(Box::new(Mapping(file.clone(), memory)), file.len() as u64)],
            &OpenOptions::new(),
        )
        .unwrap();
        let options = SearchOptions::default().index(index);
        opened.search(&query, &options).unwrap().stats.index
    };
    let sections = Index::from_bytes(&file).unwrap().info().sections.clone();
    let walked: u64 =
        sections.iter().filter(|s| ["codes", "graph"].contains(&s.name)).map(|s| s.length).sum();
    assert!(walked > 1 << 20, "{walked} bytes would be brought whole");
    for (memory, auto) in [(u64::MAX, "hnsw"), (walked, "hnsw"), (walked - 1, "clusters")] {
        assert_eq!(searched(memory, IndexChoice::Auto), auto, "{memory} of {walked} bytes");
        assert_eq!(searched(memory, IndexChoice::Hnsw), "hnsw");
    }
}
