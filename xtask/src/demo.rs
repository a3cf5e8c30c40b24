//! `cargo xtask demo`: builds the package and an index of a dictionary, and serves both with the demo page from target/demo.
//!
//! It needs no tool of the tests, and says at once what it does and how long that may take.

use crate::shell::{self, Stamp, command, which};
use crate::stages::js::cli;
use crate::{node, package, wasm};
use anyhow::{Context as _, Result};
use clap::Args;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fs};

#[derive(Args)]
pub(crate) struct Options {
    /// 0 takes a free one; unless given, 8787 or the next that is free
    #[arg(long)]
    port: Option<u16>,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    say(1, "the npm package; the first time, its three WebAssembly modules take a minute or two");
    wasm::make()?;
    package::compile()?;
    say(2, "the command line tool, which has the package's search in it");
    let cli = cli()?;
    say(3, "the index of the dictionary");
    let index = index(&cli)?;
    say(4, "the site");
    let site = assemble(&index)?;
    serve(&cli, &site, options)
}

fn say(step: u32, what: &str) {
    println!("demo, step {step} of 4: {what}");
}

/// The folder with the index, built if the glosses or the tool have changed.
fn index(cli: &Path) -> Result<PathBuf> {
    let data = shell::root().join("www/data/glosses");
    let schema = data.join("schema.json");
    let folder = shell::target().join("index/glosses");
    let rows = folder.with_extension("jsonl");
    let mut inputs = vec![cli.to_path_buf(), schema.clone()];
    inputs.extend(["codes.mjs", "glosses.i4", "glosses.jsonl.gz", "unpack.mjs"].map(|name| data.join(name)));
    fs::create_dir_all(shell::target().join("index"))?;
    let stamp = Stamp::new(folder.with_extension("stamp"), &inputs)?;
    if !stamp.fresh(&[folder.join("index.json")]) {
        // Segments of earlier builds would stay beside the new one.
        shell::remove_dir(&folder)?;
        shell::run(node::node()?.arg("www/data/glosses/unpack.mjs").arg(&rows))?;
        let mut build = command(cli);
        build.arg("build").arg(&rows).arg("--schema").arg(&schema);
        shell::run(build.args(["--metric", "cosine", "--codec", "sq8", "-o"]).arg(&folder))?;
        stamp.set()?;
    }
    Ok(folder)
}

/// target/demo: the page, the package at /pkg, the index at /index.
fn assemble(index: &Path) -> Result<PathBuf> {
    let site = shell::target().join("demo");
    let pkg = shell::target().join("pkg/demo");
    package::assemble(&pkg)?;
    let inputs = [pkg.as_path(), index, &site];
    shell::run(node::node()?.arg("www/site.mjs").args(inputs))?;
    Ok(site)
}

/// Serves until interrupted or told to end (SIGTERM), which ends the server too. The server prints its address when it
/// listens; only then is a browser of use.
fn serve(cli: &Path, site: &Path, options: &Options) -> Result<()> {
    let mut server = command(cli);
    server.arg("serve").arg(site).stdout(Stdio::piped());
    if let Some(port) = options.port {
        server.args(["--port", &port.to_string()]);
    }
    let mut child = server.spawn().context("could not start the server")?;
    let lines = child.stdout.take().context("the server has no output")?;
    let child = Arc::new(Mutex::new(child));
    let stopped = Arc::new(AtomicBool::new(false));
    let (server, told) = (Arc::clone(&child), Arc::clone(&stopped));
    // The server's output ends with it, and so does the loop below.
    ctrlc::set_handler(move || {
        told.store(true, Ordering::Relaxed);
        // It may have ended by itself: a terminal's Ctrl-C reaches it too.
        let _ = server.lock().unwrap_or_else(PoisonError::into_inner).kill();
    })?;
    for line in BufReader::new(lines).lines() {
        let line = line?;
        println!("{line}");
        if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
            println!("open {url} in a browser; Ctrl-C stops");
            if !options.no_open {
                open(url);
            }
        }
    }
    let status = child.lock().unwrap_or_else(PoisonError::into_inner).wait()?;
    anyhow::ensure!(
        stopped.load(Ordering::Relaxed) || status.success(),
        "the server ended with {status}; another --port may help"
    );
    Ok(())
}

/// A browser where there is a screen to show it; nothing depends on it.
fn open(url: &str) {
    let screen =
        cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|v| env::var_os(v).is_some());
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if screen && which(opener).is_some() {
        let quiet = Command::new(opener).arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        if let Err(error) = quiet {
            eprintln!("{opener}: {error}");
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Options, serve};
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    use std::{env, fs};

    /// What runs below in a process of its own; alone it does nothing.
    #[test]
    #[ignore = "a part of the other test"]
    fn child() {
        let Some(server) = env::var_os("SERVER").map(PathBuf::from) else { return };
        serve(&server, Path::new("."), &Options { port: Some(0), no_open: true }).unwrap();
    }

    fn kill(signal: &str, process: &str) -> bool {
        let mut kill = Command::new("kill");
        kill.args([signal, process]).stderr(Stdio::null()).status().expect("kill runs").success()
    }

    #[test]
    fn a_signal_ends_the_server_too() {
        let server = env::temp_dir().join(format!("pagevec-demo-{}.sh", std::process::id()));
        fs::write(&server, "#!/bin/sh\necho serving process $$ at http://nowhere/\nexec sleep 300\n")
            .unwrap();
        fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
        for signal in ["-TERM", "-INT", "-HUP"] {
            let mut demo = Command::new(env::current_exe().unwrap());
            demo.args(["--exact", "demo::tests::child", "--ignored", "--nocapture"]);
            let mut demo = demo.env("SERVER", &server).stdout(Stdio::piped()).spawn().unwrap();
            let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
            let mut lines = lines.map(|line| line.unwrap()).filter(|line| line.contains("serving process"));
            let line = lines.next().unwrap();
            let process = line.split("process ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
            assert!(kill("-0", &process));
            assert!(kill(signal, &demo.id().to_string()));
            let status = demo.wait().unwrap();
            assert!(status.success(), "{signal}: {status}");
            let asked = Instant::now();
            while kill("-0", &process) {
                assert!(asked.elapsed() < Duration::from_secs(10), "{signal}: the server goes on");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        fs::remove_file(&server).unwrap();
    }
}
