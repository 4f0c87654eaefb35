//! Runs a script against a machine: the notation is packetdrill's, the time virtual, every
//! microsecond and every byte exact. `core/tests/scripts/README.md` describes the language.
//!
//! | file | what it owns |
//! |---|---|
//! | `script`, `packet` | what a script says, once it is read |
//! | `text`, `parse` | reading it |
//! | `wire`, `flow` | packets as bytes; relative numbers |
//! | `machine` | the stack under test, in two makes, and the kernel's |
//! | `calls`, `socket_options`, `tcp_info`, `conditions` | system calls, options and assertions |
//! | `timeline` | what happens when, and whether that is what was to happen |

mod calls;
mod conditions;
mod flow;
mod machine;
mod packet;
mod parse;
mod script;
mod socket_options;
mod tcp_info;
mod text;
mod timeline;
mod wire;

use std::path::Path;

pub(crate) use machine::left_out;
pub(crate) use parse::parse;
pub(crate) use script::{Driver, Family, Script};

use machine::{HostMachine, LinuxMachine, Machine, StackMachine};
use timeline::Timeline;

/// Which drivers the script at `path` is for.
///
/// # Errors
/// What is wrong with the script.
pub(crate) fn drivers(path: &Path) -> Result<Vec<Driver>, String> {
    parse(path).map(|script| script.settings.drivers)
}

/// Runs the script at `path`, under each version of IP that it is for.
///
/// # Errors
/// What is wrong with the script, or what happened that was not to happen.
pub(crate) fn run(path: &Path, driver: Driver) -> Result<(), String> {
    let script = parse(path)?;
    script.settings.families.iter().try_for_each(|family| run_under(&script, driver, *family))
}

/// Runs a script under one version of IP.
///
/// # Errors
/// What happened that was not to happen.
pub(crate) fn run_under(script: &Script, driver: Driver, family: Family) -> Result<(), String> {
    let settings = &script.settings;
    let machine: Result<Box<dyn Machine>, String> = match driver {
        Driver::Host => HostMachine::new(settings, family).map(|machine| Box::new(machine) as _),
        Driver::Stack => StackMachine::new(settings, family).map(|machine| Box::new(machine) as _),
        Driver::Linux => LinuxMachine::new(settings, family).map(|machine| Box::new(machine) as _),
    };
    let machine = machine.map_err(|message| format!("{}: {message}", script.path.display()))?;
    Timeline::new(script, machine, family).run()
}
