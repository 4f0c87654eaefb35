//! The header of the segment at the cursor in rows of 32 bits, as the notes' figure has it.

use ratatui::text::{Line, Span};
use tcpstack::event::{Kind, SegmentRecord};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::app::App;
use super::look::Look;
use super::words::Word;
use crate::book::HeaderField;
use crate::caption;
use crate::run::octets;

/// Bits of a row.
const ROW: u32 = 32;
/// Bits of a header without options.
const FIXED: u32 = 160;

pub(super) fn lines(app: &App, look: Look, width: u16) -> Vec<Line<'static>> {
    let language = app.language;
    let shown = app.shown();
    let Some(record) = record(app) else { return vec![Line::raw(Word::NoSegment.of(language))] };
    let sender = app.selected().map(|flight| flight.from);
    let bytes = octets(&record.header).unwrap_or_default();
    let caption = caption::segment(&shown.run, sender, record);
    let mut lines = vec![Line::styled(caption, look.title()), Line::default()];
    let column = if usize::from(width) > 2 * ROW as usize { 2 } else { 1 };
    let rule = "─".repeat(ROW as usize * column - 1);
    for row in 0..FIXED / ROW {
        let (left, right) = if row == 0 { ('┌', '┐') } else { ('├', '┤') };
        lines.push(Line::raw(format!("{left}{rule}{right}")));
        lines.push(row_line(app, &bytes, row, column));
    }
    lines.push(Line::raw(format!("└{rule}┘")));
    for field in &app.book.header {
        let Some(value) = value(&bytes, field.bit, field.bits) else { continue };
        let flag = field.bits == 1;
        let style = if flag && value == 1 { look.reason() } else { look.faint() };
        // Flags that are not set say little: the figure has them.
        if !flag || value == 1 {
            let meaning = format!("  {}", field.term.text.of(language));
            lines.push(Line::from(vec![
                Span::raw(format!("{}: {}", field.term.name.of(language), written(field, value))),
                Span::styled(meaning, style),
            ]));
        }
    }
    lines.extend(options(app, &bytes));
    lines
}

/// The segment at the cursor, or the last one before it.
fn record(app: &App) -> Option<&SegmentRecord> {
    let shown = app.shown();
    let flight = app.selected()?;
    [flight.sent, flight.received].into_iter().flatten().find_map(|at| {
        match &shown.run.events.get(at)?.kind {
            Kind::SegmentSent(record) | Kind::SegmentReceived(record) => Some(record),
            _ => None,
        }
    })
}

fn row_line(app: &App, bytes: &[u8], row: u32, column: usize) -> Line<'static> {
    let mut text = String::from("│");
    let fields = app.book.header.iter().filter(|field| field.bit / ROW == row && field.bits > 0);
    for field in fields {
        let room = field.bits as usize * column - 1;
        let shown = value(bytes, field.bit, field.bits).map(|value| written(field, value));
        let shown = shown.unwrap_or_default();
        let name = field.term.name.of(app.language);
        let cell = match field.bits {
            // A bit that is set has its flag's first letter, as the figure has.
            1 if shown == "1" => field.id.chars().take(1).collect(),
            1 => "·".to_owned(),
            _ if name.width() + 1 + shown.width() <= room => format!("{name} {shown}"),
            _ => shown,
        };
        text.push_str(&fit(&cell, room));
        text.push('│');
    }
    Line::raw(text)
}

/// Exactly `room` columns of `text`.
pub(super) fn fit(text: &str, room: usize) -> String {
    let mut fitted = String::new();
    let mut used = 0;
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if used + width > room {
            break;
        }
        used += width;
        fitted.push(character);
    }
    fitted + &" ".repeat(room - used)
}

/// Numbers as people read them: the checksum in hexadecimal, all others in decimal.
fn written(field: &HeaderField, value: u64) -> String {
    if field.id == "checksum" { format!("0x{value:04x}") } else { value.to_string() }
}

/// `bits` bits from `bit` on.
fn value(bytes: &[u8], bit: u32, bits: u32) -> Option<u64> {
    let one = |at: u32| Some(u64::from(bytes.get(at as usize / 8)? >> (7 - at % 8) & 1));
    (bit..bit.checked_add(bits.min(64))?).try_fold(0, |value, at| Some(value << 1 | one(at)?))
}

fn options(app: &App, header: &[u8]) -> Vec<Line<'static>> {
    let mut rest = header.get(FIXED as usize / 8..).unwrap_or_default();
    let mut lines = Vec::new();
    while let Some(kind) = rest.first().copied() {
        // Kinds 0 and 1 are a byte, all others say their length (RFC 9293 §3.1).
        let len = if kind < 2 { 1 } else { usize::from(rest.get(1).copied().unwrap_or(0)) };
        let Some((option, behind)) = rest.split_at_checked(len.max(1)) else { break };
        let name = app.book.options.get(&kind).map(|term| term.name.of(app.language).to_owned());
        let name = name.unwrap_or_else(|| format!("kind {kind}"));
        let hex: Vec<String> = option.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push(Line::raw(format!(
            "{} {name}: {}",
            Word::Options.of(app.language),
            hex.join(" ")
        )));
        rest = behind;
    }
    lines
}
