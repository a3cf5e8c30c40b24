//! Layer 0, which holds nearly all links: from the clusters, not from walks. Every row's neighbours are chosen among
//! the rows near it, links are made to go both ways, and what no link leads to is joined. Each step writes what others
//! of its kind do not read, so neither threads nor timing can show.

use super::beam::{self, Beam};
use super::build::{FromRow, Parameters};
use super::graph::Graph;
use super::prune::{best, prune};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::exec;
use crate::index::clusters::Near;
use crate::quant::coded::Coded;

/// Rows per task: those that look at the clusters together.
const TASK: usize = 1024;
/// Tasks between two questions whether to go on.
const TASKS: usize = 32;
/// Of the nodes a walk ends at, so many may take in one that no link leads to.
const HOSTS: usize = 32;
/// No parent: not reached.
const NONE: u32 = u32::MAX;

/// Links layer 0 of a graph that has the layers above.
pub(crate) fn link(near: &Near<'_>, graph: &mut Graph, p: Parameters, ctx: &Ctx<'_>) -> Result<(), Error> {
    let (count, slots) = (near.rows.count(), 2 * p.m);
    let block = TASK * TASKS;
    for (at, links) in graph.base.chunks_mut(block * slots).enumerate() {
        ctx.tick("graph", at * block, count)?;
        exec::for_each_chunk_mut(links, TASK * slots, |task, links| {
            let first = at * block + task * TASK;
            let rows = first as u32..(first + links.len() / slots) as u32;
            let found = near.of(rows, p.ef_construction);
            for (mut candidates, links) in found.into_iter().zip(links.chunks_exact_mut(slots)) {
                prune(near.rows, &mut candidates, p.m);
                links.iter_mut().zip(candidates).for_each(|(link, near)| *link = near.1);
            }
        });
    }
    both_ways(near.rows, &mut graph.base, slots);
    reach_far(graph);
    join(near.rows, graph)?;
    ctx.tick("graph", count, count)
}

/// Links every node back to those that link to it; where they are too many, to the best of them.
fn both_ways(rows: &Coded<'_>, base: &mut [u32], slots: usize) {
    let own = |base: &[u32], node: usize| {
        let links = &base[node * slots..][..slots];
        links.iter().position(|&link| link as usize == node).unwrap_or(slots)
    };
    // `back[starts[i]..starts[i + 1]]`: the nodes that link to i, rising.
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
        let mut new = Vec::new();
        for (at, links) in base.chunks_exact_mut(slots).enumerate() {
            let node = task * TASK + at;
            let back = &back[starts[node]..starts[node + 1]];
            let length = lengths[node];
            new.clear();
            new.extend(back.iter().filter(|from| !links[..length].contains(from)));
            if length + new.len() <= slots {
                links[length..].iter_mut().zip(&new).for_each(|(link, &from)| *link = from);
                continue;
            }
            new.extend_from_slice(&links[..length]);
            links.fill(node as u32);
            let best = best(rows, node as u32, &new, slots);
            links.iter_mut().zip(best).for_each(|(link, near)| *link = near);
        }
    });
}

/// Room that is left in layer 0 to nodes of layer 1 is for their links there, farthest first: a walk that ended among
/// the wrong rows gets away.
fn reach_far(graph: &mut Graph) {
    for node in graph.upper.clone() {
        let far: Vec<u32> = graph.links_mut(1, node).iter().copied().filter(|&link| link != node).collect();
        let links = graph.links_mut(0, node);
        let mut free = links.iter().position(|&link| link == node).unwrap_or(links.len());
        for link in far.into_iter().rev() {
            if free < links.len() && !links[..free].contains(&link) {
                links[free] = link;
                free += 1;
            }
        }
    }
}

/// Links to every node that layer 0 does not lead to from the entry, from one near it. A spanning tree is kept by which
/// every node is reached; links that are not of it give way to new ones, so what was reached stays so.
fn join(rows: &Coded<'_>, graph: &mut Graph) -> Result<(), Error> {
    let mut parents = vec![NONE; rows.count()];
    let mut beam = Beam::default();
    if let Some(parent) = parents.get_mut(graph.entry as usize) {
        *parent = graph.entry;
        flood(graph, graph.entry, &mut parents);
    }
    for node in 0..parents.len() as u32 {
        if parents[node as usize] != NONE {
            continue;
        }
        beam::search(&graph.view(), &mut FromRow { rows, row: node }, HOSTS, &mut beam)?;
        let near = graph.links_mut(0, node).to_vec().into_iter().chain(beam.pool.iter().map(|near| near.1));
        // A tree has fewer edges than nodes, so if none of these has room, another has.
        for host in near.chain(0..parents.len() as u32) {
            if parents[host as usize] != NONE && add(graph, &parents, host, node) {
                parents[node as usize] = host;
                break;
            }
        }
        add(graph, &parents, node, parents[node as usize]);
        flood(graph, node, &mut parents);
    }
    Ok(())
}

/// One link more, if there is room for it: a slot without a link, or with one that the tree does not need.
fn add(graph: &mut Graph, parents: &[u32], from: u32, to: u32) -> bool {
    let links = graph.links_mut(0, from);
    let free = |link: &u32| *link == from || parents[*link as usize] != from;
    let slot = links.iter().position(|link| *link == from).or_else(|| links.iter().rposition(free));
    match slot {
        Some(slot) if !links.contains(&to) => links[slot] = to,
        _ => return links.contains(&to),
    }
    true
}

/// Takes into the tree what layer 0 leads to.
fn flood(graph: &Graph, from: u32, parents: &mut [u32]) {
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
    use super::{Graph, NONE, flood, join};
    use crate::metric::Metric;
    use crate::quant::coded::Coded;
    use crate::quant::train_sq8;

    #[test]
    fn every_node_is_joined_even_where_all_are_full() {
        let rows: Vec<f32> = (0..240u16).map(f32::from).collect();
        let codec = train_sq8(Metric::L2, 2, &rows);
        let codes = Coded::encode(&codec, Metric::L2, &rows);
        // No links at all; then rings of five nodes that are full of one another.
        for links in [0u32, 4] {
            let mut graph = Graph::unlinked(2, 7, &[0; 120]);
            for node in 0..120u32 {
                let ring = (1..=links).map(|i| node / 5 * 5 + (node + i) % 5);
                graph.links_mut(0, node).iter_mut().zip(ring).for_each(|(link, to)| *link = to);
            }
            join(&codes, &mut graph).unwrap();
            let mut parents = vec![NONE; 120];
            flood(&graph, 7, &mut parents);
            assert!(parents.iter().all(|&parent| parent != NONE), "{links} links");
            graph.view().verify().unwrap();
        }
    }
}
