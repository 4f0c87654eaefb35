//! `tcpstack export`: a lesson's run, or what was recorded, as a file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tcpstack::event::Language;
use tcpstack_lab::book::book;
use tcpstack_lab::export::html::{Data, HtmlError, PAGE, html};
use tcpstack_lab::export::pcapng::{self, PcapngError};
use tcpstack_lab::export::{self, Format, Theme};
use tcpstack_lab::run::Run;

use crate::args::Export;
use crate::export_course;
use crate::failure::Failure;
use crate::language;
use crate::subject::{Breadth, Subject, SubjectError, subject};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// Nothing to export was found.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// No format was named.
    #[error(
        "{0}: which format? Name one with --format, or by an ending: .html .svg .png .mmd .json .pcapng"
    )]
    Format(PathBuf),
    /// Only a page holds several runs.
    #[error("--all is for pages (--format html): the other formats hold one run")]
    All,
    /// A capture is seen from one host.
    #[error(
        "a capture is what one host saw: name it with --host ({hosts}), or a directory with --to"
    )]
    Vantage { hosts: String },
    /// There is no such host.
    #[error(transparent)]
    Capture(#[from] PcapngError),
    /// The page could not be made.
    #[error(transparent)]
    Page(#[from] HtmlError),
    /// The run could not be written as JSON.
    #[error("the run as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The picture could not be drawn.
    #[cfg(feature = "png")]
    #[error(transparent)]
    Png(#[from] export::png::PngError),
    /// This program was built without the drawing of pixels.
    #[cfg(not(feature = "png"))]
    #[error("this program was built without PNG (cargo feature `png`): write SVG")]
    NoPng,
    /// A file cannot be written.
    #[error("{path}: {source}")]
    Write { path: PathBuf, source: io::Error },
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Failure {
        match error {
            ExportError::Subject(why) => why.into(),
            ExportError::Format(ref path) => Failure::usage(
                &error,
                format!(
                    "{}：写成什么格式？用 --format 指定，或用文件的结尾：.html .svg .png .mmd .json .pcapng",
                    path.display()
                ),
            ),
            ExportError::All => {
                Failure::usage(&error, "--all 只用于网页（--format html）：其他格式只含一次运行")
            }
            ExportError::Vantage { ref hosts } => Failure::usage(
                &error,
                format!(
                    "抓包文件是一台主机所见：用 --host 指定主机（{hosts}），或用 --to 指定文件夹"
                ),
            ),
            ExportError::Capture(ref why) => Failure::usage(&error, why.text().zh),
            ExportError::Write { ref path, ref source } => {
                Failure::other(&error, format!("无法写入 {}：{source}", path.display()))
            }
            #[cfg(feature = "png")]
            ExportError::Png(ref why) => Failure::other(&error, why.text().zh),
            #[cfg(not(feature = "png"))]
            ExportError::NoPng => {
                Failure::other(&error, "本程序编译时没有包含 PNG（cargo 特性 `png`）：请写成 SVG")
            }
            ExportError::Page(_) | ExportError::Json(_) => Failure::english(&error),
        }
    }
}

/// Writes what `arguments` ask for.
pub(crate) fn export(arguments: &Export) -> Result<(), ExportError> {
    if export_course::is_asked(arguments) {
        return export_course::course(arguments);
    }
    let format = format(arguments)?;
    let breadth = match (format, arguments.all) {
        (Format::Html, true) => Breadth::Course,
        (Format::Html, false) => Breadth::Lesson,
        (_, true) => return Err(ExportError::All),
        (_, false) => Breadth::One,
    };
    let language = language::of(arguments.lang);
    let subject = subject(&arguments.what, &arguments.rules, breadth)?;
    subject.warnings.iter().for_each(|text| eprintln!("tcpstack: {}", text.of(language)));
    if format == Format::Pcapng {
        return captures(arguments, &subject);
    }
    let theme = arguments.theme.unwrap_or_default();
    let file = match format {
        Format::Html => page(arguments, &subject)?.into_bytes(),
        Format::Svg => export::svg::svg(subject.shown(), language, theme).into_bytes(),
        Format::Png => png(subject.shown(), language, theme)?,
        Format::Mermaid => export::mermaid::mermaid(subject.shown(), language).into_bytes(),
        Format::Json => export::json(subject.shown())?.into_bytes(),
        Format::Pcapng => Vec::new(),
    };
    write(&arguments.to, &file)
}

fn format(arguments: &Export) -> Result<Format, ExportError> {
    let named = arguments.format.or_else(|| Format::of(&arguments.to));
    named.ok_or_else(|| ExportError::Format(arguments.to.clone()))
}

fn page(arguments: &Export, subject: &Subject) -> Result<String, HtmlError> {
    let data = Data {
        book: &book(),
        lessons: &subject.lessons,
        runs: &subject.runs,
        differences: &subject.differences,
        selected: subject.selected,
        pages: BTreeMap::new(),
        language: language_code(arguments),
        theme: theme_name(arguments),
    };
    html(PAGE, &data)
}

/// The language that was asked for, as the page's data name it.
pub(crate) fn language_code(arguments: &Export) -> Option<&'static str> {
    arguments.lang.map(|lang| match Language::from(lang) {
        Language::English => "en",
        Language::Chinese => "zh",
    })
}

/// The theme that was asked for, as the page's data name it.
pub(crate) fn theme_name(arguments: &Export) -> Option<&'static str> {
    arguments.theme.map(|theme| match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    })
}

#[cfg(feature = "png")]
fn png(run: &Run, language: Language, theme: Theme) -> Result<Vec<u8>, ExportError> {
    Ok(export::png::png(run, language, theme)?)
}

#[cfg(not(feature = "png"))]
fn png(_: &Run, _: Language, _: Theme) -> Result<Vec<u8>, ExportError> {
    Err(ExportError::NoPng)
}

/// One capture at the host that was named, or one for each host into a directory.
fn captures(arguments: &Export, subject: &Subject) -> Result<(), ExportError> {
    let run = subject.shown();
    let capture = |host| match &subject.packets {
        Some(packets) => pcapng::capture_of(run, packets, host),
        None => pcapng::capture(run, host),
    };
    if let Some(host) = &arguments.host {
        return write(&arguments.to, &capture(pcapng::host_named(run, host)?)?);
    }
    if let ([_], false) = (&run.hosts[..], arguments.to.is_dir()) {
        return write(&arguments.to, &capture(0)?);
    }
    // A path with an ending is meant as a file, and a file is one host's.
    if !arguments.to.is_dir()
        && (arguments.to.extension().is_some() || arguments.to == Path::new("-"))
    {
        let names: Vec<&str> = run.hosts.iter().map(|host| host.name.as_str()).collect();
        return Err(ExportError::Vantage { hosts: names.join(", ") });
    }
    let failed = |source| ExportError::Write { path: arguments.to.clone(), source };
    fs::create_dir_all(&arguments.to).map_err(failed)?;
    for (at, host) in run.hosts.iter().enumerate() {
        let path = arguments.to.join(file_name(&host.name, at)).with_added_extension("pcapng");
        write(&path, &capture(at)?)?;
    }
    Ok(())
}

/// A host's name as a file's: names come from files of others, and may be paths.
fn file_name(host: &str, at: usize) -> String {
    let is_plain = |one: char| one.is_alphanumeric() || matches!(one, '.' | '-' | '_' | ':');
    let plain: String = host.chars().map(|one| if is_plain(one) { one } else { '_' }).collect();
    if plain.trim_matches('.').is_empty() { format!("host{at}") } else { plain }
}

/// `-` is the standard output.
pub(crate) fn write(path: &Path, file: &[u8]) -> Result<(), ExportError> {
    let result = if path == Path::new("-") {
        match io::stdout().lock().write_all(file) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    } else {
        fs::write(path, file)
    };
    result.map_err(|source| ExportError::Write { path: path.to_owned(), source })
}
