//! `tcpstack lab`: opens a lesson in the browser.

use std::io::{self, Write};

use tcpstack::event::Language;
use tcpstack_lab::server::{Opened, Server, ServerError, Session};

use crate::args::Lab;
use crate::language;

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LabError {
    /// What was named is neither a lesson nor a file.
    #[error("{0} is neither a lesson's number or name nor a file")]
    Unknown(String),
    /// The server could not be started, or ended by itself.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The address could not be written.
    #[error("writing the address: {0}")]
    Write(#[from] io::Error),
}

/// Serves what `arguments` name until Ctrl-C.
pub(crate) fn lab(arguments: &Lab) -> Result<(), LabError> {
    let opened = opened(&arguments.what)?;
    let language = language::of(arguments.lang);
    let asked = arguments.lang.map(Language::from);
    let server = Server::bind(arguments.port, Session { opened, language: asked })?;
    let url = server.url();
    say(language, &url)?;
    if !arguments.no_open && open::that_detached(&url).is_err() {
        eprintln!("{}", no_browser(language));
    }
    Ok(server.run()?)
}

/// What the words on the command line mean.
fn opened(what: &[String]) -> Result<Opened, LabError> {
    let Some(first) = what.first() else {
        return Ok(Opened::Lesson { lesson: 1, scenario: None });
    };
    let lesson = first.parse().map_err(|_| LabError::Unknown(first.clone()))?;
    Ok(Opened::Lesson { lesson, scenario: what.get(1).cloned() })
}

fn say(language: Language, url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match language {
        Language::English => writeln!(out, "The lab is open at {url} (Ctrl-C ends it)")?,
        Language::Chinese => writeln!(out, "实验室已打开：{url} （按 Ctrl-C 结束）")?,
    }
    out.flush()
}

fn no_browser(language: Language) -> &'static str {
    match language {
        Language::English => "No browser could be started: open the address by hand.",
        Language::Chinese => "无法启动浏览器：请手动打开上面的地址。",
    }
}
