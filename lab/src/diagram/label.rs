//! What stands on an arrow: flags and relative numbers on the line, and below it the window, the
//! options, the numbers in the header, the first bytes, and if asked for the reason.

use unicode_width::UnicodeWidthStr;

use tcpstack::event::{Reason, SegmentRecord};

use super::canvas::{FlagKind, Line, Span, Style, span, width};
use crate::run::{header, octets, sacked};
use crate::story::{Arrow, Conversation, Fate};
use crate::text::{Text, Word};

/// The text of an arrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Label {
    /// On the line.
    pub(super) head: Line,
    /// Below it.
    pub(super) details: Vec<Line>,
    /// How many of `details` are what did not fit on the line.
    pub(super) head_rest: usize,
}

impl Label {
    /// Columns of the widest detail.
    pub(super) fn details_width(&self) -> usize {
        self.details.iter().map(|line| width(line)).max().unwrap_or(0)
    }
}

/// How much a label says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wording {
    /// The language.
    pub(super) text: Text,
    /// Whether to give the reason.
    pub(super) why: bool,
    /// Whether to leave out what does not stand on the arrow.
    pub(super) brief: bool,
}

/// How many columns a label has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// On the line.
    pub(super) head: usize,
    /// Below it.
    pub(super) below: usize,
}

impl Columns {
    /// As many in every row.
    pub(super) fn all(columns: usize) -> Columns {
        Columns { head: columns, below: columns }
    }
}

/// The label of `arrow` in lines of at most `columns`.
pub(super) fn label(
    arrow: &Arrow,
    conversation: &Conversation,
    wording: Wording,
    columns: Columns,
) -> Label {
    let text = wording.text;
    let mut lines = wrap(head(arrow, conversation, text), "  ", columns);
    let head = if lines.is_empty() { Line::new() } else { lines.remove(0) };
    let head_rest = lines.len();
    if !wording.brief {
        let below = Columns::all(columns.below);
        let details = details(arrow, conversation, text, columns.below);
        lines.extend(wrap(details, " · ", below));
    }
    Label { head, details: lines, head_rest }
}

/// The reason: the sentence with its id and clause if it is the `first` time, else without it.
pub(super) fn why(reason: Reason, first: bool, text: Text, columns: usize) -> Vec<Line> {
    let (word, id, clause) = (text.word(Word::Why), reason.id(), reason.clause());
    let sentence = match first {
        true => format!("{word} {} ({id}, {clause})", reason.text(text.language())),
        false => format!("{word} {id} ({clause})"),
    };
    let lines = textwrap::wrap(&sentence, columns.max(1));
    lines.into_iter().map(|line| vec![span(line, Style::Why)]).collect()
}

fn head(arrow: &Arrow, conversation: &Conversation, text: Text) -> Vec<Line> {
    let segment = &arrow.segment;
    let mut tokens = Vec::new();
    if segment.retransmission {
        tokens.push(vec![span(format!("↻ {}", text.word(Word::Again)), Style::Again)]);
    }
    if let Some(host) = &arrow.forged_by {
        tokens.push(vec![span(text.forged_by(host), Style::Lost)]);
    }
    if arrow.fate == Fate::Damaged {
        tokens.push(vec![span(text.word(Word::Damaged), Style::Lost)]);
    }
    if arrow.fate == Fate::Duplicate {
        tokens.push(vec![span(text.word(Word::Duplicate), Style::Again)]);
    }
    let flags = match segment.flags.as_str() {
        "" => "none".to_owned(),
        flags => flags.replace('|', "+"),
    };
    tokens.push(vec![span(flags, Style::Flags(flag_kind(arrow)))]);
    tokens.push(number("seq", segment.seq, arrow.relative_seq, seq_name(arrow, conversation)));
    if arrow.has_flag("ACK") {
        tokens.push(number("ack", segment.ack, arrow.relative_ack, ack_name(arrow, conversation)));
    }
    if segment.len > 0 {
        tokens.push(vec![span(format!("len={}", segment.len), Style::Number)]);
    }
    for (left, right) in sacked(segment, arrow.relative_ack) {
        tokens.push(vec![span(format!("sack={left}-{right}"), Style::Number)]);
    }
    if segment.segments > 1 {
        tokens.push(vec![span(format!("({}×)", segment.segments), Style::Dim)]);
    }
    if arrow.lost_segments > 0 {
        let lost = format!("✕ {}", text.lost(arrow.lost_segments));
        tokens.push(vec![span(lost, Style::Lost)]);
    }
    tokens
}

fn flag_kind(arrow: &Arrow) -> FlagKind {
    match () {
        () if arrow.has_flag("RST") => FlagKind::Breaks,
        () if arrow.has_flag("SYN") => FlagKind::Opens,
        () if arrow.has_flag("FIN") => FlagKind::Ends,
        () => FlagKind::Carries,
    }
}

/// `seq=0 (J=2891336453)`; the absolute number alone where the relative one is not known.
fn number(field: &str, absolute: u32, relative: Option<u64>, name: Option<String>) -> Line {
    let value = relative.map_or_else(|| absolute.to_string(), |value| value.to_string());
    let mut line = vec![span(format!("{field}={value}"), Style::Number)];
    if let Some(name) = name {
        line.push(span(format!(" ({name})"), Style::Initial));
    }
    line
}

/// `J` for what the client sends, `K` for the server's, where it is known.
fn letter(conversation: &Conversation, port: u16) -> Option<(char, u32)> {
    if port == conversation.client.port() {
        conversation.j.map(|iss| ('J', iss))
    } else {
        conversation.k.map(|iss| ('K', iss))
    }
}

/// The handshake's name for SEG.SEQ: `J=…` on the SYN, `J+1` on the ACK that completes it.
fn seq_name(arrow: &Arrow, conversation: &Conversation) -> Option<String> {
    let (letter, iss) = letter(conversation, arrow.segment.src_port)?;
    match arrow.segment.seq.wrapping_sub(iss) {
        0 if arrow.has_flag("SYN") => Some(format!("{letter}={iss}")),
        1 if completes_handshake(arrow) => Some(format!("{letter}+1")),
        _ => None,
    }
}

/// The handshake's name for SEG.ACK: `J+1` on the SYN+ACK, `K+1` on the ACK that completes it.
fn ack_name(arrow: &Arrow, conversation: &Conversation) -> Option<String> {
    let (letter, iss) = letter(conversation, arrow.segment.dst_port)?;
    let acknowledges_syn = arrow.segment.ack.wrapping_sub(iss) == 1;
    let names = acknowledges_syn && (arrow.has_flag("SYN") || completes_handshake(arrow));
    names.then(|| format!("{letter}+1"))
}

/// Whether it may be the third segment of the handshake: nothing sent yet, nothing got.
fn completes_handshake(arrow: &Arrow) -> bool {
    arrow.segment.flags == "ACK"
        && arrow.segment.len == 0
        && arrow.relative_seq == Some(1)
        && arrow.relative_ack == Some(1)
        && !arrow.segment.retransmission
}

/// What stands below the line. Numbers that have no room are left out: half of one would be another.
fn details(arrow: &Arrow, conversation: &Conversation, text: Text, columns: usize) -> Vec<Line> {
    let segment = &arrow.segment;
    let dim = |text: String| vec![span(text, Style::Dim)];
    let mut tokens = Vec::new();
    let named = seq_name(arrow, conversation).is_some_and(|name| name.contains('='));
    if arrow.relative_seq.is_some() && !named {
        tokens.push(dim(format!("seq {}", segment.seq)));
    }
    if arrow.has_flag("ACK") && arrow.relative_ack.is_some() {
        tokens.push(dim(format!("ack {}", segment.ack)));
    }
    tokens.push(dim(window(segment, text, columns)));
    tokens.extend(options(segment).into_iter().map(dim));
    if segment.urgent > 0 {
        tokens.push(dim(format!("urg {}", segment.urgent)));
    }
    tokens.retain(|token| width(token) <= columns);
    tokens.extend(preview(segment).map(dim));
    tokens
}

/// The window in bytes, and as the header has it where scaling makes a difference and that has room.
fn window(segment: &SegmentRecord, text: Text, columns: usize) -> String {
    let word = text.word(Word::Window);
    let (field, bytes) = (u64::from(segment.window), segment.window_bytes);
    // The scale is a power of two, and the field is what was left after the shift.
    let scale = bytes.checked_div(field).filter(|scale| scale.is_power_of_two() && *scale > 1);
    let alone = format!("{word} {bytes}");
    let scaled = scale.map(|scale| format!("{alone} ({field}<<{})", scale.trailing_zeros()));
    scaled.filter(|scaled| scaled.width() <= columns).unwrap_or(alone)
}

fn options(segment: &SegmentRecord) -> Vec<String> {
    let Some(options) = header(segment).map(|header| header.options) else { return Vec::new() };
    let mut names = Vec::new();
    names.extend(options.mss.map(|mss| format!("mss {mss}")));
    names.extend(options.window_scale.map(|shift| format!("wscale {shift}")));
    if options.sack_permitted {
        names.push("sackOK".to_owned());
    }
    names.extend(options.timestamps.map(|(value, echo)| format!("ts {value}/{echo}")));
    names
}

/// The first bytes, if they are text.
fn preview(segment: &SegmentRecord) -> Option<String> {
    const SHOWN: usize = 20;
    let bytes = octets(&segment.payload)?;
    let whole = std::str::from_utf8(&bytes);
    // The record may end inside a character.
    let text = match &whole {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let printable = |glyph: char| !glyph.is_control() || matches!(glyph, '\n' | '\r' | '\t');
    if text.is_empty() || !text.chars().all(printable) {
        return None;
    }
    let shown: String = text.chars().take(SHOWN).flat_map(escape).collect();
    let more = if text.chars().count() > SHOWN || bytes.len() < segment.len { "…" } else { "" };
    Some(format!("\"{shown}{more}\""))
}

/// Line ends and tabs as C writes them; anything else as it is.
fn escape(glyph: char) -> impl Iterator<Item = char> {
    let escaped = match glyph {
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        _ => None,
    };
    escaped.map(|_| '\\').into_iter().chain([escaped.unwrap_or(glyph)])
}

/// Puts tokens into lines of at most `columns`, `between` them.
pub(super) fn wrap(tokens: Vec<Line>, between: &str, columns: Columns) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for token in tokens {
        let room = if lines.len() > 1 { columns.below } else { columns.head };
        match lines.last_mut() {
            Some(line) if width(line) + between.width() + width(&token) <= room => {
                line.push(Span { text: between.to_owned(), style: Style::Dim });
                line.extend(token);
            }
            _ => lines.push(token),
        }
    }
    lines
}
