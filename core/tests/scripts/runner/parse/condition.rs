//! `assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd; state(4) == ESTABLISHED` between `%{` and `}%`.

use crate::runner::script::{Comparison, Condition, Subject};
use crate::runner::text::Cursor;

/// Reads the conditions of one assertion. As in packetdrill, what follows a comma is only for a
/// message, and is not needed here: a failure shows the value.
pub(super) fn parse(text: &str) -> Result<Vec<Condition>, String> {
    let conditions: Vec<&str> =
        text.split(';').map(str::trim).filter(|text| !text.is_empty()).collect();
    if conditions.is_empty() {
        return Err("there is nothing to assert".into());
    }
    conditions.into_iter().map(condition).collect()
}

fn condition(text: &str) -> Result<Condition, String> {
    let mut cursor = Cursor::new(text);
    cursor.eat_word("assert");
    let has_bits = cursor.eat("(");
    let mut subject = subject(&mut cursor)?;
    if has_bits {
        cursor.expect("&")?;
        let name = cursor.word()?;
        cursor.expect(")")?;
        match &mut subject {
            Subject::Info { bits, .. } => *bits = Some(name.to_owned()),
            _ => return Err("only TCP_INFO has bits".into()),
        }
    }
    let comparison = comparison(&mut cursor)?;
    let value = cursor.rest().split(',').next().unwrap_or_default().trim().to_owned();
    if value.is_empty() {
        return Err(cursor.wanted("a value"));
    }
    Ok(Condition { text: text.to_owned(), subject, comparison, value })
}

fn subject(cursor: &mut Cursor<'_>) -> Result<Subject, String> {
    let name = cursor.word()?;
    let argument = match cursor.eat("(") {
        true => Some(cursor.until(")")?.trim()),
        false => None,
    };
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}`: expected a number"));
    match (name, argument) {
        ("state", Some(flow)) if flow.starts_with('@') => {
            let flow = flow[1..].parse().map_err(|_| format!("`{flow}`: expected @n"))?;
            Ok(Subject::FlowState(flow))
        }
        ("state", Some(fd)) => Ok(Subject::State(number(fd)?)),
        ("counter", Some(counter)) => Ok(Subject::Counter(counter.to_owned())),
        (name, argument) if name.starts_with("tcpi_") => {
            let fd = argument.map(number).transpose()?;
            Ok(Subject::Info { field: name.to_owned(), fd, bits: None })
        }
        _ => Err(format!("`{name}`: expected state(fd), state(@n), counter(name) or tcpi_...")),
    }
}

fn comparison(cursor: &mut Cursor<'_>) -> Result<Comparison, String> {
    let table = [
        ("==", Comparison::Equal),
        ("!=", Comparison::Unequal),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    for (token, comparison) in table {
        if cursor.eat(token) {
            return Ok(comparison);
        }
    }
    Err(cursor.wanted("a comparison"))
}
