//! What a host that takes `ringbus` takes with it.

use std::collections::BTreeSet;

use crate::{Result, cargo};

/// The library itself, what it depends on, and what those pull in.
const ALLOWED: &[&str] = &[
    "ringbus",
    "arc-swap",
    "rustversion", // by arc-swap
    "core_affinity",
    "num_cpus", // by core_affinity
    "winapi",   // by core_affinity, on Windows
    "winapi-x86_64-pc-windows-gnu",
    "crossbeam-utils",
    "libc",
];

/// The dependencies differ from one system to the next, so one target for each is asked.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-pc-windows-gnu",
];

/// Fails, by name, on whatever a build of the library without features pulls in besides [`ALLOWED`].
pub fn check() -> Result {
    let mut tree =
        cargo::command("tree --package ringbus --no-default-features --edges normal,build");
    tree.args(["--prefix", "none", "--format", "{p}"]);
    for target in TARGETS {
        tree.args(["--target", target]);
    }
    let tree = cargo::read(&mut tree)?;

    // A line is "name vVERSION ...".
    let found: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    println!("{}", Vec::from_iter(found.iter().copied()).join(", "));
    let excess: Vec<&str> = found
        .into_iter()
        .filter(|name| !ALLOWED.contains(name))
        .collect();
    if excess.is_empty() {
        Ok(())
    } else {
        Err(format!("ringbus must not depend on: {}", excess.join(", ")))
    }
}
