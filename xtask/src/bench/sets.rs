//! The data sets of the benchmarks, and their indexes. A set is three `.npy` files: rows, queries, exact nearest rows.

use crate::glove;
use crate::shell::{self, Stamp, cargo, command, run};
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Name {
    /// 117,791 x 384, from PAGEVEC_DATA, with 5,000 text queries
    Wordnet,
    /// 340,479 x 100 words, 120 MB of download, 1,000 of them held out as queries
    Glove,
    /// 1,000,000 x 384: the rows of wordnet and mixes of them, the text queries of wordnet
    #[value(name = "1m")]
    Million,
}

pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) base: PathBuf,
    pub(super) queries: PathBuf,
    pub(super) truth: PathBuf,
    /// How the index is built, besides the defaults.
    build: &'static [&'static str],
}

impl Set {
    /// Finds the set in `cache`, or makes it there.
    pub(super) fn prepare(name: Name, cache: &Path) -> Result<Self> {
        match name {
            Name::Wordnet => wordnet(),
            Name::Glove => {
                let folder = cache.join("glove");
                if !folder.join("truth.npy").exists() {
                    make("split", &[&glove::fetch()?.vectors], &folder)?;
                }
                Ok(Set::of(
                    "GloVe",
                    "340,479 words of 100 components (GloVe family), 1,000 others as queries; default options.",
                    &folder,
                    &[],
                ))
            }
            Name::Million => {
                let folder = cache.join("1m");
                if !folder.join("truth.npy").exists() {
                    let wordnet = wordnet()?;
                    make("mix", &[&wordnet.base, &wordnet.queries], &folder)?;
                }
                Ok(Set::of(
                    "1M",
                    "1,000,000 rows of 384 components: wordnet's 117,791, then mixes of a row, a near one and noise in \
                     the span of its neighbourhood (`benches/data/mix.rs`); wordnet's first 1,000 text queries; \
                     `--no-graph`, which no search here would use.",
                    &folder,
                    &["--no-graph"],
                ))
            }
        }
    }

    fn of(name: &'static str, about: &'static str, folder: &Path, build: &'static [&'static str]) -> Self {
        let file = |name: &str| folder.join(name);
        Set {
            name,
            about,
            base: file("base.npy"),
            queries: file("queries.npy"),
            truth: file("truth.npy"),
            build,
        }
    }

    /// The folder of its index, built if the rows or the tool have changed.
    pub(super) fn index(&self, cli: &Path, cache: &Path) -> Result<PathBuf> {
        let folder = cache.join("index").join(self.name);
        std::fs::create_dir_all(cache.join("index"))?;
        let stamp = Stamp::new(folder.with_extension("stamp"), &[cli.to_path_buf(), self.base.clone()])?;
        if !stamp.fresh(&[folder.join("index.json")]) {
            // Segments of earlier builds would stay beside the new one.
            shell::remove_dir(&folder)?;
            let mut build = command(cli);
            build.arg("build").arg(&self.base).args(["--metric", "cosine"]).args(self.build);
            run(build.arg("-o").arg(&folder))?;
            stamp.set()?;
        }
        Ok(folder)
    }
}

fn wordnet() -> Result<Set> {
    let data = shell::data().context("PAGEVEC_DATA must name the folder that holds wordnet/")?;
    let folder = data.join("wordnet");
    if !folder.join("base.f16.npy").exists() {
        bail!("{} has no base.f16.npy: PAGEVEC_DATA names another folder", folder.display());
    }
    Ok(Set {
        base: folder.join("base.f16.npy"),
        queries: folder.join("queries.f16.npy"),
        ..Set::of(
            "wordnet",
            "117,791 texts of 384 components (glosses of wordnet), 5,000 text queries; default options.",
            &folder,
            &[],
        )
    })
}

/// Runs benches/data.
fn make(verb: &str, from: &[&Path], to: &Path) -> Result<()> {
    eprintln!("making {}", to.display());
    run(cargo("run --quiet --release --example data --").arg(verb).args(from).arg(to))
}
