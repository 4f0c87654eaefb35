//! A picture as SVG that stands alone: its own colours and ground, no style sheet, no script, real text.
//!
//! Whatever a run says is escaped on the way; characters that XML does not have are left out.

use std::fmt::Write;

use tcpstack::event::Language;
use tcpstack::tcp::State;

use super::Theme;
use super::sequence::{
    Arrow, ArrowEnd, Bar, Bracket, Fold, Lane, Note, NoteKind, Picture, Side, Tick, picture,
};
use super::words::{Sign, left_out, meaning};
use crate::run::Run;

/// Latin first, then faces with CJK characters: browsers and `resvg` take the first that has a character.
const SANS: &str = "Inter, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, 'Noto Sans CJK SC', \
                    'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', 'DejaVu Sans', sans-serif";
const MONO: &str = "'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', \
                    'Noto Sans Mono CJK SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', monospace";

/// The sequence diagram of `run`.
pub fn svg(run: &Run, language: Language, theme: Theme) -> String {
    Writer { colours: Colours::of(theme, run), language, out: String::new() }
        .write(&picture(run, language))
}

/// The colours of a theme: those of the page (`page/src/theme.css`), where each means the same.
struct Colours {
    ground: &'static str,
    ink: &'static str,
    faint: &'static str,
    line: &'static str,
    /// Of each host.
    hosts: Vec<&'static str>,
    lost: &'static str,
    again: &'static str,
}

impl Colours {
    fn of(theme: Theme, run: &Run) -> Colours {
        let of_hosts = |lifelines: [&'static str; 4]| {
            let colour = |host| lifelines[run.lifeline(host) % lifelines.len()];
            (0..run.hosts.len()).map(colour).collect()
        };
        match theme {
            Theme::Light => Colours {
                ground: "#ffffff",
                ink: "#1c1b22",
                faint: "#55535f",
                line: "#8b8791",
                hosts: of_hosts(["#1a5fb4", "#0b7261", "#8a4b1a", "#5b5f1d"]),
                lost: "#b3261e",
                again: "#a34f00",
            },
            Theme::Dark => Colours {
                ground: "#1d1f26",
                ink: "#eeedf2",
                faint: "#b1b0bd",
                line: "#7d808d",
                hosts: of_hosts(["#82b8ff", "#55d3b8", "#f0ac7a", "#d3d67a"]),
                lost: "#ff8a80",
                again: "#ffb066",
            },
        }
    }

    fn host(&self, lane: usize) -> &'static str {
        self.hosts.get(lane).copied().unwrap_or(self.ink)
    }

    /// The colour of a segment: what went wrong with it, else whose it is.
    fn arrow(&self, arrow: &Arrow) -> &'static str {
        match arrow.end {
            ArrowEnd::Lost | ArrowEnd::Damaged => self.lost,
            _ if arrow.again => self.again,
            _ => self.host(arrow.lane),
        }
    }
}

struct Writer {
    colours: Colours,
    language: Language,
    out: String,
}

impl Writer {
    fn write(mut self, picture: &Picture) -> String {
        self.open(picture);
        picture.folds.iter().for_each(|fold| self.fold(fold, picture));
        picture.lanes.iter().enumerate().for_each(|(at, lane)| self.lane(at, lane));
        picture.bars.iter().for_each(|bar| self.bar(bar, &picture.lanes));
        picture.brackets.iter().for_each(|bracket| self.bracket(bracket));
        picture.arrows.iter().for_each(|arrow| self.arrow(arrow));
        // Words last, so that no line runs over them.
        picture.ticks.iter().for_each(|tick| self.tick(tick));
        picture.notes.iter().for_each(|note| self.note(note));
        picture.arrows.iter().for_each(|arrow| self.label(arrow));
        self.legend(picture);
        self.put(format_args!("</svg>\n"));
        self.out
    }

    fn put(&mut self, text: std::fmt::Arguments) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(text);
    }

    fn open(&mut self, picture: &Picture) {
        let (width, height) = (picture.width, picture.height);
        let lang = match self.language {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        };
        let ground = self.colours.ground;
        self.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{0}\" \
             xml:lang=\"{lang}\" font-family=\"{SANS}\" font-size=\"13\">\n\
             <title>{0}</title>\n<desc>{1}</desc>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"{ground}\"/>\n",
            escape(&picture.title),
            escape(&picture.description),
        ));
        let ink = self.colours.ink;
        self.put(format_args!(
            "<text x=\"24\" y=\"34\" font-size=\"19\" font-weight=\"700\" fill=\"{ink}\">{}</text>\n",
            escape(&picture.title),
        ));
    }

    fn lane(&mut self, at: usize, lane: &Lane) {
        let Lane { x, top, bottom, role, name } = lane;
        let (line, ink, own) = (self.colours.line, self.colours.ink, self.colours.host(at));
        self.put(format_args!(
            "<line x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{line}\" \
             stroke-width=\"2\"/>\n\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"700\" fill=\"{ink}\" \
             font-size=\"15\">{}</text>\n\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{own}\">{}</text>\n",
            top - 27.0,
            escape(role),
            top - 9.0,
            escape(name),
        ));
    }

    fn bar(&mut self, bar: &Bar, lanes: &[Lane]) {
        let Some(x) = lanes.get(bar.lane).map(|lane| lane.x) else { return };
        let (top, bottom, colour) = (bar.top, bar.bottom, self.colours.host(bar.lane));
        // Thick while text can flow both ways; a listening socket and TIME-WAIT only wait.
        let (width, dashes) = match bar.state {
            State::Established => (6, ""),
            State::Listen => (4, " stroke-dasharray=\"3 4\""),
            State::TimeWait => (4, " stroke-dasharray=\"10 4\""),
            _ => (4, ""),
        };
        self.put(format_args!(
            "<line x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{colour}\" \
             stroke-width=\"{width}\"{dashes}><title>{}</title></line>\n",
            bar.state.name(),
        ));
    }

    fn bracket(&mut self, bracket: &Bracket) {
        let Bracket { x, side, top, bottom, .. } = bracket;
        let hook = if *side == Side::Left { -5.0 } else { 5.0 };
        let colour = self.colours.faint;
        let (top, bottom) = (top - 4.0, bottom - 4.0);
        let end = if bracket.returned { format!(" h{hook}") } else { String::new() };
        self.put(format_args!(
            "<path d=\"M{:.1} {top:.1} H{x:.1} V{bottom:.1}{end}\" fill=\"none\" stroke=\"{colour}\" \
             stroke-width=\"1.5\" stroke-dasharray=\"4 3\"/>\n",
            x + hook,
        ));
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let ((x1, y1), (x2, y2)) = (arrow.from, arrow.to);
        let colour = self.colours.arrow(arrow);
        let dashes = match arrow.end {
            ArrowEnd::Unwitnessed | ArrowEnd::Underway => " stroke-dasharray=\"7 4\"",
            _ if arrow.duplicate => " stroke-dasharray=\"2 3\"",
            _ if arrow.again => " stroke-dasharray=\"9 3\"",
            _ => "",
        };
        self.put(format_args!(
            "<g stroke=\"{colour}\" fill=\"{colour}\"><title>{}</title>\
             <line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke-width=\"1.8\"{dashes}/>",
            escape(&join(&arrow.label, &arrow.detail)),
        ));
        match arrow.end {
            ArrowEnd::Lost => self.cross(x2, y2),
            ArrowEnd::Damaged => {
                self.head(arrow);
                // Before the arrow's head, and not upon it.
                let (dx, dy) = ((x2 - x1) * 0.05, (y2 - y1) * 0.05);
                self.cross(x2 - dx, y2 - dy);
            }
            ArrowEnd::Underway => {}
            ArrowEnd::Arrives | ArrowEnd::Unwitnessed => self.head(arrow),
        }
        self.put(format_args!("</g>\n"));
    }

    fn cross(&mut self, x: f64, y: f64) {
        self.put(format_args!(
            "<path d=\"M{:.1} {:.1} l12 12 m0 -12 l-12 12\" fill=\"none\" stroke-width=\"3\"/>",
            x - 6.0,
            y - 6.0,
        ));
    }

    fn head(&mut self, arrow: &Arrow) {
        let ((x1, y1), (x2, y2)) = (arrow.from, arrow.to);
        let length = (x2 - x1).hypot(y2 - y1).max(1.0);
        let (dx, dy) = ((x2 - x1) / length, (y2 - y1) / length);
        let corner = |side: f64| (x2 - 10.0 * dx - side * dy, y2 - 10.0 * dy + side * dx);
        let ((ax, ay), (bx, by)) = (corner(4.0), corner(-4.0));
        self.put(format_args!(
            "<path d=\"M{x2:.1} {y2:.1} L{ax:.1} {ay:.1} L{bx:.1} {by:.1} Z\" stroke=\"none\"/>"
        ));
    }

    /// What stands on an arrow lies along it.
    fn label(&mut self, arrow: &Arrow) {
        let ((x1, y1), (x2, y2)) = (arrow.from, arrow.to);
        let right = x2 >= x1;
        let angle = ((y2 - y1) / (x2 - x1).abs().max(1.0)).atan().to_degrees();
        let at = arrow.label_at;
        let (anchor, shift, angle) =
            if right { ("start", at, angle) } else { ("end", -at, -angle) };
        let colour = self.colours.arrow(arrow);
        let ground = self.colours.ground;
        self.put(format_args!(
            "<text transform=\"translate({x1:.1} {y1:.1}) rotate({angle:.2})\" x=\"{shift}\" y=\"-5\" \
             text-anchor=\"{anchor}\" fill=\"{colour}\" stroke=\"{ground}\" stroke-width=\"4\" \
             stroke-linejoin=\"round\" paint-order=\"stroke\">{}</text>\n",
            escape(&arrow.label),
        ));
    }

    fn note(&mut self, note: &Note) {
        let Note { x, y, .. } = note;
        let anchor = if note.side == Side::Left { "end" } else { "start" };
        let (colour, look) = match note.kind {
            NoteKind::Call => (self.colours.ink, MONO),
            NoteKind::Failure => (self.colours.lost, MONO),
            NoteKind::State => (self.colours.host(note.lane), SANS),
            NoteKind::Timer | NoteKind::Congestion => (self.colours.faint, SANS),
            NoteKind::Dropped => (self.colours.lost, SANS),
        };
        let (size, weight) = match note.kind {
            NoteKind::Call | NoteKind::Failure => (11, 400),
            NoteKind::State => (12, 700),
            _ => (12, 400),
        };
        let ground = self.colours.ground;
        let detail = match note.detail.as_str() {
            "" => String::new(),
            detail => format!("<title>{}</title>", escape(detail)),
        };
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\" font-family=\"{look}\" \
             font-size=\"{size}\" font-weight=\"{weight}\" stroke=\"{ground}\" stroke-width=\"4\" \
             stroke-linejoin=\"round\" paint-order=\"stroke\">{detail}{}</text>\n",
            escape(&note.text),
        ));
    }

    fn tick(&mut self, tick: &Tick) {
        let (y, faint) = (tick.y, self.colours.faint);
        self.put(format_args!(
            "<text x=\"78\" y=\"{y:.1}\" text-anchor=\"end\" font-size=\"12\" fill=\"{faint}\">{}</text>\n",
            escape(&tick.text),
        ));
    }

    fn fold(&mut self, fold: &Fold, picture: &Picture) {
        let (y, width) = (fold.y, picture.width - 24.0);
        let Colours { faint, line, ground, .. } = self.colours;
        // Between the first two lifelines, where no line stands.
        let middle = match &picture.lanes[..] {
            [first, second, ..] => first.x.midpoint(second.x),
            _ => picture.width / 2.0,
        };
        self.put(format_args!(
            "<path d=\"M24 {y:.1} H{width:.1}\" stroke=\"{line}\" stroke-dasharray=\"1 6\" stroke-width=\"2\"/>\n\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"12\" fill=\"{faint}\" \
             stroke=\"{ground}\" stroke-width=\"8\" paint-order=\"stroke\">⋮ {} ⋮</text>\n",
            y + 4.0,
            escape(&fold.text),
        ));
    }

    fn legend(&mut self, picture: &Picture) {
        let has = |end: ArrowEnd| picture.arrows.iter().any(|arrow| arrow.end == end);
        let signs = [
            (has(ArrowEnd::Arrives), Sign::Arrow),
            (has(ArrowEnd::Lost), Sign::Lost),
            (has(ArrowEnd::Damaged), Sign::Damaged),
            (picture.arrows.iter().any(|arrow| arrow.duplicate), Sign::Duplicate),
            (has(ArrowEnd::Unwitnessed), Sign::Unwitnessed),
            (picture.arrows.iter().any(|arrow| arrow.again), Sign::Again),
            (!picture.folds.is_empty(), Sign::Fold),
        ];
        let y = picture.height - 24.0;
        let mut x = 24.0;
        for (_, sign) in signs.into_iter().filter(|(seen, _)| *seen) {
            x = self.legend_entry(sign, x, y);
        }
        if picture.left_out > 0 {
            let (lost, text) = (self.colours.lost, left_out(picture.left_out, self.language));
            self.put(format_args!(
                "<text x=\"24\" y=\"{:.1}\" fill=\"{lost}\">{}</text>\n",
                y - 22.0,
                escape(&text)
            ));
        }
    }

    /// One sign with its meaning; returns where the next one begins.
    fn legend_entry(&mut self, sign: Sign, x: f64, y: f64) -> f64 {
        let own = self.colours.host(0);
        let Colours { lost, again, faint, .. } = self.colours;
        let middle = y - 4.0;
        let line = |colour: &str, dashes: &str| {
            format!(
                "<path d=\"M{x:.1} {middle:.1} h30\" stroke=\"{colour}\" stroke-width=\"1.8\" \
                 stroke-dasharray=\"{dashes}\"/>"
            )
        };
        let mark = |colour: &str, mark: &str| {
            format!("<text x=\"{:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{mark}</text>", x + 20.0)
        };
        let drawn = match sign {
            Sign::Arrow => line(own, "none"),
            Sign::Lost | Sign::Damaged => line(lost, "none") + &mark(lost, "✕"),
            Sign::Duplicate => line(own, "2 3"),
            Sign::Unwitnessed => line(own, "7 4"),
            Sign::Again => line(again, "9 3") + &mark(again, "↻"),
            Sign::Fold => mark(faint, "⋮"),
        };
        let text = meaning(sign, self.language);
        self.put(format_args!(
            "{drawn}<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"12\" fill=\"{faint}\">{}</text>\n",
            x + 38.0,
            escape(&text),
        ));
        x + 38.0 + unicode_width::UnicodeWidthStr::width(text.as_str()) as f64 * 6.3 + 26.0
    }
}

fn join(label: &str, detail: &str) -> String {
    if detail.is_empty() { label.to_owned() } else { format!("{label}\n{detail}") }
}

/// `text` where XML has text or an attribute's value.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // XML 1.0 §2.2: other control characters are none of its characters.
            '\t' | '\n' => escaped.push(character),
            character if character.is_control() => {}
            '\u{fffe}' | '\u{ffff}' => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
