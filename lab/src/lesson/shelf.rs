//! Where lessons come from: those that are part of the program, and a teacher's own files.

use std::path::Path;
use std::sync::OnceLock;

use include_dir::{Dir, include_dir};

use super::Lesson;
use super::check::{self, Beside};
use super::error::{Fault, LessonError};
use super::format::LessonToml;
use super::plan::Scenario;

/// Bytes of a lesson's file.
const FILE_MAX: usize = 1 << 20;

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lessons");

/// A lesson with all that it takes to play it.
#[derive(Clone, Debug)]
pub struct LessonFile {
    /// What a reader has of it.
    pub lesson: Lesson,
    /// The scenarios, in the order of the lesson's heads.
    pub scenarios: Vec<Scenario>,
}

impl LessonFile {
    /// Reads a lesson from TOML; `file` is its name in messages, and `beside` gives the text of a file in
    /// its folder.
    ///
    /// # Errors
    /// [`LessonError::Wrong`] names the line and says what would be right.
    pub fn parse(
        file: &str,
        toml: &str,
        beside: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<LessonFile, LessonError> {
        parse(toml, beside).map_err(|fault| fault.in_file(file, toml))
    }

    /// Reads a teacher's own lesson. Its listings lie in its folder or below.
    ///
    /// # Errors
    /// When the file cannot be read, and those of [`LessonFile::parse`].
    pub fn open(path: &Path) -> Result<LessonFile, LessonError> {
        let toml = std::fs::read_to_string(path).map_err(|error| LessonError::Unreadable {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let beside = |name: &str| {
            std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string())
        };
        LessonFile::parse(&path.display().to_string(), &toml, &beside)
    }

    /// The scenario with this id.
    pub fn scenario(&self, id: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }
}

fn parse(toml: &str, beside: &Beside<'_>) -> Result<LessonFile, Fault> {
    if toml.len() > FILE_MAX {
        return Err(Fault::new(0..0, format!("expected {FILE_MAX} bytes at most")));
    }
    check::lesson(toml::from_str::<LessonToml>(toml)?, beside)
}

/// The lessons that are part of the program, by their numbers.
///
/// # Panics
/// Never in a program that was tested: its lessons are read by the tests.
pub fn lessons() -> &'static [LessonFile] {
    static LESSONS: OnceLock<Vec<LessonFile>> = OnceLock::new();
    LESSONS.get_or_init(|| {
        let beside = |name: &str| {
            let file = FOLDER.get_file(name).and_then(|file| file.contents_utf8());
            file.map(str::to_owned).ok_or_else(|| "there is no such file".to_owned())
        };
        let files = FOLDER.files().filter(|file| file.path().extension() == Some("toml".as_ref()));
        let read = files.map(|file| {
            let name = file.path().display().to_string();
            let toml = file.contents_utf8().unwrap_or_default();
            LessonFile::parse(&name, toml, &beside).unwrap_or_else(|error| panic!("{error}"))
        });
        let mut lessons: Vec<LessonFile> = read.collect();
        lessons.sort_by_key(|file| file.lesson.number);
        lessons
    })
}

/// The lesson that `name` means: its number or its id.
pub fn find(name: &str) -> Option<&'static LessonFile> {
    let number = name.parse().ok();
    lessons().iter().find(|file| file.lesson.id == name || Some(file.lesson.number) == number)
}

#[cfg(test)]
mod tests;
