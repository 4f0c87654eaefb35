//! A network namespace for one run of the benchmark, gone when it is dropped.

use std::io;
use std::process::{Command, Output, Stdio};

/// Longer than any run takes, so that one that hangs ends, in seconds.
const LIMIT_S: &str = "60";

/// A namespace, empty as it is made.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one; needs CAP_SYS_ADMIN.
    ///
    /// # Errors
    /// What `ip netns` said.
    pub fn create() -> io::Result<Namespace> {
        let namespace = Namespace { name: format!("tcps-bench-{}", std::process::id()) };
        ip(&["netns", "add", &namespace.name])?;
        Ok(namespace)
    }

    /// Runs this program in it with other arguments; its standard output.
    ///
    /// # Errors
    /// It did not start, or it failed.
    pub fn run_self(&self, arguments: &[String]) -> io::Result<String> {
        let program = std::env::current_exe()?;
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", LIMIT_S, "ip", "netns", "exec", &self.name]);
        command.arg(program).args(arguments);
        let output = command.stderr(Stdio::inherit()).output()?;
        succeeded(&output, "the measurement")?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = ip(&["netns", "delete", &self.name]) {
            eprintln!("{}: {error}", self.name);
        }
    }
}

/// Runs `ip` with these arguments.
pub(super) fn ip(arguments: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(arguments).output()?;
    succeeded(&output, &format!("ip {}", arguments.join(" ")))
}

fn succeeded(output: &Output, what: &str) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{what}: {}, {}", output.status, said.trim())))
}
