//! Links the layers above 0, in batches (prefix doubling, as in ParlayANN: Manohar et al., 2024). Each node of a batch
//! searches the graph as it was before the batch; then the links of all are added in one fixed order. So the result
//! does not depend on threads.

use super::copies::Copies;
use super::layer0;
use super::prune::{best, prune};
use crate::build::clusters::ListKnn;
use crate::build::row_distances::{FromRow, RowDistances};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::hash::hash;
use crate::search::hnsw::{Beam, Local};
use crate::segment::{Graph, GraphView};
use crate::sort;

/// The parameters of a graph.
#[derive(Clone, Copy)]
pub(crate) struct Parameters {
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) seed: u64,
}

const MAX_LEVEL: u8 = 16;
/// Rows per task: enough to share scratch, few enough to balance.
const TASK: usize = 16;

/// Builds the graph over the rows of `near`.
pub(crate) fn build(
    near: &ListKnn<'_>,
    copies: &Copies,
    p: Parameters,
    ctx: &Ctx<'_>,
) -> Result<Graph, Error> {
    let rows = near.rows;
    let count = rows.count();
    let drawn = |row: u32| level(hash(p.seed ^ hash(u64::from(row))), p.m);
    let level = |row| if copies.is_first(row) { drawn(row) } else { 0 };
    let levels: Vec<u8> = (0..count as u32).map(level).collect();
    // Nodes of the highest layers come first, so that the entry never changes. Within a layer the order is by a hash:
    // in cluster order, a batch would hold neighbours, which cannot be linked to each other within a batch.
    let mut sequence: Vec<u32> = (0..count as u32).collect();
    sort::by_key(&mut sequence, |&i| {
        (u8::MAX - levels[i as usize], !copies.is_first(i), hash(p.seed ^ !u64::from(i)), i)
    });
    let mut graph = Graph::unlinked(p.m, sequence.first().copied().unwrap_or(0), &levels);
    let upper = graph.upper.len();
    let mut done = 1.min(upper);
    while done < upper {
        ctx.tick("graph", 0, count)?;
        let size = done.min((upper / 50).max(1)).min(upper - done);
        let batch = &sequence[done..done + size];
        let view = graph.view();
        let found = exec::map_chunks(size, TASK, |range| {
            let mut beam = Beam::default();
            batch[range].iter().map(|&node| neighbours(rows, &view, node, p, &mut beam)).collect::<Vec<_>>()
        });
        link(rows, &mut graph, found.into_iter().flatten().collect::<Result<Vec<_>, _>>()?);
        done += size;
    }
    layer0::link(near, copies, &mut graph, p.ef_construction, ctx)?;
    Ok(graph)
}

/// The highest layer of a node: at least l with probability m^-l. Computed by integers, for the same result everywhere.
fn level(hash: u64, m: usize) -> u8 {
    let mut threshold = u64::MAX;
    for level in 0..MAX_LEVEL {
        threshold /= m.max(2) as u64;
        if hash > threshold {
            return level;
        }
    }
    MAX_LEVEL
}

/// A node and, for each layer, its links with their distances.
type Linked = (u32, Vec<Vec<(f32, u32)>>);

fn neighbours(
    rows: &RowDistances<'_>,
    g: &GraphView<'_>,
    node: u32,
    p: Parameters,
    beam: &mut Beam,
) -> Result<Linked, Error> {
    let mut nodes = Local { graph: *g, to: FromRow { rows, row: node } };
    let top = g.levels(node).min(g.top);
    beam.begin(p.ef_construction);
    let mut starts: Vec<u32> = beam.descend(&mut nodes, top)?.into_iter().collect();
    let mut layers = vec![Vec::new(); top + 1];
    for layer in (1..=top).rev() {
        beam.enter(&nodes, &starts);
        beam.layer(&mut nodes, layer, None)?;
        let mut candidates: Vec<(f32, u32)> = beam.pool.iter().filter(|&(_, n)| n != node).collect();
        starts.clear();
        starts.extend(candidates.iter().map(|c| c.1));
        prune(rows, &mut candidates, p.m);
        layers[layer] = candidates;
    }
    Ok((node, layers))
}

/// Writes the links of a batch, then the reverse links, sorted by (layer, target, distance, source), all of a target at
/// once.
fn link(rows: &RowDistances<'_>, graph: &mut Graph, batch: Vec<Linked>) {
    let mut back: Vec<(usize, u32, f32, u32)> = Vec::new();
    for (node, layers) in &batch {
        for (layer, found) in layers.iter().enumerate() {
            let links = graph.links_mut(layer, *node);
            links.iter_mut().zip(found).for_each(|(link, &(_, to))| *link = to);
            back.extend(found.iter().map(|&(distance, to)| (layer, to, distance, *node)));
        }
    }
    sort::by(&mut back, |a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3)));
    let targets: Vec<&[(usize, u32, f32, u32)]> = back.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).collect();
    let view = graph.view();
    let merged = exec::map_chunks(targets.len(), TASK, |range| {
        targets[range].iter().map(|target| merge(rows, &view, target)).collect::<Vec<_>>()
    });
    for (target, links) in targets.iter().zip(merged.into_iter().flatten()) {
        let (layer, node) = (target[0].0, target[0].1);
        let slots = graph.links_mut(layer, node);
        slots.fill(node);
        slots.iter_mut().zip(links).for_each(|(slot, link)| *slot = link);
    }
}

/// A node's links together with the new ones; pruned only if they are too many.
fn merge(rows: &RowDistances<'_>, g: &GraphView<'_>, target: &[(usize, u32, f32, u32)]) -> Vec<u32> {
    let (layer, node) = (target[0].0, target[0].1);
    let links = g.slots(layer, node);
    let mut all: Vec<u32> = links.iter().copied().filter(|&l| l != node).collect();
    all.extend(target.iter().map(|t| t.3));
    if all.len() <= links.len() { all } else { best(rows, node, all, links.len()).collect() }
}
