//! `tcpstack export --all --to FOLDER`: the course as pages that a teacher can put on any web server.

use std::collections::BTreeMap;
use std::fs;

use tcpstack::event::Language;
use tcpstack_lab::book::book;
use tcpstack_lab::export::Format;
use tcpstack_lab::export::course::{index, index_name, page_name};
use tcpstack_lab::export::html::{Data, PAGE, html};
use tcpstack_lab::lesson::{Lesson, lessons};
use tcpstack_lab::stage::play;

use crate::args::Export;
use crate::export_command::{ExportError, language_code, theme_name, write};
use crate::language;
use crate::subject::SubjectError;

/// Whether `arguments` ask for a folder of pages, and not for one page with everything.
pub(crate) fn is_asked(arguments: &Export) -> bool {
    let is_page = arguments.format.is_none_or(|format| format == Format::Html);
    let (to, is_named) = (&arguments.to, arguments.to.extension().is_some());
    arguments.all && is_page && (to.is_dir() || (!is_named && to.as_os_str() != "-"))
}

/// Writes the lessons' pages and the indices.
pub(crate) fn course(arguments: &Export) -> Result<(), ExportError> {
    let failed = |source| ExportError::Write { path: arguments.to.clone(), source };
    fs::create_dir_all(&arguments.to).map_err(failed)?;
    let book = book();
    let all: Vec<Lesson> = lessons().iter().map(|file| file.lesson.clone()).collect();
    let name = |lesson: &Lesson| (lesson.number, page_name(lesson));
    let pages: BTreeMap<u32, String> = all.iter().map(name).collect();
    for file in lessons() {
        let runs = file.scenarios.iter().map(|scenario| play(file, &scenario.id, &[]));
        let runs = runs.collect::<Result<Vec<_>, _>>().map_err(SubjectError::from)?;
        let data = Data {
            book: &book,
            lessons: &all,
            runs: &runs,
            differences: &[],
            selected: 0,
            pages: pages.clone(),
            language: language_code(arguments),
            theme: theme_name(arguments),
        };
        let page = html(PAGE, &data)?;
        write(&arguments.to.join(page_name(&file.lesson)), page.as_bytes())?;
    }
    let (first, theme) = (language::of(arguments.lang), arguments.theme);
    for language in [Language::English, Language::Chinese] {
        let page = index(&all, language, first, theme);
        write(&arguments.to.join(index_name(language, first)), page.as_bytes())?;
    }
    Ok(())
}
