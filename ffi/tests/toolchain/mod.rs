//! The C programmer's tools: installs the library into a directory of its own with
//! `scripts/install-c`, compiles with what pkg-config says, runs with a time limit.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use tempfile::TempDir;
use wait_timeout::ChildExt;

/// Which of the two libraries a program links.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linkage {
    Shared,
    Static,
}

/// The checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Where the library is installed for these tests, built and installed at first use.
static PREFIX: LazyLock<TempDir> = LazyLock::new(|| {
    let prefix = tempfile::tempdir().unwrap();
    // `cargo test` builds no cdylib for a package's own tests.
    succeed(Command::new(env!("CARGO")).current_dir(root()).args([
        "build",
        "--quiet",
        "--package=tcpstack-ffi",
        "--lib",
    ]));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    succeed(
        Command::new(root().join("scripts/install-c"))
            .env("PREFIX", prefix.path())
            .env("PROFILE", "debug")
            .env("CARGO_TARGET_DIR", target)
            .env_remove("DESTDIR")
            .env_remove("LIBDIR"),
    );
    prefix
});

fn library_directory() -> PathBuf {
    PREFIX.path().join("lib")
}

/// What pkg-config says about the installed library.
fn pkg_config(arguments: &[&str]) -> Vec<String> {
    let output = succeed(
        Command::new("pkg-config")
            .env("PKG_CONFIG_PATH", library_directory().join("pkgconfig"))
            .args(arguments)
            .arg("tcpstack"),
    );
    output.split_whitespace().map(str::to_owned).collect()
}

/// A program built against the installed library, and a directory of its own.
pub(crate) struct Program {
    directory: TempDir,
}

impl Program {
    /// Builds a source of `tests/c`.
    pub(crate) fn build(source: &str, linkage: Linkage) -> Program {
        Program::build_from(&root().join("ffi/tests/c").join(source), linkage)
    }

    /// Builds any source, with every warning an error.
    pub(crate) fn build_from(source: &Path, linkage: Linkage) -> Program {
        let directory = tempfile::tempdir().unwrap();
        let is_cxx = source.extension().is_some_and(|extension| extension == "cpp");
        let mut compiler = Command::new(if is_cxx { "c++" } else { "cc" });
        compiler.arg(if is_cxx { "-std=c++17" } else { "-std=c11" });
        // The headers and the examples promise to be plain C11; the other tests use all of Linux.
        let is_plain = source.ends_with("header.c") || !source.starts_with(root().join("ffi"));
        if !is_plain && !is_cxx {
            compiler.arg("-D_GNU_SOURCE");
        }
        compiler.args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-g", "-O1", "-pthread"]);
        compiler.args(pkg_config(&["--cflags"])).arg(source);
        match linkage {
            Linkage::Shared => compiler.args(pkg_config(&["--libs"])),
            Linkage::Static => compiler
                .arg(library_directory().join("libtcpstack.a"))
                .args(pkg_config(&["--static", "--libs-only-l"]).iter().skip(1)),
        };
        succeed(compiler.arg("-o").arg(directory.path().join("program")));
        Program { directory }
    }

    /// Runs it.
    ///
    /// # Panics
    /// It fails or takes longer than `limit`; with what it printed.
    pub(crate) fn run(&self, limit: Duration) {
        self.run_as(Command::new(self.path()), limit);
    }

    /// Runs it under valgrind.
    ///
    /// # Panics
    /// As `run`; also for a leak, or a wrong access to memory.
    pub(crate) fn run_checked(&self, limit: Duration) {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--quiet", "--leak-check=full", "--error-exitcode=9", "--fair-sched=yes"])
            .arg(self.path());
        self.run_as(valgrind, limit);
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("program")
    }

    fn run_as(&self, mut command: Command, limit: Duration) {
        let output_path = self.directory.path().join("output");
        let output = File::create(&output_path).unwrap();
        let network = self.directory.path().join("network");
        std::fs::create_dir_all(&network).unwrap();
        let mut child = command
            .env("LD_LIBRARY_PATH", library_directory())
            .env("TCPS_TEST_DIR", network)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let status = child.wait_timeout(limit).unwrap();
        if status.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let mut printed = String::new();
        File::open(output_path).unwrap().read_to_string(&mut printed).unwrap();
        match status {
            Some(status) => assert!(status.success(), "{command:?}: {status}\n{printed}"),
            None => panic!("{command:?} took more than {limit:?}\n{printed}"),
        }
    }
}

/// The dynamic symbols that the shared library defines.
pub(crate) fn exported_names() -> Vec<String> {
    let library = library_directory().join("libtcpstack.so");
    let output = succeed(
        Command::new("nm")
            .args(["--dynamic", "--defined-only", "--format=just-symbols"])
            .arg(library),
    );
    let names: Vec<String> = output.lines().map(str::to_owned).collect();
    assert!(!names.is_empty());
    names
}

/// What `rustc` says that a static library of Rust needs from the system.
pub(crate) fn native_static_libs() -> String {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("empty.rs");
    std::fs::write(&source, "").unwrap();
    let output = Command::new("rustc")
        .args(["--crate-type=staticlib", "--print=native-static-libs", "-o"])
        .arg(directory.path().join("empty.a"))
        .arg(source)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let (_, libraries) =
        text.split_once("native-static-libs: ").expect("rustc names the libraries");
    libraries.lines().next().unwrap().trim().to_owned()
}

/// Runs a tool to its end and returns what it printed.
///
/// # Panics
/// It is not installed, or it fails; with what it printed.
fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{:?} is needed: {error}", command.get_program()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
