//! Measures what a page downloads in order to search, and enforces limits.

use crate::shell::root;
use anyhow::{Context as _, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// wasm, its glue and our JS, each gzipped as a server would send it.
/// Before sets of rows it was 147,900 bytes; they took 6 kB. Several segments took 15 kB of wasm (dead rows, one address space,
/// what segments choose together, shared slots) and 5 kB of JS. One file of minified JS in place of thirty took 20 kB off.
/// Stored fields took 8 kB of wasm and 1 kB of JS. Workers, texts and pages of hits took 1 kB, and 4 kB that a page loads
/// when it calls them. Segments that indexes share, and the errors of collections, took 1.3 kB. Reading all rows took 3.5 kB. A small
/// sort of reads, no table of hashes and none of Unicode took 6.5 kB off. Fields that are indexed, filters, counts, facets and sorted
/// pages took 68 kB; now a page loads a module with them at the first call that needs it. Places of panics
/// were 2 kB, and offsets that loads may hold another. Memory in chunks and budgets that change took 1.1 kB. The goal is 150,000.
const SEARCH: usize = 174_700;

/// The same with the module that has filters in place of the one without, as `filters: true` loads it. Pages that come to filters
/// later load both modules. Rows in the order of texts took 2.4 kB; budgets that change, eviction and the map of memory 4.4 kB. The
/// goal is 180,000.
const FILTER: usize = 233_300;

/// All that a page and its workers load for a collection beside what searching takes: the module, which also indexes, and the JS.
/// The goal is 190,000. Index folders, backups and imports took 5 kB of wasm and 2 kB of JS. Clusters, their calibration and training pq
/// took 33 kB of wasm: exports get their clusters by the module that builds, which is loaded when it is first called for. The digits
/// of a float in one error took 7 kB. Fields that are indexed, and filters, took about 100 kB; counts, facets, pages, updates and schemas
/// of fields, and what keeps memory within a budget, 24 kB. Rows in the order of texts took 3.6 kB; places of panics were 7 kB.
const COLLECTION: usize = 474_000;

/// Prints the sizes of the modules; an error if searching, or a collection, costs more than its limit.
pub(crate) fn check() -> Result<()> {
    let pkg = root().join("pkg").canonicalize()?;
    println!("{:<40} {:>9} {:>9}", "size in bytes", "raw", "gzip");
    let search = scripts(&pkg, "browser.js")?;
    let mut collection = scripts(&pkg, "collection.js")?;
    collection.retain(|script| !search.contains(script));
    let scripts = print(&pkg, &search)?;
    let module = |which: &str| print(&pkg, &[pkg.join("wasm").join(which).join("pagevec_wasm_bg.wasm")]);
    let [search, filter] = [module("search")?, module("filter")?].map(|module| scripts + module);
    println!("{:<40} {:>9} {search:>9}  of {SEARCH}", "to search", "");
    println!("{:<40} {:>9} {filter:>9}  of {FILTER}", "to search with filters", "");
    println!("{:<40} {:>9} {:>9}", "to search, then with filters", "", search + filter - scripts);
    let build = pkg.join("wasm/build");
    print(&pkg, &[build.join("pagevec_wasm_bg.wasm"), pkg.join("dist/builder.js")])?;
    print(&pkg, &[pkg.join("dist/store.js"), pkg.join("dist/static.js"), pkg.join("dist/inline.js")])?;
    collection.push(pkg.join("dist/collection-worker.js"));
    collection.push(pkg.join("wasm/collection/pagevec_wasm_bg.wasm"));
    let collection = print(&pkg, &collection)?;
    println!("{:<40} {:>9} {collection:>9}  of {COLLECTION}", "for a collection, beside that", "");
    let limits = [
        ("to search", search, SEARCH),
        ("to search with filters", filter, FILTER),
        ("for a collection", collection, COLLECTION),
    ];
    for (what, size, limit) in limits {
        if size > limit {
            bail!("wasm and JS {what} take {size} bytes gzipped, {} too many", size - limit);
        }
    }
    Ok(())
}

/// Every script that an entry imports, and those import: for `browser.js` what a browser loads before it can open an index.
/// What is imported only when called for (`import(…)`), as builder and page store are, is not among them.
fn scripts(pkg: &Path, entry: &str) -> Result<Vec<PathBuf>> {
    let mut found = vec![pkg.join("dist").join(entry)];
    let mut next = 0;
    while let Some(file) = found.get(next).cloned() {
        let text = fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
        for path in imports(&text) {
            let imported = file.parent().unwrap_or(pkg).join(path).canonicalize()?;
            if !found.contains(&imported) {
                found.push(imported);
            }
        }
        next += 1;
    }
    Ok(found)
}

/// The relative paths that bundled text imports at once: `…from"./a.js"` and `import"./a.js"`.
fn imports(text: &str) -> Vec<&str> {
    let statements = text.split(['"']).collect::<Vec<_>>();
    let pairs = statements.iter().zip(statements.iter().skip(1));
    let imports = |before: &str| ["from", "import"].iter().any(|word| before.trim_end().ends_with(word));
    pairs.filter(|(before, path)| imports(before) && path.starts_with('.')).map(|(_, path)| *path).collect()
}

fn print(pkg: &Path, files: &[PathBuf]) -> Result<usize> {
    let mut total = 0;
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        let zipped = gzipped(&bytes)?;
        println!("{:<40} {:>9} {zipped:>9}", file.strip_prefix(pkg)?.display(), bytes.len());
        total += zipped;
    }
    Ok(total)
}

fn gzipped(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_followed_as_a_browser_does() {
        let text = "import{a as b}from\"./a.js\";export*from \"../b.js\";import\"./c.js\";import{x}from\"node:fs\";\
                    const d=()=>import(\"./d.js\"),e=`from ${'\"./e.js\"'}`,f=\"./f.js\";";
        assert_eq!(imports(text), ["./a.js", "../b.js", "./c.js"]);
    }
}
