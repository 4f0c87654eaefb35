//! The conformance suite in the style of packetdrill: each `scripts/*/*.pkt` is a test of its own,
//! run through the protocol alone and through the runtime under a manual clock.
//!
//! `cargo test --test scripts time_wait` runs the scripts with `time_wait` in their names.
//! `tests/netns/scripts-on-linux time_wait` runs them on the TCP of the kernel.
//! `SCRIPTS=<folder>` in the environment names a folder of scripts to run instead of our own.

#[path = "scripts/on_linux.rs"]
mod on_linux;
#[path = "scripts/runner/mod.rs"]
mod runner;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use runner::Driver;

fn main() -> ExitCode {
    let ours = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let root = std::env::var_os("SCRIPTS").map_or_else(ours, PathBuf::from);
    let mut scripts = Vec::new();
    find(&root, &mut scripts).expect("the scripts can be listed");
    scripts.sort();
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--on-linux") {
        let names: Vec<String> = arguments.collect();
        let is_asked_for = |path: &PathBuf| {
            names.is_empty() || names.iter().any(|name| path.to_string_lossy().contains(name))
        };
        scripts.retain(is_asked_for);
        return on_linux::main(&root, &scripts);
    }
    let arguments = Arguments::from_args();
    let trials = scripts.iter().flat_map(|path| trials(&root, path)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Every script below `directory`.
fn find(directory: &Path, scripts: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in directory.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, scripts)?;
        } else if path.extension().is_some_and(|extension| extension == "pkt") {
            scripts.push(path);
        }
    }
    Ok(())
}

/// `close/linger_zero.pkt` becomes `host::close::linger_zero` and `stack::close::linger_zero`.
fn trials(root: &Path, path: &Path) -> Vec<Trial> {
    let name = path.strip_prefix(root).unwrap_or(path).with_extension("");
    let name = name.to_string_lossy().replace('/', "::");
    let drivers = match runner::drivers(path) {
        Ok(drivers) => drivers,
        Err(message) => return vec![Trial::test(name, move || Err(message.into()))],
    };
    let trial = |driver: &Driver| {
        let (path, driver) = (path.to_owned(), *driver);
        let prefix = match driver {
            Driver::Host => "host",
            Driver::Stack => "stack",
            Driver::Linux => "linux",
        };
        let run = move || runner::run(&path, driver).map_err(Into::into);
        Trial::test(format!("{prefix}::{name}"), run)
    };
    drivers.iter().map(trial).collect()
}
