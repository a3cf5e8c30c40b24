//! Checks that every relative link of every .md file leads to a file.

use crate::shell::{files, root};
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;

pub(super) fn check() -> Result<()> {
    let mut broken = Vec::new();
    let mut count = 0;
    for file in files(&root())?.iter().filter(|file| file.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(file)?;
        for link in links(&text) {
            count += 1;
            if !leads_somewhere(file, &link) {
                broken.push(format!("{}: {link}", file.strip_prefix(root())?.display()));
            }
        }
    }
    println!("{count} links in .md files, {} broken", broken.len());
    if !broken.is_empty() {
        bail!("links that lead nowhere:\n{}", broken.join("\n"));
    }
    Ok(())
}

/// Links to files of ours, without their fragment: no URLs, no places in the same page, nothing in code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second piece between backquotes is code.
        for piece in line.split('`').step_by(2) {
            found.extend(
                piece.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link),
            );
        }
        // [name]: file
        let reference = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        found.extend(reference.map(|(_, link)| link.trim()));
    }
    let path = |link: &str| link.split(['#', ' ']).next().unwrap_or_default().to_owned();
    let ours = |link: &String| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:");
    found.into_iter().map(path).filter(ours).collect()
}

fn leads_somewhere(file: &Path, link: &str) -> bool {
    let base = if link.starts_with('/') { root() } else { file.parent().unwrap_or(file).to_path_buf() };
    base.join(link.trim_start_matches('/')).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_links_that_must_lead_somewhere() {
        let text = "See [a](FORMAT.md#header) and [b](https://example.org), [c](#below).\n\
                    `[d](code.md)` [e](src/lib.rs \"title\")\n```\n[f](block.md)\n```\n[g]: LICENSE-MIT\n";
        assert_eq!(links(text), ["FORMAT.md", "src/lib.rs", "LICENSE-MIT"]);
    }

    #[test]
    fn tells_a_file_from_nothing() {
        assert!(leads_somewhere(&root().join("README.md"), "Cargo.toml"));
        assert!(!leads_somewhere(&root().join("README.md"), "no-such-file.md"));
    }
}
