//! Runs as Python has them: played or read by the lab, and written by it in any of its formats. What
//! Python sees of a run is its JSON; nothing is derived here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tcpstack::event::Language;
use tcpstack_lab::book::book;
use tcpstack_lab::export::html::{Data, PAGE, html};
use tcpstack_lab::export::{self, Theme, pcapng};
use tcpstack_lab::lesson::{self, Lesson, LessonFile};
use tcpstack_lab::open::{OpenError, open};
use tcpstack_lab::run::{self, Origin, Rule, Text};
use tcpstack_lab::stage::{self, Packet};
use tcpstack_lab::{diagram, render, story};

/// A run, and what its page shows beside it.
#[pyclass(frozen, module = "tcpstack._tcpstack")]
pub(crate) struct Run {
    run: run::Run,
    /// The same without the reader's rules, where there are any.
    before: Option<run::Run>,
    /// The lesson that it belongs to.
    lesson: Option<Lesson>,
    /// Every packet as each host saw it; none: it was not played.
    packets: Option<Vec<Packet>>,
    /// What is wrong with the files though they can be read.
    warnings: Vec<Text>,
}

#[pymethods]
impl Run {
    /// Plays a scenario of a lesson (its number, its name, or a file that ends in .toml), the first one
    /// unless another is named. A rule is `client:3:drop`, or a JSON object.
    #[staticmethod]
    fn lesson(
        py: Python<'_>,
        lesson: &str,
        scenario: Option<&str>,
        rules: Vec<String>,
    ) -> PyResult<Run> {
        let rules = rules.iter().map(|text| rule(text)).collect::<PyResult<Vec<Rule>>>()?;
        py.detach(|| play(lesson, scenario, &rules))
    }

    /// Reads event files of one or several hosts, a capture, or a run in JSON.
    #[staticmethod]
    fn open(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<Run> {
        let opened = py.detach(|| open(&paths)).map_err(|error| open_error(&error))?;
        let (run, warnings) = (opened.run, opened.warnings);
        Ok(Run { run, before: None, lesson: None, packets: None, warnings })
    }

    /// The run in JSON: docs/schema/run.schema.json.
    fn json(&self) -> PyResult<String> {
        export::json(&self.run).map_err(value_error)
    }

    /// The sequence diagram as a picture.
    fn svg(&self, py: Python<'_>, language: &str, dark: bool) -> PyResult<String> {
        let language = of_code(language)?;
        let theme = if dark { Theme::Dark } else { Theme::Light };
        Ok(py.detach(|| export::svg::svg(&self.run, language, theme)))
    }

    /// The sequence diagram in Mermaid's notation.
    fn mermaid(&self, py: Python<'_>, language: &str) -> PyResult<String> {
        let language = of_code(language)?;
        Ok(py.detach(|| export::mermaid::mermaid(&self.run, language)))
    }

    /// The sequence diagram as text of so many columns.
    fn text(&self, py: Python<'_>, language: &str, width: usize, why: bool) -> PyResult<String> {
        let language = of_code(language)?;
        let options = diagram::Options { width, language, why, brief: false };
        Ok(py.detach(|| text(&self.run, options)))
    }

    /// The page with the run in it.
    fn html(&self, py: Python<'_>, language: &str, dark: Option<bool>) -> PyResult<String> {
        of_code(language)?;
        let theme = dark.map(|dark| if dark { "dark" } else { "light" });
        py.detach(|| self.page(language, theme))
    }

    /// What was on the wire at a host, as pcapng.
    fn pcapng<'py>(&self, py: Python<'py>, host: &str) -> PyResult<Bound<'py, PyBytes>> {
        let host = pcapng::host_named(&self.run, host).map_err(value_error)?;
        let capture = py.detach(|| match &self.packets {
            Some(packets) => pcapng::capture_of(&self.run, packets, host),
            None => pcapng::capture(&self.run, host),
        });
        Ok(PyBytes::new(py, &capture.map_err(value_error)?))
    }

    /// Where another run parts from this one, in JSON; none: they are the same.
    fn difference(&self, py: Python<'_>, after: &Run) -> PyResult<Option<String>> {
        let found = py.detach(|| run::difference(&self.run, &after.run));
        found.map(|found| serde_json::to_string(&found).map_err(value_error)).transpose()
    }

    /// What is wrong with the files that it was read from, though they can be read.
    fn warnings(&self, language: &str) -> PyResult<Vec<String>> {
        let language = of_code(language)?;
        Ok(self.warnings.iter().map(|text| text.of(language).to_owned()).collect())
    }
}

impl Run {
    /// With reader's rules the run without them stands beside it, and the page marks where they part.
    fn page(&self, language: &str, theme: Option<&str>) -> PyResult<String> {
        let runs: Vec<run::Run> = self.before.iter().chain([&self.run]).cloned().collect();
        let part = |before: &run::Run| vec![None, run::difference(before, &self.run)];
        let data = Data {
            book: &book(),
            lessons: &self.lesson_of_page(),
            runs: &runs,
            differences: &self.before.as_ref().map(part).unwrap_or_default(),
            selected: runs.len() - 1,
            language: Some(language),
            theme,
            pages: BTreeMap::new(),
        };
        html(PAGE, &data).map_err(value_error)
    }

    /// The lesson as a page without its other scenarios has it: with this one alone.
    fn lesson_of_page(&self) -> Vec<Lesson> {
        let Origin::Simulated { scenario, .. } = &self.run.origin else { return Vec::new() };
        let mut lessons: Vec<Lesson> = self.lesson.iter().cloned().collect();
        for lesson in &mut lessons {
            lesson.scenarios.retain(|head| head.id == *scenario);
            lesson.scenarios.iter_mut().for_each(|head| head.beside.clear());
        }
        lessons
    }
}

fn play(asked: &str, scenario: Option<&str>, rules: &[Rule]) -> PyResult<Run> {
    let file = lesson_file(asked)?;
    let first = || file.scenarios.first().map_or("", |scenario| &scenario.id);
    let scenario = scenario.unwrap_or_else(first);
    let before = match rules {
        [] => None,
        _ => Some(stage::play(&file, scenario, &[]).map_err(value_error)?),
    };
    let played = stage::perform(&file, scenario, rules).map_err(value_error)?;
    let (run, packets) = (played.run, Some(played.packets));
    let lesson = Some(file.into_owned().lesson);
    Ok(Run { run, before, lesson, packets, warnings: Vec::new() })
}

fn lesson_file(asked: &str) -> PyResult<Cow<'static, LessonFile>> {
    if asked.ends_with(".toml") {
        let path = Path::new(asked);
        File::open(path).map_err(|error| system_error(path, &error))?;
        return LessonFile::open(path).map(Cow::Owned).map_err(value_error);
    }
    lesson::find(asked).map(Cow::Borrowed).ok_or_else(|| {
        let name = |file: &LessonFile| format!("{} {}", file.lesson.number, file.lesson.id);
        let known = lesson::lessons().iter().map(name).collect::<Vec<_>>().join(", ");
        value_error(format!("there is no lesson {asked}: expected one of {known}, or a .toml file"))
    })
}

fn rule(text: &str) -> PyResult<Rule> {
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| value_error(format!("{text}: {error}")));
    }
    text.parse().map_err(value_error)
}

/// All connections together, as `tcpstack show --together` draws them.
fn text(run: &run::Run, options: diagram::Options) -> String {
    let told = story::tell_all(run, &story::find_conversations(&run.events));
    let summaries = story::summarise(&told);
    let drawing = diagram::diagram(&story::condense(told, false), &summaries, options);
    render::render(&drawing.rows, false)
}

fn of_code(language: &str) -> PyResult<Language> {
    match language {
        "en" => Ok(Language::English),
        "zh" => Ok(Language::Chinese),
        other => Err(value_error(format!("there is no language {other}: expected en or zh"))),
    }
}

fn value_error(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A file that the system will not open is an `OSError`, one that says something wrong a `ValueError`.
fn open_error(error: &OpenError) -> PyErr {
    match error {
        OpenError::Open { path, source } => system_error(path, source),
        _ => value_error(error),
    }
}

/// `OSError(errno, os.strerror(errno), path)`: the interpreter picks the subclass.
fn system_error(path: &Path, error: &io::Error) -> PyErr {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default().to_owned();
    match error.raw_os_error() {
        Some(errno) => PyOSError::new_err((errno, text, path.as_os_str().to_owned())),
        None => PyOSError::new_err(format!("{}: {text}", path.display())),
    }
}
