//! `tcpstack lab --terminal`: the views in this terminal instead of the browser.

use std::io::{self, IsTerminal};

use tcpstack_lab::book::book;
use tcpstack_lab::terminal::{Again, Material, show};

use crate::args::Lang;
use crate::failure::Failure;
use crate::language;
use crate::subject::{Breadth, SubjectError, subject};

/// Why nothing was shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TerminalError {
    /// Nothing to show was found.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// There is nobody to show it to.
    #[error(
        "--terminal needs a terminal: `tcpstack play` (lessons) and `tcpstack show` (files) write text anywhere"
    )]
    NoTerminal,
    /// The terminal could not be used.
    #[error("the terminal: {0}")]
    Io(#[from] io::Error),
}

impl From<TerminalError> for Failure {
    fn from(error: TerminalError) -> Failure {
        match error {
            TerminalError::Subject(why) => why.into(),
            TerminalError::NoTerminal => Failure::usage(
                &error,
                "--terminal 需要一个终端：tcpstack play（课程）和 tcpstack show（文件）可以把文字写到任何地方",
            ),
            TerminalError::Io(ref why) => Failure::other(&error, format!("终端出错：{why}")),
        }
    }
}

/// Shows what the words name until the reader has seen enough.
pub(crate) fn terminal(what: &[String], lang: Option<Lang>) -> Result<(), TerminalError> {
    let mut subject = subject(what, &[], Breadth::One)?;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(TerminalError::NoTerminal);
    }
    let language = language::of(lang);
    subject.warnings.iter().for_each(|text| eprintln!("tcpstack: {}", text.of(language)));
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let again = subject.replay.take().map(|replay| -> Again {
        Box::new(move |rules| replay.again(rules).map_err(|error| error.text()))
    });
    show(Material {
        run: subject.shown().clone(),
        book: book(),
        lesson: subject.lessons.pop(),
        again,
        language,
        has_colour: !refused,
    })?;
    Ok(())
}
