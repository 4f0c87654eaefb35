//! The `tcpstack` command: reads the command line, runs the command, says what went wrong.

mod args;
#[cfg(feature = "server")]
mod browser;
mod export_command;
mod export_course;
mod failure;
#[cfg(feature = "server")]
mod lab;
mod language;
mod play;
mod show;
mod subject;
#[cfg(all(feature = "server", feature = "terminal"))]
mod terminal_command;
mod tun;
mod url;
mod usage;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command, Lang};
use failure::Failure;

fn main() -> ExitCode {
    let command = Arguments::try_parse().unwrap_or_else(|error| usage::refuse(&error)).command;
    let lang = language_of(&command);
    let done = match command {
        #[cfg(feature = "server")]
        Command::Lab(arguments) => lab::lab(&arguments).map_err(Failure::from),
        Command::Play(arguments) => play::play(&arguments).map_err(Failure::from),
        Command::Show(arguments) => show::show(&arguments).map_err(Failure::from),
        Command::Export(arguments) => export_command::export(&arguments).map_err(Failure::from),
        Command::Tun(arguments) => tun::tun(&arguments).map_err(|error| Failure::english(&error)),
        Command::Url => {
            // A reader that has gone away has seen enough.
            let _ = std::io::stdout().lock().write_all(url::url().as_bytes());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(language::of(lang)),
    }
}

/// The language that was asked for.
fn language_of(command: &Command) -> Option<Lang> {
    match command {
        #[cfg(feature = "server")]
        Command::Lab(arguments) => arguments.lang,
        Command::Play(arguments) => arguments.drawing.lang,
        Command::Show(arguments) => arguments.drawing.lang,
        Command::Export(arguments) => arguments.lang,
        Command::Tun(_) | Command::Url => None,
    }
}
