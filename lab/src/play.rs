//! `tcpstack play`: plays a scenario and draws it, or prints its events.

use std::io::{self, Write};

use tcpstack_lab::open::Opened;
use tcpstack_lab::run::lines;
use tcpstack_lab::stage::{PlayError, perform};

use crate::args::Play;
use crate::failure::Failure;
use crate::show::{ShowError, draw};
use crate::subject::{SubjectError, lesson_named};

/// Why nothing was played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlayFailure {
    /// There is no such lesson, or its file cannot be used.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// The scenario cannot be played.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// It could not be drawn.
    #[error(transparent)]
    Show(#[from] ShowError),
    /// The run could not be written.
    #[error("writing the run: {0}")]
    Write(#[from] io::Error),
}

impl From<PlayFailure> for Failure {
    fn from(error: PlayFailure) -> Failure {
        match error {
            PlayFailure::Subject(why) => why.into(),
            PlayFailure::Show(why) => why.into(),
            PlayFailure::Play(ref why) => Failure::usage(&error, why.text().zh),
            PlayFailure::Write(ref why) => {
                Failure::other(&error, format!("无法写出运行记录：{why}"))
            }
        }
    }
}

/// Plays what `arguments` name.
pub(crate) fn play(arguments: &Play) -> Result<(), PlayFailure> {
    let lesson = lesson_named(&arguments.lesson)?.0;
    let scenario = arguments.scenario.clone().unwrap_or_else(|| lesson.scenarios[0].id.clone());
    let performance = perform(&lesson, &scenario, &arguments.rules)?;
    for surprise in &performance.surprises {
        eprintln!("tcpstack: {surprise}");
    }
    let run = performance.run;
    if !arguments.json && !arguments.events {
        let opened = Opened { run, warnings: Vec::new() };
        return Ok(draw(&opened, &arguments.drawing)?);
    }
    let text = if arguments.json {
        serde_json::to_string(&run).map_err(io::Error::from)? + "\n"
    } else {
        lines(&run)
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
