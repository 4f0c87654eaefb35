//! What the words on the command line mean, whatever the command: a lesson's scenarios, played with the
//! reader's rules, or files. What is wrong with the words is said with what would be right.

use std::path::{Path, PathBuf};

use tcpstack_lab::lesson::{self, Lesson, LessonError, LessonFile};
use tcpstack_lab::open::{OpenError, open};
use tcpstack_lab::run::{Difference, Rule, Run, Text, difference};
use tcpstack_lab::stage::{Packet, PlayError, perform, play, scenario_of};

/// What words name, before anything of it is played or read.
pub(crate) enum Named {
    /// A lesson, and the scenario of it that was named.
    Lesson {
        /// The lesson.
        file: Box<LessonFile>,
        /// Whether it is a teacher's own rather than one of the program's.
        is_own: bool,
        /// An id that the lesson has.
        scenario: Option<String>,
    },
    /// Files, which need not be there.
    Files(Vec<PathBuf>),
}

/// How much of a lesson is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// The scenario that was named, else the first.
    One,
    /// The scenario that was named with those that stand beside it, else all of the lesson.
    Lesson,
    /// All scenarios of all lessons.
    Course,
}

/// What was named.
pub(crate) struct Subject {
    /// The runs.
    pub(crate) runs: Vec<Run>,
    /// For each run that has the reader's rules: where it parts from the run without.
    pub(crate) differences: Vec<Option<Difference>>,
    /// The lessons that they belong to.
    pub(crate) lessons: Vec<Lesson>,
    /// Which of `runs` is shown first.
    pub(crate) selected: usize,
    /// The packets of that run as each host saw them; none: it was not played.
    pub(crate) packets: Option<Vec<Packet>>,
    /// How that run is played again.
    pub(crate) replay: Option<Replay>,
    /// What is wrong with the files though they can be read.
    pub(crate) warnings: Vec<Text>,
}

/// A scenario that can be played again.
pub(crate) struct Replay {
    lesson: LessonFile,
    scenario: String,
}

impl Replay {
    /// Plays it with `rules`; the difference is against the run without any.
    pub(crate) fn again(&self, rules: &[Rule]) -> Result<(Run, Option<Difference>), PlayError> {
        let run = play(&self.lesson, &self.scenario, rules)?;
        let before = play(&self.lesson, &self.scenario, &[])?;
        let parts = difference(&before, &run);
        Ok((run, parts))
    }
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubjectError {
    /// What was named is neither a lesson nor a file.
    #[error("{asked} is neither a file nor a lesson: the lessons are {}", known_lessons())]
    Unknown { asked: String },
    /// A lesson was expected, and nothing else would do.
    #[error(
        "there is no lesson {asked}: expected a number or name of {}, or a file that ends in .toml",
        known_lessons()
    )]
    NoLesson { asked: String },
    /// A folder has no run in it that is meant for certain.
    #[error("{} is a folder: name the files in it that belong together", .0.display())]
    Folder(PathBuf),
    /// Nothing is there to be named.
    #[error("there are no lessons in this program: name files")]
    NoLessons,
    /// More was named than a lesson and a scenario.
    #[error("{0} is one too many: expected a lesson and at most one of its scenarios")]
    TooMuch(String),
    /// A teacher's own lesson cannot be read.
    #[error(transparent)]
    Lesson(#[from] LessonError),
    /// The scenario cannot be played.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// Rules were given for what cannot be played again.
    #[error("--rule is for lessons: what was recorded or captured cannot be played again")]
    Rules,
    /// The files cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// The lessons of the program, as one names them.
pub(crate) fn known_lessons() -> String {
    let name = |file: &LessonFile| format!("{} {}", file.lesson.number, file.lesson.id);
    lesson::lessons().iter().map(name).collect::<Vec<_>>().join(", ")
}

impl Subject {
    /// The run that is shown first.
    pub(crate) fn shown(&self) -> &Run {
        &self.runs[self.selected]
    }
}

/// Finds what `what` names: nothing is the first lesson.
pub(crate) fn subject(
    what: &[String],
    rules: &[Rule],
    breadth: Breadth,
) -> Result<Subject, SubjectError> {
    if breadth == Breadth::Course {
        return course();
    }
    match named(what)? {
        Named::Lesson { file, scenario, .. } => played(*file, scenario.as_deref(), rules, breadth),
        Named::Files(paths) => files(&paths, rules),
    }
}

/// What the words name: nothing is the first lesson.
pub(crate) fn named(what: &[String]) -> Result<Named, SubjectError> {
    let first = what.first().map_or("1", String::as_str);
    let (file, is_own) = match lesson_named(first) {
        Ok(found) => found,
        Err(SubjectError::NoLesson { .. }) => {
            let paths: Vec<PathBuf> = what.iter().map(PathBuf::from).collect();
            if let Some(folder) = paths.iter().find(|path| path.is_dir()) {
                return Err(SubjectError::Folder(folder.clone()));
            }
            return Ok(Named::Files(paths));
        }
        Err(error) => return Err(error),
    };
    if let Some(more) = what.get(2) {
        return Err(SubjectError::TooMuch(more.clone()));
    }
    let scenario = what.get(1).cloned();
    if let Some(asked) = &scenario {
        scenario_of(&file, asked)?;
    }
    Ok(Named::Lesson { file: Box::new(file), is_own, scenario })
}

/// The lesson by its number, name or file, and whether it is a teacher's own.
pub(crate) fn lesson_named(asked: &str) -> Result<(LessonFile, bool), SubjectError> {
    if let Some(found) = lesson::find(asked) {
        return Ok((found.clone(), false));
    }
    if Path::new(asked).extension() == Some("toml".as_ref()) {
        return Ok((LessonFile::open(Path::new(asked))?, true));
    }
    Err(SubjectError::NoLesson { asked: asked.to_owned() })
}

/// Whether all of them are there: a name that is no file's is a slip, in a lesson's name or a file's.
pub(crate) fn check_files(paths: &[PathBuf]) -> Result<(), SubjectError> {
    match paths.iter().find(|path| !path.exists()) {
        Some(path) => Err(SubjectError::Unknown { asked: path.display().to_string() }),
        None => Ok(()),
    }
}

fn files(paths: &[PathBuf], rules: &[Rule]) -> Result<Subject, SubjectError> {
    check_files(paths)?;
    if !rules.is_empty() {
        return Err(SubjectError::Rules);
    }
    let opened = open(paths)?;
    Ok(Subject {
        runs: vec![opened.run],
        differences: Vec::new(),
        lessons: Vec::new(),
        selected: 0,
        packets: None,
        replay: None,
        warnings: opened.warnings,
    })
}

fn played(
    lesson: LessonFile,
    asked: Option<&str>,
    rules: &[Rule],
    breadth: Breadth,
) -> Result<Subject, SubjectError> {
    let heads = &lesson.lesson.scenarios;
    let scenario = asked.or(heads.first().map(|head| head.id.as_str())).unwrap_or_default();
    let scenario = scenario.to_owned();
    let beside = |id: &String| {
        let stands_beside =
            |head: &lesson::ScenarioHead| head.id == scenario && head.beside.contains(id);
        asked.is_none() || heads.iter().any(stands_beside)
    };
    let others = heads.iter().map(|head| &head.id);
    let others = others.filter(|id| **id != scenario && breadth != Breadth::One && beside(id));
    let others = others.map(|id| play(&lesson, id, &[])).collect::<Result<Vec<_>, _>>()?;
    let mut runs = vec![play(&lesson, &scenario, &[])?];
    runs.extend(others);
    let shown = perform(&lesson, &scenario, rules)?;
    let (mut differences, mut selected) = (Vec::new(), 0);
    if !rules.is_empty() {
        differences = vec![None; runs.len()];
        differences.push(difference(&runs[0], &shown.run));
        selected = runs.len();
        runs.push(shown.run);
    }
    Ok(Subject {
        runs,
        differences,
        lessons: vec![lesson.lesson.clone()],
        selected,
        packets: Some(shown.packets),
        replay: Some(Replay { lesson, scenario }),
        warnings: Vec::new(),
    })
}

/// Everything there is, as one page holds it.
fn course() -> Result<Subject, SubjectError> {
    let mut runs = Vec::new();
    for file in lesson::lessons() {
        for scenario in &file.scenarios {
            runs.push(play(file, &scenario.id, &[])?);
        }
    }
    if runs.is_empty() {
        return Err(SubjectError::NoLessons);
    }
    Ok(Subject {
        runs,
        differences: Vec::new(),
        lessons: lesson::lessons().iter().map(|file| file.lesson.clone()).collect(),
        selected: 0,
        packets: None,
        replay: None,
        warnings: Vec::new(),
    })
}
