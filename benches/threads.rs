//! Measures searches per second with 1 to 8 threads over a remote file, each read of which waits: with the least
//! budget, where every search reads, and with one that holds the file, where none reads after the first.
//!
//! `cargo bench --bench threads -- [--wait MICROSECONDS] [--rows N]`

// A program prints.
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/support/data.rs"]
#[allow(dead_code)]
mod data;

use std::time::{Duration, Instant};

use pagevec::{BuildOptions, Ctx, Error, Extent, Index, IndexChoice, OpenOptions, ReadAt, SearchOptions};

const DIM: usize = 16;
const EACH: usize = 40;

struct Slow(Vec<u8>, Duration);

impl ReadAt for Slow {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, extent: Extent, into: &mut [u8]) -> Result<(), Error> {
        std::thread::sleep(self.1);
        into.copy_from_slice(&self.0[extent.offset as usize..extent.end() as usize]);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wait = Duration::from_micros(argument("--wait").map_or(Ok(300), |n| n.parse())?);
    let rows = data::clustered(argument("--rows").map_or(Ok(20_000), |n| n.parse())?, DIM, 1);
    let build = BuildOptions::default().graph(false).max_iterations(2);
    let file = pagevec::build(rows.clone(), DIM, None, &build, &Ctx::default())?;
    let queries = data::queries(&rows, DIM, 8 * EACH, 2);
    let over =
        |budget| Index::from_reader(Slow(file.clone(), wait), &OpenOptions::new().memory_budget(budget));
    let least = match over(0) {
        Err(Error::Budget { needed, .. }) => needed,
        _ => 0,
    };
    let options = SearchOptions::default().index(IndexChoice::Clusters);
    for budget in [least, file.len() as u64 * 2] {
        println!("budget {budget} of {} bytes, each read waits {wait:?}", file.len());
        for threads in [1, 2, 4, 8] {
            let index = over(budget)?;
            let started = Instant::now();
            std::thread::scope(|scope| {
                for queries in queries.chunks(EACH).take(threads) {
                    let (index, options) = (&index, &options);
                    scope.spawn(move || queries.iter().try_for_each(|q| index.search(q, options).map(drop)));
                }
            });
            println!(
                "{threads} threads: {:.1} searches/s",
                (threads * EACH) as f64 / started.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|a| a != name).nth(1)
}
