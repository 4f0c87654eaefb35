//! `tcpstack show`: reads recordings or a capture, draws their connections, one after the other or together.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};

use tcpstack_lab::diagram::{Line, Options, Sign, Span, Style, diagram, legend};
use tcpstack_lab::open::{OpenError, Opened, open};
use tcpstack_lab::render::render;
use tcpstack_lab::run::{Origin, Run};
use tcpstack_lab::story::{
    Conversation, Story, condense, find_conversations, summarise, tell, tell_all,
};
use tcpstack_lab::text::Text;

use crate::args::{Drawing, Show};
use crate::failure::Failure;
use crate::language;

/// Connections that are drawn without being asked for by number.
const MOST_DRAWN: usize = 8;
/// Columns where the terminal does not say how wide it is.
const DEFAULT_WIDTH: usize = 110;
/// Wider than this, eyes get lost between the lifelines.
const WIDEST: usize = 140;

/// Why nothing was drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShowError {
    /// The files cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such connection.
    #[error("there is no connection {asked}: {}", numbers(*.most))]
    Connection { asked: usize, most: usize },
    /// The drawing could not be written.
    #[error("writing the drawing: {0}")]
    Write(#[from] io::Error),
}

impl From<ShowError> for Failure {
    fn from(error: ShowError) -> Failure {
        match &error {
            ShowError::Open(why) => Failure::other(&error, why.text().zh),
            ShowError::Connection { asked, most } => {
                Failure::usage(&error, format!("没有连接 {asked}：共有 {most} 个连接"))
            }
            ShowError::Write(why) => Failure::other(&error, format!("无法写出图形：{why}")),
        }
    }
}

fn numbers(most: usize) -> String {
    match most {
        0 => "there is none".to_owned(),
        1 => "there is one, with the number 1".to_owned(),
        most => format!("they have the numbers 1 to {most}"),
    }
}

/// Draws what `arguments` ask for on standard output.
pub(crate) fn show(arguments: &Show) -> Result<(), ShowError> {
    draw(&open(&arguments.files)?, &arguments.drawing)
}

/// Draws a run as `arguments` say.
pub(crate) fn draw(opened: &Opened, arguments: &Drawing) -> Result<(), ShowError> {
    let run = &opened.run;
    let conversations = find_conversations(&run.events);
    let most = conversations.len();
    if let Some(asked) = arguments.connection.filter(|asked| !(1..=most).contains(asked)) {
        return Err(ShowError::Connection { asked, most });
    }
    let options = Options {
        width: width(arguments),
        language: language::of(arguments.lang),
        why: arguments.why,
        brief: false,
    };
    let mut page = Page { options, all: arguments.all, rows: Vec::new(), signs: BTreeSet::new() };
    if arguments.together || conversations.is_empty() {
        page.draw(tell_all(run, &conversations));
    } else {
        page.draw_each(run, &conversations, arguments.connection);
    }
    page.end(opened);
    let text = render(&page.rows, is_coloured(arguments));
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// What is put out, growing downwards.
struct Page {
    options: Options,
    all: bool,
    rows: Vec<Line>,
    signs: BTreeSet<Sign>,
}

impl Page {
    fn text(&self) -> Text {
        Text::new(self.options.language)
    }

    fn draw(&mut self, story: Story) {
        let summaries = summarise(&story);
        let drawing = diagram(&condense(story, self.all), &summaries, self.options);
        self.rows.extend(drawing.rows);
        self.rows.push(Line::new());
        self.signs.extend(drawing.signs);
    }

    /// The connections one after the other, or the one asked for.
    fn draw_each(&mut self, run: &Run, all: &[Conversation], asked: Option<usize>) {
        let chosen = all.iter().filter(|one| asked.is_none_or(|number| number == one.number));
        for one in chosen.take(MOST_DRAWN) {
            if all.len() > 1 {
                let (client, server) = (one.client.to_string(), one.server.to_string());
                let title = self.text().title(one.number, all.len(), &client, &server);
                self.say(title, Style::Title);
                self.rows.push(Line::new());
            }
            self.draw(tell(run, all, one.number));
        }
        if asked.is_none() && all.len() > MOST_DRAWN {
            let more = self.text().more_connections(all.len() - MOST_DRAWN);
            self.say(more, Style::Heading);
            self.rows.push(Line::new());
        }
    }

    /// The legend, what has to be said of the run, and what is wrong with the files.
    fn end(&mut self, opened: &Opened) {
        self.rows.extend(legend(&self.signs, self.options));
        let language = self.options.language;
        if let Origin::Captured { remarks, .. } = &opened.run.origin {
            self.rows.push(Line::new());
            remarks.iter().for_each(|remark| self.say_wrapped(remark.of(language), Style::Plain));
        }
        opened.warnings.iter().for_each(|one| self.say_wrapped(one.of(language), Style::Lost));
    }

    /// A sentence that may be longer than a row.
    fn say_wrapped(&mut self, text: &str, style: Style) {
        for line in textwrap::wrap(text, self.options.width) {
            self.say(line.into_owned(), style);
        }
    }

    fn say(&mut self, text: String, style: Style) {
        self.rows.push(vec![Span { text, style }]);
    }
}

fn width(arguments: &Drawing) -> usize {
    let asked = arguments.width.map(usize::from);
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    asked.or_else(|| terminal().map(|width| width.min(WIDEST))).unwrap_or(DEFAULT_WIDTH)
}

fn is_coloured(arguments: &Drawing) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !arguments.no_color && !refused && io::stdout().is_terminal()
}
