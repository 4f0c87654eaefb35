//! What is wrong with a lesson's file, and where.

use std::ops::Range;
use std::path::PathBuf;

/// Why a lesson cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LessonError {
    /// The file cannot be read.
    #[error("{}: {message}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The file says something wrong.
    #[error("{file}:{line}: {message}")]
    Wrong {
        /// Which file.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
}

/// Something wrong at a place of a file that is known to whoever reads it.
#[derive(Debug)]
pub(super) struct Fault {
    at: Range<usize>,
    message: String,
}

impl Fault {
    /// `message` says what is wrong and what would be right; `at` are the bytes that it is about.
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into() }
    }

    /// With the file's name and the line.
    pub(super) fn in_file(self, file: &str, source: &str) -> LessonError {
        let before = source.as_bytes().get(..self.at.start).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        LessonError::Wrong { file: file.to_owned(), line, message: self.message }
    }
}

impl From<toml::de::Error> for Fault {
    fn from(error: toml::de::Error) -> Fault {
        Fault::new(error.span().unwrap_or_default(), error.message())
    }
}
