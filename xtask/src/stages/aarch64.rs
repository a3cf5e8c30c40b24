//! The aarch64 stage. The core must compile for aarch64 without a warning. If qemu is installed, its kernels must give
//! the results of the scalar ones, and its files must be the golden ones. The target is musl, which links without a C
//! compiler, and BLAKE3 is compiled in plain Rust.

use crate::shell::{add_target, cargo, run, which};
use anyhow::Result;

const TARGET: &str = "aarch64-unknown-linux-musl";
const SHAPE: &str = "--package pagevec --lib --features blake3/pure --target";

/// A CPU without dot products of bytes and one with them, and the best table of each.
const CPUS: [(&str, &str); 2] = [("cortex-a53", "neon"), ("max", "neon-dotprod")];

pub(super) fn check() -> Result<()> {
    // Not ours to demand: who has no rustup or no network can still run the rest.
    if let Err(error) = add_target(TARGET) {
        println!("SKIPPED: {error:#}");
        return Ok(());
    }
    run(cargo(&format!("clippy {SHAPE} {TARGET}")).args(["--", "-D", "warnings"]))?;
    let Some(qemu) = ["qemu-aarch64", "qemu-aarch64-static"].into_iter().find_map(which) else {
        println!(
            "SKIPPED: nothing was run for aarch64. `apt-get install qemu-user` brings the qemu-aarch64 it needs"
        );
        return Ok(());
    };
    for (cpu, kernels) in CPUS {
        let mut test = cargo(&format!("test {SHAPE} {TARGET} --test the_same_input_gives_the_same_file"));
        test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
        test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER", &qemu);
        test.env("QEMU_CPU", cpu).env("PAGEVEC_KERNELS", kernels);
        // Half a minute under qemu, and the same on every target.
        run(test.args(["--", "--skip", "threads_do_not_show"]))?;
    }
    Ok(())
}
