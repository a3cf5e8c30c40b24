//! [`ClusteredIndex`]: full-precision vectors, in memory or mapped, that are found by clusters. It is a segment with
//! f32 rows and without a graph.

use std::path::Path;

use super::wait::{PATIENCE, wait};
use crate::build::{BuildOptions, build};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::index::{Index, OpenOptions, OpenPart};
use crate::metric::Metric;
use crate::quant::CodecKind;
use crate::search::{Answer, IndexChoice, SearchOptions};
use crate::segment::SectionKind;
use crate::storage::{Expected, Extent, FsDir, Mapped, PinnedMmap, Publication, Read, Source};

/// A clustered index over full-precision vectors, searched from any number of threads.
///
/// It starts in memory. [`ClusteredIndex::use_mmap_storage`] moves vectors and lists of short codes to a file. The tree
/// and its centroids, which every search reads, stay in memory. The file is a segment like any other:
/// [`ClusteredIndex::open`] and [`Index::open`] open it again.
///
/// Ids are the numbers of the rows in the order in which they were given: 0, 1, 2, …
pub struct ClusteredIndex {
    index: Index,
    memory: u64,
    mapped: bool,
}

impl ClusteredIndex {
    /// Clusters `vectors` (row-major, `dim` wide): leaves of about `max_leaf_size` rows, about `branching_factor`
    /// leaves in a cell, `max_iterations` rounds of k-means over all rows.
    ///
    /// # Errors
    /// Those of [`build()`].
    pub fn build(
        vectors: Vec<f32>,
        dim: usize,
        branching_factor: usize,
        max_leaf_size: usize,
        metric: Metric,
        max_iterations: usize,
    ) -> Result<Self, Error> {
        let options = BuildOptions::new(metric)
            .codec(CodecKind::F32)
            .graph(false)
            .branching_factor(branching_factor)
            .max_leaf_size(max_leaf_size)
            .max_iterations(max_iterations);
        let file = build(vectors, dim, None, &options, &Ctx::default())?;
        let index = Index::from_bytes(&file)?;
        let memory = index.info().file_length + index.info().memory_to_open;
        Ok(ClusteredIndex { index, memory, mapped: false })
    }

    /// Maps a file that [`ClusteredIndex::use_mmap_storage`] wrote, or any segment with clusters.
    ///
    /// # Errors
    /// `io`; `length` if the file is shorter or longer than its header says; `checksum` if tree or lists are damaged;
    /// `argument` if the segment has no clusters; those of
    /// [`Segment::open`](crate::Segment::open).
    pub fn open(path: &Path) -> Result<Self, Error> {
        let map = Mapped::open(path)?;
        let length = map.length();
        let segment = OpenPart::segment_of(&map, length)?;
        if segment.clusters.is_none() && segment.count() > 0 {
            return Err(Error::argument("path", "this segment has no clusters: rebuild it with them"));
        }
        let read = [SectionKind::Leaves, SectionKind::Lists].map(|kind| segment.extent(kind));
        let read: Vec<Extent> = read.into_iter().flatten().filter(|e| e.length > 0).collect();
        map.prefetch(&mut read.iter().copied());
        let held = PinnedMmap::new(map, read.get(..1).unwrap_or_default())?;
        for extent in read {
            segment
                .check(Read { extent, expected: Expected::Blocks }, held.get(extent).unwrap_or_default())?;
        }
        let memory = held.bytes() + segment.header.front_length;
        let mut part = OpenPart::whole(Box::new(held), length);
        part.path = Some(path.to_owned());
        let index = Index::from_parts(vec![part], &OpenOptions::new())?;
        Ok(ClusteredIndex { index, memory, mapped: true })
    }

    /// Writes the index to `path` (to a temporary file, synced and renamed), maps the vectors, and frees theirs in
    /// memory. After an error the index is still in memory and works. If several writers write one path, the file of
    /// the last one stays, and each writer maps a complete file. A process that is killed meanwhile leaves its
    /// temporary file, `<name>.….tmp`.
    ///
    /// # Errors
    /// `argument` if the vectors are mapped already; `io`.
    pub fn use_mmap_storage(&mut self, path: &Path) -> Result<(), Error> {
        match self.index.file().filter(|_| !self.mapped) {
            Some(file) => {
                let mut publication = Publication::replace(path, file);
                wait(path, PATIENCE, || publication.step(&FsDir))?;
                *self = ClusteredIndex::open(path)?;
                Ok(())
            }
            None => {
                let there = self.index.path().unwrap_or(Path::new("a file")).display();
                let detail = format!("the vectors are mapped already, from {there}: an index is moved once");
                Err(Error::argument("path", detail))
            }
        }
    }

    /// The `k` vectors nearest to `query`. `probes` lists are scanned, and the rows of at most `k · rerank_factor`
    /// candidates are read ([`SearchOptions::rescore`] is that product). `None` uses the calibrated number of lists,
    /// and a factor of 12.
    ///
    /// # Errors
    /// `argument`, `dimension`, `not-finite`, `zero-vector`.
    pub fn search(
        &self,
        query: &[f32],
        k: usize,
        probes: Option<usize>,
        rerank_factor: Option<usize>,
    ) -> Result<Answer, Error> {
        self.index.search(query, &options(k, probes, rerank_factor))
    }

    /// [`ClusteredIndex::search`] for each of `queries` (row-major), in parallel.
    ///
    /// # Errors
    /// As there.
    pub fn search_batch(
        &self,
        queries: &[f32],
        k: usize,
        probes: Option<usize>,
        rerank_factor: Option<usize>,
    ) -> Result<Vec<Answer>, Error> {
        self.index.search_batch(queries, &options(k, probes, rerank_factor))
    }

    /// Bytes of memory that the index owns: the whole file, or the part of it that is not mapped. A running search
    /// takes some kB more. Pages of the mapping belong to the system, which reclaims them when it needs memory.
    pub fn memory_usage_bytes(&self) -> u64 {
        self.memory
    }

    /// Whether the vectors are mapped.
    pub fn is_using_mmap(&self) -> bool {
        self.mapped
    }

    /// The index as any other segment: its facts, ids and vectors.
    pub fn index(&self) -> &Index {
        &self.index
    }
}

fn options(k: usize, probes: Option<usize>, rerank_factor: Option<usize>) -> SearchOptions {
    let rescore = rerank_factor.map(|factor| k.saturating_mul(factor));
    SearchOptions::new(k).index(IndexChoice::Clusters).probes(probes).rescore(rescore)
}
