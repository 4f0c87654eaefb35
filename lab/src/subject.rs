//! What the words on the command line mean: files.

use std::path::PathBuf;

use tcpstack_lab::lesson::Lesson;
use tcpstack_lab::open::{OpenError, open};
use tcpstack_lab::run::{Difference, Run, Text};

/// What was named.
pub(crate) struct Subject {
    /// The runs, one of which is shown first.
    pub(crate) runs: Vec<Run>,
    /// For each run that has the reader's rules: where it parts from the run without.
    pub(crate) differences: Vec<Option<Difference>>,
    /// The lessons that they belong to.
    pub(crate) lessons: Vec<Lesson>,
    /// Which of `runs` is shown first.
    pub(crate) selected: usize,
    /// What is wrong with the files though they can be read.
    pub(crate) warnings: Vec<Text>,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubjectError {
    /// The files cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Subject {
    /// The run that is shown first.
    pub(crate) fn shown(&self) -> &Run {
        &self.runs[self.selected]
    }
}

/// Finds what `what` names.
pub(crate) fn subject(what: &[String]) -> Result<Subject, SubjectError> {
    let files: Vec<PathBuf> = what.iter().map(PathBuf::from).collect();
    let opened = open(&files)?;
    Ok(Subject {
        runs: vec![opened.run],
        differences: Vec::new(),
        lessons: Vec::new(),
        selected: 0,
        warnings: opened.warnings,
    })
}
