//! The `tcpstack` command: reads the command line, runs the command, says what went wrong.

mod args;
#[cfg(feature = "server")]
mod browser;
mod export_command;
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

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let failure = match Arguments::parse().command {
        #[cfg(feature = "server")]
        Command::Lab(arguments) => lab::lab(&arguments).err().map(|error| error.to_string()),
        Command::Play(arguments) => play::play(&arguments).err().map(|error| error.to_string()),
        Command::Show(arguments) => show::show(&arguments).err().map(|error| error.to_string()),
        Command::Export(arguments) => {
            export_command::export(&arguments).err().map(|error| error.to_string())
        }
        Command::Tun(arguments) => tun::tun(&arguments).err().map(|error| error.to_string()),
        Command::Url => {
            // A reader that has gone away has seen enough.
            let _ = std::io::stdout().lock().write_all(url::url().as_bytes());
            None
        }
    };
    match failure {
        None => ExitCode::SUCCESS,
        Some(message) => {
            eprintln!("tcpstack: {message}");
            ExitCode::FAILURE
        }
    }
}
