//! Links layer 0, which holds nearly all links. Candidates come from the clusters, not from a search of the graph. Each
//! distinct row links to the best of the rows near it, reverse links are added, copies are linked as trees, and nodes
//! that no link leads to are connected. Parallel tasks write disjoint ranges and never read each other's output, so the
//! result does not depend on threads.

use super::copies::Copies;
use super::prune::{best, nearer, prune};
use crate::build::clusters::ListKnn;
use crate::build::row_distances::{FromRow, RowDistances};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::search::hnsw::{Beam, Local};
use crate::segment::Graph;
use crate::sort;

/// Rows per task.
const TASK: usize = 1024;
/// Tasks between two checks for cancellation.
const TASKS: usize = 32;
/// Nodes near an unreachable one that are tried for a link to it.
const MAX_HOSTS: usize = 32;
/// Rounds in which unreachable nodes are connected to near ones: each connected node may have free slots for others.
const ROUNDS: usize = 4;
/// A link leaves a dense group if its squared distance is more than so many times that of every other link.
const CLUMP: f32 = 4.0;
/// The parent of a node that is not reachable.
const NONE: u32 = u32::MAX;

/// Links layer 0 of a graph whose upper layers are linked.
pub(crate) fn link(
    near: &ListKnn<'_>,
    copies: &Copies,
    graph: &mut Graph,
    ef_construction: usize,
    ctx: &Ctx<'_>,
) -> Result<(), Error> {
    let (count, m) = (near.rows.count(), graph.m);
    let slots = 2 * m;
    let block = TASK * TASKS;
    for (at, links) in graph.base.chunks_mut(block * slots).enumerate() {
        ctx.tick("graph", at * block, count)?;
        exec::for_each_chunk_mut(links, TASK * slots, |task, links| {
            let first = at * block + task * TASK;
            let rows = first as u32..(first + links.len() / slots) as u32;
            let of: Vec<u32> = rows.filter(|&row| copies.is_first(row)).collect();
            for (mut candidates, &row) in near.of(&of, ef_construction).into_iter().zip(&of) {
                prune(near.rows, &mut candidates, m);
                let links = &mut links[(row as usize - first) * slots..][..slots];
                links.iter_mut().zip(candidates).for_each(|(link, near)| *link = near.1);
            }
        });
    }
    add_reverse_links(near.rows, copies, &mut graph.base, slots);
    copies.link(near, graph, ef_construction);
    fill_with_long_links(near.rows, graph);
    connect_unreachable(near, graph, ef_construction)?;
    ctx.tick("graph", count, count)
}

/// Adds to every node links to the nodes that link to it; if they are too many, the best are kept.
fn add_reverse_links(rows: &RowDistances<'_>, copies: &Copies, base: &mut [u32], slots: usize) {
    let own = |base: &[u32], node: usize| {
        let links = &base[node * slots..][..slots];
        links.iter().position(|&link| link as usize == node).unwrap_or(slots)
    };
    // `back[starts[i]..starts[i + 1]]` are the nodes that link to i, ascending.
    let count = base.len() / slots;
    let mut starts = vec![0usize; count + 2];
    let lengths: Vec<usize> = (0..count).map(|node| own(base, node)).collect();
    let links = |node: usize| &base[node * slots..][..lengths[node]];
    (0..count).flat_map(links).for_each(|&link| starts[link as usize + 2] += 1);
    (2..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
    let mut back = vec![0u32; starts[count + 1]];
    for node in 0..count {
        for &link in links(node) {
            let next = &mut starts[link as usize + 1];
            back[*next] = node as u32;
            *next += 1;
        }
    }
    exec::for_each_chunk_mut(base, TASK * slots, |task, base| {
        for (at, links) in base.chunks_exact_mut(slots).enumerate() {
            let node = task * TASK + at;
            let back = &back[starts[node]..starts[node + 1]];
            let length = lengths[node];
            let linked = |from: &&u32| links[..length].contains(from);
            let mut new: Vec<u32> = back.iter().filter(|from| !linked(from)).copied().collect();
            // One slot is left for a copy.
            let slots = slots - usize::from(copies.has_others(node as u32));
            if length + new.len() <= slots {
                links[length..].iter_mut().zip(&new).for_each(|(link, &from)| *link = from);
                continue;
            }
            new.extend_from_slice(&links[..length]);
            links.fill(node as u32);
            let best = best(rows, node as u32, new, slots);
            links.iter_mut().zip(best).for_each(|(link, near)| *link = near);
        }
    });
}

/// Copies the links of layer 1 into layer 0, so that a search that ended in the wrong region can leave it. They fill
/// free slots, farthest first. If all own links stay within a dense group, they also replace the farthest of these.
fn fill_with_long_links(rows: &RowDistances<'_>, graph: &mut Graph) {
    for node in graph.upper.clone() {
        let links = |graph: &mut Graph, layer| -> Vec<(f32, u32)> {
            let links = graph.links_mut(layer, node).iter().copied().filter(|&l| l != node);
            rows.with_distances(node, links.collect())
        };
        let mut near = links(graph, 0);
        let mut far = links(graph, 1);
        far.retain(|f| near.iter().all(|n| n.1 != f.1));
        let room = 2 * graph.m - near.len();
        let clump = near.iter().fold(0.0f32, |most, n| most.max(n.0));
        let leaves = |f: &&(f32, u32)| rows.are_squares() && f.0 > CLUMP * clump;
        let away: Vec<(f32, u32)> = far.iter().filter(leaves).take(graph.m / 2).copied().collect();
        if away.len() > room {
            sort::by(&mut near, nearer);
            near.truncate(2 * graph.m - away.len());
            near.extend(away);
        } else {
            near.extend(far.iter().rev().take(room));
        }
        graph.links_mut(0, node).iter_mut().zip(near).for_each(|(slot, link)| *slot = link.1);
    }
}

/// Makes every node reachable from the entry within layer 0, by a link from a node near it. `parents` is a spanning
/// tree of the reachable nodes; only links that are not edges of it are replaced, so reachable nodes stay reachable.
///
/// A link is replaced only if no near node has a free slot: under dot most rows are unreachable at first, since long
/// rows are nearest to all, and replacing the links of these would harm all searches.
fn connect_unreachable(near: &ListKnn<'_>, graph: &mut Graph, count: usize) -> Result<(), Error> {
    let mut parents = vec![NONE; near.rows.count()];
    if let Some(parent) = parents.get_mut(graph.entry as usize) {
        *parent = graph.entry;
        mark_reachable(graph, graph.entry, &mut parents);
    }
    for _ in 0..ROUNDS {
        if !connect_some(near, graph, &mut parents, count) {
            break;
        }
    }
    let mut beam = Beam::default();
    for node in 0..parents.len() as u32 {
        if parents[node as usize] != NONE {
            continue;
        }
        beam.begin(MAX_HOSTS);
        beam.search(&mut Local { graph: graph.view(), to: FromRow { rows: near.rows, row: node } }, None)?;
        let hosts = graph.links_mut(0, node).to_vec().into_iter().chain(beam.pool.iter().map(|near| near.1));
        // A tree has fewer edges than nodes, so some node has a link that can be replaced.
        for host in hosts.chain(0..parents.len() as u32) {
            if parents[host as usize] != NONE
                && (add_link(graph, host, node) || replace_link(graph, &parents, host, node))
            {
                attach(graph, &mut parents, host, node);
                break;
            }
        }
    }
    Ok(())
}

/// Links unreachable nodes from near nodes; returns whether any was linked.
fn connect_some(near: &ListKnn<'_>, graph: &mut Graph, parents: &mut [u32], count: usize) -> bool {
    let mut any = false;
    let unreached: Vec<u32> =
        (0..parents.len() as u32).filter(|&node| parents[node as usize] == NONE).collect();
    for unreached in unreached.chunks(TASK * TASKS) {
        let unreached: Vec<u32> =
            unreached.iter().copied().filter(|&node| parents[node as usize] == NONE).collect();
        let found = exec::map_chunks(unreached.len(), TASK, |range| near.of(&unreached[range], count));
        for (&node, candidates) in unreached.iter().zip(found.iter().flatten()) {
            if parents[node as usize] != NONE {
                continue;
            }
            let reached = |near: &&(f32, u32)| parents[near.1 as usize] != NONE;
            let hosts: Vec<(f32, u32)> = candidates.iter().filter(reached).copied().collect();
            let Some(&(distance, nearest)) = hosts.first() else { continue };
            // A search that ends in the nearest dense group reads the links of only this group's rows.
            let limit = if near.rows.are_squares() { CLUMP * distance } else { f32::INFINITY };
            let mut within = hosts.iter().take_while(|host| host.0 <= limit).map(|host| host.1);
            let host = match within.find(|&host| add_link(graph, host, node)) {
                None if replace_link(graph, parents, nearest, node) => Some(nearest),
                found => found
                    .or_else(|| hosts.iter().map(|host| host.1).find(|&host| add_link(graph, host, node))),
            };
            if let Some(host) = host {
                attach(graph, parents, host, node);
                any = true;
            }
        }
    }
    any
}

/// Adds a node to the tree, below `host`, which links to it, and links it back.
fn attach(graph: &mut Graph, parents: &mut [u32], host: u32, node: u32) {
    parents[node as usize] = host;
    if !add_link(graph, node, host) {
        replace_link(graph, parents, node, host);
    }
    mark_reachable(graph, node, parents);
}

/// Adds a link if there is a free slot or the link is there already; returns whether it is there now.
fn add_link(graph: &mut Graph, from: u32, to: u32) -> bool {
    let links = graph.links_mut(0, from);
    let slot = links.iter().position(|&link| link == from || link == to);
    slot.map(|slot| links[slot] = to).is_some()
}

/// Replaces a link that is no edge of the tree; returns whether there was one.
fn replace_link(graph: &mut Graph, parents: &[u32], from: u32, to: u32) -> bool {
    let links = graph.links_mut(0, from);
    let slot = links.iter().rposition(|&link| parents[link as usize] != from);
    slot.map(|slot| links[slot] = to).is_some()
}

/// Adds to the tree all nodes that can be reached from `from`.
fn mark_reachable(graph: &Graph, from: u32, parents: &mut [u32]) {
    let view = graph.view();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for &link in view.slots(0, node) {
            if parents[link as usize] == NONE {
                parents[link as usize] = node;
                open.push(link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, NONE, connect_unreachable, mark_reachable};
    use crate::build::clusters::{self, EncodedRows, ListKnn, Shape};
    use crate::build::row_distances::RowDistances;
    use crate::ctx::Ctx;
    use crate::metric::Metric;
    use crate::quant::train_sq8;
    use crate::rows::Reader;

    #[test]
    fn every_node_is_joined_even_where_all_are_full() {
        let rows: Vec<f32> = (0..240u16).map(f32::from).collect();
        let shape = Shape { branching: 8, max_leaf: 8, max_iterations: 2, seed: 1 };
        let euclidean = train_sq8(Metric::Cosine, 2, &rows);
        let codes = RowDistances::euclidean(&euclidean, &rows);
        let points = EncodedRows { rows: Reader::memory(&rows, 2), codes: &codes, codec: &euclidean };
        let tree = clusters::cluster(points, shape, &Ctx::default()).unwrap();
        let rows: Vec<f32> = tree
            .order
            .iter()
            .flat_map(|&row| [f32::from(2 * row as u16), f32::from(2 * row as u16 + 1)])
            .collect();
        let codec = train_sq8(Metric::L2, 2, &rows);
        let codes = RowDistances::encode(&codec, Metric::L2, &rows);
        let near = ListKnn::new(&codes, &tree, &[], |_| true, |rows| codes.encode_alike(&codec, rows));
        // No links at all; then rings of five nodes that are full of one another.
        for links in [0u32, 4] {
            let mut graph = Graph::unlinked(2, 7, &[0; 120]);
            for node in 0..120u32 {
                let ring = (1..=links).map(|i| node / 5 * 5 + (node + i) % 5);
                graph.links_mut(0, node).iter_mut().zip(ring).for_each(|(link, to)| *link = to);
            }
            connect_unreachable(&near, &mut graph, 16).unwrap();
            let mut parents = vec![NONE; 120];
            mark_reachable(&graph, 7, &mut parents);
            assert!(parents.iter().all(|&parent| parent != NONE), "{links} links");
            graph.view().verify().unwrap();
        }
    }
}
